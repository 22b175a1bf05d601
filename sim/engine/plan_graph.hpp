// From a step's plan segments to engine tasks: operations, launches, waits and records of events.
//
// Each operation that runs is a task on its lane. What the host enqueues on a stream costs it a
// launch, a task of its own on the host lane that the operation waits for. A wait of the host is a
// host task behind the event; a wait of a stream holds back the next task there. A record binds as
// in CUDA: a wait of the same step means the latest record enqueued before it, a wait of the step
// before means that step's last (architecture 4.1; plan.hpp).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sim/engine/layout.hpp"
#include "sim/engine/task_graph.hpp"
#include "traces/base/result.hpp"
#include "traces/plan/plan.hpp"
#include "traces/record.hpp"

namespace tandem::sim {

/// Which operations of a chain run: those whose gate symbol is not 0 (plan::Symbol).
struct StepGates {
  struct Substep {
    std::int64_t draft_rows = 0;
    bool draft_any = false;

    bool operator==(const Substep&) const = default;
  };
  std::int64_t tasks = 0;
  std::int64_t token_num = 0;    ///< N
  std::int64_t output_rows = 0;  ///< R
  std::int64_t n = 0;
  std::int64_t marks = 0;
  std::vector<Substep> substeps;  ///< of the MTP head, M entries

  [[nodiscard]] bool runs(const plan::Operation& op) const;
};

/// The gates of a recorded step. A record does not hold whether a draft slot runs (`draft_any`): a
/// sub-step that read its rows or had hidden rows counts as one where some did.
[[nodiscard]] StepGates gates_of(const StepRecord& record);

/// What a task of a plan's graph stands for.
enum class TaskPart : std::uint8_t {
  between,    ///< host: from the end of the step before to the first operation of this one
  launch,     ///< host: enqueues the operation
  operation,  ///< the operation itself, on its own lane; a host wait's work behind the event
  marker      ///< takes no time: a record with no task of its step in front, or waits at its end
};

struct PlanTask {
  TaskPart part = TaskPart::operation;
  std::int32_t segment = -1;  ///< index in the chain; -1: of no operation
  std::int32_t op = -1;       ///< index in the segment
};

struct PlanGraph {
  TaskGraph graph;              ///< all durations 0: a run gives them
  std::vector<PlanTask> tasks;  ///< by task number
};

/// The lanes and events of one rank in a layout, and the units that its tasks need.
class PlanLanes {
 public:
  struct Resources {
    ResourceId host_cores = kNoResource;    ///< of host tasks
    ResourceId copy_engines = kNoResource;  ///< of copies to pinned buffers
  };
  /// Adds the rank's lanes to `layout`, which outlives the result. Errors: the layout's.
  [[nodiscard]] static Result<PlanLanes> make(Layout& layout, const std::string& rank,
                                              const Resources& resources);

  [[nodiscard]] LaneId lane(plan::Lane lane) const {
    return lanes_[static_cast<std::size_t>(lane)];
  }
  [[nodiscard]] const Resources& resources() const { return resources_; }
  [[nodiscard]] const Layout& layout() const { return *layout_; }

  /// The step's last record of `name`, which the next step may wait for.
  [[nodiscard]] Result<EventId> last_record(plan::EventName name);
  /// Its `index`-th record where another follows, from 0 on.
  [[nodiscard]] Result<EventId> earlier_record(plan::EventName name, std::size_t index);
  /// The step's `index`-th launch, from 0 on.
  [[nodiscard]] Result<EventId> launch(std::size_t index);

 private:
  PlanLanes(Layout& layout, std::string rank, const Resources& resources)
      : layout_(&layout), rank_(std::move(rank)), resources_(resources) {}
  Result<EventId> numbered(std::vector<EventId>& events, std::size_t index, const std::string& name,
                           int steps_kept);

  Layout* layout_;
  std::string rank_;
  Resources resources_;
  std::vector<LaneId> lanes_;
  std::vector<EventId> launches_;
  std::map<plan::EventName, EventId> last_;
  std::map<plan::EventName, std::vector<EventId>> earlier_;
};

/// Appends the tasks of one rank's step to `builder`, whose layout is that of `lanes`, and to
/// `tasks` what they stand for. Errors, by operation: a wait for an event that the step has not
/// recorded by then, or of a step other than this or the one before; the layout's.
[[nodiscard]] Status append_chain(PlanLanes& lanes, const std::vector<const plan::Segment*>& chain,
                                  const StepGates& gates, GraphBuilder& builder,
                                  std::vector<PlanTask>& tasks);

/// The graphs of one rank's steps, each built once: steps in which the same operations of the same
/// segments run share one. Not thread-safe.
class PlanGraphs {
 public:
  explicit PlanGraphs(PlanLanes lanes) : lanes_(std::move(lanes)) {}

  /// Valid as long as this object; segments are told by their address, so they stay where they are
  /// that long too. Errors: append_chain's, GraphBuilder::finish's.
  [[nodiscard]] Result<const PlanGraph*> of(const std::vector<const plan::Segment*>& chain,
                                            const StepGates& gates);
  [[nodiscard]] std::size_t size() const { return graphs_.size(); }
  [[nodiscard]] const PlanLanes& lanes() const { return lanes_; }

 private:
  /// The segments, and which of their operations run.
  using Key = std::pair<std::vector<const plan::Segment*>, std::vector<bool>>;

  PlanLanes lanes_;
  std::map<Key, PlanGraph> graphs_;
};

}  // namespace tandem::sim
