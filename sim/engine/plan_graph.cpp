// Walks a chain of segments in the order in which the host enqueues it.
#include "sim/engine/plan_graph.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "traces/base/check.hpp"

namespace tandem::sim {
namespace {

using plan::EventName;
using plan::Operation;
using plan::OpKind;

constexpr std::size_t kEventNameCount = static_cast<std::size_t>(EventName::copies_may_start) + 1;

std::string op_name(const Operation& op) {
  std::string name = plan::to_name(op.kind);
  if (op.kind == OpKind::wait_event) name.append(" ").append(plan::to_name(op.waits.name));
  if (op.substep >= 0) name.append("/").append(std::to_string(op.substep));
  return name;
}

/// A copy that an engine of the device carries out: it writes host memory.
bool writes_host_memory(const Operation& op) {
  constexpr std::string_view kSuffix = "_cpu";
  return std::any_of(op.writes.begin(), op.writes.end(), [&](const plan::BufferUse& use) {
    const std::string_view name = plan::to_name(use.buffer);
    return name.size() > kSuffix.size() && name.substr(name.size() - kSuffix.size()) == kSuffix;
  });
}

class ChainWalk {
 public:
  ChainWalk(PlanLanes& lanes, GraphBuilder& builder, std::vector<PlanTask>& tasks)
      : lanes_(lanes), builder_(builder), tasks_(tasks) {}

  Status walk(const std::vector<const plan::Segment*>& chain, const StepGates& gates);

 private:
  struct LaneWalk {
    bool has_task = false;  ///< of this step, behind which a record may stand
    bool records = false;   ///< that task records an event already
    TaskId last = 0;
    std::vector<std::pair<Wait, int>> held_back_by;  ///< waits, step offsets: of its next task
  };

  Status take(const Operation& op);
  Status wait(const Operation& op);
  Status record(const Operation& op);
  Status enqueue(const Operation& op);
  Result<std::pair<Wait, int>> bind(const Operation& op);
  TaskId add(plan::Lane lane, TaskPart part, ResourceId resource, std::string name);
  LaneWalk& on(plan::Lane lane) { return walks_[static_cast<std::size_t>(lane)]; }
  [[nodiscard]] Error error(const Operation& op, const std::string& found,
                            const std::string& wanted) const;

