// The threads executor: order of streams, bindings of waits, failures, and every way it ends.
#include "runtime/host/threads_executor.hpp"

#include <atomic>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/host/det_executor.hpp"
#include "tests/support/run_helpers.hpp"

namespace tandem {
namespace {

using plan::EventName;
using plan::Lane;
using plan::OpKind;

plan::Operation work(Lane lane) {
  plan::Operation op;
  op.kind = OpKind::lm_head;
  op.lane = lane;
  return op;
}

plan::Operation record(Lane lane, EventName name) {
  plan::Operation op;
  op.kind = OpKind::record_event;
  op.lane = lane;
  op.records = {name, 0};
  return op;
}

plan::Operation wait(Lane lane, EventName name, int step_offset = 0) {
  plan::Operation op;
  op.kind = OpKind::wait_event;
  op.lane = lane;
  op.waits = {name, step_offset};
  return op;
}

LaunchArgs args_of(std::int64_t t) {
  LaunchArgs args;
  args.t = t;
  return args;
}

void yield_until(const std::atomic<bool>& flag) {
  while (!flag.load()) std::this_thread::yield();
}

constexpr std::uint64_t kSeed = 5;
constexpr Nanos kLaunchNs = 2;
const plan::Operation kCompute = work(Lane::compute);
const plan::Operation kCopy = work(Lane::copy);
const plan::Operation kRecord = record(Lane::compute, EventName::copies_may_start);
const plan::Operation kWait = wait(Lane::copy, EventName::copies_may_start);
const plan::Operation kRecordCopy = record(Lane::copy, EventName::post_process);
const plan::Operation kGuard = wait(Lane::compute, EventName::post_process);
const plan::Operation kWaitForLast = wait(Lane::copy, EventName::output_token_num, -1);

OpCost lasting(Nanos duration_ns) { return {kLaunchNs, 0, 0, duration_ns}; }

/// An executor that calls `execute` with the lane and LaunchArgs::n.
class Streams {
 public:
  using Execute = std::function<void(Lane, std::int32_t)>;
  explicit Streams(Execute execute)
      : executor_(
            kSeed,
            [execute](const plan::Operation& op, const LaunchArgs& args) {
              execute(op.lane, args.n);
            },
            true) {}

  void add(const plan::Operation& op, std::int64_t t = 0, std::int32_t n = 0) {
    LaunchArgs args = args_of(t);
    args.n = n;
    executor_.enqueue(op, args, lasting(10));
  }
  ThreadsExecutor& operator*() { return executor_; }
  ThreadsExecutor* operator->() { return &executor_; }

