// save_output: the message of a step from the pinned copies (semantics 5.14, 6.6).
#pragma once

#include "runtime/core/device.hpp"
#include "traces/record.hpp"
#include "traces/run_config.hpp"

namespace tandem {

/// Who the sender is: host columns of B slots at the moment of sending.
struct SenderView {
  const Column& last_preempted;
  const Column& request;
  const Column& given;  ///< as Scheduler::given()
};

/// The message of step `step` with view length `slots`: 0 for unfinished chunks, kPreemptMark for
/// marked slots, else a with A[0..a).
void build_message(const RunConfig& config, const PinnedEntry& copied, const SenderView& sender,
                   std::int64_t step, std::int32_t slots, Message& out);

/// The preempt-only output: kPreemptMark for marked slots, nothing else; up to the highest of them.
void build_control(const Column& marks, const SenderView& sender, std::int64_t step, Message& out);

}  // namespace tandem
