// Comparisons of hand-made runs: verdicts, intervals, pairs, differences of plans.
#include "sim/report/comparison.hpp"

#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/report/hand_made.hpp"
#include "traces/base/random.hpp"

namespace tandem::sim {
namespace {

using test::HandMade;

/// `steps` launched steps of which step t lasts wall(t), all doing the same work.
RunNotes run_of(int steps, const std::function<Nanos(int)>& wall) {
  HandMade made;
  Nanos at = 0;
  for (int t = 0; t < steps; ++t) {
    const Nanos end = at + wall(t);
    StepRecord& record = made.step(at, end);
    record.token_num = 8;
    at = end;
  }
  RunNotes notes;
  notes.add_segment(made.segment);
  for (const StepRecord& record : made.records) notes.add(record);
  return notes;
}

/// A millisecond, give or take up to `noise_us`, and `share` hundredths more.
std::function<Nanos(int)> noisy(std::uint64_t seed, std::int64_t noise_us, int share = 0) {
  return [seed, noise_us, share](int t) {
    const std::uint64_t draw = keyed_draw(seed, 1, static_cast<std::uint64_t>(t), 0);
    const auto width = static_cast<std::uint64_t>(2 * noise_us * 1000 + 1);
    const Nanos base = 1'000'000 + static_cast<Nanos>(draw % width) - noise_us * 1000;
    return base * (100 + share) / 100;
  };
}

Comparison compared(const RunNotes& a, const RunNotes& b) { return compare_runs(a, b, {}); }

TEST(Comparison, OfARunWithItselfThenTheSameWithoutAnyDoubt) {
  const RunNotes run = run_of(500, noisy(1, 300));
  const Comparison c = compared(run, run);
  EXPECT_EQ(c.verdict, CompareVerdict::same);
  EXPECT_TRUE(c.same_work());
  EXPECT_TRUE(c.paired);
  EXPECT_EQ(c.change_millionths, 0);
  EXPECT_EQ(c.low_millionths, 0);
  EXPECT_EQ(c.high_millionths, 0);
  EXPECT_TRUE(c.plan.empty());
  EXPECT_EQ(c.base_steps, 497);  // without the first two and the last
}

TEST(Comparison, OfFivePercentMoreInEveryStepThenSlowerAndTheReverseFaster) {
  const RunNotes base = run_of(500, noisy(1, 300));
  const RunNotes more = run_of(500, noisy(1, 300, 5));
  const Comparison slower = compared(base, more);
  EXPECT_EQ(slower.verdict, CompareVerdict::slower);
  EXPECT_NEAR(static_cast<double>(slower.change_millionths), 50'000, 10);
  EXPECT_EQ(compared(more, base).verdict, CompareVerdict::faster);
}

TEST(Comparison, OfNoiseAboveTheEffectThenAmbiguous) {
  const RunNotes base = run_of(60, noisy(1, 900));
  const RunNotes other = run_of(60, noisy(2, 900, 1));
  const Comparison c = compared(base, other);
  EXPECT_EQ(c.verdict, CompareVerdict::ambiguous);
  EXPECT_TRUE(c.reason.empty());
  EXPECT_LT(c.low_millionths, c.high_millionths);
}

TEST(Comparison, OfManyStepsThenTheSameNoiseIsNoDoubt) {
  const RunNotes base = run_of(20'000, noisy(1, 300));
  const RunNotes other = run_of(20'000, noisy(2, 300));
  EXPECT_EQ(compared(base, other).verdict, CompareVerdict::same);
}

/// The share of seeds for which the interval holds the truth: 95 % are promised.
TEST(Comparison, OfKnownEffectsThenTheIntervalHoldsThem) {
  int held = 0;
  constexpr int kCases = 200;
  for (std::uint64_t seed = 0; seed < 10 * kCases; seed += 10) {
    const Comparison c =
        compared(run_of(300, noisy(seed, 400)), run_of(300, noisy(seed + 1, 400, 3)));
    held += c.low_millionths <= 30'000 && c.high_millionths >= 30'000 ? 1 : 0;
  }
  EXPECT_GE(held, kCases * 88 / 100);
  EXPECT_LE(held, kCases * 995 / 1000);
}

TEST(Comparison, OfAnotherSeedThenAnotherIntervalOfTheSameChange) {
  const RunNotes base = run_of(100, noisy(1, 500));
  const RunNotes other = run_of(100, noisy(2, 500));
  const Comparison one = compare_runs(base, other, {20'000, 1});
  const Comparison again = compare_runs(base, other, {20'000, 1});
  const Comparison two = compare_runs(base, other, {20'000, 2});
  EXPECT_EQ(one.low_millionths, again.low_millionths);
  EXPECT_NE(one.low_millionths, two.low_millionths);
  EXPECT_EQ(one.change_millionths, two.change_millionths);
}

TEST(Comparison, OfAStepThatDidSomethingElseThenItIsNamedAndNothingIsPaired) {
  HandMade made;
  HandMade other;
  RunNotes a;
  RunNotes b;
  for (int t = 0; t < 40; ++t) {
    StepRecord& x = made.step(1000 * t, 1000 * t + 900);
    StepRecord& y = other.step(1000 * t, 1000 * t + 900);
    x.token_num = y.token_num = 8;
    if (t >= 25) y.token_num = 12;
  }
  for (const StepRecord& record : made.records) a.add(record);
  for (const StepRecord& record : other.records) b.add(record);
  const Comparison c = compared(a, b);
  EXPECT_FALSE(c.same_work());
  EXPECT_FALSE(c.paired);
  EXPECT_EQ(c.first_unequal_t, made.records[25].t);
  EXPECT_EQ(c.equal_steps, 23);
}

TEST(Comparison, OfARunThatWentOnThenTheFirstFurtherStepIsNamed) {
  const Comparison c = compared(run_of(40, noisy(1, 1)), run_of(50, noisy(1, 1)));
  EXPECT_FALSE(c.same_work());
  EXPECT_GE(c.first_unequal_t, 0);
}

TEST(Comparison, OfRunsWithoutAClockOrTooShortThenItSaysSo) {
  const RunNotes timed = run_of(40, noisy(1, 1));
  const RunNotes untimed = run_of(40, [](int) { return Nanos{0}; });
  const Comparison c = compared(timed, untimed);
  EXPECT_EQ(c.verdict, CompareVerdict::ambiguous);
  EXPECT_NE(c.reason.find("the candidate"), std::string::npos) << c.reason;
  const RunNotes brief = run_of(5, noisy(1, 1));
  EXPECT_NE(compared(brief, brief).reason.find("fewer than"), std::string::npos);
}

TEST(Comparison, OfAPlanWithAnotherOperationThenItAppeared) {
  HandMade made;
  HandMade more;
  plan::Operation extra;
  extra.kind = plan::OpKind::copy_outputs;
  extra.lane = plan::Lane::copy;
  more.segment.ops.push_back(extra);
  RunNotes a;
  RunNotes b;
  a.add_segment(made.segment);
  b.add_segment(more.segment);
  for (int t = 0; t < 20; ++t) {
    made.step(1000 * t, 1000 * t + 900).token_num = 8;
    StepRecord& record = more.step(1000 * t, 1000 * t + 900);
    record.token_num = 8;
    record.segments = {plan::segment_hash(more.segment)};
  }
  for (const StepRecord& record : made.records) a.add(record);
  for (const StepRecord& record : more.records) b.add(record);
  const Comparison c = compared(a, b);
  ASSERT_EQ(c.plan.size(), 1U);
  EXPECT_EQ(c.plan[0].operation, "copy_outputs on copy");
  EXPECT_EQ(c.plan[0].base_millionths, 0);
  EXPECT_EQ(c.plan[0].candidate_millionths, 1'000'000);
  EXPECT_TRUE(c.same_work());
}

}  // namespace
}  // namespace tandem::sim
