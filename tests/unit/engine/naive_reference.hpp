// What the engine must compute, in the plainest way: all steps unrolled, every task looked at until
// nothing changes. And random runs to compare on.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "sim/engine/task_graph.hpp"
#include "tests/unit/engine/graph_helpers.hpp"
#include "traces/base/random.hpp"

namespace tandem::sim {

/// A task of an unrolled run.
struct NaiveTask {
  std::int64_t step = 0;
  TaskId task = 0;
  LaneId lane = 0;
  ResourceId resource = kNoResource;
  Nanos duration_ns = 0;
  std::vector<std::size_t> after;  ///< tasks that must have ended
  Nanos ready_ns = -1;             ///< -1: not known
  Nanos end_ns = -1;
};

/// `control`: nothing of a step starts before this lane is through with the steps before.
inline std::vector<NaiveTask> unrolled(const Layout& layout, const std::vector<ListedStep>& steps,
                                       std::optional<LaneId> control = {}) {
  std::vector<NaiveTask> tasks;
  std::vector<std::size_t> first;  // of a step
  std::vector<std::optional<std::size_t>> tail(layout.lane_count());
  for (std::size_t s = 0; s < steps.size(); ++s) {
    const TaskGraph& graph = *steps[s].graph;
    first.push_back(tasks.size());
    const auto released_by = control ? tail[*control] : std::optional<std::size_t>();
    for (TaskId i = 0; i < graph.size(); ++i) {
      NaiveTask task{
          static_cast<std::int64_t>(s),
          i,
          graph.lane[i],
          graph.resource[i],
          steps[s].durations_ns.empty() ? graph.duration_ns[i] : steps[s].durations_ns[i],
          {}};
      for (std::uint32_t w = graph.wait_begin[i]; w < graph.wait_begin[i + 1]; ++w) {
        const Wait& wait = graph.waits[w];
        if (wait.steps_back > s) continue;
        const std::size_t from = s - wait.steps_back;
        const std::vector<EventId>& records = steps[from].graph->record;
        const auto it = std::find(records.begin(), records.end(), wait.event);
        if (it == records.end()) continue;
        task.after.push_back(first[from] + static_cast<std::size_t>(it - records.begin()));
      }
      if (released_by) task.after.push_back(*released_by);
      std::optional<std::size_t>& last = tail[task.lane];
      if (last) task.after.push_back(*last);
      last = tasks.size();
      tasks.push_back(std::move(task));
    }
  }
  return tasks;
}

inline bool find_ready(NaiveTask& task, const std::vector<NaiveTask>& tasks) {
  Nanos ready_ns = 0;
  for (const std::size_t other : task.after) {
    if (tasks[other].end_ns < 0) return false;
    ready_ns = std::max(ready_ns, tasks[other].end_ns);
  }
  task.ready_ns = ready_ns;
  return true;
}

/// Ends of all tasks with resources left aside.
inline void run_without_resources(std::vector<NaiveTask>& tasks) {
  for (bool changed = true; changed;) {
    changed = false;
    for (NaiveTask& task : tasks) {
      if (task.end_ns >= 0 || !find_ready(task, tasks)) continue;
      task.end_ns = task.ready_ns + task.duration_ns;
      changed = true;
    }
  }
}

/// Ends of all tasks; of all those that are known to be ready, the one with the least (ready, step,
/// task) gets its unit next.
inline void run_with_resources(const Layout& layout, std::vector<NaiveTask>& tasks) {
  std::vector<std::vector<Nanos>> free_ns;
  for (ResourceId r = 0; r < layout.resource_count(); ++r) {
    free_ns.emplace_back(static_cast<std::size_t>(layout.capacity(r)), 0);
  }
  while (true) {
    NaiveTask* next = nullptr;
    bool changed = false;
    for (NaiveTask& task : tasks) {
      if (task.end_ns >= 0 || !find_ready(task, tasks)) continue;
      if (task.resource == kNoResource) {
        task.end_ns = task.ready_ns + task.duration_ns;
        changed = true;
      } else if (next == nullptr || std::tie(task.ready_ns, task.step, task.task) <
                                        std::tie(next->ready_ns, next->step, next->task)) {
        next = &task;
      }
    }
    if (changed) continue;
    if (next == nullptr) return;
    auto unit = std::min_element(free_ns[next->resource].begin(), free_ns[next->resource].end());
    next->end_ns = std::max(next->ready_ns, *unit) + next->duration_ns;
    *unit = next->end_ns;
  }
}

inline Ends ends_by_step(const std::vector<NaiveTask>& tasks, std::size_t steps) {
  Ends ends(steps);
  for (const NaiveTask& task : tasks)
    ends[static_cast<std::size_t>(task.step)].push_back(task.end_ns);
  return ends;
}

/// A layout, some graphs and a run of them.
struct RandomRun {
  Layout layout;
  std::vector<std::unique_ptr<TaskGraph>> graphs;
  std::vector<ListedStep> steps;
};

struct RandomShape {
  std::uint64_t lanes_max = 6;
  std::uint64_t resources_max = 3;  ///< 0: none
  std::uint64_t tasks_max = 30;     ///< of a graph
  std::uint64_t steps_max = 7;
};

inline Nanos random_duration(RandomStream& draws) {
  // Few values, so that there are ties, and zeros among them.
  return static_cast<Nanos>(draws.below(2) == 0 ? draws.below(4) : draws.below(40));
}

inline std::unique_ptr<TaskGraph> random_graph(const Layout& layout, const RandomShape& shape,
                                               RandomStream& draws) {
  GraphBuilder builder(layout);
  const auto count = static_cast<TaskId>(draws.below(shape.tasks_max + 1));
  std::vector<TaskId> place(count);  // in the order in which edges may point
  std::vector<LaneId> lane(count);
  for (TaskId i = 0; i < count; ++i) {
    lane[i] = static_cast<LaneId>(draws.below(layout.lane_count()));
    const bool holds = layout.resource_count() > 0 && draws.below(2) == 0;
    builder.add_task(
        lane[i], random_duration(draws),
        holds ? static_cast<ResourceId>(draws.below(layout.resource_count())) : kNoResource);
    place[i] = i;
  }
  // Another order that keeps lanes: neighbours of different lanes change places.
  for (std::uint64_t swap = draws.below(2) * count * 2; swap > 0; --swap) {
    const auto at = static_cast<std::size_t>(draws.below(count));
    if (at + 1 < count && lane[place[at]] != lane[place[at + 1]]) {
      std::swap(place[at], place[at + 1]);
    }
  }
  std::vector<bool> records(count, false);
  for (EventId event = 0; event < layout.event_count() && count > 0; ++event) {
    if (draws.below(4) == 0) continue;
    const auto recorder = static_cast<std::size_t>(draws.below(count));
    if (records[recorder]) continue;  // one event a task
    records[recorder] = true;
    builder.record(place[recorder], event);
    for (std::uint64_t waits = draws.below(4); waits > 0; --waits) {
      const auto waiter = static_cast<std::size_t>(draws.below(count));
      const auto back =
          static_cast<int>(draws.below(static_cast<std::uint64_t>(layout.steps_kept(event)) + 1));
      if (back == 0 && waiter <= recorder) continue;
      builder.wait(place[waiter], event, -back, Unrecorded::pass);
    }
  }
  return std::make_unique<TaskGraph>(taken(builder.finish()));
}

inline RandomRun random_run(std::uint64_t seed, const RandomShape& shape) {
  RandomStream draws(seed, "engine test");
  RandomRun run;
  const std::uint64_t lanes = 1 + draws.below(shape.lanes_max);
  for (std::uint64_t i = 0; i < lanes; ++i) taken(run.layout.add_lane("l" + std::to_string(i)));
  const std::uint64_t resources =
      shape.resources_max == 0 ? 0 : 1 + draws.below(shape.resources_max);
  for (std::uint64_t i = 0; i < resources; ++i) {
    taken(run.layout.add_resource("r" + std::to_string(i),
                                  static_cast<std::int32_t>(1 + draws.below(3))));
  }
  const std::uint64_t events = draws.below(12);
  for (std::uint64_t i = 0; i < events; ++i) {
    taken(run.layout.add_event("e" + std::to_string(i), static_cast<int>(draws.below(4))));
  }
  for (std::uint64_t i = 1 + draws.below(3); i > 0; --i) {
    run.graphs.push_back(random_graph(run.layout, shape, draws));
  }
  for (std::uint64_t i = 1 + draws.below(shape.steps_max); i > 0; --i) {
    const TaskGraph* graph = run.graphs[draws.below(run.graphs.size())].get();
    run.steps.push_back({graph, {}});
    if (draws.below(2) == 0) continue;
    for (std::size_t task = 0; task < graph->size(); ++task) {
      run.steps.back().durations_ns.push_back(random_duration(draws));
    }
  }
  return run;
}

}  // namespace tandem::sim
