// TaskGraph: the tasks of one step (or of a whole run) as arrays, and the builder that checks them.
//
// A graph is a template: it is executed once a step, any number of times, beside other graphs of
// the same layout. An edge is a lane's order, or a wait for an event that a task of this step or of
// a step before records. So a run of 10^8 tasks needs memory for one step and for the events that
// later steps may still wait for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sim/engine/layout.hpp"
#include "traces/base/ids.hpp"
#include "traces/base/result.hpp"

namespace tandem::sim {

/// What a wait for an event of a step before does where that step did not record it. Steps in front
/// of the run's first recorded everything.
enum class Unrecorded : std::uint8_t {
  error,  ///< bad input
  pass    ///< no wait, as a fresh CUDA event
};

struct Wait {
  EventId event = kNoEvent;
  std::uint16_t steps_back = 0;  ///< 0: recorded in the same step
  Unrecorded unrecorded = Unrecorded::error;

  bool operator==(const Wait&) const = default;
};

/// Read only; GraphBuilder::finish makes it. Arrays have one entry a task unless they say more.
struct TaskGraph {
  std::vector<LaneId> lane;
  std::vector<ResourceId> resource;       ///< kNoResource: none. Re-timing does not look at it.
  std::vector<Nanos> duration_ns;         ///< where a run gives no other, >= 0
  std::vector<EventId> record;            ///< recorded when the task ends; kNoEvent: none
  std::vector<std::uint32_t> wait_begin;  ///< size() + 1: waits of task i are [i], [i + 1) of waits
  std::vector<Wait> waits;

  /// A wait that reaches a step back and must find something there.
  struct BackWait {
    TaskId task = 0;
    Wait wait;
  };
  std::vector<BackWait> required_back;
  std::vector<EventId> recorded;                      ///< events that the graph records, ascending
  std::vector<std::pair<TaskId, std::string>> names;  ///< of tasks that have one, ascending

  // -- for one pass in topological order ----------------------------------------------------------

  /// Tasks of one lane that follow each other in the order, up to `stop`: only the first may wait,
  /// only the last may record. A second wait is a run of no task in front of its task's.
  struct PassRun {
    std::uint32_t awaited_slot = Layout::kNeverSlot;
    std::uint32_t recorded_slot = Layout::kUnreadSlot;
    std::uint32_t stop = 0;  ///< position in the order behind its last task
    LaneId lane = 0;
  };
  std::vector<TaskId> order;  ///< empty: the order of the numbers is topological
  std::vector<PassRun> runs;

  // -- for event-driven runs, lane by lane --------------------------------------------------------

  struct LaneTask {
    TaskId task = 0;
    EventId record = kNoEvent;
    std::uint32_t wait_begin = 0;
    std::uint16_t wait_count = 0;
    ResourceId resource = kNoResource;
  };
  std::vector<std::uint32_t> lane_begin;  ///< lanes of the layout + 1
  std::vector<LaneTask> lane_tasks;

  [[nodiscard]] std::size_t size() const { return lane.size(); }
  [[nodiscard]] bool records(EventId event) const;
};

/// "task 3 'lm_head' on lane compute", for errors.
[[nodiscard]] std::string task_place(const Layout& layout, const TaskGraph& graph, TaskId task);

/// Builds one graph. Bad input is remembered; finish() returns the first that was seen.
class GraphBuilder {
 public:
  /// `layout` outlives the builder and has all that the tasks name.
  explicit GraphBuilder(const Layout& layout) : layout_(layout) {}

  /// Appends a task to its lane. duration_ns >= 0; a capacity-limited `resource` or none. The
  /// number it returns is the tie-breaker of the whole engine.
  TaskId add_task(LaneId lane, Nanos duration_ns, ResourceId resource = kNoResource);
  /// `task` starts no sooner than `event` of this step (step_offset 0; the task that records it may
  /// be added later) or of a step before (-1 to minus the event's steps_kept). `unrecorded` counts
  /// for steps before only.
  void wait(TaskId task, EventId event, int step_offset = 0,
            Unrecorded unrecorded = Unrecorded::error);
  /// `event` happens when `task` ends. A task records one event at most, and an event once a step.
  void record(TaskId task, EventId event);
  /// A name for errors.
  void name_task(TaskId task, std::string name);

  [[nodiscard]] std::size_t size() const { return graph_.lane.size(); }

  /// The graph; the builder is then empty. Errors: what the calls above forbid, a wait for an event
  /// that the step does not record, tasks that wait for each other in a circle (one is named).
  [[nodiscard]] Result<TaskGraph> finish();

 private:
  void fail(Error error);
  [[nodiscard]] std::string place(TaskId task) const { return task_place(layout_, graph_, task); }
  [[nodiscard]] bool knows(TaskId task, const char* call);
  void sort_waits();
  Status check_waits();
  Status sort_tasks();
  Status sort_topologically();
  [[nodiscard]] Error circle(const std::vector<std::uint32_t>& open,
                             const std::vector<TaskId>& before) const;
  void lay_out_pass();
  void lay_out_lanes();

  const Layout& layout_;
  TaskGraph graph_;
  std::vector<std::pair<TaskId, Wait>> pending_waits_;
  std::vector<TaskId> recorder_;  ///< by event; kNoTask: none
  Status first_error_;
};

}  // namespace tandem::sim
