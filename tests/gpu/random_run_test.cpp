// Random scenarios on the GPU, from seed TANDEM_RANDOM_SEED on, TANDEM_RANDOM_STEPS launched steps.
#include <cstdlib>

#include "tests/gpu/cuda_run.hpp"
#include "tests/support/run_helpers.hpp"
#include "tests/unit/joined/random_scenario.hpp"

namespace tandem::gpu_test {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr || *text == '\0' ? fallback : std::strtoull(text, nullptr, 10);
}

using CudaRandom = CudaRun;

TEST_F(CudaRandom, RunsAreCleanAndEqualTheHostDevice) {
  const auto wanted = static_cast<std::int64_t>(from_environment("TANDEM_RANDOM_STEPS", 20'000));
  std::uint64_t seed = from_environment("TANDEM_RANDOM_SEED", 1);
  std::int64_t steps = 0;
  for (; steps < wanted && !HasFailure(); ++seed) {
    test::RandomCase drawn = test::random_case(seed);
    drawn.scenario.timing = {};  // a GPU really spends what a forward costs
    SCOPED_TRACE("seed " + std::to_string(seed) + "\n" + test::as_scenario_text(drawn));
    test::HowJudged how = on_cuda();
    how.block_steps = 1 + static_cast<std::int64_t>(seed % 40);
    how.may_be_cut = drawn.is_cut;
    test::ListWorkload first(drawn.requests);
    const test::JudgedRun gpu = test::run_judged(drawn.scenario, first, how);
    how.runner = nullptr;
    test::ListWorkload again(drawn.requests);
    const test::JudgedRun host = test::run_judged(drawn.scenario, again, how);
    EXPECT_EQ(gpu.complaint(), "");
    EXPECT_EQ(test::difference(host, gpu), "");
    if (drawn.scenario.config.arrivals == ArrivalUnit::step) {
      EXPECT_EQ(gpu.verdict.counter_digest, host.verdict.counter_digest);
    }
    steps += gpu.summary.launched_steps;
  }
  RecordProperty("launched_steps", std::to_string(steps));
  std::printf("%lld launched steps, next seed %llu\n", static_cast<long long>(steps),
              static_cast<unsigned long long>(seed));
}

}  // namespace
}  // namespace tandem::gpu_test
