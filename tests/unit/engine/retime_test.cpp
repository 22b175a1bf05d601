// Re-timing: small DAGs worked by hand, what it refuses, and the naive reference on random ones.
#include "sim/engine/retime.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/engine/graph_helpers.hpp"
#include "tests/unit/engine/naive_reference.hpp"

namespace tandem::sim {
namespace {

TEST(Retime, TasksOfALaneRunOneBehindTheOther) {
  TwoLanes two;
  GraphBuilder builder(two.layout);
  builder.add_task(two.host, 3);
  builder.add_task(two.compute, 10);
  builder.add_task(two.host, 4);
  const TaskGraph graph = taken(builder.finish());
  const Outcome run = retimed(two.layout, repeated(graph, 2));
  EXPECT_EQ(run.ends, (Ends{{3, 10, 7}, {10, 20, 14}}));
  EXPECT_EQ(run.times.steps, 2);
  EXPECT_EQ(run.times.tasks, 6);
  EXPECT_EQ(run.times.makespan_ns, 20);
  EXPECT_EQ(run.times.lanes[two.host].busy_ns, 14);
  EXPECT_EQ(run.times.lanes[two.host].end_ns, 14);
  EXPECT_EQ(run.times.idle_ns(two.host), 6);
  EXPECT_EQ(run.times.idle_ns(two.compute), 0);
}

TEST(Retime, TaskStartsWithTheLastOfItsEvents) {
  Layout layout;
  const LaneId a = taken(layout.add_lane("a"));
  const LaneId b = taken(layout.add_lane("b"));
  const LaneId c = taken(layout.add_lane("c"));
  const EventId from_a = taken(layout.add_event("from a"));
  const EventId from_b = taken(layout.add_event("from b"));
  GraphBuilder builder(layout);
  builder.record(builder.add_task(a, 30), from_a);
  builder.record(builder.add_task(b, 20), from_b);
  builder.add_task(c, 5);
  const TaskId join = builder.add_task(c, 1);
  builder.wait(join, from_b);
  builder.wait(join, from_a);
  const TaskGraph graph = taken(builder.finish());
  EXPECT_EQ(retimed(layout, {{&graph, {}}}).ends, (Ends{{30, 20, 5, 31}}));
  EXPECT_EQ(retimed(layout, {{&graph, {10, 40, 5, 1}}}).ends, (Ends{{10, 40, 5, 41}}));
  EXPECT_EQ(retimed(layout, {{&graph, {1, 2, 50, 1}}}).ends, (Ends{{1, 2, 50, 51}}));
}

/// The host launches (2 ns) a forward of 10 ns and waits for the one `back` steps before.
TaskGraph launch_and_wait(const TwoLanes& two, EventId launched, EventId done, int back) {
  GraphBuilder builder(two.layout);
  const TaskId launch = builder.add_task(two.host, 2);
  builder.record(launch, launched);
  builder.wait(launch, done, -back);
  const TaskId forward = builder.add_task(two.compute, 10);
  builder.wait(forward, launched);
  builder.record(forward, done);
  return taken(builder.finish());
}

TEST(Retime, HostThatWaitsForTheLastStepLeavesTheStreamIdle) {
  TwoLanes two;
  const EventId launched = taken(two.layout.add_event("launched"));
  const EventId done = taken(two.layout.add_event("done", 2));
  const TaskGraph one_back = launch_and_wait(two, launched, done, 1);
  const Outcome run = retimed(two.layout, repeated(one_back, 3));
  EXPECT_EQ(run.ends, (Ends{{2, 12}, {14, 24}, {26, 36}}));
  EXPECT_EQ(run.times.idle_ns(two.compute), 6);
}

TEST(Retime, HostThatWaitsForTheStepBeforeThatRunsAhead) {
  TwoLanes two;
  const EventId launched = taken(two.layout.add_event("launched"));
  const EventId done = taken(two.layout.add_event("done", 2));
  const TaskGraph two_back = launch_and_wait(two, launched, done, 2);
  const Outcome run = retimed(two.layout, repeated(two_back, 4));
  EXPECT_EQ(run.ends, (Ends{{2, 12}, {4, 22}, {14, 32}, {24, 42}}));
  EXPECT_EQ(run.times.idle_ns(two.compute), 2);
}

TEST(Retime, ZeroDurationsTakeNoTimeAndKeepOrder) {
  TwoLanes two;
  const EventId a = taken(two.layout.add_event("a"));
  GraphBuilder builder(two.layout);
  builder.add_task(two.host, 5);
  builder.record(builder.add_task(two.host, 0), a);
  builder.wait(builder.add_task(two.compute, 0), a);
  builder.add_task(two.compute, 0);
  const TaskGraph graph = taken(builder.finish());
  EXPECT_EQ(retimed(two.layout, {{&graph, {}}}).ends, (Ends{{5, 5, 5, 5}}));
}

TEST(Retime, EmptyRunAndEmptyStepTakeNoTime) {
  TwoLanes two;
  const TaskGraph graph = taken(GraphBuilder(two.layout).finish());
  EXPECT_EQ(retimed(two.layout, {}).times.makespan_ns, 0);
  const Outcome run = retimed(two.layout, repeated(graph, 2));
  EXPECT_EQ(run.times.steps, 2);
  EXPECT_EQ(run.times.makespan_ns, 0);
}

TEST(Retime, RequiredRecordOfAStepBeforeThatIsMissingNamesTheTask) {
  TwoLanes two;
  const EventId done = taken(two.layout.add_event("done", 1));
  const auto waiter = [&](Unrecorded unrecorded) {
    GraphBuilder builder(two.layout);
    builder.wait(builder.add_task(two.host, 1), done, -1, unrecorded);
    return taken(builder.finish());
  };
  const TaskGraph required = waiter(Unrecorded::error);
  const TaskGraph passing = waiter(Unrecorded::pass);
  ListSource source(repeated(required, 2));
  EXPECT_EQ(error_of(retime(two.layout, source, nullptr)),
            "step 1: task 0 on lane host: waits for event 'done' of step 0, which did not record "
            "it, want a record of it; record it there, or let the wait pass where there is none");
  EXPECT_EQ(retimed(two.layout, repeated(passing, 2)).ends, (Ends{{1}, {2}}));
}

TEST(Retime, BadDurationsNameStepAndTask) {
  TwoLanes two;
  GraphBuilder builder(two.layout);
  builder.add_task(two.host, 1);
  builder.add_task(two.compute, 1);
  const TaskGraph graph = taken(builder.finish());
  const auto error_with = [&](std::vector<Nanos> durations) {
    ListSource source({{&graph, {}}, {&graph, std::move(durations)}});
    return error_of(retime(two.layout, source, nullptr));
  };
  EXPECT_EQ(error_with({1, -1}), "step 1: task 1 on lane compute: duration -1 ns, want at least 0");
  EXPECT_EQ(error_with({1}), "step 1: 1 durations, want one for each of 2 tasks");
  EXPECT_EQ(error_with({kWorkMaxNs - 3, 2}),
            "step 1: task 1 on lane compute: duration 2 ns behind 4611686018427387903 ns, want at "
            "most 4611686018427387904 ns of work in a run");
  EXPECT_EQ(error_with({INT64_MAX, INT64_MAX}),
            "step 1: task 0 on lane host: duration 9223372036854775807 ns behind 2 ns, want at "
            "most 4611686018427387904 ns of work in a run");
  EXPECT_EQ(error_with({kWorkMaxNs - 3, 1}), "no error");
}

TEST(Retime, RoomForEndsMustFit) {
  TwoLanes two;
  GraphBuilder builder(two.layout);
  builder.add_task(two.host, 1);
  const TaskGraph graph = taken(builder.finish());
  Retimer retimer(two.layout);
  std::vector<Nanos> ends(2);
  EXPECT_EQ(error_of(retimer.step(graph, {}, ends)),
            "step 0: room for 2 end times, want for none, or for each of 1 tasks");
}

TEST(Retime, StepThatFailsLeavesTheTimesOfTheStepsBefore) {
  TwoLanes two;
  GraphBuilder builder(two.layout);
  builder.add_task(two.host, 7);
  const TaskGraph graph = taken(builder.finish());
  Retimer retimer(two.layout);
  ASSERT_TRUE(retimer.step(graph, {}, {}).ok());
  const std::vector<Nanos> bad{-1};
  ASSERT_FALSE(retimer.step(graph, bad, {}).ok());
  EXPECT_EQ(retimer.times().steps, 1);
  EXPECT_EQ(retimer.times().makespan_ns, 7);
  EXPECT_EQ(retimer.lane_end_ns(two.host), 7);
}

TEST(Retime, LayoutMayGrowBetweenSteps) {
  TwoLanes two;
  GraphBuilder builder(two.layout);
  builder.add_task(two.host, 7);
  const TaskGraph small = taken(builder.finish());
  Retimer retimer(two.layout);
  ASSERT_TRUE(retimer.step(small, {}, {}).ok());
  const LaneId copy = taken(two.layout.add_lane("copy"));
  const EventId a = taken(two.layout.add_event("a", 1));
  GraphBuilder larger(two.layout);
  larger.record(larger.add_task(two.host, 1), a);
  larger.wait(larger.add_task(copy, 2), a);
  const TaskGraph large = taken(larger.finish());
  ASSERT_TRUE(retimer.step(large, {}, {}).ok());
  ASSERT_TRUE(retimer.step(small, {}, {}).ok());
  EXPECT_EQ(retimer.lane_end_ns(copy), 10);
  EXPECT_EQ(retimer.lane_end_ns(two.host), 15);
}

TEST(Retime, RandomRunsEqualTheNaiveReference) {
  for (std::uint64_t seed = 0; seed < 600; ++seed) {
    SCOPED_TRACE(seed);
    const RandomRun random = random_run(seed, {});
    std::vector<NaiveTask> naive = unrolled(random.layout, random.steps);
    run_without_resources(naive);
    const Outcome run = retimed(random.layout, random.steps);
    ASSERT_EQ(run.ends, ends_by_step(naive, random.steps.size()));
    Nanos makespan_ns = 0;
    std::vector<Nanos> busy_ns(random.layout.lane_count(), 0);
    for (const NaiveTask& task : naive) {
      makespan_ns = std::max(makespan_ns, task.end_ns);
      busy_ns[task.lane] += task.duration_ns;
    }
    EXPECT_EQ(run.times.makespan_ns, makespan_ns);
    for (std::size_t lane = 0; lane < busy_ns.size(); ++lane) {
      EXPECT_EQ(run.times.lanes[lane].busy_ns, busy_ns[lane]);
    }
    ListSource source(random.steps);
    expect_equal(taken(retime(random.layout, source, nullptr)), run.times);
  }
}

}  // namespace
}  // namespace tandem::sim
