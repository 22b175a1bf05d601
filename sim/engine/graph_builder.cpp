// Checks a graph's tasks, orders them, and lays them out for the two ways of running them.
#include <algorithm>
#include <functional>
#include <queue>

#include <fmt/format.h>

#include "sim/engine/task_graph.hpp"
#include "traces/base/check.hpp"

namespace tandem::sim {
namespace {

constexpr TaskId kNoTask = 0xFFFF'FFFF;
constexpr std::size_t kWaitsOfTaskMax = 0xFFFF;
constexpr std::size_t kCircleNamesMax = 8;

}  // namespace

bool TaskGraph::records(EventId event) const {
  return std::binary_search(recorded.begin(), recorded.end(), event);
}

std::string task_place(const Layout& layout, const TaskGraph& graph, TaskId task) {
  const auto before = [](const std::pair<TaskId, std::string>& entry, TaskId id) {
    return entry.first < id;
  };
  const auto it = std::lower_bound(graph.names.begin(), graph.names.end(), task, before);
  const bool named = it != graph.names.end() && it->first == task;
  return fmt::format("task {}{} on lane {}", task, named ? " '" + it->second + "'" : "",
                     layout.lane_name(graph.lane[task]));
}

void GraphBuilder::fail(Error error) {
  if (first_error_.ok()) first_error_ = Status(std::move(error));
}

bool GraphBuilder::knows(TaskId task, const char* call) {
  if (task < graph_.size()) return true;
  fail(Error::make(fmt::format("task {}", task), fmt::format("unknown to {}", call),
                   fmt::format("a task below {}", graph_.size())));
  return false;
}

TaskId GraphBuilder::add_task(LaneId lane, Nanos duration_ns, ResourceId resource) {
  const auto id = static_cast<TaskId>(graph_.size());
  if (graph_.size() >= kNoTask) {
    fail(Error::make("graph", "2^32 tasks", "fewer", "repeat a graph of fewer tasks"));
    return id;
  }
  if (lane >= layout_.lane_count()) {
    fail(Error::make(fmt::format("task {}", id), fmt::format("lane {}", lane),
                     fmt::format("one of the layout's {}", layout_.lane_count())));
    lane = 0;
  }
  graph_.lane.push_back(lane);
  graph_.resource.push_back(resource);
  graph_.duration_ns.push_back(duration_ns);
  graph_.record.push_back(kNoEvent);
  if (resource != kNoResource && resource >= layout_.resource_count()) {
    fail(Error::make(fmt::format("task {}", id), fmt::format("resource {}", resource),
                     fmt::format("one of the layout's {}", layout_.resource_count())));
  }
  if (duration_ns < 0) {
    fail(Error::make(fmt::format("task {}", id), fmt::format("duration {} ns", duration_ns),
                     "at least 0"));
  }
  return id;
}

void GraphBuilder::wait(TaskId task, EventId event, int step_offset, Unrecorded unrecorded) {
  if (!knows(task, "wait")) return;
  if (event >= layout_.event_count()) {
    fail(Error::make(place(task), fmt::format("waits for event {}", event),
                     fmt::format("one of the layout's {}", layout_.event_count())));
    return;
  }
  if (step_offset > 0 || step_offset < -layout_.steps_kept(event)) {
    fail(Error::make(
        place(task),
        fmt::format("waits for '{}' at step offset {}", layout_.event_name(event), step_offset),
        fmt::format("{} to 0", -layout_.steps_kept(event)), "add the event with more steps kept"));
    return;
  }
  pending_waits_.push_back({task, {event, static_cast<std::uint16_t>(-step_offset), unrecorded}});
}

void GraphBuilder::record(TaskId task, EventId event) {
  if (!knows(task, "record")) return;
  if (event >= layout_.event_count()) {
    fail(Error::make(place(task), fmt::format("records event {}", event),
                     fmt::format("one of the layout's {}", layout_.event_count())));
    return;
  }
  if (event >= recorder_.size()) recorder_.resize(layout_.event_count(), kNoTask);
  const std::string& name = layout_.event_name(event);
  if (recorder_[event] != kNoTask) {
    fail(Error::make(place(task), fmt::format("records '{}' like task {}", name, recorder_[event]),
                     "one task a step", "give each record an event of its own"));
    return;
  }
  if (graph_.record[task] != kNoEvent) {
    fail(Error::make(place(task), fmt::format("records '{}' as a second event", name),
                     "one event a task", "let all waits name the first"));
    return;
  }
  recorder_[event] = task;
  graph_.record[task] = event;
}

void GraphBuilder::name_task(TaskId task, std::string name) {
  if (!knows(task, "name_task")) return;
  const auto behind = [](TaskId id, const auto& entry) { return id < entry.first; };
  const auto at = std::upper_bound(graph_.names.begin(), graph_.names.end(), task, behind);
  graph_.names.emplace(at, task, std::move(name));
}

Result<TaskGraph> GraphBuilder::finish() {
  recorder_.resize(layout_.event_count(), kNoTask);
  Status status = first_error_;
  if (status.ok()) {
    sort_waits();
    status = check_waits();
  }
  if (status.ok()) status = sort_tasks();
  if (status.ok()) {
    lay_out_pass();
    lay_out_lanes();
  }
  TaskGraph graph = std::move(graph_);
  graph_ = TaskGraph{};
  pending_waits_.clear();
  recorder_.clear();
  first_error_ = Status();
  if (!status.ok()) return status.error();
  return graph;
}

/// Groups waits by task; those of one task stay in the order of the calls.
void GraphBuilder::sort_waits() {
  std::vector<std::uint32_t>& begin = graph_.wait_begin;
  begin.assign(graph_.size() + 1, 0);
  for (const auto& [task, wait] : pending_waits_) ++begin[task + 1];
  for (std::size_t i = 1; i < begin.size(); ++i) begin[i] += begin[i - 1];
  std::vector<std::uint32_t> next(begin.begin(), begin.end() - 1);
  graph_.waits.resize(pending_waits_.size());
  for (const auto& [task, wait] : pending_waits_) graph_.waits[next[task]++] = wait;
}

Status GraphBuilder::check_waits() {
  for (EventId event = 0; event < recorder_.size(); ++event) {
    if (recorder_[event] != kNoTask) graph_.recorded.push_back(event);
  }
  for (TaskId task = 0; task < graph_.size(); ++task) {
    if (graph_.wait_begin[task + 1] - graph_.wait_begin[task] > kWaitsOfTaskMax) {
      return Error::make(place(task), "more than 65535 waits", "fewer", "join them in a task");
    }
    for (std::uint32_t w = graph_.wait_begin[task]; w < graph_.wait_begin[task + 1]; ++w) {
      const Wait& wait = graph_.waits[w];
      if (wait.steps_back > 0) {
        if (wait.unrecorded == Unrecorded::error) graph_.required_back.push_back({task, wait});
      } else if (recorder_[wait.event] == kNoTask) {
        return Error::make(place(task),
                           fmt::format("waits for event '{}' that no task of the step records",
                                       layout_.event_name(wait.event)),
                           "a record of it", "record it, or wait for it at a step before");
      }
    }
  }
  return {};
}

Status GraphBuilder::sort_tasks() {
  for (TaskId task = 0; task < graph_.size(); ++task) {
    for (std::uint32_t w = graph_.wait_begin[task]; w < graph_.wait_begin[task + 1]; ++w) {
      const Wait& wait = graph_.waits[w];
      if (wait.steps_back == 0 && recorder_[wait.event] >= task) return sort_topologically();
    }
  }
  return {};
}

/// Kahn's algorithm; of the tasks that could be next, the one with the least number is.
Status GraphBuilder::sort_topologically() {
  const std::size_t count = graph_.size();
  std::vector<std::uint32_t> open(count, 0);   // edges that lead here from tasks not yet placed
  std::vector<TaskId> before(count, kNoTask);  // on the lane
  std::vector<TaskId> behind(count, kNoTask);
  std::vector<TaskId> last(layout_.lane_count(), kNoTask);
  std::vector<std::vector<TaskId>> waiters(recorder_.size());  // by event
  for (TaskId task = 0; task < count; ++task) {
    TaskId& tail = last[graph_.lane[task]];
    before[task] = tail;
    if (tail != kNoTask) {
      behind[tail] = task;
      ++open[task];
    }
    tail = task;
    for (std::uint32_t w = graph_.wait_begin[task]; w < graph_.wait_begin[task + 1]; ++w) {
      if (graph_.waits[w].steps_back > 0) continue;
      waiters[graph_.waits[w].event].push_back(task);
      ++open[task];
    }
  }
  std::priority_queue<TaskId, std::vector<TaskId>, std::greater<>> next;
  for (TaskId task = 0; task < count; ++task) {
    if (open[task] == 0) next.push(task);
  }
  graph_.order.reserve(count);
  const auto close_edge = [&](TaskId task) {
    if (--open[task] == 0) next.push(task);
  };
  while (!next.empty()) {
    const TaskId task = next.top();
    next.pop();
    graph_.order.push_back(task);
    if (behind[task] != kNoTask) close_edge(behind[task]);
    if (graph_.record[task] == kNoEvent) continue;
    for (const TaskId waiter : waiters[graph_.record[task]]) close_edge(waiter);
  }
  if (graph_.order.size() < count) return circle(open, before);
  return {};
}

/// Walks back along edges between tasks that could not be placed until one comes a second time.
Error GraphBuilder::circle(const std::vector<std::uint32_t>& open,
                           const std::vector<TaskId>& before) const {
  const auto predecessor = [&](TaskId task) {
    for (std::uint32_t w = graph_.wait_begin[task]; w < graph_.wait_begin[task + 1]; ++w) {
      const Wait& wait = graph_.waits[w];
      if (wait.steps_back == 0 && open[recorder_[wait.event]] > 0) return recorder_[wait.event];
    }
    return before[task];
  };
  TaskId task = 0;
  while (open[task] == 0) ++task;
  std::vector<bool> seen(graph_.size(), false);
  while (!seen[task]) {
    seen[task] = true;
    task = predecessor(task);
  }
  std::vector<TaskId> ring;
  for (TaskId other = predecessor(task);; other = predecessor(other)) {
    ring.push_back(other);
    if (other == task) break;
  }
  std::rotate(ring.begin(), std::min_element(ring.begin(), ring.end()), ring.end());
  std::string text;
  for (std::size_t i = 1; i < std::min(ring.size(), kCircleNamesMax); ++i) {
    text += fmt::format(" for {}", ring[i]);
  }
  if (ring.size() > kCircleNamesMax) text += " ..";
  return Error::make(place(ring.front()), "waits in a circle:" + text + " for itself",
                     "an order of the step's tasks", "take out one of these waits");
}

void GraphBuilder::lay_out_pass() {
  std::vector<TaskGraph::PassRun>& runs = graph_.runs;
  runs.reserve(graph_.size());
  for (std::uint32_t position = 0; position < graph_.size(); ++position) {
    const TaskId task = graph_.order.empty() ? position : graph_.order[position];
    const LaneId lane = graph_.lane[task];
    const std::uint32_t wait_end = graph_.wait_begin[task + 1];
    const auto slot = [&](std::uint32_t w) {
      return layout_.slot(graph_.waits[w].event) + graph_.waits[w].steps_back;
    };
    std::uint32_t w = graph_.wait_begin[task];
    for (; w + 1 < wait_end; ++w) runs.push_back({slot(w), Layout::kUnreadSlot, position, lane});
    const bool waits = w < wait_end;
    const bool follows = !waits && !runs.empty() && runs.back().lane == lane &&
                         runs.back().recorded_slot == Layout::kUnreadSlot;
    if (!follows) {
      runs.push_back({waits ? slot(w) : Layout::kNeverSlot, Layout::kUnreadSlot, position, lane});
    }
    const EventId event = graph_.record[task];
    if (event != kNoEvent) runs.back().recorded_slot = layout_.slot(event);
    runs.back().stop = position + 1;
  }
  runs.shrink_to_fit();
}

void GraphBuilder::lay_out_lanes() {
  std::vector<std::uint32_t>& begin = graph_.lane_begin;
  begin.assign(layout_.lane_count() + 1, 0);
  for (const LaneId lane : graph_.lane) ++begin[lane + std::size_t{1}];
  for (std::size_t i = 1; i < begin.size(); ++i) begin[i] += begin[i - 1];
  std::vector<std::uint32_t> next(begin.begin(), begin.end() - 1);
  graph_.lane_tasks.resize(graph_.size());
  for (TaskId task = 0; task < graph_.size(); ++task) {
    const std::uint32_t wait_begin = graph_.wait_begin[task];
    const std::uint32_t wait_count = graph_.wait_begin[task + 1] - wait_begin;
    graph_.lane_tasks[next[graph_.lane[task]]++] = {task, graph_.record[task], wait_begin,
                                                    static_cast<std::uint16_t>(wait_count),
                                                    graph_.resource[task]};
  }
}

}  // namespace tandem::sim
