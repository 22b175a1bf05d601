// The swarm: its cases, its totals over several calls, and what it makes of a case that fails.
#include "tests/fuzz/swarm.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/unit/cli/scratch_folder.hpp"

namespace tandem::fuzz {
namespace {

using test::ScratchFolder;

SwarmOptions options_in(const ScratchFolder& folder, std::uint64_t cases) {
  SwarmOptions options;
  options.folder = folder / "swarm";
  options.budget_s = 3'600;
  options.cases_max = cases;
  options.judge = [](const SwarmCase&) { return Answer{"", 5}; };
  return options;
}

std::string file_text(const std::string& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

SwarmState run_quietly(const SwarmOptions& options, std::vector<std::string>* lines = nullptr) {
  const auto state = run_swarm(options, [lines](const std::string& line) {
    if (lines != nullptr) lines->push_back(line);
  });
  TANDEM_CHECK(state.ok());
  return state.value();
}

bool is_whole(const SwarmCase& drawn) {
  const std::uint64_t seed = drawn.drawn.scenario.config.seed;
  return drawn.drawn.requests.size() == swarm_case(seed).drawn.requests.size();
}

TEST(SwarmCases, SameSeedThenSameCase) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    EXPECT_EQ(as_scenario_text(swarm_case(seed).drawn), as_scenario_text(swarm_case(seed).drawn));
  }
}

TEST(SwarmCases, FeaturesAreLeftOutAndKept) {
  std::map<std::string, int> kept;
  std::map<std::string, int> left_out;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const test::RandomCase whole = test::random_case(seed);
    const test::RandomCase drawn = swarm_case(seed).drawn;
    for (const Feature& feature : all_features()) {
      if (feature.is_in(drawn)) ++kept[feature.name];
      if (feature.is_in(whole) && !feature.is_in(drawn)) ++left_out[feature.name];
    }
  }
  for (const Feature& feature : all_features()) {
    EXPECT_GT(kept[feature.name], 0) << feature.name;
    EXPECT_GT(left_out[feature.name], 0) << feature.name;
  }
}

TEST(Swarm, CleanCasesAreCounted) {
  const ScratchFolder folder;
  SwarmOptions options = options_in(folder, 9);
  options.jobs = 3;
  const SwarmState state = run_quietly(options);
  EXPECT_EQ(state.cases, 9);
  EXPECT_EQ(state.steps, 45);
  EXPECT_EQ(state.next_seed, 10U);
  EXPECT_TRUE(state.ahead.empty() && state.failures.empty());
  EXPECT_NE(table_of(state).find("45"), std::string::npos);
}

TEST(Swarm, TwoCallsAreOneOfTheirLength) {
  const ScratchFolder once;
  const ScratchFolder twice;
  run_quietly(options_in(twice, 3));
  EXPECT_EQ(run_quietly(options_in(twice, 4)), run_quietly(options_in(once, 7)));
}

TEST(Swarm, FolderKnowsItsFirstSeed) {
  const ScratchFolder folder;
  SwarmOptions options = options_in(folder, 2);
  options.first_seed = 50;
  EXPECT_EQ(run_quietly(options).next_seed, 52U);
  options.first_seed = 0;
  EXPECT_EQ(run_quietly(options).next_seed, 54U);
}

TEST(Swarm, AnotherFirstSeedOrStateIsRefused) {
  const ScratchFolder folder;
  SwarmOptions options = options_in(folder, 1);
  run_quietly(options);
  options.first_seed = 50;
  const auto ignore = [](const std::string&) {};
  EXPECT_FALSE(run_swarm(options, ignore).ok());
  std::ofstream(options.folder + "/state.json") << "{";
  options.first_seed = 0;
  EXPECT_FALSE(run_swarm(options, ignore).ok());
}

TEST(Swarm, FailureIsShrunkToAScenarioFile) {
  const ScratchFolder folder;
  SwarmOptions options = options_in(folder, 1);
  options.judge = [](const SwarmCase& drawn) {
    const bool has_it = !drawn.drawn.requests.empty();
    return Answer{has_it ? "V1 of \"all\"" : "", 1};
  };
  std::vector<std::string> lines;
  const SwarmState state = run_quietly(options, &lines);
  EXPECT_EQ(state.failures, std::vector<std::uint64_t>{1});
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines.front().find("failure seed=1 requests=1 "), std::string::npos) << lines.front();
  const std::string text = file_text(options.folder + "/failure-1.json");
  const Result<Scenario> read = parse_scenario(text, "failure-1.json");
  ASSERT_TRUE(read.ok()) << read.error().text;
  EXPECT_EQ(read.value().workload.requests.size(), 1U);
  EXPECT_NE(text.find("V1 of"), std::string::npos);
}

TEST(Swarm, EarlierFailureIsTriedAgainAndLeavesWhenItIsClean) {
  const ScratchFolder folder;
  SwarmOptions options = options_in(folder, 1);
  options.judge = [](const SwarmCase&) { return Answer{"wrong", 1}; };
  const std::string file = options.folder + "/failure-1.json";
  EXPECT_EQ(run_quietly(options).failures.size(), 1U);
  std::vector<std::string> lines;
  EXPECT_EQ(run_quietly(options, &lines).failures, (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(lines.size(), 2U);
  EXPECT_FALSE(file_text(file).empty());
  options.judge = [](const SwarmCase&) { return Answer{"", 1}; };
  EXPECT_TRUE(run_quietly(options).failures.empty());
  EXPECT_TRUE(file_text(file).empty());
}

TEST(Swarm, CrashAndHangAreFailures) {
  const ScratchFolder folder;
  SwarmOptions options = options_in(folder, 3);
  options.case_s = 4;  // a loaded machine takes a second to abort
  options.shrink_s = 1;
  options.judge = [](const SwarmCase& drawn) {
    const std::uint64_t seed = drawn.drawn.scenario.config.seed;
    if (seed == 2 && is_whole(drawn)) std::abort();
    if (seed == 3 && is_whole(drawn)) ::sleep(60);
    return Answer{"", 1};
  };
  std::vector<std::string> lines;
  const SwarmState state = run_quietly(options, &lines);
  EXPECT_EQ(state.failures, (std::vector<std::uint64_t>{2, 3}));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_NE(lines[0].find("signal 6"), std::string::npos) << lines[0];
  EXPECT_NE(lines[1].find("no answer within 4 s"), std::string::npos) << lines[1];
}

TEST(Swarm, BrokenPolicyIsFoundByTheJudge) {
  const ScratchFolder folder;
  SwarmOptions options = options_in(folder, 4);
  options.judge = [](const SwarmCase& drawn) {
    SwarmCase broken = drawn;
    broken.drawn.scenario.config.policy = PolicyKind::predict_sum;
    broken.drawn.scenario.config.rows.fill(RowMode::overlap);
    return judge_case(broken);
  };
  std::vector<std::string> lines;
  EXPECT_FALSE(run_quietly(options, &lines).failures.empty());
  ASSERT_FALSE(lines.empty());
  EXPECT_NE(lines.front().find("divergence check="), std::string::npos) << lines.front();
}

}  // namespace
}  // namespace tandem::fuzz