  PlanLanes& lanes_;
  GraphBuilder& builder_;
  std::vector<PlanTask>& tasks_;
  std::array<LaneWalk, plan::kLaneCount> walks_;
  std::array<std::size_t, kEventNameCount> to_come_{};   ///< records of the chain
  std::array<std::size_t, kEventNameCount> recorded_{};  ///< of these, seen
  std::size_t launches_ = 0;
  std::int32_t segment_ = -1;
  std::int32_t op_ = -1;
};

Status ChainWalk::walk(const std::vector<const plan::Segment*>& chain, const StepGates& gates) {
  for (const plan::Segment* segment : chain) {
    for (const Operation& op : segment->ops) {
      if (op.kind == OpKind::record_event && gates.runs(op)) {
        ++to_come_[static_cast<std::size_t>(op.records.name)];
      }
    }
  }
  add(plan::Lane::host, TaskPart::between, lanes_.resources().host_cores, "between steps");
  for (std::size_t s = 0; s < chain.size(); ++s) {
    segment_ = static_cast<std::int32_t>(s);
    for (std::size_t i = 0; i < chain[s]->ops.size(); ++i) {
      op_ = static_cast<std::int32_t>(i);
      const Operation& op = chain[s]->ops[i];
      if (gates.runs(op)) TANDEM_RETURN_IF_ERROR(take(op));
    }
  }
  segment_ = op_ = -1;
  for (const plan::Lane lane : {plan::Lane::compute, plan::Lane::copy}) {
    if (!on(lane).held_back_by.empty()) {
      add(lane, TaskPart::marker, kNoResource, "waits at the end of the step");
    }
  }
  return {};
}

Status ChainWalk::take(const Operation& op) {
  if (op.kind == OpKind::record_event) return record(op);
  if (op.kind == OpKind::wait_event) return wait(op);
  if (op.lane != plan::Lane::host) return enqueue(op);
  add(op.lane, TaskPart::operation, lanes_.resources().host_cores, op_name(op));
  return {};
}

/// A new task of the lane, behind all that the lane was told to wait for.
TaskId ChainWalk::add(plan::Lane lane, TaskPart part, ResourceId resource, std::string name) {
  LaneWalk& walk = on(lane);
  const TaskId task = builder_.add_task(lanes_.lane(lane), 0, resource);
  builder_.name_task(task, std::move(name));
  tasks_.push_back({part, segment_, op_});
  for (const auto& [wait, offset] : walk.held_back_by) {
    builder_.wait(task, wait.event, offset, wait.unrecorded);
  }
  walk.held_back_by.clear();
  walk.has_task = true;
  walk.records = false;
  walk.last = task;
  return task;
}

Status ChainWalk::wait(const Operation& op) {
  TANDEM_TRY(const auto bound, bind(op));
  on(op.lane).held_back_by.push_back(bound);
  if (op.lane == plan::Lane::host) {
    add(op.lane, TaskPart::operation, lanes_.resources().host_cores, op_name(op));
  }
  return {};
}

/// The record a wait is bound to when it is enqueued. A stream's wait for a step that did not
/// record passes; the host waits only for what it has enqueued.
Result<std::pair<Wait, int>> ChainWalk::bind(const Operation& op) {
  const auto name = static_cast<std::size_t>(op.waits.name);
  Wait wait;
  if (op.waits.step_offset == -1) {
    TANDEM_TRY(wait.event, lanes_.last_record(op.waits.name));
    if (op.lane != plan::Lane::host) wait.unrecorded = Unrecorded::pass;
  } else if (op.waits.step_offset != 0) {
    return error(op, fmt::format("step offset {}", op.waits.step_offset), "0 or -1");
  } else if (recorded_[name] == 0) {
    return error(op,
                 fmt::format("waits for {}, which the step has not recorded before",
                             plan::to_name(op.waits.name)),
                 "a record in front of it");
  } else if (recorded_[name] == to_come_[name]) {
    TANDEM_TRY(wait.event, lanes_.last_record(op.waits.name));
  } else {
    TANDEM_TRY(wait.event, lanes_.earlier_record(op.waits.name, recorded_[name] - 1));
  }
  return std::pair<Wait, int>{wait, op.waits.step_offset};
}

/// The event happens when all that the lane was given so far is done.
Status ChainWalk::record(const Operation& op) {
  const auto name = static_cast<std::size_t>(op.records.name);
  const std::size_t index = recorded_[name]++;
  EventId event = kNoEvent;
  if (recorded_[name] == to_come_[name]) {
    TANDEM_TRY(event, lanes_.last_record(op.records.name));
  } else {
    TANDEM_TRY(event, lanes_.earlier_record(op.records.name, index));
  }
  LaneWalk& walk = on(op.lane);
  if (!walk.has_task || walk.records || !walk.held_back_by.empty()) {
    add(op.lane, TaskPart::marker, kNoResource, op_name(op));
  }
  builder_.record(walk.last, event);
  walk.records = true;
  return {};
}

Status ChainWalk::enqueue(const Operation& op) {
  TANDEM_TRY(const EventId launched, lanes_.launch(launches_++));
  const TaskId launch = add(plan::Lane::host, TaskPart::launch, lanes_.resources().host_cores,
                            "launch " + op_name(op));
  builder_.record(launch, launched);
  on(plan::Lane::host).records = true;
  const ResourceId engine = writes_host_memory(op) ? lanes_.resources().copy_engines : kNoResource;
  const TaskId task = add(op.lane, TaskPart::operation, engine, op_name(op));
  builder_.wait(task, launched);
  return {};
}

Error ChainWalk::error(const Operation& op, const std::string& found,
                       const std::string& wanted) const {
  return Error::make(fmt::format("segment {}, operation {} '{}' on lane {}", segment_, op_,
                                 op_name(op), plan::to_name(op.lane)),
                     found, wanted);
}

}  // namespace

bool StepGates::runs(const Operation& op) const {
  const auto substep = [&]() -> Substep {
    const bool known = op.substep >= 0 && static_cast<std::size_t>(op.substep) < substeps.size();
    return known ? substeps[static_cast<std::size_t>(op.substep)] : Substep{};
  };
  switch (op.gate) {
    case plan::Symbol::one:
      return true;
    case plan::Symbol::tasks:
      return tasks != 0;
    case plan::Symbol::N:
      return token_num != 0;
    case plan::Symbol::R:
      return output_rows != 0;
    case plan::Symbol::n:
      return n != 0;
    case plan::Symbol::draft_rows:
      return substep().draft_rows != 0;
    case plan::Symbol::draft_any:
      return substep().draft_any;
    case plan::Symbol::marks:
      return marks != 0;
  }
  TANDEM_CHECK(false);
  return false;
}

StepGates gates_of(const StepRecord& record) {
  StepGates gates;
  gates.tasks = static_cast<std::int64_t>(record.tasks.size());
  gates.token_num = record.token_num;
  gates.output_rows = record.output_rows_host >= 0 ? record.output_rows_host : record.output_rows;
  gates.n = record.n;
  gates.marks = std::count_if(record.messages.begin(), record.messages.end(),
                              [](const Message& message) { return message.control; });
  gates.substeps.reserve(record.substeps.size());
  for (const DraftSubstep& sub : record.substeps) {
    gates.substeps.push_back({sub.token_num, sub.blocking || sub.hidden_rows > 0});
  }
  return gates;
}

Result<PlanLanes> PlanLanes::make(Layout& layout, const std::string& rank,
                                  const Resources& resources) {
  PlanLanes lanes(layout, rank, resources);
  for (const plan::Lane lane : {plan::Lane::host, plan::Lane::compute, plan::Lane::copy}) {
    TANDEM_TRY(const LaneId id, layout.add_lane(rank + plan::to_name(lane)));
    lanes.lanes_.push_back(id);
  }
  return lanes;
}

Result<EventId> PlanLanes::numbered(std::vector<EventId>& events, std::size_t index,
                                    const std::string& name, int steps_kept) {
  while (events.size() <= index) {
    TANDEM_TRY(const EventId id,
               layout_->add_event(fmt::format("{}{} {}", rank_, name, events.size()), steps_kept));
    events.push_back(id);
  }
  return events[index];
}

Result<EventId> PlanLanes::launch(std::size_t index) {
  return numbered(launches_, index, "launch", 0);
}

Result<EventId> PlanLanes::earlier_record(EventName name, std::size_t index) {
  return numbered(earlier_[name], index, plan::to_name(name), 0);
}

Result<EventId> PlanLanes::last_record(EventName name) {
  const auto it = last_.find(name);
  if (it != last_.end()) return it->second;
  TANDEM_TRY(const EventId id, layout_->add_event(rank_ + plan::to_name(name), 1));
  last_.emplace(name, id);
  return id;
}

Status append_chain(PlanLanes& lanes, const std::vector<const plan::Segment*>& chain,
                    const StepGates& gates, GraphBuilder& builder, std::vector<PlanTask>& tasks) {
  return ChainWalk(lanes, builder, tasks).walk(chain, gates);
}

Result<const PlanGraph*> PlanGraphs::of(const std::vector<const plan::Segment*>& chain,
                                        const StepGates& gates) {
  Key key;
  key.first = chain;
  for (const plan::Segment* segment : chain) {
    for (const Operation& op : segment->ops) key.second.push_back(gates.runs(op));
  }
  const auto it = graphs_.find(key);
  if (it != graphs_.end()) return &it->second;
  PlanGraph made;
  GraphBuilder builder(lanes_.layout());
  TANDEM_RETURN_IF_ERROR(append_chain(lanes_, chain, gates, builder, made.tasks));
  TANDEM_TRY(made.graph, builder.finish());
  return &graphs_.emplace(std::move(key), std::move(made)).first->second;
}

}  // namespace tandem::sim
