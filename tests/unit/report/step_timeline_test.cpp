// Spans joined by plan and events; spans that no plan can have are refused with their place.
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/report/hand_made.hpp"

namespace tandem::sim {
namespace {

using test::HandMade;

std::string refusal(HandMade& made) {
  TimelineBuilder builder;
  const auto steps = made.timelines(builder);
  return steps.ok() ? std::string() : steps.error().text;
}

TEST(StepTimeline, WaitIsJoinedToWhatTheEventFollows) {
  HandMade made;
  made.sync_step(0);
  TimelineBuilder builder;
  const auto steps = made.timelines(builder);
  ASSERT_TRUE(steps.ok()) << steps.error().text;
  const StepTimeline& step = steps.value()[0];
  ASSERT_EQ(step.nodes.size(), 7U);
  const TimelineNode& wait = step.nodes[5];
  ASSERT_EQ(wait.kind, NodeKind::wait);
  ASSERT_EQ(wait.edge_count, 2U);
  const TimelineEdge& event = step.edges_begin(wait)[1];
  EXPECT_EQ(event.kind, EdgeKind::event);
  EXPECT_EQ(event.behind, plan::OpKind::copy_outputs);
  EXPECT_EQ(event.at_ns, 660);
  EXPECT_EQ(step.ready_ns(wait), 660);
  const TimelineNode& copy = step.nodes[4];
  EXPECT_EQ(copy.launched_ns, 120);
  EXPECT_EQ(step.ready_ns(copy), 610);
}

TEST(StepTimeline, JumpInTheStepsThenNothingIsJoinedAcross) {
  HandMade made;
  made.sync_step(0);
  made.sync_step(710).t = 7;
  TimelineBuilder builder;
  const auto steps = made.timelines(builder);
  ASSERT_TRUE(steps.ok());
  EXPECT_EQ(steps.value()[1].nodes[0].edge_count, 0U);
}

TEST(StepTimeline, SpanOfNoOperationThenRefused) {
  HandMade made;
  made.sync_step(0).spans[2].op = 6;
  EXPECT_EQ(refusal(made).rfind("step 0: spans[2]: names operation 6 of segment 0", 0), 0U)
      << refusal(made);
}

TEST(StepTimeline, SpanInAnotherLaneThanItsOperationThenRefused) {
  HandMade made;
  made.sync_step(0).spans[0].lane = 1;
  EXPECT_EQ(refusal(made).rfind("step 0: spans[0]: lies in lane 1", 0), 0U) << refusal(made);
}

TEST(StepTimeline, TwoSpansOfOneOperationThenRefused) {
  HandMade made;
  StepRecord& r = made.sync_step(0);
  r.spans.push_back(r.spans[2]);
  EXPECT_EQ(refusal(made).rfind("step 0: spans[7]: is of the operation of spans[2]", 0), 0U)
      << refusal(made);
}

TEST(StepTimeline, TimesOutOfRangeThenRefused) {
  HandMade backwards;
  backwards.sync_step(0).spans[2].end_ns = 3;
  EXPECT_NE(refusal(backwards).find("lasts from 110 to 3 ns"), std::string::npos);
  HandMade far;
  far.sync_step(0).spans[2].end_ns = kLastNs + 1;
  EXPECT_NE(refusal(far).find("spans[2]"), std::string::npos);
  HandMade negative;
  negative.sync_step(0).start_ns = -1;
  EXPECT_EQ(refusal(negative).rfind("step 0: lasts from -1 to 710 ns", 0), 0U) << refusal(negative);
}

TEST(StepTimeline, SegmentThatTheTraceDoesNotDefineThenRefused) {
  HandMade made;
  made.sync_step(0).segments = {1};
  EXPECT_EQ(refusal(made).rfind("step 0: segments: 0x0000000000000001 is not defined", 0), 0U)
      << refusal(made);
}

}  // namespace
}  // namespace tandem::sim
