// The embedded catalogue and the document that is written from the schema table.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "scenarios/schema.hpp"
#include "tests/support/shared_data.hpp"
#include "tests/unit/scenarios/scenario_text.hpp"

namespace tandem {
namespace {

using test::drain;
using test::Drained;
using test::error_of;
using test::one_file;

Scenario from_catalog(std::string_view name, const std::vector<std::string>& overrides = {}) {
  const auto text = catalog_scenario(name);
  EXPECT_TRUE(text) << name;
  auto parsed = parse_scenario(text.value_or(""), std::string(name), overrides);
  EXPECT_TRUE(parsed.ok()) << error_of(parsed);
  return parsed.ok() ? std::move(parsed).value() : Scenario{};
}

TEST(Catalog, HoldsEveryRegisteredScenarioSorted) {
  const auto names = catalog_names();
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_GE(names.size(), 40U);
  for (const char* name : {"azure-code", "azure-conv", "decode-small", "dnode-first-step"}) {
    EXPECT_TRUE(std::binary_search(names.begin(), names.end(), name)) << name;
  }
  EXPECT_FALSE(catalog_scenario("no-such-scenario"));
}

TEST(Catalog, EveryScenarioParsesUnderItsNameAndHandsOutItsRequests) {
  for (const std::string_view name : catalog_names()) {
    const Scenario scenario = from_catalog(name);
    EXPECT_EQ(scenario.config.scenario, name);
    EXPECT_NE(catalog_scenario(name)->find("\"description\""), std::string_view::npos) << name;
    const Drained drained = drain(scenario, one_file("", ""));
    EXPECT_EQ(drained.error, "") << name;
    const bool listed = scenario.workload.kind == WorkloadKind::requests;
    const auto wanted = listed ? static_cast<std::int64_t>(scenario.workload.requests.size())
                               : scenario.workload.requests_max;
    EXPECT_EQ(static_cast<std::int64_t>(drained.requests.size()), wanted) << name;
  }
}

TEST(Catalog, EveryScenarioTakesEverySchedule) {
  for (const std::string_view name : catalog_names()) {
    for (const char* schedule : {"schedule=overlap", "schedule=sync"}) {
      (void)from_catalog(name, {schedule, "policy=predict-rows-hidden"});
    }
  }
}

TEST(Catalog, EveryScenarioTakesFewerDraftsUnlessARequestBringsMore) {
  for (const std::string_view name : catalog_names()) {
    const Scenario whole = from_catalog(name);
    if (whole.config.ngram_millionths > 0) continue;  // wants M < K
    std::int32_t brought = 0;
    for (const RequestSpec& spec : whole.workload.requests) {
      brought = std::max(brought, spec.dnode_drafts);
    }
    for (std::int32_t drafts = 1; drafts <= whole.config.num_speculative_tokens; ++drafts) {
      if (drafts < brought) continue;
      const Scenario scenario = from_catalog(
          name,
          {"engine.num_speculative_tokens=" + std::to_string(drafts), "engine.num_model_steps=0"});
      EXPECT_EQ(scenario.config.num_model_steps, drafts) << name;
    }
  }
}

TEST(Catalog, AzureProfilesStayNearTheFiguresOfTheFiles) {
  // Means of the public files: 1154.7 and 211.1 tokens (conv), 2047.8 and 27.9 tokens (code). Lines
  // between quantiles lie above a falling tail, the most so for the outputs of the code file.
  struct Case {
    const char* name;
    double prompt;
    double output;
    double rate;
  };
  for (const Case& c :
       {Case{"azure-conv", 1154.7, 211.1, 5.53}, Case{"azure-code", 2047.8, 27.9, 2.566}}) {
    const Drained drained =
        drain(from_catalog(c.name, {"workload.requests=20000"}), one_file("", ""));
    ASSERT_EQ(drained.requests.size(), 20'000U);
    double prompt = 0;
    double output = 0;
    for (const RequestSpec& request : drained.requests) {
      prompt += request.row.prompt_len;
      output += request.row.eos_at;
    }
    EXPECT_NEAR(prompt / 20'000 / c.prompt, 1.0, 0.1) << c.name;
    EXPECT_NEAR(output / 20'000 / c.output, 1.0, 0.2) << c.name;
    const double seconds = static_cast<double>(drained.requests.back().row.arrival) / 1e9;
    EXPECT_NEAR(19'999 / seconds / c.rate, 1.0, 0.03) << c.name;
  }
}

TEST(Catalog, DNodeScenarioMixesBothArrivals) {
  const Drained drained = drain(from_catalog("dnode-short-drafts"), one_file("", ""));
  const auto count = std::count_if(drained.requests.begin(), drained.requests.end(),
                                   [](const RequestSpec& r) { return r.dnode_drafts == 1; });
  EXPECT_GT(count, 5);
  EXPECT_LT(count, static_cast<std::ptrdiff_t>(drained.requests.size()) - 5);
}

TEST(Schema, EveryRowIsSoundAndItsDefaultFits) {
  for (const KeySpec& spec : schema()) {
    EXPECT_FALSE(spec.help.empty()) << spec.path;
    EXPECT_EQ(spec.help.find('|'), std::string_view::npos) << spec.path;
    EXPECT_LE(spec.min, spec.max) << spec.path;
    EXPECT_FALSE(spec.required && !spec.fallback.empty()) << spec.path;
    if (spec.fallback.empty()) continue;
    const auto value = parse_json(spec.fallback, "default");
    ASSERT_TRUE(value.ok()) << spec.path;
    EXPECT_TRUE(fits_type(spec, value.value())) << spec.path;
  }
}

TEST(Schema, DocumentIsThatOfTheTable) {
  const std::filesystem::path path =
      std::filesystem::path(TANDEM_SOURCE_DIR) / "scenarios" / "SCHEMA.md";
  const std::string wanted = schema_markdown();
  if (std::getenv("TANDEM_REWRITE_SCHEMA") != nullptr) {
    std::ofstream(path, std::ios::binary) << wanted;
  }
  std::ifstream in(path, std::ios::binary);
  const std::string found((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  EXPECT_TRUE(found == wanted) << path << " is not that of the table; run this test with "
                               << "TANDEM_REWRITE_SCHEMA=1 to write it anew";
}

}  // namespace
}  // namespace tandem