 private:
  ThreadsExecutor executor_;
};

TEST(ThreadsExecutor, OneLaneThenInTheOrderOfEnqueueing) {
  std::vector<std::int32_t> seen;
  Streams streams([&seen](Lane, std::int32_t n) { seen.push_back(n); });
  for (std::int32_t n = 0; n < 500; ++n) streams.add(kCompute, 0, n);
  streams->drain();
  ASSERT_EQ(seen.size(), 500U);
  for (std::int32_t n = 0; n < 500; ++n) EXPECT_EQ(seen[static_cast<std::size_t>(n)], n);
}

TEST(ThreadsExecutor, WaitThenWhatTheOtherStreamDidBeforeTheRecordIsThere) {
  int value = 0;  // not atomic: the event alone orders it
  std::vector<int> seen;
  Streams streams([&](Lane lane, std::int32_t n) {
    if (lane == Lane::compute) {
      value = n;
    } else {
      seen.push_back(value);
    }
  });
  for (std::int32_t t = 0; t < 300; ++t) {
    streams.add(kCompute, t, t);
    streams.add(kRecord, t);
    streams.add(kWait, t);
    streams.add(kCopy, t);
    streams.add(kRecordCopy, t);
    streams.add(kGuard, t);
  }
  streams->drain();
  ASSERT_EQ(seen.size(), 300U);
  for (int t = 0; t < 300; ++t) EXPECT_EQ(seen[static_cast<std::size_t>(t)], t);
}

TEST(ThreadsExecutor, WaitBindsToTheRecordThatIsLatestWhenItIsEnqueued) {
  std::atomic<bool> copied{false};
  Streams streams([&copied](Lane lane, std::int32_t) {
    if (lane == Lane::copy) {
      copied = true;
    } else {
      yield_until(copied);
    }
  });
  streams.add(kRecord);
  streams.add(kWait);
  streams.add(kCompute);  // goes on only when the copy has run
  streams.add(kRecord);   // so a wait for this record would never pass
  streams.add(kCopy);
  streams->drain();
  EXPECT_TRUE(copied);
}

TEST(ThreadsExecutor, WaitForWhatWasNeverRecordedThenItPasses) {
  int copies = 0;
  Streams streams([&copies](Lane, std::int32_t) { ++copies; });
  streams.add(kWaitForLast, 0);
  streams.add(kCopy, 0);
  streams.add(kWaitForLast, 7);
  streams.add(kCopy, 7);
  streams->drain();
  EXPECT_EQ(copies, 2);
}

TEST(ThreadsExecutor, HostWaitThenWhatIsInFrontOfTheRecordIsThere) {
  int value = 0;
  std::atomic<bool> go{false};
  Streams streams([&](Lane, std::int32_t n) {
    if (n < 0) {
      yield_until(go);
    } else {
      value = n;
    }
  });
  for (std::int32_t t = 0; t < 300; ++t) {
    streams.add(kCompute, t, t);
    streams.add(kRecord, t);
    if (t == 299) streams.add(kCompute, t, -1);  // the wait does not take what is behind
    streams->wait(EventName::copies_may_start, t, {kLaunchNs, kLaunchNs});
    ASSERT_EQ(value, t);
  }
  go = true;
}

TEST(ThreadsExecutor, StepIsFinishedWhenBothStreamsHavePassedItsEnd) {
  std::atomic<bool> go{false};
  Streams streams([&go](Lane lane, std::int32_t) {
    if (lane == Lane::copy) yield_until(go);
  });
  streams.add(kCompute);
  streams.add(kCopy);
  streams->end_step(0);
  EXPECT_FALSE(streams->finished(0));
  go = true;
  streams->drain();
  EXPECT_TRUE(streams->finished(0));
  EXPECT_FALSE(streams->finished(1));
}

TEST(ThreadsExecutor, TimesAreThoseOfWhatIsEnqueuedWhateverRunsWhen) {
  ThreadsExecutor executor(
      kSeed, [](const plan::Operation&, const LaunchArgs&) {}, true);
  executor.enqueue(kCompute, args_of(0), lasting(100));
  executor.enqueue(kRecord, args_of(0), lasting(0));
  executor.enqueue(kCopy, args_of(0), lasting(30));
  EXPECT_EQ(executor.time().now(), 4);
  EXPECT_EQ(executor.time().compute().busy_ns, 100);
  executor.wait(EventName::copies_may_start, 0, {kLaunchNs, kLaunchNs});
  EXPECT_EQ(executor.time().now(), 104);  // from 2 to 102, and the wait itself
  executor.drain();
  EXPECT_EQ(executor.time().now(), 104);
}

TEST(ThreadsExecutor, OperationThrowsThenTheNextWaitThrowsItAndNothingBehindRuns) {
  int runs = 0;
  Streams streams([&runs](Lane, std::int32_t) {
    ++runs;
    throw std::runtime_error("no memory");
  });
  streams.add(kCompute);
  streams.add(kCompute);
  streams.add(kRecord);
  try {
    streams->wait(EventName::copies_may_start, 0, {kLaunchNs, kLaunchNs});
    FAIL() << "the wait returned";
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(std::string(error.what()), "no memory");
  }
  EXPECT_THROW(streams->drain(), std::runtime_error);
  streams->halt();
  EXPECT_EQ(runs, 1);
}

TEST(ThreadsExecutor, HaltThenNothingRunsAnyMore) {
  std::atomic<int> runs{0};
  Streams streams([&runs](Lane, std::int32_t) { ++runs; });
  for (int i = 0; i < 1000; ++i) streams.add(i % 2 == 0 ? kCompute : kCopy);
  streams->halt();
  const int then = runs;
  streams->halt();
  EXPECT_EQ(runs, then);
}

TEST(DetExecutor, HaltThenNothingRunsAnyMore) {
  int runs = 0;
  const auto count = [&runs](const plan::Operation&, const LaunchArgs&) { ++runs; };
  DetExecutor executor(kSeed, count);
  for (int i = 0; i < 1000; ++i) {
    executor.enqueue(i % 2 == 0 ? kCompute : kCopy, args_of(0), lasting(10));
  }
  executor.halt();
  const int then = runs;
  EXPECT_LT(then, 1000);
  executor.drain();
  EXPECT_EQ(runs, then);
}

TEST(ThreadsExecutor, DestroyedWithWorkLeftThenItReturns) {
  for (int i = 0; i < 200; ++i) {
    Streams streams([](Lane, std::int32_t) {});
    for (int k = 0; k < i; ++k) {
      streams.add(kCompute);
      streams.add(kRecord);
      streams.add(kWait);
      streams.add(kCopy);
    }
  }
}

TEST(ThreadsExecutorDeathTest, CopyLaneWithoutAStreamIsOurBug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto enqueue = [] {
    ThreadsExecutor executor(
        kSeed, [](const plan::Operation&, const LaunchArgs&) {}, false);
    executor.enqueue(kCopy, args_of(0), lasting(10));
  };
  EXPECT_DEATH(enqueue(), "tandem bug");
}

// -- whole runs that end early --------------------------------------------------------------------

/// Refuses the call number `fail_at`.
class RefusingSink final : public RecordSink {
 public:
  explicit RefusingSink(int fail_at) : left_(fail_at) {}
  Status begin(const TraceHeader& /*header*/) override { return next(); }
  Status segment(const plan::Segment& /*segment*/) override { return next(); }
  Status keyframe(const Keyframe& /*keyframe*/) override { return next(); }
  Status step(const StepRecord& /*record*/) override { return next(); }
  Status unadmitted(const RequestRow& /*row*/) override { return next(); }
  Status end(const Keyframe& /*last*/) override { return next(); }

