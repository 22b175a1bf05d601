// Re-timing: start and end of every task of a fixed DAG, in one pass in topological order.
//
// A task starts when the task before it on its lane and every event it waits for are done.
// Resources do not count: the times are those of an event-driven run (dynamic.hpp) without a queue.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "sim/engine/run_times.hpp"
#include "sim/engine/task_graph.hpp"
#include "traces/base/result.hpp"

namespace tandem::sim {

/// Re-times step after step. Memory: one number an event and step kept, and one a lane, however
/// many steps. Not thread-safe. Behind an error the times are those of the steps before.
class Retimer {
 public:
  /// `layout` outlives the retimer and may grow between steps.
  explicit Retimer(const Layout& layout) : layout_(layout) {}

  /// One more step. `durations_ns`: one a task, >= 0; empty: the graph's own. `ends_ns`: one a
  /// task, written; empty: not wanted.
  /// Errors: sizes that differ, add_work's, a wait for an event that its step did not record.
  [[nodiscard]] Status step(const TaskGraph& graph, std::span<const Nanos> durations_ns,
                            std::span<Nanos> ends_ns);

  /// When the lane is through with everything so far.
  [[nodiscard]] Nanos lane_end_ns(LaneId lane) const {
    return lane < lane_end_ns_.size() ? lane_end_ns_[lane] : 0;
  }
  [[nodiscard]] RunTimes times() const;

 private:
  void grow();
  void age_events();
  [[nodiscard]] Status check_back_waits(const TaskGraph& graph) const;

  const Layout& layout_;
  std::int64_t steps_ = 0;
  std::int64_t tasks_ = 0;
  Nanos work_ns_ = 0;
  std::vector<Nanos> lane_end_ns_;
  std::vector<Nanos> lane_busy_ns_;
  std::vector<Nanos> slots_;  ///< times of events, as Layout numbers them
};

/// Re-times all steps of `source`; `sink` may be null. Errors: the source's, Retimer::step's.
[[nodiscard]] Result<RunTimes> retime(const Layout& layout, StepSource& source, StepSink* sink);

}  // namespace tandem::sim
