// Event-driven runs: queues worked by hand, ties, windows, what is refused, and random runs.
#include "sim/engine/dynamic.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/engine/graph_helpers.hpp"
#include "tests/unit/engine/naive_reference.hpp"

namespace tandem::sim {
namespace {

Outcome run_of(const Layout& layout, std::vector<ListedStep> steps, DynamicOptions options = {}) {
  ListSource source(std::move(steps));
  KeptEnds kept;
  options.sink = &kept;
  Outcome run;
  run.times = taken(run_dynamic(layout, source, options));
  run.ends = std::move(kept.ends);
  return run;
}

std::string run_error(const Layout& layout, std::vector<ListedStep> steps,
                      const DynamicOptions& options = {}) {
  ListSource source(std::move(steps));
  return error_of(run_dynamic(layout, source, options));
}

/// Three streams and a copy engine of `units`.
struct ThreeStreams {
  explicit ThreeStreams(std::int32_t units) {
    for (const char* name : {"a", "b", "c"}) lanes.push_back(taken(layout.add_lane(name)));
    engine = taken(layout.add_resource("copy engine", units));
  }
  Layout layout;
  std::vector<LaneId> lanes;
  ResourceId engine = kNoResource;
};

/// Each stream computes for `lead` and copies for 10 ns.
TaskGraph copies_behind(const ThreeStreams& three, const std::vector<Nanos>& leads) {
  GraphBuilder builder(three.layout);
  for (std::size_t i = 0; i < leads.size(); ++i) {
    builder.add_task(three.lanes[i], leads[i]);
    builder.add_task(three.lanes[i], 10, three.engine);
  }
  return taken(builder.finish());
}

TEST(Dynamic, OneEngineServesInTheOrderOfReadyTimes) {
  const ThreeStreams three(1);
  const TaskGraph graph = copies_behind(three, {7, 3, 5});
  const Outcome run = run_of(three.layout, {{&graph, {}}});
  EXPECT_EQ(run.ends, (Ends{{7, 33, 3, 13, 5, 23}}));
  EXPECT_EQ(run.times.makespan_ns, 33);
  EXPECT_EQ(run.times.resources[0].granted, 3);
  EXPECT_EQ(run.times.resources[0].busy_ns, 30);
  EXPECT_EQ(run.times.resources[0].queued_ns, (23 - 7) + 0 + (13 - 5));
}

TEST(Dynamic, TwoEnginesServeTwoAtOnce) {
  const ThreeStreams three(2);
  const TaskGraph graph = copies_behind(three, {7, 3, 5});
  EXPECT_EQ(run_of(three.layout, {{&graph, {}}}).ends, (Ends{{7, 23, 3, 13, 5, 15}}));
}

TEST(Dynamic, TasksReadyAtOnceAreServedByNumber) {
  const ThreeStreams three(1);
  const TaskGraph graph = copies_behind(three, {4, 4, 4});
  EXPECT_EQ(run_of(three.layout, {{&graph, {}}}).ends, (Ends{{4, 14, 4, 24, 4, 34}}));
}

TEST(Dynamic, TasksOfAnEarlierStepAreServedFirst) {
  const ThreeStreams three(1);
  GraphBuilder builder(three.layout);
  builder.add_task(three.lanes[0], 5, three.engine);  // of the second step too ready at 5
  builder.add_task(three.lanes[1], 5);
  builder.add_task(three.lanes[1], 1, three.engine);
  const TaskGraph graph = taken(builder.finish());
  EXPECT_EQ(run_of(three.layout, repeated(graph, 2)).ends, (Ends{{5, 5, 6}, {11, 11, 12}}));
}

TEST(Dynamic, TaskReadyThroughAGrantOfTheSameInstantComesBehindIt) {
  const ThreeStreams three(1);
  Layout layout = three.layout;
  const EventId done = taken(layout.add_event("done"));
  GraphBuilder builder(layout);
  const TaskId released = builder.add_task(three.lanes[0], 3, three.engine);  // number 0
  builder.wait(released, done);
  const TaskId first = builder.add_task(three.lanes[1], 0, three.engine);
  builder.record(first, done);
  builder.add_task(three.lanes[2], 4, three.engine);
  const TaskGraph graph = taken(builder.finish());
  // Task 1 ends at 0 and makes task 0 ready at 0, in front of task 2, whose number is greater.
  EXPECT_EQ(run_of(layout, {{&graph, {}}}).ends, (Ends{{3, 0, 7}}));
}

TEST(Dynamic, HostThreadsShareCores) {
  Layout layout;
  std::vector<LaneId> threads;
  for (int i = 0; i < 3; ++i) threads.push_back(taken(layout.add_lane("host")));
  const ResourceId cores = taken(layout.add_resource("cores", 2));
  GraphBuilder builder(layout);
  for (const LaneId thread : threads) {
    builder.add_task(thread, 10, cores);
    builder.add_task(thread, 2, cores);
  }
  const TaskGraph graph = taken(builder.finish());
  const Outcome run = run_of(layout, {{&graph, {}}});
  // At 10 the third thread is ready since 0, the others since 10.
  EXPECT_EQ(run.ends, (Ends{{10, 12, 10, 14, 20, 22}}));
  EXPECT_EQ(run.times.resources[0].busy_ns, 36);
}

TEST(Dynamic, WaitsAcrossStepsHoldTheHostBack) {
  TwoLanes two;
  const EventId launched = taken(two.layout.add_event("launched"));
  const EventId done = taken(two.layout.add_event("done", 1));
  const ResourceId engine = taken(two.layout.add_resource("engine", 1));
  GraphBuilder builder(two.layout);
  const TaskId launch = builder.add_task(two.host, 2);
  builder.wait(launch, done, -1);
  builder.record(launch, launched);
  const TaskId copy = builder.add_task(two.compute, 10, engine);
  builder.wait(copy, launched);
  builder.record(copy, done);
  const TaskGraph graph = taken(builder.finish());
  EXPECT_EQ(run_of(two.layout, repeated(graph, 3)).ends, (Ends{{2, 12}, {14, 24}, {26, 36}}));
}

TEST(Dynamic, BadInputIsRefusedAsByRetiming) {
  TwoLanes two;
  const EventId done = taken(two.layout.add_event("done", 1));
  GraphBuilder builder(two.layout);
  builder.wait(builder.add_task(two.host, 1), done, -1);
  const TaskGraph graph = taken(builder.finish());
  EXPECT_EQ(run_error(two.layout, repeated(graph, 2)),
            "step 1: task 0 on lane host: waits for event 'done' of step 0, which did not record "
            "it, want a record of it; record it there, or let the wait pass where there is none");
  EXPECT_EQ(run_error(two.layout, {{&graph, {-1}}}),
            "step 0: task 0 on lane host: duration -1 ns, want at least 0");
  EXPECT_EQ(run_error(two.layout, {{&graph, {1, 2}}}),
            "step 0: 2 durations, want one for each of 1 tasks");
  EXPECT_EQ(run_error(two.layout, {{&graph, {kWorkMaxNs}}}), "no error");
}

TEST(Dynamic, OptionsOutOfRangeAreRefused) {
  TwoLanes two;
  DynamicOptions options;
  options.window_steps = 0;
  EXPECT_EQ(run_error(two.layout, {}, options), "window_steps: 0, want 1 to 65536");
  options = {};
  options.control_lane = LaneId{2};
  EXPECT_EQ(run_error(two.layout, {}, options), "control_lane: lane 2, want one of the layout's 2");
  EXPECT_EQ(run_error(Layout(), {}), "layout: no lane, want at least one");
}

/// A host that never waits: 1 ns a step against 10 ns of copies.
TaskGraph host_without_waits(TwoLanes& two) {
  const ResourceId engine = taken(two.layout.add_resource("engine", 1));
  const EventId launched = taken(two.layout.add_event("launched"));
  GraphBuilder builder(two.layout);
  builder.record(builder.add_task(two.host, 1), launched);
  builder.wait(builder.add_task(two.compute, 10, engine), launched);
  return taken(builder.finish());
}

TEST(Dynamic, LaneTooFarAheadIsNamed) {
  TwoLanes two;
  const TaskGraph graph = host_without_waits(two);
  DynamicOptions options;
  options.window_steps = 4;
  // Until time 11 the host has begun step 12; only 4 steps may be held.
  EXPECT_EQ(run_error(two.layout, repeated(graph, 50), options),
            "step 1: task 1 on lane compute: lane host 4 steps ahead, want at most 4; let it wait "
            "for an event of a step before, or hold more steps");
  options.window_steps = 50;
  EXPECT_EQ(run_of(two.layout, repeated(graph, 50), options).times.makespan_ns, 501);
}

TEST(Dynamic, LaneAheadInStepsButNotInTimeIsWaitedFor) {
  TwoLanes two;
  const ResourceId engine = taken(two.layout.add_resource("engine", 1));
  GraphBuilder builder(two.layout);
  builder.add_task(two.host, 30);
  builder.add_task(two.compute, 10, engine);
  const TaskGraph graph = taken(builder.finish());
  DynamicOptions options;
  options.window_steps = 1;
  const Outcome run = run_of(two.layout, repeated(graph, 20), options);
  EXPECT_EQ(run.times.lanes[two.host].end_ns, 600);
  EXPECT_EQ(run.times.lanes[two.compute].end_ns, 200);
}

/// Asks for steps of 5 ns until the clock says 30.
class UntilThirty : public StepSource {
 public:
  explicit UntilThirty(const TaskGraph& graph) : graph_(graph) {}
  Status next(const StepStart& start, StepWork& work) override {
    asked_ns.push_back(start.at_ns);
    if (start.at_ns < 30) work.graph = &graph_;
    return {};
  }
  std::vector<Nanos> asked_ns;

