// Random scenarios, judged live: no sound run diverges, and no schedule changes a token.
//
// TANDEM_RANDOM_STEPS launched steps (default 50000) from seed TANDEM_RANDOM_SEED (default 1) on. A
// failure prints its seed and the least list of requests that still fails, as a scenario file.
#include <cstdlib>
#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/run_helpers.hpp"
#include "tests/unit/joined/judged_run.hpp"
#include "tests/unit/joined/random_scenario.hpp"

namespace tandem {
namespace {

using test::as_scenario_text;
using test::difference;
using test::JudgedRun;
using test::random_case;
using test::RandomCase;
using test::run_judged;

std::uint64_t from_environment(const char* name, std::uint64_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr || *text == '\0' ? fallback : std::strtoull(text, nullptr, 10);
}

JudgedRun run_case(const RandomCase& drawn) {
  test::ListWorkload workload(drawn.requests);
  test::HowJudged how;
  how.block_steps = 1 + static_cast<std::int64_t>(drawn.scenario.config.seed % 40);
  return run_judged(drawn.scenario, workload, how);
}

/// The same requests with every row sync under policy exact: the reference for tokens.
RandomCase in_sync(RandomCase drawn) {
  drawn.scenario.config.rows.fill(RowMode::sync);
  drawn.scenario.config.policy = PolicyKind::exact;
  return drawn;
}

std::string wrong_with(const RandomCase& drawn, std::int64_t* steps) {
  const JudgedRun run = run_case(drawn);
  if (steps != nullptr) *steps += run.summary.launched_steps;
  std::string complaint = run.complaint();
  if (!complaint.empty()) return complaint;
  if (run.verdict.requests != static_cast<std::int64_t>(drawn.requests.size())) {
    return "outcomes of " + std::to_string(run.verdict.requests) + " requests of " +
           std::to_string(drawn.requests.size());
  }
  const JudgedRun reference = run_case(in_sync(drawn));
  if (steps != nullptr) *steps += reference.summary.launched_steps;
  complaint = reference.complaint();
  if (!complaint.empty()) return "sync: " + complaint;
  complaint = difference(reference, run);
  return complaint.empty() ? "" : "sync / this: " + complaint;
}

/// Drops request after request while something is still wrong; ids stay the index, as in a file.
RandomCase shrunk(RandomCase drawn) {
  for (std::size_t i = drawn.requests.size(); i-- > 0;) {
    RandomCase fewer = drawn;
    fewer.requests.erase(fewer.requests.begin() + static_cast<std::ptrdiff_t>(i));
    for (std::size_t id = 0; id < fewer.requests.size(); ++id) {
      fewer.requests[id].row.id = static_cast<RequestId>(id);
    }
    if (!fewer.requests.empty() && !wrong_with(fewer, nullptr).empty()) drawn = fewer;
  }
  return drawn;
}

TEST(RandomRuns, AreCleanAndGiveTheTokensOfTheSynchronousRun) {
  const auto wanted = static_cast<std::int64_t>(from_environment("TANDEM_RANDOM_STEPS", 50'000));
  std::uint64_t seed = from_environment("TANDEM_RANDOM_SEED", 1);
  int failures = 0;
  std::int64_t steps = 0;
  std::int64_t cases = 0;
  for (; steps < wanted && failures < 5; ++seed, ++cases) {
    const RandomCase drawn = random_case(seed);
    const std::string wrong = wrong_with(drawn, &steps);
    if (wrong.empty()) continue;
    ++failures;
    const RandomCase least = shrunk(drawn);
    ADD_FAILURE() << "seed " << seed << ": " << wrong << "\nleast: " << wrong_with(least, nullptr)
                  << "\n"
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
