// Hand-made spans with known answers: use of lanes, bubbles, rows, bound, T2.
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/report/hand_made.hpp"

namespace tandem::sim {
namespace {

using plan::Lane;
using test::HandMade;
using test::kCopy;
using test::kForward;
using test::kWait;

TEST(Spread, NearestRankOfIntegers) {
  std::vector<std::int64_t> values;
  EXPECT_EQ(spread_of(values), (Spread{0, 0, 0}));
  values = {7};
  EXPECT_EQ(spread_of(values), (Spread{7, 7, 7}));
  values.clear();
  for (std::int64_t v = 100; v >= 1; --v) values.push_back(v * 10);
  EXPECT_EQ(spread_of(values), (Spread{500, 950, 990}));
  values = {4, 1, 3, 2};
  EXPECT_EQ(spread_of(values), (Spread{2, 4, 4}));
}

TEST(Millionths, OfHugeTimesThenNoOverflow) {
  EXPECT_EQ(millionths(1, 3), 333'333);
  EXPECT_EQ(millionths(5, 0), 0);
  EXPECT_EQ(millionths(kLastNs, kLastNs), 1'000'000);
  EXPECT_EQ(millionths(-kLastNs / 2, kLastNs), -500'000);
}

StepFacts facts(std::int64_t t, StepKind kind, std::int32_t sends) {
  StepFacts f;
  f.t = t;
  f.kind = kind;
  f.sends = sends;
  return f;
}

TEST(Ramp, UntilTheFirstMessageAndBehindTheLastBackThenLeftOut) {
  RampFinder ramp;
  ramp.add(facts(0, StepKind::back, 0));
  ramp.add(facts(1, StepKind::back, 1));
  ramp.add(facts(2, StepKind::back, 1));
  ramp.add(facts(3, StepKind::back, 1));
  ramp.add(facts(4, StepKind::empty, 1));
  const CountedSteps counted = ramp.counted();
  EXPECT_EQ(counted.begin, 2);
  EXPECT_EQ(counted.end, 4);
  EXPECT_EQ(counted.ramp_in, 2);
  EXPECT_EQ(counted.ramp_out, 1);
  EXPECT_FALSE(counted.all);
}

TEST(Ramp, WhereNothingElseIsLeftThenEverythingCounts) {
  RampFinder ramp;
  ramp.add(facts(5, StepKind::back, 0));
  ramp.add(facts(6, StepKind::empty, 1));
  EXPECT_TRUE(ramp.counted().all);
  EXPECT_EQ(ramp.counted().begin, 5);
}

TEST(Analysis, OfSyncStepsThenEveryNanosecondHasItsName) {
  HandMade made;
  made.sync_step(1000);
  made.sync_step(1710);
  const TimelineReport r = made.report();
  EXPECT_EQ(r.records, 2);
  EXPECT_EQ(r.launched, 2);
  EXPECT_EQ(r.host.window_ns, 1420);
  EXPECT_EQ(r.host.operations_ns, 2 * (100 + 20 + 30));
  EXPECT_EQ(r.host.launches_ns, 2 * 20);
  EXPECT_EQ(r.host.waiting_ns, 2 * 540);
  EXPECT_EQ(r.host.other_ns, 0);
  EXPECT_EQ(r.compute.compute_ns, 1000);
  EXPECT_EQ(r.compute.copies_ns, 100);
  EXPECT_EQ(r.compute.idle_ns, 160) << "from the first copy's end to the second forward's start";
  EXPECT_EQ(r.compute.window_ns, 550 + 710);
  EXPECT_EQ(r.compute.waiting_ns, 0);
  EXPECT_EQ(r.copy.window_ns, 0);
}

TEST(Analysis, OfOperationsLaunchedAsOneThenTheTimeBetweenThemIsAGapAndNotTheHosts) {
  HandMade made;
  StepRecord& r = made.step(0, 710);
  HandMade::span(r, Lane::host, kForward, 100, 110);  // of both
  HandMade::span(r, Lane::compute, kForward, 110, 610);
  HandMade::span(r, Lane::compute, kCopy, 650, 700);
  const TimelineReport report = made.report();
  EXPECT_EQ(report.compute.idle_ns, 40);
  EXPECT_EQ(report.compute.gaps_ns, 40);
  EXPECT_EQ(report.compute.gaps, 1);
  EXPECT_EQ(report.compute.starved_ns(), 0);
  EXPECT_EQ(report.launches, 0) << "the only launch came before the stream was known";
  ASSERT_EQ(report.bubbles.size(), 1U);
  EXPECT_EQ(to_text(report.bubbles[0].root), "gap between operations");
}

TEST(Analysis, OfSyncStepsThenTheBubbleNamesTheWaitAndItsRow) {
  HandMade made;
  made.sync_step(0);
  made.sync_step(710);
  const TimelineReport r = made.report();
  ASSERT_EQ(r.bubbles.size(), 1U);
  const Bubble& bubble = r.bubbles[0];
  EXPECT_EQ(bubble.step, 1);
  EXPECT_EQ(bubble.before, plan::OpKind::target_forward);
  EXPECT_EQ(bubble.start_ns, 660);
  EXPECT_EQ(bubble.idle_ns, 160);
  EXPECT_EQ(to_text(bubble.root), "host wait R2 post_process");
  ASSERT_EQ(bubble.parts.size(), 4U);
  EXPECT_EQ(to_text(bubble.parts[0].cause), "host late: prepare_forward");
  EXPECT_EQ(bubble.parts[0].ns, 100);
  EXPECT_EQ(to_text(bubble.parts[1].cause), "host late: send_message");
  EXPECT_EQ(bubble.parts[1].ns, 30);
  EXPECT_EQ(bubble.parts[2].ns, 20) << "waking up";
  EXPECT_EQ(to_text(bubble.parts[3].cause), "host late: launching");
  EXPECT_EQ(r.rows.at(2).waits, 2);
  EXPECT_EQ(r.rows.at(2).waited_ns, 1080);
  EXPECT_EQ(r.rows.at(2).starved_ns, 160);
}

TEST(Analysis, OfSyncStepsThenTheBoundIsTheDeviceAndTheRunIsAboveIt) {
  HandMade made;
  made.sync_step(0);
  made.sync_step(710);
  const TimelineReport r = made.report();
  EXPECT_EQ(r.bound.side, BoundSide::device);
  EXPECT_EQ(r.bound.bound_ns(), 1100);
  EXPECT_EQ(r.bound.host_ns, 340);
  EXPECT_EQ(r.bound.run_ns, 1260) << "of the stream, which began with the first forward";
  EXPECT_EQ(r.bound.above_millionths(), 145'454);
}

TEST(Analysis, OfAHostThatTakesLongerThenTheBoundIsTheHost) {
  HandMade made;
  StepRecord& r = made.step(0, 1000);
  HandMade::span(r, plan::Lane::host, test::kPrepare, 0, 990);
  HandMade::span(r, plan::Lane::host, kForward, 990, 1000);
  HandMade::span(r, plan::Lane::compute, kForward, 1000, 1300);
  EXPECT_EQ(made.report().bound.side, BoundSide::host);
  EXPECT_EQ(made.report().bound.bound_ns(), 1000);
}

TEST(Analysis, LeadOfALaunchIsPositiveWhileTheStreamHasWork) {
  HandMade made;
  made.sync_step(0);
  StepRecord& ahead = made.step(710, 800);
  HandMade::span(ahead, plan::Lane::host, kForward, 710, 720);
  HandMade::span(ahead, plan::Lane::compute, kForward, 720, 1000);
  HandMade::span(ahead, plan::Lane::host, kCopy, 720, 730);
  HandMade::span(ahead, plan::Lane::compute, kCopy, 1000, 1010);
  const TimelineReport r = made.report();
  ASSERT_EQ(r.steps.size(), 2U);
  EXPECT_EQ(r.steps[0].lead_ns, kUnknownNs) << "nothing was before it";
  EXPECT_EQ(r.steps[1].lead_ns, -60);
  EXPECT_EQ(r.launches, 3);
  EXPECT_EQ(r.ahead, 2) << "both copies";
}

TEST(Analysis, IdleIterationsThenNoWorkAndNoBubble) {
  HandMade made;
  made.sync_step(0);
  StepRecord& idle = made.step(710, 1710);
  idle.kind = StepKind::idle;
  idle.segments.clear();
  idle.token_num = 0;
  idle.repeat = 3;
  made.sync_step(3710).t = 4;
  const TimelineReport r = made.report();
  EXPECT_EQ(r.host.no_work_ns, 3000);
  EXPECT_EQ(r.compute.no_work_ns, 3000);
  EXPECT_EQ(r.compute.idle_ns, 160) << "as without the idle iterations";
  EXPECT_EQ(r.bound.run_ns, 1260);
  ASSERT_EQ(r.bubbles.size(), 1U);
  EXPECT_EQ(r.bubbles[0].idle_ns, 160);
}

TEST(Analysis, CleanSpansThenT2Holds) {
  HandMade made;
  made.sync_step(0);
  made.sync_step(710);
  const Attribution a = made.report().attribution;
  EXPECT_TRUE(a.holds()) << a.first;
  EXPECT_EQ(a.merged_ns[1], 1100);
  EXPECT_EQ(a.merged_ns[0], 1420);
}

TEST(Analysis, SpansThatOverlapInALaneThenT2NamesTheStepAndTheOperation) {
  HandMade made;
  made.sync_step(0);
  StepRecord& bad = made.sync_step(710);
  bad.spans[4].start_ns -= 40;  // the copy, before the forward has ended
  const TimelineReport r = made.report();
  EXPECT_FALSE(r.attribution.holds());
  EXPECT_NE(r.attribution.attributed_ns, r.attribution.merged_ns);
  EXPECT_EQ(r.attribution.first,
            "step 1: copy_outputs in lane compute starts 40 ns before the one before it ends");
}

TEST(Analysis, DeviceTimeInFrontOfItsStepThenT2Speaks) {
  HandMade made;
  made.sync_step(0);
  StepRecord& late = made.sync_step(710);
  late.start_ns = 900;  // the spans are of the step before: class P
  EXPECT_EQ(made.report().attribution.first,
            "step 1: prepare_forward in lane host starts 190 ns before its step");
}

TEST(Analysis, WithoutLaunchSpansThenTheIdleTimeIsStillTheHosts) {
  HandMade made;
  made.sync_step(0);
  made.sync_step(710);
  for (StepRecord& record : made.records) {
    std::erase_if(record.spans, [](const Span& span) {
      return span.lane == 0 && (span.op == kForward || span.op == kCopy);
    });
  }
  const TimelineReport r = made.report();
  EXPECT_EQ(r.coverage.without_launches, 2);
  EXPECT_EQ(r.launches, 0);
  EXPECT_EQ(r.compute.idle_ns, 160);
  EXPECT_EQ(to_text(r.bubbles.at(0).root), "host wait R2 post_process");
}

TEST(Analysis, WithoutAnySpanThenNothingIsMadeUp) {
  HandMade made;
  made.sync_step(0).spans.clear();
  const TimelineReport r = made.report();
  EXPECT_FALSE(r.has_spans());
  EXPECT_EQ(r.coverage.without_host, 1);
  EXPECT_EQ(r.coverage.without_compute, 1);
  EXPECT_EQ(r.path.total_ns, 0);
  EXPECT_EQ(r.compute.window_ns, 0);
}

TEST(Analysis, OfNothingThenZeros) {
  HandMade made;
  const TimelineReport r = made.report();
  EXPECT_EQ(r.records, 0);
  EXPECT_FALSE(r.has_spans());
  EXPECT_EQ(r.bound.above_millionths(), 0);
  EXPECT_TRUE(r.attribution.holds());
}

}  // namespace
}  // namespace tandem::sim
