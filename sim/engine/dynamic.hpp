// Event-driven runs: tasks queue for contended resources; the next step may depend on the clock.
//
// A task is ready when the task before it on its lane and every event it waits for are done. One
// without a resource starts then. The others are granted units one by one: of all tasks that are
// known to be ready, given the grants made so far, the one with the least (ready time, step, task)
// is next and takes the unit that is free first. So each resource serves in the order of ready
// times and no unit idles while a task queues for it, and the order is a function of the graphs and
// durations alone.
#pragma once

#include <cstdint>
#include <optional>

#include "sim/engine/layout.hpp"
#include "sim/engine/run_times.hpp"
#include "traces/base/result.hpp"

namespace tandem::sim {

constexpr std::int32_t kWindowStepsMax = 1 << 16;

struct DynamicOptions {
  /// Steps held at once, 1..kWindowStepsMax: how far the first lane may be ahead of the last.
  std::int32_t window_steps = 8;
  /// Where it is given, nothing of a step starts before this lane is through with the steps before,
  /// and the source is asked for the step at that time: a host thread that decides what is next.
  std::optional<LaneId> control_lane;
  StepSink* sink = nullptr;  ///< may be null
};

/// Runs all steps of `source`. Memory: window_steps steps, however many there are; nothing is
/// allocated a task. `layout` gets no further lanes or resources while it runs and keeps its
/// steps_kept_max; it may get events.
/// Errors: the source's, add_work's, options out of range, a wait for an event that its step did
/// not record, a lane that has to be more than window_steps ahead of another.
[[nodiscard]] Result<RunTimes> run_dynamic(const Layout& layout, StepSource& source,
                                           const DynamicOptions& options);

}  // namespace tandem::sim
