// Cost models fitted on hand-made steps: known costs come back, the error is stated, JSON is read.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "sim/whatif/cost_fitter.hpp"
#include "tests/unit/report/hand_made.hpp"

namespace tandem::sim {
namespace {

using plan::Lane;
using plan::OpKind;
using test::HandMade;

const CostKey kForwardCost{OpKind::target_forward, Lane::compute, CostPart::duration, false};
const CostKey kForwardLaunch{OpKind::target_forward, Lane::host, CostPart::launch, false};
const CostKey kPrepareCost{OpKind::prepare_forward, Lane::host, CostPart::duration, false};

/// Steps in a row, each with a forward of `forward_ns` for `rows`, launched in 10 ns plus 1 a row
/// behind a preparation of 50 plus 2 a row.
class Steps {
 public:
  HandMade made;

  StepRecord& add(std::int32_t rows, Nanos forward_ns) {
    const Nanos prepared = at_ + 50 + 2 * rows;
    const Nanos launched = prepared + 10 + rows;
    StepRecord& record = made.step(at_, launched + forward_ns);
    record.token_num = record.n = rows;  // a slot a row
    HandMade::span(record, Lane::host, test::kPrepare, at_, prepared);
    HandMade::span(record, Lane::host, test::kForward, prepared, launched);
    HandMade::span(record, Lane::compute, test::kForward, launched, launched + forward_ns);
    HandMade::span(record, Lane::host, test::kWait, launched, launched + forward_ns);
    at_ = launched + forward_ns;
    return record;
  }

  CostModel fit() {
    TimelineBuilder builder;
    const auto steps = made.timelines(builder);
    EXPECT_TRUE(steps.ok());
    CostFitter fitter;
    for (std::size_t i = 0; i < made.records.size(); ++i) {
      fitter.add(made.records[i], steps.value()[i]);
    }
    return fitter.fit();
  }

