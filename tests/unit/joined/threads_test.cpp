// The threads executor against the deterministic one: the same trace to the byte but for the
// header's name of the executor, and the same verdict.
//
// In preset tsan these runs are what ThreadSanitizer looks at: every scenario of the catalogue in
// both schedules, and random ones.
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/run_helpers.hpp"
#include "tests/support/sample_trace.hpp"
#include "tests/unit/joined/catalog_test_name.hpp"
#include "tests/unit/joined/judged_run.hpp"
#include "tests/unit/joined/random_scenario.hpp"
#include "traces/tbt.hpp"

namespace tandem {
namespace {

using test::HowJudged;
using test::JudgedRun;
using Overrides = std::vector<std::string>;

struct Recording {
  JudgedRun run;
  std::vector<std::byte> trace;
};

/// Writes a trace that does not name its executor.
class NamelessWriter final : public RecordSink {
 public:
  explicit NamelessWriter(ByteSink& out) {
    Result<std::unique_ptr<RecordSink>> writer = make_tbt_writer(out, {});
    EXPECT_TRUE(writer.ok());
    writer_ = std::move(writer).value();
  }
  std::string executor;  ///< as the header had it

  Status begin(const TraceHeader& header) override {
    TraceHeader nameless = header;
    executor = std::exchange(nameless.executor, "");
    return writer_->begin(nameless);
  }
  Status segment(const plan::Segment& segment) override { return writer_->segment(segment); }
  Status keyframe(const Keyframe& keyframe) override { return writer_->keyframe(keyframe); }
  Status step(const StepRecord& record) override { return writer_->step(record); }
  Status unadmitted(const RequestRow& row) override { return writer_->unadmitted(row); }
  Status end(const Keyframe& last) override { return writer_->end(last); }

 private:
  std::unique_ptr<RecordSink> writer_;
};

/// `run`: HowJudged to JudgedRun.
template <class Run>
Recording traced(ExecutorKind executor, RecordLevel level, Run run) {
  test::MemorySink bytes;
  NamelessWriter writer(bytes);
  HowJudged how;
  how.executor = executor;
  how.level = level;
  how.copy = &writer;
  JudgedRun judged = run(how);
  EXPECT_EQ(writer.executor, to_name(executor));
  return {std::move(judged), std::move(bytes.bytes)};
}

/// Times, summary and verdict included; what the judge complains of.
template <class Run>
std::string expect_equal(Run run, RecordLevel level = RecordLevel::state) {
  const Recording det = traced(ExecutorKind::det, level, run);
  const Recording threads = traced(ExecutorKind::threads, level, run);
  EXPECT_EQ(threads.run.error, "");
  EXPECT_GT(threads.run.verdict.steps, 0);
  EXPECT_EQ(threads.run.summary, det.run.summary);
  EXPECT_EQ(threads.run.verdict, det.run.verdict);
  EXPECT_EQ(threads.run.outcomes, det.run.outcomes);
  EXPECT_TRUE(threads.trace == det.trace) << "the traces differ: see tandem diff";
  return threads.run.complaint();
}

std::string expect_equal_in_catalog(const std::string& name, const Overrides& overrides,
                                    RecordLevel level = RecordLevel::state) {
  SCOPED_TRACE(name + (overrides.empty() ? "" : ", " + overrides.front()));
  return expect_equal([&](const HowJudged& how) { return test::run_catalog(name, overrides, how); },
                      level);
}

class ThreadsCatalog : public testing::TestWithParam<std::string> {};

TEST_P(ThreadsCatalog, RecordsTheSameBytesInBothSchedules) {
  EXPECT_EQ(expect_equal_in_catalog(GetParam(), {"schedule=sync"}), "");
  EXPECT_EQ(expect_equal_in_catalog(GetParam(), {"schedule=overlap"}), "");
}

/// One stream for kernels and copies becomes two, unless the scenario has two already.
TEST_P(ThreadsCatalog, RecordsTheSameBytesWithCopiesOfTheirOwnStream) {
  EXPECT_EQ(expect_equal_in_catalog(GetParam(), {"copies=own"}), "");
}

INSTANTIATE_TEST_SUITE_P(Catalog, ThreadsCatalog, testing::ValuesIn(test::catalog_list()),
                         test::catalog_test_name);

TEST(ThreadsLevels, RecordTheSameBytes) {
  for (const RecordLevel level : {RecordLevel::timeline, RecordLevel::full}) {
    for (const char* name : {"decode-small", "mixed-rows", "tight-pool-four"}) {
      EXPECT_EQ(expect_equal_in_catalog(name, {}, level), "");
    }
  }
}

TEST(ThreadsBrokenPolicy, DivergesAtTheSamePlaceAndEnds) {
  const std::pair<const char*, const char*> broken[] = {
      {"dnode-first-step", "policy=predict-sum"},
      {"dnode-short-drafts", "policy=predict-sum"},
      {"near-the-limit", "policy=predict-rows"}};
  for (const auto& [name, policy] : broken) {
    EXPECT_NE(expect_equal_in_catalog(name, {policy}), "") << name;
    EXPECT_NE(expect_equal_in_catalog(name, {policy, "unguarded=true"}), "") << name;
  }
}

TEST(ThreadsRandomRuns, RecordTheSameBytes) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const test::RandomCase drawn = test::random_case(seed);
    const auto run = [&](HowJudged how) {
      how.may_be_cut = drawn.is_cut;
      test::ListWorkload workload(drawn.requests);
      return test::run_judged(drawn.scenario, workload, how);
    };
    EXPECT_EQ(expect_equal(run), "");
  }
}

}  // namespace
}  // namespace tandem
