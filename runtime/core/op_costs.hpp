// What an operation costs host and device in virtual time, and what a scenario says of it.
#pragma once

#include "runtime/core/device.hpp"
#include "scenarios/scenario.hpp"

namespace tandem {

/// One operation of a device lane. Nanoseconds, >= 0.
struct OpCost {
  Nanos launch_ns = 0;   ///< the host thread's, to enqueue it
  Nanos latency_ns = 0;  ///< from the end of its launch to its start on a lane that is idle
  Nanos gap_ns = 0;      ///< from the end of the operation before it on its lane
  Nanos duration_ns = 0;
};

/// A wait of the host thread. Nanoseconds, >= 0.
struct WaitCost {
  Nanos call_ns = 0;  ///< where the event was reached before
  Nanos wake_ns = 0;  ///< from the event to the end of the wait, where the host had to sleep
};

/// A copy to pinned memory, blocking reads among them.
[[nodiscard]] bool is_pinned_copy(plan::OpKind kind);

/// The scenario's duration of a device operation: forwards by rows, all others by kind.
[[nodiscard]] Nanos scenario_duration(const TimingModel& timing, const plan::Operation& op,
                                      const LaunchArgs& args);
/// The same with its launch; a lane of a scenario has neither latencies nor gaps.
[[nodiscard]] inline OpCost scenario_cost(const TimingModel& timing, const plan::Operation& op,
                                          const LaunchArgs& args) {
  return {timing.host_op_ns, 0, 0, scenario_duration(timing, op, args)};
}
[[nodiscard]] inline WaitCost scenario_wait(const TimingModel& timing) {
  return {timing.host_op_ns, timing.host_op_ns};
}

}  // namespace tandem