 private:
  Nanos at_ = 1000;
};

Steps linear() {
  Steps steps;
  for (const int rows : {8, 32, 16, 64}) steps.add(rows, 100 + 10 * rows);
  return steps;
}

Nanos cost_ns(const CostModel& model, const CostKey& key, std::int64_t rows) {
  const auto cost = model.cost(key, rows);
  EXPECT_TRUE(cost.has_value());
  return cost ? cost->ns : -1;
}

TEST(CostModel, OfLinearCostsThenTheyComeBackForRowsNeverSeen) {
  const CostModel model = linear().fit();
  for (const std::int64_t rows : {8, 9, 16, 20, 33, 64}) {
    EXPECT_EQ(cost_ns(model, kForwardCost, rows), 100 + 10 * rows) << rows;
    EXPECT_EQ(cost_ns(model, kForwardLaunch, rows), 26) << rows;  // the median of all four
    EXPECT_EQ(cost_ns(model, kPrepareCost, rows), 50 + 2 * rows) << rows;
    EXPECT_FALSE(model.cost(kForwardCost, rows)->extrapolated) << rows;
  }
  const InterpolationError want{2, 0, 0};
  EXPECT_EQ(model.curves.at(kForwardCost).left_out, want);
}

TEST(CostModel, BeyondWhatWasSeenThenTheOutermostLineAndItSaysSo) {
  const CostModel model = linear().fit();
  for (const std::int64_t rows : {0, 7, 65, 1000}) {
    EXPECT_EQ(cost_ns(model, kForwardCost, rows), 100 + 10 * rows) << rows;
    EXPECT_TRUE(model.cost(kForwardCost, rows)->extrapolated) << rows;
  }
  Steps falling;
  falling.add(10, 500);
  falling.add(20, 100);
  EXPECT_EQ(cost_ns(falling.fit(), kForwardCost, 30), 0);
}

TEST(CostModel, OfACostThatBendsThenTheErrorOfLeavingOutIsStated) {
  Steps steps;
  steps.add(10, 1000);
  steps.add(20, 1600);  // the line between its neighbours says 2000
  steps.add(30, 3000);
  const InterpolationError want{1, 250'000, 250'000};
  EXPECT_EQ(steps.fit().curves.at(kForwardCost).left_out, want);
  steps.add(40, 4400);  // 30 rows: 3000 as drawn
  const InterpolationError of_two{2, 125'000, 250'000};
  EXPECT_EQ(steps.fit().curves.at(kForwardCost).left_out, of_two);
}

TEST(CostModel, OfTwoNumbersOfRowsThenNothingIsKnownOfTheError) {
  Steps steps;
  steps.add(10, 1000);
  steps.add(20, 2000);
  EXPECT_EQ(steps.fit().curves.at(kForwardCost).left_out.knots, 0);
}

TEST(CostModel, OfRowsThatLieTogetherThenTheyMakeOneKnotAndRareOnesNone) {
  Steps steps;
  for (int i = 0; i < 60; ++i) steps.add(256 + i % 4, 1000);
  steps.add(900, 5);
  for (int i = 0; i < 60; ++i) steps.add(257, 1000);
  const CostModel model = steps.fit();
  const CostCurve& curve = model.curves.at(kForwardCost);
  ASSERT_EQ(curve.knots.size(), 1U);
  EXPECT_EQ(curve.knots[0].rows, 257);
  EXPECT_EQ(curve.knots[0].count, 120);
}

TEST(CostModel, OfManyDurationsThenQuantilesAreSomeThatWereSeen) {
  Steps steps;
  for (int i = 10; i >= 1; --i) steps.add(8, 100 * i);
  const CostModel model = steps.fit();
  const CostKnot& knot = model.curves.at(kForwardCost).knots.at(0);
  EXPECT_EQ(knot.count, 10);
  EXPECT_EQ(knot.sum_ns, 5500);
  const std::array<Nanos, kCostQuantiles> want{100, 100, 200, 300, 400, 500,
                                               600, 700, 800, 900, 1000};
  EXPECT_EQ(knot.quantile_ns, want);
  EXPECT_EQ(model.cost(kForwardCost, 8, 10)->ns, 1000);
  EXPECT_EQ(cost_ns(model, kForwardCost, 99), 500);
}

TEST(CostModel, OfASubstepThenItsOwnRowsCount) {
  Steps steps;
  steps.made.segment.ops[test::kForward].substep = 1;
  StepRecord& record = steps.add(8, 300);
  record.substeps.resize(2);
  record.substeps[1].token_num = 3;
  const CostModel model = steps.fit();
  EXPECT_EQ(model.curves.at(kForwardCost).knots.at(0).rows, 3);
  EXPECT_EQ(model.curves.at(kPrepareCost).knots.at(0).rows, 8);
}

TEST(CostModel, OfWhatWasNotSeenThenNone) {
  const CostModel model = linear().fit();
  EXPECT_FALSE(
      model.cost({OpKind::draft_forward, Lane::compute, CostPart::duration, false}, 8).has_value());
}

TEST(CostModelJson, ReadAgainThenTheSameModelAndTheSameBytes) {
  Steps steps = linear();
  steps.add(16, 333);
  const CostModel model = steps.fit();
  const std::string text = to_json(model);
  const Result<CostModel> again = parse_cost_model("costs.json", text);
  ASSERT_TRUE(again.ok()) << again.error().text;
  EXPECT_EQ(again.value(), model);
  EXPECT_EQ(to_json(again.value()), text);
}

TEST(CostModelJson, OfDocumentsThatAreNoneThenThePlaceIsNamed) {
  Steps steps;
  steps.add(8, 100);
  steps.add(9, 100);
  const std::string text = to_json(steps.fit());
  const std::pair<const char*, const char*> edits[] = {
      {"\"version\": 2", "\"version\": 1"},
      {"tandem-cost-model", "tandem-costs"},
      {"prepare_forward", "prepare_backward"},
      {"\"lane\": \"host\"", "\"lane\": \"left\""},
      {"\"graph\": false", "\"graph\": 0"},
      {"\"part\": \"launch\"", "\"part\": \"lunch\""},
      {"\"wake_ns\": 0", "\"wake_ns\": \"0\""},
      {"\"rows\": 8, \"count\"", "\"rows\": 9, \"count\""},
      {"\"rows\": 9", "\"rows\": -1"},
      {"\"count\": 1", "\"count\": 0"},
      {"\"sum_ns\": ", "\"sum\": "},
      {"[66, ", "[67, "},
      {"[66, ", "["},
      {"\"knots\"", "\"more\": 1, \"knots\""}};
  for (const auto& [from, to] : edits) {
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    std::string edited = text;
    edited.replace(at, std::string(from).size(), to);
    const Result<CostModel> read = parse_cost_model("costs.json", edited);
    ASSERT_FALSE(read.ok()) << to;
    EXPECT_EQ(read.error().text.rfind("costs.json /", 0), 0U) << read.error().text;
  }
  EXPECT_FALSE(parse_cost_model("costs.json", text.substr(0, text.size() / 2)).ok());
}

}  // namespace
}  // namespace tandem::sim
