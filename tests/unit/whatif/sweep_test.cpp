// Axes, grids and threads of a sweep.
#include "sim/whatif/sweep.hpp"

#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tandem::sim {
namespace {

using Grid = std::vector<std::vector<std::string>>;

SweepAxis axis_of(const std::string& text) {
  const Result<SweepAxis> axis = parse_axis(text);
  EXPECT_TRUE(axis.ok()) << (axis ? "" : axis.error().text);
  return axis.ok() ? axis.value() : SweepAxis{};
}

TEST(SweepAxis, OfAListOrARangeThenItsValues) {
  const SweepAxis range{"k", "engine.num_speculative_tokens", {"1", "2", "3"}};
  EXPECT_EQ(axis_of("k=1..3"), range);
  const SweepAxis list{"rows.R11", "rows.R11", {"sync", "overlap", "bound"}};
  EXPECT_EQ(axis_of("rows.R11=sync,overlap,bound"), list);
  const SweepAxis negative{"x", "x", {"-1", "0"}};
  EXPECT_EQ(axis_of("x=-1..0"), negative);
}

TEST(SweepAxis, OfWhatIsNoneThenItIsRefusedByName) {
  for (const char* text : {"k", "=1", "k=", "k=1,,2", "k=3..1", "k=a..b", "k=1..2000000", "k=1..",
                           "k=1.5..2", "k=-9223372036854775808..9223372036854775807"}) {
    const Result<SweepAxis> axis = parse_axis(text);
    ASSERT_FALSE(axis.ok()) << text;
    EXPECT_EQ(axis.error().text.rfind("--sweep: got '" + std::string(text) + "'", 0), 0U)
        << axis.error().text;
  }
}

TEST(SweepGrid, OfTwoAxesThenTheLastIsFastest) {
  const auto grid = grid_of({axis_of("a=1,2"), axis_of("b=x,y")});
  ASSERT_TRUE(grid.ok());
  const Grid want{{"1", "x"}, {"1", "y"}, {"2", "x"}, {"2", "y"}};
  EXPECT_EQ(grid.value(), want);
  const auto none = grid_of({});
  ASSERT_TRUE(none.ok());
  EXPECT_EQ(none.value(), Grid{{}});
}

TEST(SweepGrid, OfAnAxisTwiceOrTooManyPointsThenItIsRefused) {
  EXPECT_FALSE(grid_of({axis_of("k=1,2"), axis_of("engine.num_speculative_tokens=3")}).ok());
  EXPECT_FALSE(grid_of({axis_of("a=1..1000"), axis_of("b=1..1000")}).ok());
}

StudyResult numbered(std::size_t i) {
  StudyResult result;
  result.run.tokens = static_cast<std::int64_t>(i);
  return result;
}

TEST(SweepPoints, OfAnyNumberOfThreadsThenTheSameResultsInOrder) {
  for (const std::size_t jobs : {1U, 2U, 5U, 64U}) {
    const auto results =
        run_points(40, jobs, [](std::size_t i) -> Result<StudyResult> { return numbered(i); }, {});
    ASSERT_TRUE(results.ok());
    ASSERT_EQ(results.value().size(), 40U);
    for (std::size_t i = 0; i < 40; ++i) EXPECT_EQ(results.value()[i], numbered(i)) << jobs;
  }
}

TEST(SweepPoints, OfPointsThatFailThenTheFirstOfThemIsTold) {
  for (const std::size_t jobs : {1U, 3U}) {
    std::atomic<int> runs{0};
    const auto run = [&](std::size_t i) -> Result<StudyResult> {
      ++runs;
      if (i >= 7) return Error{"point " + std::to_string(i)};
      return numbered(i);
    };
    const auto results = run_points(1000, jobs, run, {});
    ASSERT_FALSE(results.ok());
    EXPECT_EQ(results.error().text, "point 7");
    EXPECT_LT(runs, 1000);
  }
}

}  // namespace
}  // namespace tandem::sim
