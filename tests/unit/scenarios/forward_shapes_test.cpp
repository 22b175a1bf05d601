// Forward times by rows: interpolation, and the shapes of models.
#include "scenarios/forward_shapes.hpp"

#include <gtest/gtest.h>

#include "tests/unit/scenarios/scenario_text.hpp"

namespace tandem {
namespace {

using test::error_of;
using test::parse_with;

TEST(CostAt, BetweenBehindAndInFrontOfThePointsIsAStraightLineOrTheFirstValue) {
  const std::vector<CostPoint> points{{4, 100}, {8, 140}, {16, 300}};
  EXPECT_EQ(cost_at(points, 1), 100);
  EXPECT_EQ(cost_at(points, 4), 100);
  EXPECT_EQ(cost_at(points, 5), 110);
  EXPECT_EQ(cost_at(points, 8), 140);
  EXPECT_EQ(cost_at(points, 12), 220);
  EXPECT_EQ(cost_at(points, 16), 300);
  EXPECT_EQ(cost_at(points, 18), 340);
}

TEST(ForwardShape, OfADenseModelIsFlatUntilArithmeticTakesLongerThanReadingTheWeights) {
  const ForwardShape shape = forward_shape("dense-7b").value();
  EXPECT_NEAR(static_cast<double>(cost_at(shape.target, 1)), 14e9 / 4.3e12 * 1e9, 2e3);
  EXPECT_EQ(cost_at(shape.target, 1), cost_at(shape.target, 160));
  EXPECT_NEAR(static_cast<double>(cost_at(shape.target, 4096)), 4096 * 14e9 / 788e12 * 1e9, 1e6);
}

TEST(ForwardShape, OfAMixtureGrowsWithTheExpertsThatAFewRowsTouch) {
  const ForwardShape shape = forward_shape("moe-235b-a22b-tp8").value();
  const auto one = static_cast<double>(cost_at(shape.target, 1));
  EXPECT_NEAR(one, 2 * (1e9 + 28.375e9 / 16) / 4.3e12 * 1e9, 3e3);
  EXPECT_GT(static_cast<double>(cost_at(shape.target, 16)), 6 * one);
  EXPECT_LT(static_cast<double>(cost_at(shape.target, 256)),
            1.05 * static_cast<double>(cost_at(shape.target, 64)));
}

TEST(ForwardShape, NeverFallsWithRowsAndADraftIsShorterThanItsTarget) {
  for (const char* name : {"dense-7b", "dense-100b-tp8", "moe-235b-a22b-tp8"}) {
    const ForwardShape shape = forward_shape(name).value();
    for (std::int32_t rows = 2; rows <= 9000; rows += 7) {
      EXPECT_LE(cost_at(shape.target, rows - 1), cost_at(shape.target, rows)) << name << rows;
      EXPECT_LE(cost_at(shape.draft, rows - 1), cost_at(shape.draft, rows)) << name << rows;
      EXPECT_LT(2 * cost_at(shape.draft, rows), cost_at(shape.target, rows)) << name << rows;
    }
  }
  EXPECT_FALSE(forward_shape("line").has_value());
}

TEST(TimingModel, OfAScenarioTakesTheShapeItNames) {
  const auto parsed = parse_with({"timing={\"model\":\"dense-7b\"}"});
  ASSERT_TRUE(parsed.ok()) << error_of(parsed);
  EXPECT_EQ(parsed.value().timing.forward_ns(64), 3'255'000);
  const auto line = parse_with({"timing={\"forward_base_ns\":5,\"forward_row_ns\":2}"});
  ASSERT_TRUE(line.ok()) << error_of(line);
  EXPECT_EQ(line.value().timing.forward_ns(64), 133);
}

TEST(TimingModel, OfAShapeAndALineIsRefused) {
  const auto parsed = parse_with({"timing={\"model\":\"dense-7b\",\"draft_row_ns\":5}"});
  EXPECT_NE(error_of(parsed).find("/timing/draft_row_ns: got a value beside timing.model dense-7b"),
            std::string::npos)
      << error_of(parsed);
}

}  // namespace
}  // namespace tandem
