// The catalogue reaches every fallback rule of semantics 4.4 and every event of section 6.
#include "tests/unit/joined/reach.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tandem {
namespace {

using test::Reach;

/// Scenario x reached: one line a name, one column a scenario.
void print_table(const std::vector<std::string>& scenarios,
                 const std::map<std::string, std::set<std::string>>& by_scenario) {
  for (std::size_t i = 0; i < scenarios.size(); ++i) {
    std::printf("%3zu %s\n", i + 1, scenarios[i].c_str());
  }
  for (const std::string& name : Reach::wanted()) {
    std::string line;
    std::size_t count = 0;
    for (std::size_t i = 0; i < scenarios.size(); ++i) {
      if (by_scenario.at(scenarios[i]).count(name) == 0) continue;
      line += " " + std::to_string(i + 1);
      ++count;
    }
    std::printf("%-42s %3zu:%s\n", name.c_str(), count, line.c_str());
  }
}

TEST(Reach, CatalogueReachesEveryFallbackRuleAndLifecycleEvent) {
  std::map<std::string, std::set<std::string>> by_scenario;
  std::set<std::string> all;
  const std::vector<std::string> scenarios = test::catalog_list();
  for (const std::string& name : scenarios) {
    Reach reach;
    const test::JudgedRun run = test::run_catalog(name, {}, &reach);
    EXPECT_EQ(run.complaint(), "") << name;
    by_scenario[name] = reach.reached();
    all.insert(reach.reached().begin(), reach.reached().end());
  }
  print_table(scenarios, by_scenario);
  for (const std::string& name : Reach::wanted()) {
    EXPECT_EQ(all.count(name), 1U) << "no scenario reaches: " << name;
  }
}

TEST(Reach, NameIsWantedOnce) {
  std::vector<std::string> names = Reach::wanted();
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

}  // namespace
}  // namespace tandem
