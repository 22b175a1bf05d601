// Random scenarios, judged live: no sound run diverges, and no schedule changes a token.
//
// TANDEM_RANDOM_STEPS launched steps (default 50000) from seed TANDEM_RANDOM_SEED (default 1) on. A
// failure prints its seed and the least list of requests that still fails, as a scenario file.
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/joined/random_check.hpp"
#include "tests/unit/joined/random_scenario.hpp"
#include "tests/unit/joined/random_shrink.hpp"

namespace tandem {
namespace {

using test::as_scenario_text;
using test::random_case;
using test::RandomCase;
using test::wrong_with;

std::uint64_t from_environment(const char* name, std::uint64_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr || *text == '\0' ? fallback : std::strtoull(text, nullptr, 10);
}

test::HowJudged how_of(const RandomCase& drawn) {
  test::HowJudged how;
  how.block_steps = test::block_steps_of(drawn.scenario.config.seed);
  return how;
}

bool is_wrong(const RandomCase& drawn) { return !wrong_with(drawn, how_of(drawn)).empty(); }

TEST(RandomRuns, AreCleanAndGiveTheTokensOfTheSynchronousRun) {
  const auto wanted = static_cast<std::int64_t>(from_environment("TANDEM_RANDOM_STEPS", 50'000));
  std::uint64_t seed = from_environment("TANDEM_RANDOM_SEED", 1);
  int failures = 0;
  std::int64_t steps = 0;
  std::int64_t cases = 0;
  for (; steps < wanted && failures < 5; ++seed, ++cases) {
    const RandomCase drawn = random_case(seed);
    const std::string wrong = wrong_with(drawn, how_of(drawn), &steps);
    if (wrong.empty()) continue;
    ++failures;
    const RandomCase least = shrunk(drawn, is_wrong);
    ADD_FAILURE() << "seed " << seed << ": " << wrong
                  << "\nleast: " << wrong_with(least, how_of(least)) << "\n"
                  << as_scenario_text(least);
  }
  std::printf("%lld launched steps in %lld cases\n", static_cast<long long>(steps),
              static_cast<long long>(cases));
}

TEST(RandomRuns, TextOfACaseIsTheCase) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const RandomCase drawn = random_case(seed);
    const Result<Scenario> read = parse_scenario(as_scenario_text(drawn), "random");
    ASSERT_TRUE(read.ok()) << "seed " << seed << ": " << read.error().text;
    RunConfig wanted = drawn.scenario.config;
    wanted.digest_key = read.value().config.digest_key;  // a file's follows from its seed
    EXPECT_EQ(read.value().config, wanted) << "seed " << seed;
    EXPECT_EQ(read.value().workload.requests, drawn.requests) << "seed " << seed;
  }
}

}  // namespace
}  // namespace tandem