 private:
  Status next() { return --left_ == 0 ? Status(Error{"sink: full"}) : Status(); }
  int left_;
};

TEST(ThreadsRun, SinkThatFailsAtAnyCallThenItsErrorAndNoHang) {
  Scenario scenario = test::small_scenario(4, 3);
  scenario.config.copies_own_stream = true;
  std::vector<RequestSpec> requests;
  requests.reserve(6);
  for (RequestId id = 0; id < 6; ++id) requests.push_back(test::request(id, id, 20, 12));
  RunOptions options;
  options.block_steps = 4;
  int fail_at = 1;
  for (;; ++fail_at) {
    RefusingSink sink(fail_at);
    test::ListWorkload workload(requests);
    const auto summary = run_on_host(scenario, workload, options, &sink, ExecutorKind::threads);
    if (summary.ok()) break;
    EXPECT_EQ(summary.error().text, "sink: full");
  }
  EXPECT_GT(fail_at, 20);
}

TEST(ThreadsRun, StopAskedInTheMiddleThenTheRunEndsAtAStep) {
  Scenario scenario = test::small_scenario(4, 3);
  std::atomic<bool> stop{false};
  RunOptions options;
  options.stop = &stop;
  options.progress = [&stop](const RunProgress& p) { stop = p.t == 9; };
  test::KeepingSink sink;
  test::ListWorkload workload({test::request(0, 0, 20, 200)});
  const auto summary = run_on_host(scenario, workload, options, &sink, ExecutorKind::threads);
  ASSERT_TRUE(summary.ok());
  EXPECT_TRUE(summary.value().stopped);
  EXPECT_EQ(summary.value().steps, 10);
  EXPECT_EQ(sink.steps.size(), 10U);
  EXPECT_TRUE(sink.ended);
}

}  // namespace
}  // namespace tandem
