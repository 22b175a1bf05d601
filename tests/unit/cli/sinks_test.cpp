// The ring between a run and the judge: order, content, backpressure, failures.
#include "tools/cli/sinks.hpp"

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace tandem::cli {
namespace {

constexpr std::int32_t kSlots = 4;

/// Notes every call as text; fails at the call number `fail_at`.
class NotingSink final : public RecordSink {
 public:
  std::vector<std::string> calls;
  std::vector<StepRecord> records;
  int fail_at = -1;
  std::chrono::microseconds delay{0};
  std::atomic<std::int64_t> seen{0};

  Status begin(const TraceHeader& header) override { return note("begin " + header.producer); }
  Status segment(const plan::Segment& segment) override {
    return note("segment " + std::to_string(segment.ops.size()));
  }
  Status keyframe(const Keyframe& keyframe) override {
    return note("keyframe " + std::to_string(keyframe.t));
  }
  Status step(const StepRecord& record) override {
    records.push_back(record);
    return note("step " + std::to_string(record.t));
  }
  Status unadmitted(const RequestRow& row) override {
    return note("unadmitted " + std::to_string(row.id));
  }
  Status end(const Keyframe& last) override { return note("end " + std::to_string(last.t)); }

 private:
  Status note(std::string call) {
    if (delay.count() > 0) std::this_thread::sleep_for(delay);
    calls.push_back(std::move(call));
    ++seen;
    if (fail_at == static_cast<int>(calls.size())) return Error{"sink: full"};
    return {};
  }
};

constexpr std::int32_t kRunning = 2;  ///< real_bsz of every record

StepRecord record_at(std::int64_t t) {
  StepRecord record;
  record.reset(RecordLevel::state, kSlots, 2, 3);
  record.t = t;
  for (std::size_t i = 0; i < kSlots; ++i) {
    record.p1.q[i] = static_cast<std::int32_t>(t + static_cast<std::int64_t>(i));
  }
  if (t % 3 == 0) record.tasks.resize(static_cast<std::size_t>(t % 5));
  if (t % 2 == 0) record.substeps[1].qd[0] = static_cast<std::int32_t>(t);
  record.real_bsz = kRunning;
  return record;
}

/// The calls of a whole run of `steps` steps with a keyframe every 10.
Status feed(RecordSink& sink, std::int64_t steps) {
  TraceHeader header;
  header.producer = "p";
  TANDEM_RETURN_IF_ERROR(sink.begin(header));
  TANDEM_RETURN_IF_ERROR(sink.segment(plan::Segment{}));
  for (std::int64_t t = 0; t < steps; ++t) {
    if (t % 10 == 0) TANDEM_RETURN_IF_ERROR(sink.keyframe(Keyframe::initial(t, kSlots)));
    TANDEM_RETURN_IF_ERROR(sink.step(record_at(t)));
  }
  RequestRow row;
  row.id = 7;
  TANDEM_RETURN_IF_ERROR(sink.unadmitted(row));
  return sink.end(Keyframe::initial(steps, kSlots));
}

TEST(ParallelSink, WholeRunThenTargetSeesTheSameCallsInOrder) {
  NotingSink direct;
  ASSERT_TRUE(feed(direct, 500).ok());
  for (const std::size_t entries : {1U, 2U, 3U, 64U, 1000U}) {
    NotingSink behind;
    ParallelSink parallel(behind, entries);
    ASSERT_TRUE(feed(parallel, 500).ok());
    EXPECT_EQ(behind.calls, direct.calls) << entries << " entries";
    EXPECT_EQ(behind.records, direct.records) << entries << " entries";
  }
}

TEST(ParallelSink, SlowTargetThenCallerWaitsForAFreeEntry) {
  NotingSink slow;
  slow.delay = std::chrono::microseconds(500);
  ParallelSink parallel(slow, 4);
  ASSERT_TRUE(parallel.begin(TraceHeader{}).ok());
  for (std::int64_t t = 0; t < 40; ++t) {
    ASSERT_TRUE(parallel.step(record_at(t)).ok());
    EXPECT_GE(slow.seen.load() + 5, t) << "more calls under way than the ring has entries";
  }
  ASSERT_TRUE(parallel.join().ok());
  EXPECT_EQ(slow.calls.size(), 41U);
}

TEST(ParallelSink, FailingTargetThenALaterCallReturnsItsError) {
  for (const int fail_at : {1, 2, 50, 554}) {
    NotingSink failing;
    failing.fail_at = fail_at;
    ParallelSink parallel(failing, 8);
    const Status status = feed(parallel, 500);
    ASSERT_FALSE(status.ok()) << "call " << fail_at;
    EXPECT_EQ(status.error().text, "sink: full");
    EXPECT_EQ(failing.calls.size(), static_cast<std::size_t>(fail_at));
  }
}

TEST(ParallelSink, NoEndThenJoinHandsOverTheRest) {
  NotingSink target;
  ParallelSink parallel(target, 64);
  ASSERT_TRUE(parallel.begin(TraceHeader{}).ok());
  ASSERT_TRUE(parallel.step(record_at(3)).ok());
  ASSERT_TRUE(parallel.join().ok());
  EXPECT_EQ(target.calls, (std::vector<std::string>{"begin ", "step 3"}));
}

TEST(ParallelSink, NeverBegunThenDestructionReturns) {
  NotingSink target;
  { const ParallelSink parallel(target, 2); }
  EXPECT_TRUE(target.calls.empty());
}

TEST(FanOutSink, TwoTargetsThenBothSeeEveryCallAndRunningSlotsAreSummed) {
  NotingSink alone;
  NotingSink first;
  NotingSink second;
  ASSERT_TRUE(feed(alone, 25).ok());
  FanOutSink both({&first, &second});
  ASSERT_TRUE(feed(both, 25).ok());
  EXPECT_EQ(first.calls, alone.calls);
  EXPECT_EQ(second.calls, alone.calls);
  EXPECT_EQ(both.slot_steps(), 25 * kRunning);
}

TEST(FanOutSink, FirstTargetFailsThenItsErrorIsReturned) {
  NotingSink first;
  NotingSink second;
  first.fail_at = 4;
  FanOutSink both({&first, &second});
  const Status status = feed(both, 25);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().text, "sink: full");
  EXPECT_EQ(second.calls.size(), 3U);
}

}  // namespace
}  // namespace tandem::cli
