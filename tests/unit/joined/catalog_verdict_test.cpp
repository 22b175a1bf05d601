// Every scenario of the catalogue: clean, lossless between schedules, the same bytes twice.
#include <string>

#include <gtest/gtest.h>

#include "runtime/host/run_host.hpp"
#include "scenarios/scenario.hpp"
#include "sim/checks/verify.hpp"

namespace tandem {
namespace {

struct Outcome {
  sim::Verdict verdict;
  RunSummary summary;
};

/// Large workloads are cut to their first requests: the catalogue runs whole from the command line.
Outcome run_catalog(std::string_view name, std::vector<std::string> overrides) {
  if (name == "azure-conv" || name == "azure-code") overrides.emplace_back("workload.requests=60");
  Result<Scenario> scenario = parse_scenario(*catalog_scenario(name), std::string(name), overrides);
  EXPECT_TRUE(scenario.ok()) << (scenario.ok() ? "" : scenario.error().text);
  if (!scenario.ok()) return {};
  const FileLoader no_files = [](const std::string& path) -> Result<std::string> {
    return Error{path + ": no file belongs to the catalogue"};
  };
  auto workload = make_workload(scenario.value(), no_files);
  EXPECT_TRUE(workload.ok()) << (workload.ok() ? "" : workload.error().text);
  if (!workload.ok()) return {};
  sim::VerifyOptions options;
  options.divergences_max = 3;
  const auto verifier = sim::make_live_verifier(options);
  RunOptions run;
  run.block_steps = 64;
  const auto summary = run_on_host(scenario.value(), *workload.value(), run, verifier.get());
  EXPECT_TRUE(summary.ok());
  if (!summary.ok()) return {};
  return {verifier->verdict(), summary.value()};
}

class CatalogVerdict : public testing::TestWithParam<std::string> {};

TEST_P(CatalogVerdict, IsCleanAndLosslessInBothSchedules) {
  const Outcome sync = run_catalog(GetParam(), {"schedule=sync"});
  const Outcome overlap = run_catalog(GetParam(), {"schedule=overlap"});
  for (const Outcome& outcome : {sync, overlap}) {
    EXPECT_EQ(outcome.verdict.divergence_count, 0U)
        << (outcome.verdict.divergences.empty() ? ""
                                                : sim::to_line(outcome.verdict.divergences[0]));
    EXPECT_GT(outcome.verdict.steps, 0);
    EXPECT_GT(outcome.summary.tokens, 0);
  }
  EXPECT_EQ(sync.summary.token_digest, overlap.summary.token_digest);
  EXPECT_EQ(sync.summary.requests, overlap.summary.requests);
}

TEST_P(CatalogVerdict, SecondRunIsTheSameRun) {
  const Outcome first = run_catalog(GetParam(), {});
  const Outcome second = run_catalog(GetParam(), {});
  EXPECT_EQ(first.verdict, second.verdict);
  EXPECT_EQ(first.summary.token_digest, second.summary.token_digest);
  EXPECT_EQ(first.summary.virtual_ns, second.summary.virtual_ns);
}

std::vector<std::string> names() {
  std::vector<std::string> out;
  for (const std::string_view name : catalog_names()) out.emplace_back(name);
  return out;
}

std::string test_name(const testing::TestParamInfo<std::string>& info) {
  std::string out = info.param;
  for (char& c : out) {
    if (c == '-') c = '_';
  }
  return out;
}

INSTANTIATE_TEST_SUITE_P(Catalog, CatalogVerdict, testing::ValuesIn(names()), test_name);

}  // namespace
}  // namespace tandem
