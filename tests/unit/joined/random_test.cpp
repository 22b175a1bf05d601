// Random scenarios, judged live: no sound run diverges, and no schedule changes a token.
//
// TANDEM_RANDOM_STEPS launched steps (default 50000) from seed TANDEM_RANDOM_SEED (default 1) on,
// those of the synchronous twins not counted. A failure prints its seed and the least case that
// still fails, as a scenario file.
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/support/sanitized.hpp"
#include "tests/unit/joined/random_check.hpp"
#include "tests/unit/joined/random_scenario.hpp"
#include "tests/unit/joined/random_shrink.hpp"

namespace tandem {
namespace {

using test::as_scenario_text;
using test::kSanitized;
using test::random_case;
using test::RandomCase;
using test::wrong_with;

std::uint64_t from_environment(const char* name, std::uint64_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr || *text == '\0' ? fallback : std::strtoull(text, nullptr, 10);
}

/// A bug of ours aborts the program: it still says in which case.
std::string case_text;

extern "C" void say_case(int /*signal*/) {
  (void)!write(STDERR_FILENO, case_text.data(), case_text.size());
}

std::string wrong_in(const RandomCase& drawn, std::int64_t* steps = nullptr) {
  case_text = as_scenario_text(drawn);
  return wrong_with(drawn, test::block_steps_of(drawn.scenario.config.seed), steps);
}

bool is_wrong(const RandomCase& drawn) { return !wrong_in(drawn).empty(); }

/// Launched steps and cases by policy.
struct Count {
  std::int64_t steps = 0;
  std::int64_t cases = 0;
};
using Counts = std::array<Count, 6>;

Count print_and_sum(const Counts& counts) {
  Count all;
  for (std::size_t p = 0; p < counts.size(); ++p) {
    if (counts[p].cases == 0) continue;
    std::printf("%-20s %10lld launched steps in %7lld cases\n", to_name(static_cast<PolicyKind>(p)),
                static_cast<long long>(counts[p].steps), static_cast<long long>(counts[p].cases));
    all.steps += counts[p].steps;
    all.cases += counts[p].cases;
  }
  std::printf("%-20s %10lld launched steps in %7lld cases\n", "all",
              static_cast<long long>(all.steps), static_cast<long long>(all.cases));
  return all;
}

TEST(RandomRuns, AreCleanAndGiveTheTokensOfTheSynchronousRun) {
  const auto wanted = static_cast<std::int64_t>(
      from_environment("TANDEM_RANDOM_STEPS", kSanitized ? 10'000 : 50'000));
  std::uint64_t seed = from_environment("TANDEM_RANDOM_SEED", 1);
  int failures = 0;
  Counts counts{};
  std::int64_t steps = 0;
  std::signal(SIGABRT, say_case);
  for (; steps < wanted && failures < 5; ++seed) {
    const RandomCase drawn = random_case(seed);
    std::int64_t launched = 0;
    const std::string wrong = wrong_in(drawn, &launched);
    Count& count = counts[static_cast<std::size_t>(drawn.scenario.config.policy)];
    steps += launched;
    count.steps += launched;
    ++count.cases;
    if (wrong.empty()) continue;
    ++failures;
    const RandomCase least = test::shrunk(drawn, is_wrong);
    ADD_FAILURE() << "seed " << seed << ": " << wrong << "\nleast: " << wrong_in(least)
                  << "\nlevel " << to_name(least.level) << "\n"
                  << as_scenario_text(least);
  }
  std::signal(SIGABRT, SIG_DFL);
  EXPECT_GE(print_and_sum(counts).cases, 1);
  for (const PolicyKind sound : {PolicyKind::exact, PolicyKind::predict_rows_hidden,
                                 PolicyKind::upper_bound, PolicyKind::all_accepted}) {
    if (wanted < 10'000 || failures > 0) break;
    EXPECT_GT(counts[static_cast<std::size_t>(sound)].steps, wanted / 8) << to_name(sound);
  }
  std::printf("next seed %llu\n", static_cast<unsigned long long>(seed));
}

TEST(RandomRuns, TextOfACaseIsTheCase) {
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    const RandomCase drawn = random_case(seed);
    const Result<Scenario> read = parse_scenario(as_scenario_text(drawn), "random");
    ASSERT_TRUE(read.ok()) << "seed " << seed << ": " << read.error().text;
    RunConfig wanted = drawn.scenario.config;
    wanted.digest_key = read.value().config.digest_key;  // a file's follows from its seed
    EXPECT_EQ(read.value().config, wanted) << "seed " << seed;
    EXPECT_EQ(read.value().workload.requests, drawn.requests) << "seed " << seed;
    EXPECT_EQ(read.value().timing, drawn.scenario.timing) << "seed " << seed;
    EXPECT_EQ(read.value().steps_max, drawn.is_cut ? drawn.scenario.steps_max : 0) << seed;
  }
}

}  // namespace
}  // namespace tandem
