// RunConfig to scenario keys and back: nothing of a configuration is lost, whatever it is.
#include "scenarios/config_keys.hpp"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/scenarios/scenario_text.hpp"

namespace tandem {
namespace {

using test::parse_with;

TEST(ConfigKeys, EveryCatalogueScenarioThenItsConfigurationComesBack) {
  for (const std::string_view name : catalog_names()) {
    const RunConfig config = parse_scenario(*catalog_scenario(name), "x").value().config;
    const Result<Scenario> again = parse_scenario(config_scenario(config), "y");
    ASSERT_TRUE(again.ok()) << name << ": " << again.error().text;
    EXPECT_EQ(again.value().config, config) << name;
  }
}

TEST(ConfigKeys, EveryKeyAsAnOverrideThenTheSameConfiguration) {
  const RunConfig config = parse_scenario(*catalog_scenario("mixed-rows"), "x").value().config;
  std::vector<std::string> overrides;
  for (const ConfigKey& key : config_keys(config)) overrides.push_back(key.key + "=" + key.value);
  const Result<Scenario> again = parse_with(overrides);
  ASSERT_TRUE(again.ok()) << again.error().text;
  EXPECT_EQ(again.value().config, config);
}

TEST(ConfigKeys, RowsLeftOpenThenTheScheduleFillsThem) {
  const RunConfig config = parse_scenario(*catalog_scenario("mixed-rows"), "x").value().config;
  const Result<Scenario> sync =
      parse_scenario(config_scenario(config, true), "y", {"schedule=sync"});
  ASSERT_TRUE(sync.ok()) << sync.error().text;
  EXPECT_STREQ(schedule_name(sync.value().config.rows), "sync");
}

TEST(ConfigKeys, FewerDraftsThenSubStepsFollowWhereTheyWereAsMany) {
  const RunConfig config = parse_with({"engine.num_speculative_tokens=3"}).value().config;
  const Result<Scenario> two =
      parse_scenario(config_scenario(config), "y", {"engine.num_speculative_tokens=2"});
  ASSERT_TRUE(two.ok()) << two.error().text;
  EXPECT_EQ(two.value().config.num_model_steps, 2);
}

TEST(ConfigKeys, ConfigurationThatNoRunCanHaveThenItsKey) {
  RunConfig config = parse_with({}).value().config;
  config.max_num_seqs = 0;
  const Result<Scenario> parsed = parse_scenario(config_scenario(config), "y");
  ASSERT_FALSE(parsed.ok());
  EXPECT_NE(parsed.error().text.find("y:/engine/max_num_seqs: got 0"), std::string::npos)
      << parsed.error().text;
}

TEST(ConfigKeys, NameThatNoRunMayHaveThenItsNearest) {
  EXPECT_EQ(as_run_name("a b/ü.csv"), "a_b___.csv");
  EXPECT_EQ(as_run_name(""), "trace");
  EXPECT_EQ(as_run_name(std::string(300, 'x')).size(), 128U);
}

}  // namespace
}  // namespace tandem
