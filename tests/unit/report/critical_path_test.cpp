// The critical path of hand-made spans: what it is charged to, and slack.
#include <gtest/gtest.h>

#include "tests/unit/report/hand_made.hpp"

namespace tandem::sim {
namespace {

using test::HandMade;

Nanos on_path(const PathReport& path, plan::OpKind op, NodeKind kind) {
  Nanos ns = 0;
  for (const auto& [key, share] : path.shares) {
    if (key.op == op && key.kind == kind && !key.gap && !key.no_work) ns += share.on_path_ns;
  }
  return ns;
}

Nanos sum(const PathReport& path) {
  Nanos ns = 0;
  for (const auto& [key, share] : path.shares) ns += share.on_path_ns;
  return ns;
}

TEST(CriticalPath, OfSyncStepsThenThroughTheForwardTheWaitAndTheHost) {
  HandMade made;
  made.sync_step(0);
  made.sync_step(710);
  const PathReport path = made.report().path;
  EXPECT_EQ(path.windows, 1);
  EXPECT_EQ(path.total_ns, 1420);
  EXPECT_EQ(sum(path), path.total_ns);
  EXPECT_EQ(on_path(path, plan::OpKind::prepare_forward, NodeKind::operation), 200);
  EXPECT_EQ(on_path(path, plan::OpKind::target_forward, NodeKind::launch), 20);
  EXPECT_EQ(on_path(path, plan::OpKind::target_forward, NodeKind::operation), 1000);
  EXPECT_EQ(on_path(path, plan::OpKind::copy_outputs, NodeKind::launch), 0);
  EXPECT_EQ(on_path(path, plan::OpKind::copy_outputs, NodeKind::operation), 100);
  EXPECT_EQ(on_path(path, plan::OpKind::wait_event, NodeKind::wait), 40) << "waking up alone";
  EXPECT_EQ(on_path(path, plan::OpKind::send_message, NodeKind::operation), 60);
}

TEST(CriticalPath, SlackIsZeroOnThePathAndTheRestOfTheForwardForTheSecondLaunch) {
  HandMade made;
  made.sync_step(0);
  const PathReport path = made.report().path;
  for (const auto& [key, share] : path.shares) {
    const bool second_launch = key.op == plan::OpKind::copy_outputs && key.kind == NodeKind::launch;
    // The copy needs the forward's end at 610; its launch was done at 120.
    EXPECT_EQ(share.slack_min_ns, second_launch ? 490 : 0) << plan::to_name(key.op);
  }
}

TEST(CriticalPath, RowsHaveTheShareOfTheirWaitsAndOperations) {
  HandMade made;
  made.sync_step(0);
  made.sync_step(710);
  const TimelineReport r = made.report();
  EXPECT_EQ(r.rows.at(2).path_ns, 40 + 60);
  EXPECT_EQ(r.rows.at(13).path_ns, 200);
}

TEST(CriticalPath, CutIntoWindowsThenEveryNanosecondIsStillChargedOnce) {
  HandMade made;
  for (Nanos at = 0; at < 10 * 710; at += 710) made.sync_step(at);
  TimelineBuilder builder;
  const auto steps = made.timelines(builder);
  ASSERT_TRUE(steps.ok());
  for (const std::int64_t window : {1, 3, 10, 64}) {
    CriticalPath path(window);
    for (const StepTimeline& step : steps.value()) path.add(step);
    const PathReport& report = path.finish();
    EXPECT_EQ(report.windows, (10 + window - 1) / window);
    EXPECT_EQ(report.total_ns, 7100) << window;
    EXPECT_EQ(sum(report), 7100) << window;
    EXPECT_EQ(on_path(report, plan::OpKind::target_forward, NodeKind::operation), 5000) << window;
  }
}

TEST(CriticalPath, GapThatNothingExplainsThenChargedToWhatFollows) {
  HandMade made;
  StepRecord& r = made.sync_step(0);
  for (std::size_t i = 4; i < r.spans.size(); ++i) {  // the copy and all behind it, 70 ns later
    if (i != 5) r.spans[i].start_ns += 70;
    r.spans[i].end_ns += 70;
  }
  r.end_ns += 70;
  const PathReport path = made.report().path;
  EXPECT_EQ(path.total_ns, 780);
  Nanos gap_ns = 0;
  for (const auto& [key, share] : path.shares) {
    if (key.gap && key.op == plan::OpKind::copy_outputs) gap_ns += share.on_path_ns;
  }
  EXPECT_EQ(gap_ns, 70);
}

TEST(CriticalPath, LastWindowIsListedInTimeOrderWithoutHoles) {
  HandMade made;
  made.sync_step(0);
  made.sync_step(710);
  const PathReport path = made.report().path;
  ASSERT_FALSE(path.last_window.empty());
  Nanos at_ns = 0;
  for (const PathPiece& piece : path.last_window) {
    EXPECT_EQ(piece.start_ns, at_ns);
    at_ns = piece.end_ns;
  }
  EXPECT_EQ(at_ns, 1420);
}

}  // namespace
}  // namespace tandem::sim
