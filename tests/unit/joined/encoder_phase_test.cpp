// The review's P1 (semantics 10): 5.11 told the encoder phase by step_idx. Hidden rows go astray
// while every count stays right, so only their provenance gives it away.
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/joined/judged_run.hpp"

namespace tandem::test {
namespace {

std::set<std::string> broken(const JudgedRun& run) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < sim::kCheckCount; ++i) {
    if (run.verdict.checks[i].diverged > 0) {
      names.insert(sim::to_name(static_cast<sim::CheckId>(i)));
    }
  }
  return names;
}

/// Both preempt, so that a prefill comes back with more than one token generated, M >= 2.
class EncoderPhase : public ::testing::TestWithParam<const char*> {};

TEST_P(EncoderPhase, ToldByStepIdxIsFoundByProvenanceAlone) {
  const JudgedRun run =
      run_catalog(GetParam(), {"draft_path=self", "encoder_test=step_idx"}, HowJudged{});
  EXPECT_EQ(run.error, "");
  const std::set<std::string> names = broken(run);
  EXPECT_EQ(names.count("V32"), 1U);
  for (const std::string& name : names) EXPECT_TRUE(name == "V32" || name == "V33") << name;
  EXPECT_FALSE(run.summary.guard_tripped) << "no launch was too small";
}

TEST_P(EncoderPhase, ToldByStepIdxKeepsTheTokensOfEveryRequest) {
  const JudgedRun old =
      run_catalog(GetParam(), {"draft_path=self", "encoder_test=step_idx"}, HowJudged{});
  const JudgedRun sound = run_catalog(GetParam(), {"draft_path=self"}, HowJudged{});
  EXPECT_EQ(difference(sound, old), "") << "a wrong draft is rejected: only time is lost";
}

TEST_P(EncoderPhase, ToldByEncoderLengthIsClean) {
  EXPECT_EQ(run_catalog(GetParam(), {"draft_path=self"}, HowJudged{}).complaint(), "");
}

TEST_P(EncoderPhase, DoesNotMatterOnPathGather) {
  const JudgedRun run =
      run_catalog(GetParam(), {"draft_path=gather", "encoder_test=step_idx"}, HowJudged{});
  EXPECT_EQ(run.complaint(), "");
}

INSTANTIATE_TEST_SUITE_P(Recovered, EncoderPhase,
                         ::testing::Values("cached-recovery", "preempt-everywhere"),
                         [](const auto& test) { return as_test_name(test.param); });

}  // namespace
}  // namespace tandem::test
