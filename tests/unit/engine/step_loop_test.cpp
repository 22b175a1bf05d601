// The step-loop DAG of the engine's figures: its shape, equal times in both modes, and that a long
// run of it allocates nothing.
#include <vector>

#include <gtest/gtest.h>

#include "sim/engine/dynamic.hpp"
#include "sim/engine/retime.hpp"
#include "tests/unit/engine/counted_allocations.hpp"
#include "tests/unit/engine/graph_helpers.hpp"
#include "tools/bench/step_loop_graph.hpp"

namespace tandem::sim {
namespace {

using bench::make_step_loop;
using bench::StepLoop;

/// `steps` steps with durations of their own; notes the allocations made by a step in the middle
/// and by the last.
class LongSource : public StepSource {
 public:
  LongSource(const TaskGraph& graph, std::int64_t steps)
      : graph_(graph), steps_(steps), durations_ns_(graph.size()) {}
  Status next(const StepStart& start, StepWork& work) override {
    if (start.step == steps_ / 2) middle = test::allocations();
    if (start.step == steps_) {
      last = test::allocations();
      return {};
    }
    for (TaskId task = 0; task < graph_.size(); ++task) {
      durations_ns_[task] = bench::step_loop_duration(start.step, task);
    }
    work = {&graph_, durations_ns_};
    return {};
  }
  std::int64_t middle = -1;
  std::int64_t last = -1;

 private:
  const TaskGraph& graph_;
  std::int64_t steps_;
  std::vector<Nanos> durations_ns_;
};

TEST(StepLoop, HasThirtyHostSixtyComputeAndTenCopyTasksAndOneWaitAcrossSteps) {
  const StepLoop loop = taken(make_step_loop({}));
  std::vector<int> tasks(loop.layout.lane_count(), 0);
  for (const LaneId lane : loop.graph.lane) ++tasks[lane];
  EXPECT_EQ(tasks, (std::vector<int>{30, 60, 10}));
  std::vector<TaskId> across;
  for (TaskId task = 0; task < loop.graph.size(); ++task) {
    for (std::uint32_t w = loop.graph.wait_begin[task]; w < loop.graph.wait_begin[task + 1]; ++w) {
      if (loop.graph.waits[w].steps_back > 0) across.push_back(task);
    }
  }
  ASSERT_EQ(across.size(), 1U);
  EXPECT_EQ(loop.graph.lane[across[0]], 0);
}

TEST(StepLoop, BothModesGiveTheSameTimesWhereNothingQueues) {
  const StepLoop loop = taken(make_step_loop({3, 3, 3}));
  LongSource first(loop.graph, 40);
  KeptEnds retimed_ends;
  const RunTimes times = taken(retime(loop.layout, first, &retimed_ends));
  LongSource second(loop.graph, 40);
  KeptEnds ends;
  DynamicOptions options;
  options.sink = &ends;
  const RunTimes dynamic = taken(run_dynamic(loop.layout, second, options));
  EXPECT_EQ(ends.ends, retimed_ends.ends);
  expect_equal(times, dynamic);
  EXPECT_EQ(dynamic.resources[0].granted, 40 * 90);
  EXPECT_EQ(dynamic.resources[0].queued_ns, 0);
}

TEST(StepLoop, RanksThatShareOneCoreTakeLonger) {
  const StepLoop shared = taken(make_step_loop({8, 1, 8}));
  const StepLoop apart = taken(make_step_loop({8, 8, 8}));
  LongSource first(shared.graph, 40);
  LongSource second(apart.graph, 40);
  const RunTimes queued = taken(run_dynamic(shared.layout, first, {}));
  EXPECT_GT(queued.resources[0].queued_ns, 0);
  EXPECT_GT(queued.makespan_ns, taken(run_dynamic(apart.layout, second, {})).makespan_ns);
}

TEST(StepLoop, LongRunsAllocateNothingAStep) {
  const StepLoop loop = taken(make_step_loop({2, 1, 1}));
  LongSource retiming(loop.graph, 2000);
  taken(retime(loop.layout, retiming, nullptr));
  EXPECT_EQ(retiming.last, retiming.middle);
  LongSource dynamic(loop.graph, 2000);
  taken(run_dynamic(loop.layout, dynamic, {}));
  EXPECT_EQ(dynamic.last, dynamic.middle);
  EXPECT_GT(dynamic.middle, retiming.last);  // the counter counts
}

}  // namespace
}  // namespace tandem::sim