 private:
  const TaskGraph& graph_;
};

TEST(Dynamic, ControlLaneAsksForStepsAtItsTime) {
  TwoLanes two;
  GraphBuilder builder(two.layout);
  builder.add_task(two.host, 12);
  builder.add_task(two.compute, 5);
  const TaskGraph graph = taken(builder.finish());
  UntilThirty source(graph);
  KeptEnds kept;
  DynamicOptions options;
  options.control_lane = two.host;
  options.sink = &kept;
  const RunTimes times = taken(run_dynamic(two.layout, source, options));
  EXPECT_EQ(source.asked_ns, (std::vector<Nanos>{0, 12, 24, 36}));
  EXPECT_EQ(kept.ends, (Ends{{12, 5}, {24, 17}, {36, 29}}));
  EXPECT_EQ(times.steps, 3);
}

TEST(Dynamic, SourceIsAskedInAdvanceWithoutAControlLane) {
  TwoLanes two;
  const TaskGraph graph = host_without_waits(two);
  class Twice : public StepSource {
   public:
    explicit Twice(const TaskGraph& g) : graph(g) {}
    Status next(const StepStart& start, StepWork& work) override {
      EXPECT_EQ(start.at_ns, kNever);
      if (start.step < 2) work.graph = &graph;
      return {};
    }
    const TaskGraph& graph;
  } source(graph);
  EXPECT_EQ(taken(run_dynamic(two.layout, source, {})).steps, 2);
}

TEST(Dynamic, ErrorOfTheSourceEndsTheRun) {
  TwoLanes two;
  class Broken : public StepSource {
   public:
    Status next(const StepStart&, StepWork&) override { return Error{"trace.tbt: cut off"}; }
  } source;
  EXPECT_EQ(error_of(run_dynamic(two.layout, source, {})), "trace.tbt: cut off");
}

TEST(Dynamic, LayoutMayGetEventsButNoLanesWhileItRuns) {
  TwoLanes two;
  class Growing : public StepSource {
   public:
    Growing(TwoLanes& lanes, bool with_lane) : two(lanes), lane(with_lane) {}
    Status next(const StepStart& start, StepWork& work) override {
      if (start.step == 6) return {};
      const EventId event = taken(two.layout.add_event("late"));
      if (lane && start.step == 1) taken(two.layout.add_lane("late"));
      GraphBuilder builder(two.layout);
      builder.record(builder.add_task(two.host, 3), event);
      builder.wait(builder.add_task(two.compute, 1), event);
      graphs.push_back(std::make_unique<TaskGraph>(taken(builder.finish())));
      work.graph = graphs.back().get();
      return {};
    }
    TwoLanes& two;
    bool lane;
    std::vector<std::unique_ptr<TaskGraph>> graphs;
  };
  Growing events(two, false);
  EXPECT_EQ(taken(run_dynamic(two.layout, events, {})).makespan_ns, 19);
  Growing lanes(two, true);
  EXPECT_EQ(error_of(run_dynamic(two.layout, lanes, {})),
            "step 1: lanes, resources or steps kept that the layout did not have before, want "
            "those with which the run began");
}

// -- random runs ----------------------------------------------------------------------------------

constexpr std::uint64_t kSeeds = 600;

DynamicOptions wide() {
  DynamicOptions options;
  options.window_steps = 64;  // random lanes may be as far apart as they like
  return options;
}

TEST(Dynamic, RandomRunsWithoutResourcesEqualRetiming) {
  RandomShape shape;
  shape.resources_max = 0;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    const RandomRun random = random_run(seed, shape);
    DynamicOptions narrow;
    narrow.window_steps = static_cast<std::int32_t>(1 + seed % 3);
    const Outcome retiming = retimed(random.layout, random.steps);
    const Outcome run = run_of(random.layout, random.steps, narrow);
    ASSERT_EQ(run.ends, retiming.ends);
    expect_equal(run.times, retiming.times);
  }
}

TEST(Dynamic, RandomRunsWithUnitsForAllEqualRetiming) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    RandomRun random = random_run(seed, {});
    Layout roomy;
    for (LaneId lane = 0; lane < random.layout.lane_count(); ++lane) taken(roomy.add_lane("lane"));
    for (EventId e = 0; e < random.layout.event_count(); ++e) {
      taken(roomy.add_event("event", random.layout.steps_kept(e)));
    }
    for (ResourceId r = 0; r < random.layout.resource_count(); ++r) {
      taken(roomy.add_resource("resource", static_cast<std::int32_t>(roomy.lane_count())));
    }
    const Outcome run = run_of(roomy, random.steps, wide());
    ASSERT_EQ(run.ends, retimed(random.layout, random.steps).ends);
    for (const ResourceTimes& resource : run.times.resources) EXPECT_EQ(resource.queued_ns, 0);
  }
}

