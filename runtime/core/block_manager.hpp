// The pool of KV blocks: who holds which, first freed first given.
#pragma once

#include <cstdint>
#include <vector>

#include "traces/base/check.hpp"

namespace tandem {

/// Blocks 0 .. count-1. Deterministic: blocks are given in the order in which they came back.
class BlockManager {
 public:
  explicit BlockManager(std::int32_t count) : ring_(static_cast<std::size_t>(count)) {
    for (std::size_t i = 0; i < ring_.size(); ++i) ring_[i] = static_cast<std::int32_t>(i);
    free_ = ring_.size();
  }

  [[nodiscard]] std::int64_t free_count() const { return static_cast<std::int64_t>(free_); }

  /// Appends `count` blocks to `out`. Checked: that many are free.
  void take(std::int64_t count, std::vector<std::int32_t>& out) {
    TANDEM_CHECK(count >= 0 && count <= free_count());
    for (std::int64_t i = 0; i < count; ++i) {
      out.push_back(ring_[head_]);
      head_ = head_ + 1 == ring_.size() ? 0 : head_ + 1;
      --free_;
    }
  }

  void give_back(const std::vector<std::int32_t>& blocks) {
    TANDEM_CHECK(free_ + blocks.size() <= ring_.size());
    for (const std::int32_t block : blocks) {
      ring_[(head_ + free_) % ring_.size()] = block;
      ++free_;
    }
  }

 private:
  std::vector<std::int32_t> ring_;
  std::size_t head_ = 0;
  std::size_t free_ = 0;
};

}  // namespace tandem
