// Collects the records of one block as columns of residuals and writes them as chunks.
#pragma once

#include <cstdint>
#include <memory>

#include "traces/base/result.hpp"
#include "traces/detail/bytes.hpp"
#include "traces/keyframe.hpp"
#include "traces/record.hpp"
#include "traces/run_config.hpp"

namespace tandem::detail {

class StepEncoder {
 public:
  explicit StepEncoder(const TraceHeader& header);
  StepEncoder(const StepEncoder&) = delete;
  StepEncoder& operator=(const StepEncoder&) = delete;
  ~StepEncoder();

  /// Opens a block. The one before was taken by finish().
  void start(const Keyframe& keyframe);
  void add(const StepRecord& record);
  [[nodiscard]] std::uint64_t record_count() const;
  /// Appends the block's chunks to `out`.
  void finish(Bytes& out);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tandem::detail