TEST(Dynamic, RandomRunsEqualTheNaiveReference) {
  std::int64_t queued = 0;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    const RandomRun random = random_run(seed, {});
    std::vector<NaiveTask> naive = unrolled(random.layout, random.steps);
    run_with_resources(random.layout, naive);
    const Outcome run = run_of(random.layout, random.steps, wide());
    ASSERT_EQ(run.ends, ends_by_step(naive, random.steps.size()));
    for (const ResourceTimes& resource : run.times.resources) queued += resource.queued_ns;
  }
  EXPECT_GT(queued, 0);
}

TEST(Dynamic, RandomRunsUnderAControlLaneEqualTheNaiveReference) {
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    const RandomRun random = random_run(seed, {});
    DynamicOptions options = wide();
    options.control_lane = static_cast<LaneId>(seed % random.layout.lane_count());
    std::vector<NaiveTask> naive = unrolled(random.layout, random.steps, options.control_lane);
    run_with_resources(random.layout, naive);
    ASSERT_EQ(run_of(random.layout, random.steps, options).ends,
              ends_by_step(naive, random.steps.size()));
  }
}

TEST(Dynamic, NarrowWindowGivesTheSameTimesOrNamesALane) {
  int same = 0;
  int refused = 0;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    const RandomRun random = random_run(seed, {});
    DynamicOptions options = wide();
    if (seed % 4 == 0) options.control_lane = LaneId{0};
    const Ends expected = run_of(random.layout, random.steps, options).ends;
    options.window_steps = static_cast<std::int32_t>(1 + seed % 3);
    ListSource source(random.steps);
    KeptEnds kept;
    options.sink = &kept;
    const Result<RunTimes> narrow = run_dynamic(random.layout, source, options);
    if (narrow.ok()) {
      ++same;
      ASSERT_EQ(kept.ends, expected);
    } else {
      ++refused;
      EXPECT_NE(narrow.error().text.find("steps ahead, want at most"), std::string::npos);
    }
  }
  EXPECT_GT(same, 50);
  EXPECT_GT(refused, 50);
}

