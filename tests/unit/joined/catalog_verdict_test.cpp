// Every scenario of the catalogue: clean, lossless between schedules, the same bytes twice; and the
// scenarios that unsound policies are shown with.
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/joined/catalog_test_name.hpp"
#include "tests/unit/joined/judged_run.hpp"

namespace tandem {
namespace {

using test::JudgedRun;
using test::run_catalog;

class CatalogVerdict : public testing::TestWithParam<std::string> {};

TEST_P(CatalogVerdict, IsCleanAndLosslessInBothSchedules) {
  const JudgedRun sync = run_catalog(GetParam(), {"schedule=sync"});
  const JudgedRun overlap = run_catalog(GetParam(), {"schedule=overlap"});
  for (const JudgedRun* run : {&sync, &overlap}) {
    EXPECT_EQ(run->complaint(), "");
    EXPECT_GT(run->verdict.steps, 0);
    EXPECT_GT(run->summary.tokens, 0);
  }
  EXPECT_EQ(test::difference(sync, overlap), "");
  EXPECT_EQ(sync.summary.requests, overlap.summary.requests);
}

TEST_P(CatalogVerdict, SecondRunIsTheSameRun) {
  const JudgedRun first = run_catalog(GetParam(), {});
  const JudgedRun second = run_catalog(GetParam(), {});
  EXPECT_EQ(first.verdict, second.verdict);
  EXPECT_EQ(first.outcomes, second.outcomes);
  EXPECT_EQ(first.summary.token_digest, second.summary.token_digest);
  EXPECT_EQ(first.summary.virtual_ns, second.summary.virtual_ns);
}

TEST_P(CatalogVerdict, EveryStepABlockIsClean) {
  test::HowJudged how;
  how.block_steps = 1;
  EXPECT_EQ(run_catalog(GetParam(), {}, how).complaint(), "");
}

INSTANTIATE_TEST_SUITE_P(Catalog, CatalogVerdict, testing::ValuesIn(test::catalog_list()),
                         test::catalog_test_name);

TEST(CatalogDivergence, PredictSumIsFirstNamedByV1WhereDNodesBringFewDrafts) {
  const JudgedRun run = run_catalog("dnode-first-step", {"policy=predict-sum"});
  EXPECT_TRUE(run.summary.guard_tripped);
  EXPECT_EQ(run.complaint(),
            "divergence check=V1 step=1 rank=0 point=P1 slot=- request=- field=token_num host=2 "
            "device=4 oracle=4 belongs_to=1 policy=predict-sum");
}

TEST(CatalogDivergence, PredictRowsIsFirstNamedByV16BehindAnExactStepNearTheLimit) {
  const JudgedRun run = run_catalog("near-the-limit", {"policy=predict-rows"});
  ASSERT_FALSE(run.verdict.divergences.empty());
  EXPECT_EQ(run.verdict.divergences.front().check, sim::CheckId::V16);
}

}  // namespace
}  // namespace tandem
