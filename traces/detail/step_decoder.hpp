// Reads the chunks of one block and gives its records back, step by step.
#pragma once

#include <cstdint>
#include <memory>

#include "traces/base/result.hpp"
#include "traces/detail/bytes.hpp"
#include "traces/keyframe.hpp"
#include "traces/record.hpp"
#include "traces/run_config.hpp"

namespace tandem::detail {

class StepDecoder {
 public:
  /// `chunks` outlive the decoder. Errors say what is wrong, not where: the caller adds the place.
  [[nodiscard]] static Result<std::unique_ptr<StepDecoder>> open(const TraceHeader& header,
                                                                 ByteView chunks,
                                                                 std::uint64_t record_count);
  StepDecoder(const StepDecoder&) = delete;
  StepDecoder& operator=(const StepDecoder&) = delete;
  ~StepDecoder();

  [[nodiscard]] const Keyframe& keyframe() const;
  /// As BlockReader::next().
  [[nodiscard]] Result<bool> next(StepRecord& record);

 private:
  class Impl;
  explicit StepDecoder(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tandem::detail
