// Studies on a device without tensors: schedule, counts and clock of the host device's run.
#include "sim/whatif/study.hpp"

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/host/run_host.hpp"
#include "sim/whatif/step_costs.hpp"

namespace tandem::sim {
namespace {

Scenario catalog(const std::string& name, std::vector<std::string> overrides = {}) {
  const auto text = catalog_scenario(name);
  EXPECT_TRUE(text.has_value()) << name;
  overrides.emplace_back("limits.steps=1500");
  Result<Scenario> scenario = parse_scenario(*text, name, overrides);
  EXPECT_TRUE(scenario.ok()) << (scenario ? "" : scenario.error().text);
  return std::move(scenario).value();
}

std::unique_ptr<Workload> workload_of(const Scenario& scenario) {
  const FileLoader no_files = [](const std::string& path) {
    return Result<std::string>(Error::make(path, "a file", "none"));
  };
  Result<std::unique_ptr<Workload>> workload = make_workload(scenario, no_files);
  EXPECT_TRUE(workload.ok());
  return std::move(workload).value();
}

StudyResult studied(const Scenario& scenario) {
  const std::unique_ptr<Workload> workload = workload_of(scenario);
  const ScenarioCosts costs(scenario.timing);
  const Result<StudyResult> result = run_study(scenario, *workload, costs, {});
  EXPECT_TRUE(result.ok()) << (result ? "" : result.error().text);
  return result.ok() ? result.value() : StudyResult{};
}

RunSummary run(const Scenario& scenario) {
  const std::unique_ptr<Workload> workload = workload_of(scenario);
  RunOptions options;
  options.level = RecordLevel::off;
  const Result<RunSummary> summary = run_on_host(scenario, *workload, options, nullptr);
  EXPECT_TRUE(summary.ok());
  return summary.ok() ? summary.value() : RunSummary{};
}

class EachScenario : public testing::TestWithParam<std::string_view> {};

TEST_P(EachScenario, OfTheScenarioTimingThenItsStepsAndClockAreThoseOfTheRun) {
  for (const char* schedule : {"overlap", "sync"}) {
    const Scenario scenario =
        catalog(std::string(GetParam()), {std::string("schedule=") + schedule});
    RunSummary want = run(scenario);
    RunSummary found = studied(scenario).run;
    // Behind a launch that is too small nobody knows what the device holds.
    EXPECT_EQ(found.guard_step, want.guard_step);
    if (want.guard_tripped) continue;
    found.token_digest = want.token_digest = 0;  // tokens have no identity in a study
    EXPECT_EQ(found, want) << schedule;
  }
}

std::string test_name(const testing::TestParamInfo<std::string_view>& info) {
  std::string name(info.param);
  for (char& c : name) {
    if (c == '-') c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Catalogue, EachScenario, testing::ValuesIn(catalog_names()), test_name);

TEST(Study, OfSteadyDecodeThenTheAcceptanceAndTheLaunchWasteAreCounted) {
  const StudyResult result = studied(catalog("decode-small"));
  EXPECT_EQ(result.run.requests, 40);
  EXPECT_EQ(result.answered, 40);
  EXPECT_EQ(result.run.tokens, result.decode_tokens);
  EXPECT_GT(result.decode_tokens, result.decode_steps);  // some drafts were right
  EXPECT_GE(result.rows_launched, result.rows_used);
  EXPECT_GT(result.rows_used, 0);
  EXPECT_GT(result.first_token_ns.median, 0);
  EXPECT_GT(result.token_gap_ns.median, 0);
  EXPECT_LE(result.busy_ns + result.gap_ns + result.starved_ns, result.run.virtual_ns);
}

TEST(Study, OfASyncScheduleThenMoreTimeIsStarvedThanOfOverlap) {
  // A forward as short as the host's own work: every wait shows.
  const std::string quick = "timing.forward_base_ns=200000";
  const StudyResult sync = studied(catalog("wide", {"schedule=sync", quick}));
  const StudyResult overlap = studied(catalog("wide", {"schedule=overlap", quick}));
  EXPECT_GT(sync.starved_ns, overlap.starved_ns);
  EXPECT_GT(sync.mean_step_ns(), overlap.mean_step_ns());
}

TEST(Study, OfPreemptionsThenTheyAreCountedAndNoTimeOfARequestIsLost) {
  const StudyResult result = studied(catalog("park-and-preempt"));
  EXPECT_GT(result.preemptions, 0);
  EXPECT_GT(result.parked, 0);
  EXPECT_EQ(result.answered, result.run.requests);
}

TEST(Study, OfARampThenTheStepsBehindItAloneAreTimed) {
  const Scenario scenario = catalog("decode-small");
  const std::unique_ptr<Workload> workload = workload_of(scenario);
  const ScenarioCosts costs(scenario.timing);
  const Result<StudyResult> result = run_study(scenario, *workload, costs, {nullptr, 20});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result.value().behind_ramp_steps, result.value().run.steps - 20);
  EXPECT_LT(result.value().behind_ramp_ns, result.value().run.virtual_ns);
}

TEST(Study, OfAnUnguardedScenarioThenItIsRefusedByName) {
  const Scenario scenario = catalog("decode-small", {"unguarded=true"});
  const std::unique_ptr<Workload> workload = workload_of(scenario);
  const ScenarioCosts costs(scenario.timing);
  const Result<StudyResult> result = run_study(scenario, *workload, costs, {});
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().text.rfind("unguarded: ", 0), 0U) << result.error().text;
}

}  // namespace
}  // namespace tandem::sim
