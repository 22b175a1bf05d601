// The worked example of semantics 9.4: TinyRun reproduces its table, and the judge finds it clean.
#include <array>

#include <gtest/gtest.h>

#include "tests/unit/sim/judge_helpers.hpp"

namespace tandem::test {
namespace {

struct Row {
  std::int64_t t;
  std::array<std::int32_t, 2> q, d, g;
  std::int32_t real_bsz;
  LaunchMode mode;
  std::int32_t token_num, launch_bsz;
  std::array<std::int32_t, 2> a;
  CachedPair out;
};

TEST(WorkedExample, RecordsEqualTheTableOfTheSemantics) {
  constexpr auto kExact = LaunchMode::exact;
  constexpr auto kPredicted = LaunchMode::predicted;
  const std::array<Row, 6> rows{{
      {2, {2, 1}, {0, 0}, {0, 0}, 2, kExact, 3, 2, {1, 1}, {-1, -1}},
      {3, {3, 3}, {2, 1}, {1, 1}, 2, kExact, 6, 2, {2, 2}, {6, 2}},
      {4, {3, 3}, {4, 3}, {3, 3}, 2, kPredicted, 6, 2, {1, 2}, {6, 2}},
      {5, {0, 3}, {5, 5}, {4, 5}, 1, kPredicted, 6, 2, {0, 1}, {3, 1}},
      {6, {0, 3}, {0, 6}, {4, 6}, 1, kPredicted, 3, 1, {0, 3}, {3, 1}},
      {7, {7, 0}, {0, 0}, {0, 9}, 1, kExact, 7, 1, {1, 0}, {-1, -1}},
  }};
  TinyTrace trace = worked_example();
  for (const Row& row : rows) {
    SCOPED_TRACE(row.t);
    const StepRecord& r = record_of(trace, row.t);
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(r.p1.q[i], row.q[i]);
      EXPECT_EQ(r.p1.d[i], row.d[i]);
      EXPECT_EQ(r.p1.g[i], row.g[i]);
      EXPECT_EQ(r.p2.a[i], row.a[i]);
    }
    EXPECT_EQ(r.real_bsz, row.real_bsz);
    EXPECT_EQ(r.mode, row.mode);
    EXPECT_EQ(r.token_num, row.token_num);
    EXPECT_EQ(r.launch_bsz, row.launch_bsz);
    EXPECT_EQ(r.cached_out, row.out);
  }
  EXPECT_EQ(record_of(trace, 6).p4.b[1], 1) << "slot 1 is parked by schedule_cache(6)";
}

TEST(WorkedExample, IsClean) {
  const sim::Verdict verdict = judge(worked_example());
  EXPECT_EQ(first_line(verdict), "clean");
  EXPECT_EQ(verdict.divergence_count, 0U);
  EXPECT_EQ(verdict.steps, 10);
  EXPECT_EQ(verdict.records, 10);
  EXPECT_EQ(verdict.requests, 1);
  EXPECT_EQ(verdict.tokens, 28);
}

TEST(WorkedExample, EveryImplementedCheckRunsInEveryStep) {
  const sim::Verdict verdict = judge(worked_example(4, RecordLevel::full));
  EXPECT_EQ(first_line(verdict), "clean");
  for (std::size_t i = 0; i < sim::kCheckCount; ++i) {
    const auto id = static_cast<sim::CheckId>(i);
    SCOPED_TRACE(sim::to_name(id));
    std::uint64_t want = sim::check_info(id).implemented && !verdict.excluded[i] ? 10 : 0;
    if (id == sim::CheckId::V0) want = 3;  // three blocks, each with a keyframe behind it
    EXPECT_EQ(verdict.checks[i].run, want);
    EXPECT_EQ(verdict.checks[i].not_checkable, 0U);
  }
}

TEST(WorkedExample, WithoutPoisonV11IsNotCheckable) {
  const sim::Verdict verdict = judge(worked_example(4));
  const auto& count = verdict.checks[static_cast<std::size_t>(sim::CheckId::V11)];
  EXPECT_EQ(count.run, 0U);
  EXPECT_EQ(count.not_checkable, 10U);
}

TEST(WorkedExample, JobsAndLiveVerdictsAreEqual) {
  TinyTrace trace = worked_example(2);
  trace.content[1].records[0].p1.g[1] += 1;
  trace.content[3].records[1].token_num -= 1;
  const sim::Verdict one = judge(trace, 1);
  EXPECT_GT(one.divergence_count, 1U);
  EXPECT_EQ(one, judge(trace, 2));
  EXPECT_EQ(one, judge(trace, 4));
  EXPECT_EQ(one, judge_live(trace));
}

TEST(WorkedExample, CounterDigestDoesNotDependOnBlockCuts) {
  const std::uint64_t digest = judge(worked_example()).counter_digest;
  EXPECT_EQ(digest, judge(worked_example(1), 2).counter_digest);
  TinyTrace other = worked_example();
  record_of(other, 5).p2.a[1] += 1;
  EXPECT_NE(digest, judge(other).counter_digest);
}

TEST(WorkedExample, KeptDivergencesAreTheFirstOnes) {
  TinyTrace trace = worked_example(1);
  for (TinyTrace::Block& block : trace.content) block.records[0].p1_p[0] += 1;
  const sim::Verdict all = judge(trace, 1, 1000);
  const sim::Verdict two = judge(trace, 3, 2);
  ASSERT_EQ(two.divergences.size(), 2U);
  EXPECT_EQ(two.divergences[0], all.divergences[0]);
  EXPECT_EQ(two.divergences[1], all.divergences[1]);
  EXPECT_EQ(two.divergence_count, all.divergence_count);
}

}  // namespace
}  // namespace tandem::test
