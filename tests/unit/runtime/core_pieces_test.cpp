// Policies, plan segments, graph sizes, the script, the histogram and the block manager.
#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "runtime/core/block_manager.hpp"
#include "runtime/core/graph_sizes.hpp"
#include "runtime/core/histogram.hpp"
#include "runtime/core/plan_builder.hpp"
#include "runtime/core/policy.hpp"
#include "runtime/core/script.hpp"
#include "tests/support/run_helpers.hpp"

namespace tandem {
namespace {

/// Two running slots (q = 2 and 4), one parked, one empty; W = 4.
struct PolicyCase {
  RunConfig config = test::small_scenario(4, 3).config;
  Column q{2, 4, 0, 0};
  Column b{0, 0, 1, 0};
  Column known_d{20, 30, 40, 0};
  Column known_g{3, 9, 5, 0};
  Column in_flight{1, 1, 0, 0};
  Column limit{50, 13, 50, 0};

  [[nodiscard]] PolicyView view(bool flag = false) const {
    return {config, 5, flag, q, b, known_d, known_g, in_flight, limit};
  }
  [[nodiscard]] CachedPair pair(PolicyKind kind, bool flag = false) {
    config.policy = kind;
    return make_policy(config)->predict(view(flag));
  }
};

TEST(HostPolicy, PairsFollowTheFormulasOfTheSemantics) {
  PolicyCase c;
  EXPECT_EQ(c.pair(PolicyKind::exact), (CachedPair{-1, -1}));
  EXPECT_EQ(c.pair(PolicyKind::predict_sum), (CachedPair{2 + 4 + 1 * 4, 3}));
  EXPECT_EQ(c.pair(PolicyKind::predict_rows), (CachedPair{12, 3}));
  EXPECT_EQ(c.pair(PolicyKind::predict_rows_hidden), (CachedPair{12, 3}));
  EXPECT_EQ(c.pair(PolicyKind::upper_bound), (CachedPair{12, 3}));
  // Slot 1: 9 known + 1 in flight + 3 sub-steps reach its limit of 13, so it launches one row.
  EXPECT_EQ(c.pair(PolicyKind::all_accepted), (CachedPair{4 + 1 + 4, 3}));
}

TEST(HostPolicy, PrefillFlagForbidsEveryPrediction) {
  PolicyCase c;
  for (const PolicyKind kind :
       {PolicyKind::predict_sum, PolicyKind::predict_rows_hidden, PolicyKind::all_accepted}) {
    EXPECT_EQ(c.pair(kind, true), (CachedPair{-1, -1}));
  }
}

TEST(HostPolicy, FirstDraftRowsComeFromTheHiddenStatesSince7406) {
  RunConfig config = test::small_scenario(4, 3).config;
  config.policy = PolicyKind::predict_rows;
  EXPECT_EQ(make_policy(config)->draft_rows(0, 5, 2, 5).rows, 8);
  config.policy = PolicyKind::predict_rows_hidden;
  EXPECT_EQ(make_policy(config)->draft_rows(0, 5, 2, 5).rows, 5);
  EXPECT_EQ(make_policy(config)->draft_rows(1, 5, 2, 4).rows, 2);
  config.policy = PolicyKind::exact;
  EXPECT_TRUE(make_policy(config)->draft_rows(0, 5, 2, 5).read);
}

int host_waits(const plan::Segment& segment) {
  return static_cast<int>(
      std::count_if(segment.ops.begin(), segment.ops.end(), [](const plan::Operation& op) {
        return op.kind == plan::OpKind::wait_event && op.lane == plan::Lane::host;
      }));
}

TEST(PlanBuilder, OverlappedDecodeStepHasTheThreeWaitsOfTheSemantics) {
  const RunConfig config = test::small_scenario(4, 3).config;
  EXPECT_EQ(host_waits(build_front(config, {false})), 0);
  EXPECT_EQ(host_waits(build_save(config)), 1);           // W1
  EXPECT_EQ(host_waits(build_settle(config)), 1);         // W2
  EXPECT_EQ(host_waits(build_back(config, {false})), 1);  // W3
}

TEST(PlanBuilder, EverySyncRowAddsTheWaitsItNames) {
  RunConfig config = test::small_scenario(4, 3).config;
  const auto waits = [&config] {
    return host_waits(build_front(config, {false})) + host_waits(build_back(config, {false}));
  };
  const int base = waits();
  const std::pair<std::size_t, int> added[] = {{1, 1}, {2, 1}, {3, 1},  {4, 1}, {6, 3},
                                               {7, 3}, {9, 2}, {10, 1}, {13, 1}};
  for (const auto& [row, count] : added) {
    config.rows.fill(RowMode::overlap);
    config.rows[row] = RowMode::sync;
    EXPECT_EQ(waits() - base, count) << "R" << row;
  }
  config.rows.fill(RowMode::overlap);
  config.rows[11] = RowMode::bound;
  EXPECT_EQ(waits() - base, -1);
}

TEST(PlanBuilder, SegmentsOfOneConfigurationHaveDistinctHashes) {
  RunConfig config = test::small_scenario(4, 3).config;
  std::set<std::uint64_t> hashes;
  for (const bool own : {false, true}) {
    config.copies_own_stream = own;
    for (const NamedSegment& named : all_segments(config)) {
      hashes.insert(plan::segment_hash(named.segment));
    }
  }
  EXPECT_EQ(hashes.size(),
            8U + 4U);  // eight situations; own copies change both fronts and both backs
}

TEST(GraphSizes, SmallestSizeThatHoldsTheBatchAndTheRows) {
  const GraphSizes sizes({64, 32, 16, 8, 4}, 4);
  EXPECT_EQ(sizes.choose(1, 4), 4);
  EXPECT_EQ(sizes.choose(3, 9), 16);
  EXPECT_EQ(sizes.choose(2, 20), 32);  // fewer slots than rows: the rows win
  EXPECT_EQ(sizes.choose(0, 2), 4);
  EXPECT_EQ(sizes.choose(17, 68), 0);
  EXPECT_EQ(sizes.choose(4, 0), 0);
}

TEST(Script, EosStandsWhereTheRequestSaysAndNowhereElse) {
  const RunConfig config = test::small_scenario(4, 3).config;
  RequestRow row{3, 0, 10, 100, 4, {}};
  const script::Request request = script::of(row);
  for (std::int64_t position = 0; position < 200; ++position) {
    const std::int64_t token = script::token(config, request, position);
    EXPECT_GE(token, 0);
    EXPECT_LT(token, config.vocab_size);
    EXPECT_EQ(token == config.eos_ids.front(), position == 13) << position;
    EXPECT_NE(script::wrong_token(config, request, position, 0), token);
  }
}

TEST(Script, AcceptListIsEnteredByPrefixSumAndRepeats) {
  RunConfig config = test::small_scenario(4, 3).config;
  config.acceptance = {AcceptKind::list, {}};
  RequestRow row{3, 0, 10, 100, 0, {2, 1, 3}};
  const script::Request request = script::of(row);
  std::vector<std::int32_t> counts;
  for (std::int64_t g = 1; g <= 8; ++g) counts.push_back(script::accept_count(config, request, g));
  EXPECT_EQ(counts, (std::vector<std::int32_t>{2, 1, 1, 3, 2, 1, 2, 1}));
}

TEST(Script, AcceptanceShareIsTheProfilesWithinSamplingError) {
  RunConfig config = test::small_scenario(4, 1).config;
  config.acceptance.millionths = {700'000};
  RequestRow row{5, 0, 10, 100, 0, {}};
  const script::Request request = script::of(row);
  int accepted = 0;
  for (std::int64_t g = 1; g <= 20000; ++g)
    accepted += script::accept_count(config, request, g) - 1;
  EXPECT_NEAR(accepted / 20000.0, 0.7, 0.015);  // 4.6 standard deviations
}

TEST(Histogram, QuantilesAreWithinOneSixtyFourth) {
  Histogram h;
  for (std::int64_t v = 1; v <= 100000; ++v) h.add(v);
  for (const auto& [share, value] :
       {std::pair{500'000U, 50000.0}, {950'000U, 95000.0}, {990'000U, 99000.0}}) {
    EXPECT_LE(static_cast<double>(h.quantile(share)), value);
    EXPECT_GE(static_cast<double>(h.quantile(share)), value * (1 - 1.0 / 64) - 1);
  }
}

TEST(BlockManager, GivesBlocksInTheOrderInWhichTheyCameBack) {
  BlockManager blocks(4);
  std::vector<std::int32_t> taken;
  blocks.take(4, taken);
  EXPECT_EQ(blocks.free_count(), 0);
  blocks.give_back({2, 0});
  blocks.give_back({3});
  std::vector<std::int32_t> again;
  blocks.take(3, again);
  EXPECT_EQ(again, (std::vector<std::int32_t>{2, 0, 3}));
}

}  // namespace
}  // namespace tandem