/// Tasks of one resource as [ready, end) and duration, in the order of (ready, step, task).
std::vector<NaiveTask> tasks_of(ResourceId resource, std::vector<NaiveTask> tasks,
                                const Ends& ends) {
  for (NaiveTask& task : tasks) task.end_ns = ends[static_cast<std::size_t>(task.step)][task.task];
  for (NaiveTask& task : tasks) EXPECT_TRUE(find_ready(task, tasks));
  std::erase_if(tasks, [&](const NaiveTask& task) { return task.resource != resource; });
  std::stable_sort(tasks.begin(), tasks.end(),
                   [](const NaiveTask& a, const NaiveTask& b) { return a.ready_ns < b.ready_ns; });
  return tasks;
}

TEST(Dynamic, RandomRunsKeepCapacityAndOrderAndLeaveNoUnitIdle) {
  for (std::uint64_t seed = 0; seed < kSeeds / 4; ++seed) {
    SCOPED_TRACE(seed);
    const RandomRun random = random_run(seed, {});
    const Outcome run = run_of(random.layout, random.steps, wide());
    const std::vector<NaiveTask> all = unrolled(random.layout, random.steps);
    for (ResourceId r = 0; r < random.layout.resource_count(); ++r) {
      const std::vector<NaiveTask> tasks = tasks_of(r, all, run.ends);
      const auto start = [](const NaiveTask& task) { return task.end_ns - task.duration_ns; };
      // Tasks of some length that hold a unit at an instant.
      const auto held = [&](Nanos at_ns) {
        return std::count_if(tasks.begin(), tasks.end(), [&](const NaiveTask& task) {
          return start(task) <= at_ns && at_ns < task.end_ns;
        });
      };
      for (std::size_t i = 0; i < tasks.size(); ++i) {
        ASSERT_GE(start(tasks[i]), tasks[i].ready_ns);
        ASSERT_LE(held(start(tasks[i])), random.layout.capacity(r));
        if (i > 0 && tasks[i - 1].ready_ns < tasks[i].ready_ns) {
          ASSERT_LE(start(tasks[i - 1]), start(tasks[i]));
        }
        for (Nanos at_ns = tasks[i].ready_ns; at_ns < start(tasks[i]); ++at_ns) {
          ASSERT_EQ(held(at_ns), random.layout.capacity(r));
        }
      }
    }
  }
}

TEST(Dynamic, SameRunTwiceIsEqual) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const RandomRun random = random_run(seed, {});
    const Outcome first = run_of(random.layout, random.steps, wide());
    DynamicOptions other = wide();
    other.window_steps = 16;
    const Outcome second = run_of(random.layout, random.steps, other);
    EXPECT_EQ(first.ends, second.ends);
    expect_equal(first.times, second.times);
  }
}

}  // namespace
}  // namespace tandem::sim
