// What a layout and a graph refuse, by name, and the order a graph finds for its tasks.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sim/engine/task_graph.hpp"
#include "tests/unit/engine/graph_helpers.hpp"

namespace tandem::sim {
namespace {

TEST(Layout, CapacityBelowOneIsRefused) {
  Layout layout;
  EXPECT_EQ(error_of(layout.add_resource("copy engine", 0)),
            "resource 'copy engine': capacity 0, want 1 to 65536");
  EXPECT_EQ(error_of(layout.add_resource("copy engine", 1)), "no error");
  EXPECT_EQ(layout.resource_count(), 1U);
}

TEST(Layout, EventsKeptTooLongAreRefused) {
  Layout layout;
  EXPECT_EQ(error_of(layout.add_event("done", 16)), "event 'done': 16 steps kept, want 0 to 15");
  EXPECT_EQ(error_of(layout.add_event("done", -1)), "event 'done': -1 steps kept, want 0 to 15");
  EXPECT_EQ(layout.slot(taken(layout.add_event("a", 2))), 2U);
  EXPECT_EQ(layout.slot(taken(layout.add_event("b"))), 5U);
  EXPECT_EQ(layout.kept_events(), std::vector<EventId>{0});
}

TEST(Layout, LanesBeyondTheLimitAreRefused) {
  Layout layout;
  for (std::size_t i = 0; i < kLanesMax; ++i) taken(layout.add_lane("lane"));
  EXPECT_EQ(error_of(layout.add_lane("last")), "lane 'last': number 4097, want at most 4096");
}

TEST(GraphBuilder, WaitForAnEventNobodyRecordsNamesTheTask) {
  TwoLanes two;
  const EventId done = taken(two.layout.add_event("done"));
  GraphBuilder builder(two.layout);
  builder.add_task(two.host, 5);
  const TaskId waiter = builder.add_task(two.compute, 5);
  builder.name_task(waiter, "lm_head");
  builder.wait(waiter, done);
  EXPECT_EQ(error_of(builder.finish()),
            "task 1 'lm_head' on lane compute: waits for event 'done' that no task of the step "
            "records, want a record of it; record it, or wait for it at a step before");
}

TEST(GraphBuilder, TasksThatWaitInACircleAreNamed) {
  TwoLanes two;
  const EventId a = taken(two.layout.add_event("a"));
  const EventId b = taken(two.layout.add_event("b"));
  GraphBuilder builder(two.layout);
  builder.add_task(two.host, 1);
  const TaskId first = builder.add_task(two.host, 1);
  const TaskId second = builder.add_task(two.host, 1);
  const TaskId other = builder.add_task(two.compute, 1);
  builder.wait(first, b);
  builder.record(second, a);
  builder.wait(other, a);
  builder.record(other, b);
  EXPECT_EQ(error_of(builder.finish()),
            "task 1 on lane host: waits in a circle: for 3 for 2 for itself, want an order of the "
            "step's tasks; take out one of these waits");
}

TEST(GraphBuilder, TaskThatWaitsForItselfIsACircle) {
  TwoLanes two;
  const EventId a = taken(two.layout.add_event("a"));
  GraphBuilder builder(two.layout);
  const TaskId task = builder.add_task(two.host, 1);
  builder.record(task, a);
  builder.wait(task, a);
  EXPECT_NE(error_of(builder.finish()).find("task 0 on lane host: waits in a circle: for itself"),
            std::string::npos);
}

TEST(GraphBuilder, SameWaitOfTheStepBeforeIsNoCircle) {
  TwoLanes two;
  const EventId a = taken(two.layout.add_event("a", 1));
  GraphBuilder builder(two.layout);
  const TaskId task = builder.add_task(two.host, 1);
  builder.record(task, a);
  builder.wait(task, a, -1);
  EXPECT_EQ(taken(builder.finish()).required_back.size(), 1U);
}

TEST(GraphBuilder, WaitFurtherBackThanTheEventIsKeptIsRefused) {
  TwoLanes two;
  const EventId a = taken(two.layout.add_event("a", 1));
  for (const int offset : {-2, 1}) {
    GraphBuilder builder(two.layout);
    const TaskId task = builder.add_task(two.host, 1);
    builder.record(task, a);
    builder.wait(task, a, offset);
    EXPECT_EQ(error_of(builder.finish()), "task 0 on lane host: waits for 'a' at step offset " +
                                              std::to_string(offset) +
                                              ", want -1 to 0; add the event with more steps kept");
  }
}

TEST(GraphBuilder, SecondRecordOfAnEventAndSecondEventOfATaskAreRefused) {
  TwoLanes two;
  const EventId a = taken(two.layout.add_event("a"));
  const EventId b = taken(two.layout.add_event("b"));
  GraphBuilder twice(two.layout);
  twice.record(twice.add_task(two.host, 1), a);
  twice.record(twice.add_task(two.compute, 1), a);
  EXPECT_EQ(error_of(twice.finish()),
            "task 1 on lane compute: records 'a' like task 0, want one task a step; give each "
            "record an event of its own");
  GraphBuilder both(two.layout);
  const TaskId task = both.add_task(two.host, 1);
  both.record(task, a);
  both.record(task, b);
  EXPECT_EQ(error_of(both.finish()),
            "task 0 on lane host: records 'b' as a second event, want one event a task; let all "
            "waits name the first");
}

TEST(GraphBuilder, NumbersTheLayoutLacksAreRefused) {
  TwoLanes two;
  const EventId a = taken(two.layout.add_event("a"));
  const auto error_with = [&](auto act) {
    GraphBuilder builder(two.layout);
    builder.add_task(two.host, 1);
    act(builder);
    return error_of(builder.finish());
  };
  EXPECT_EQ(error_with([&](GraphBuilder& b) { b.add_task(7, 1); }),
            "task 1: lane 7, want one of the layout's 2");
  EXPECT_EQ(error_with([&](GraphBuilder& b) { b.add_task(0, 1, 3); }),
            "task 1: resource 3, want one of the layout's 0");
  EXPECT_EQ(error_with([&](GraphBuilder& b) { b.add_task(0, -4); }),
            "task 1: duration -4 ns, want at least 0");
  EXPECT_EQ(error_with([&](GraphBuilder& b) { b.wait(0, 9); }),
            "task 0 on lane host: waits for event 9, want one of the layout's 1");
  EXPECT_EQ(error_with([&](GraphBuilder& b) { b.record(0, 9); }),
            "task 0 on lane host: records event 9, want one of the layout's 1");
  EXPECT_EQ(error_with([&](GraphBuilder& b) { b.wait(5, a); }),
            "task 5: unknown to wait, want a task below 1");
}

TEST(GraphBuilder, TasksAddedInOrderNeedNoOtherOrder) {
  TwoLanes two;
  const EventId a = taken(two.layout.add_event("a"));
  GraphBuilder builder(two.layout);
  builder.record(builder.add_task(two.host, 1), a);
  builder.wait(builder.add_task(two.compute, 1), a);
  EXPECT_TRUE(taken(builder.finish()).order.empty());
}

TEST(GraphBuilder, EventRecordedLaterPutsItsTaskFirst) {
  TwoLanes two;
  const EventId a = taken(two.layout.add_event("a"));
  GraphBuilder builder(two.layout);
  builder.wait(builder.add_task(two.compute, 1), a);
  builder.add_task(two.compute, 1);
  builder.add_task(two.host, 1);
  builder.record(builder.add_task(two.host, 1), a);
  EXPECT_EQ(taken(builder.finish()).order, (std::vector<TaskId>{2, 3, 0, 1}));
}

TEST(GraphBuilder, EmptyBehindFinish) {
  TwoLanes two;
  GraphBuilder builder(two.layout);
  builder.add_task(two.host, -1);
  EXPECT_NE(error_of(builder.finish()), "no error");
  EXPECT_EQ(taken(builder.finish()).size(), 0U);
}

}  // namespace
}  // namespace tandem::sim
