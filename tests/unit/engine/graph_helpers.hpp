// Short words for layouts, graphs and runs in the tests of the engine.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "sim/engine/retime.hpp"
#include "sim/engine/run_times.hpp"
#include "sim/engine/task_graph.hpp"

namespace tandem::sim {

template <class T>
T taken(Result<T> result) {
  EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().text);
  return std::move(result).value();
}

template <class T>
std::string error_of(const Result<T>& result) {
  return result.ok() ? "no error" : result.error().text;
}
inline std::string error_of(const Status& status) {
  return status.ok() ? "no error" : status.error().text;
}

/// Two lanes, as a step has them: the host and a stream.
struct TwoLanes {
  Layout layout;
  LaneId host = taken(layout.add_lane("host"));
  LaneId compute = taken(layout.add_lane("compute"));
};

/// One step of a list: its graph and, where they are not the graph's own, its durations.
struct ListedStep {
  const TaskGraph* graph = nullptr;
  std::vector<Nanos> durations_ns;
};

class ListSource : public StepSource {
 public:
  explicit ListSource(std::vector<ListedStep> steps) : steps_(std::move(steps)) {}
  Status next(const StepStart& start, StepWork& work) override {
    if (start.step >= static_cast<std::int64_t>(steps_.size())) return {};
    const ListedStep& listed = steps_[static_cast<std::size_t>(start.step)];
    work = {listed.graph, listed.durations_ns};
    return {};
  }

 private:
  std::vector<ListedStep> steps_;
};

/// The end of every task, by step and task.
using Ends = std::vector<std::vector<Nanos>>;

class KeptEnds : public StepSink {
 public:
  void step_done(std::int64_t step, const TaskGraph& graph,
                 std::span<const Nanos> ends_ns) override {
    EXPECT_EQ(step, static_cast<std::int64_t>(ends.size()));
    EXPECT_EQ(graph.size(), ends_ns.size());
    ends.emplace_back(ends_ns.begin(), ends_ns.end());
  }
  Ends ends;
};

struct Outcome {
  RunTimes times;
  Ends ends;
};

inline Outcome retimed(const Layout& layout, std::vector<ListedStep> steps) {
  ListSource source(std::move(steps));
  KeptEnds kept;
  Outcome run;
  run.times = taken(retime(layout, source, &kept));
  run.ends = std::move(kept.ends);
  return run;
}

inline std::vector<ListedStep> repeated(const TaskGraph& graph, std::size_t steps) {
  return std::vector<ListedStep>(steps, ListedStep{&graph, {}});
}

inline void expect_equal(const RunTimes& a, const RunTimes& b) {
  EXPECT_EQ(a.steps, b.steps);
  EXPECT_EQ(a.tasks, b.tasks);
  EXPECT_EQ(a.makespan_ns, b.makespan_ns);
  ASSERT_EQ(a.lanes.size(), b.lanes.size());
  for (std::size_t lane = 0; lane < a.lanes.size(); ++lane) {
    EXPECT_EQ(a.lanes[lane].busy_ns, b.lanes[lane].busy_ns) << "lane " << lane;
    EXPECT_EQ(a.lanes[lane].end_ns, b.lanes[lane].end_ns) << "lane " << lane;
  }
}

}  // namespace tandem::sim
