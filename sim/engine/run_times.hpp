// What goes into a run of the engine and what comes out, for re-timing and event-driven runs alike.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/engine/task_graph.hpp"
#include "traces/base/ids.hpp"
#include "traces/base/result.hpp"

namespace tandem::sim {

/// The work of one step.
struct StepWork {
  const TaskGraph* graph = nullptr;  ///< outlives the run; null: the run is over
  /// Nanoseconds, one a task, by task number; empty: the graph's own. Read until the next call.
  std::span<const Nanos> durations_ns;
};

/// The step that is asked for.
struct StepStart {
  std::int64_t step = 0;  ///< counts from 0
  /// When the control lane of an event-driven run is through with the steps before, nanoseconds;
  /// kNever: the run has none, steps are asked for in advance.
  Nanos at_ns = kNever;
};

/// Where the steps of a run come from, one after the other: a list, a trace, a generator, a policy.
class StepSource {
 public:
  virtual ~StepSource() = default;
  /// An error ends the run.
  [[nodiscard]] virtual Status next(const StepStart& start, StepWork& work) = 0;
};

/// Takes the end times of each step, in the order of steps. A task started `duration` before.
class StepSink {
 public:
  virtual ~StepSink() = default;
  /// ends_ns: by task number, nanoseconds since the run began; gone when the call returns.
  virtual void step_done(std::int64_t step, const TaskGraph& graph,
                         std::span<const Nanos> ends_ns) = 0;
};

struct LaneTimes {
  Nanos busy_ns = 0;  ///< durations of its tasks
  Nanos end_ns = 0;   ///< end of its last task, 0 without one
};

struct ResourceTimes {
  std::int64_t granted = 0;  ///< tasks that held a unit
  Nanos busy_ns = 0;         ///< their durations, over all units
  Nanos queued_ns = 0;       ///< from ready to start, over all tasks
};

/// A run, or as much of it as is done. Times begin at 0.
struct RunTimes {
  std::int64_t steps = 0;
  std::int64_t tasks = 0;
  Nanos makespan_ns = 0;
  std::vector<LaneTimes> lanes;          ///< by lane
  std::vector<ResourceTimes> resources;  ///< by resource; re-timing leaves them 0

  /// Nanoseconds in [0, makespan) in which the lane runs nothing.
  [[nodiscard]] Nanos idle_ns(LaneId lane) const { return makespan_ns - lanes[lane].busy_ns; }
};

/// No run works longer than this: the durations of all its tasks together, 2^62 ns (146 years). No
/// time of a run can be later, so nothing overflows.
constexpr Nanos kWorkMaxNs = Nanos{1} << 62U;

/// `work_ns` plus the step's durations; `durations_ns` has one a task. Errors, by task: a duration
/// below 0, or the one with which the run passes kWorkMaxNs.
[[nodiscard]] Result<Nanos> add_work(const Layout& layout, const TaskGraph& graph,
                                     std::span<const Nanos> durations_ns, std::int64_t step,
                                     Nanos work_ns);

/// A wait of `step` that must find a record of a step before and does not.
[[nodiscard]] Error unrecorded_error(const Layout& layout, const TaskGraph& graph,
                                     const TaskGraph::BackWait& back, std::int64_t step);

/// The durations that a step runs with. Errors: a span that is neither empty nor one a task.
[[nodiscard]] Result<std::span<const Nanos>> durations_of(const StepWork& work, std::int64_t step);

}  // namespace tandem::sim
