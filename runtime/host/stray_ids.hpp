// StrayIds: ids that reached an embedding and are no entry of the vocabulary (V34).
#pragma once

#include <algorithm>
#include <cstdint>

#include "runtime/ops/provenance.hpp"

namespace tandem {

/// What StepRecord::id_below and id_above say of the ids noted.
class StrayIds {
 public:
  explicit StrayIds(std::int32_t vocab_size) : vocab_size_(vocab_size) {}

  void note(std::int64_t id) {
    if (id < 0) below_ = std::min(below_, as_recorded_id(id));
    if (id >= vocab_size_) above_ = std::max(above_, as_recorded_id(id));
  }

  [[nodiscard]] std::int32_t below() const { return below_; }
  [[nodiscard]] std::int32_t above() const { return above_; }

 private:
  std::int32_t vocab_size_;
  std::int32_t below_ = 0;
  std::int32_t above_ = 0;
};

}  // namespace tandem
