// Markov profiles: fits, their JSON, draws, and the embedded ones against the public records.
#include "scenarios/accept_markov.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numeric>

#include <gtest/gtest.h>

#include "scenarios/accept_file.hpp"
#include "scenarios/json_tree.hpp"
#include "tests/support/shared_data.hpp"
#include "tests/unit/scenarios/scenario_text.hpp"

namespace tandem {
namespace {

using test::drain;
using test::Drained;
using test::error_of;
using test::one_file;
using test::parse_with;

using Lists = std::vector<std::vector<std::int32_t>>;

TEST(FitMarkov, CountsFirstEntriesAndTransitions) {
  const auto fit = fit_markov({{1, 3, 3, 1}, {3}, {1, 1, 3}});
  ASSERT_TRUE(fit.ok()) << fit.error().text;
  const MarkovFit& f = fit.value();
  EXPECT_EQ(f.lists, 3);
  EXPECT_EQ(f.steps, 8);
  EXPECT_EQ(f.mean_millionths, 2'000'000);
  EXPECT_EQ(f.profile.states, (std::vector<std::int32_t>{1, 3}));
  EXPECT_EQ(f.profile.initial, (std::vector<std::uint32_t>{666'667, 333'333}));
  // 1 -> 3, 3 -> 3, 3 -> 1, 1 -> 1, 1 -> 3
  EXPECT_EQ(f.profile.transitions,
            (std::vector<std::vector<std::uint32_t>>{{333'333, 666'667}, {500'000, 500'000}}));
  // Deviations are -1 or 1: products -1, 1, -1, 1, -1 over 5 pairs, variance 1.
  EXPECT_EQ(f.lag1_millionths, -200'000);
}

TEST(FitMarkov, StateThatNothingLeavesGoesOnAsTheAverage) {
  const auto fit = fit_markov({{1, 1, 1, 4}});
  ASSERT_TRUE(fit.ok());
  EXPECT_EQ(fit.value().profile.transitions[1], (std::vector<std::uint32_t>{750'000, 250'000}));
}

TEST(FitMarkov, EveryRowOfSharesIsWhole) {
  Lists lists;
  for (std::int32_t i = 0; i < 200; ++i) lists.push_back({1 + i % 7, 1 + i % 11, 1 + i % 13});
  const auto fit = fit_markov(lists);
  ASSERT_TRUE(fit.ok());
  for (const auto& row : fit.value().profile.transitions) {
    EXPECT_EQ(std::accumulate(row.begin(), row.end(), 0U), 1'000'000U);
  }
}

TEST(FitMarkov, NothingToFitIsRefused) {
  EXPECT_FALSE(fit_markov({}).ok());
  EXPECT_FALSE(fit_markov({{}}).ok());
  EXPECT_FALSE(fit_markov({{0}}).ok());
  EXPECT_FALSE(fit_markov({{1'025}}).ok());
  std::vector<std::int32_t> many;
  for (std::int32_t i = 1; i <= 257; ++i) many.push_back(i);
  EXPECT_FALSE(fit_markov({many}).ok());
  EXPECT_EQ(fit_markov({{2, 2}}).value().lag1_millionths, 0);
}

TEST(DrawMarkov, ListCoversItsTokensAndDependsOnItsKeysAlone) {
  const MarkovProfile profile{
      {1, 2, 5}, {0, 1'000'000, 0}, {{0, 0, 1'000'000}, {500'000, 0, 500'000}, {0, 1'000'000, 0}}};
  const auto longer = draw_markov(profile, 9, 4, 1'000);
  EXPECT_EQ(longer.front(), 2);
  EXPECT_GE(std::accumulate(longer.begin(), longer.end(), 0), 1'000);
  EXPECT_LT(std::accumulate(longer.begin(), longer.end() - 1, 0), 1'000);
  const auto shorter = draw_markov(profile, 9, 4, 100);
  EXPECT_TRUE(std::equal(shorter.begin(), shorter.end(), longer.begin()));
  EXPECT_NE(draw_markov(profile, 9, 5, 1'000), longer);
  EXPECT_NE(draw_markov(profile, 8, 4, 1'000), longer);
  EXPECT_EQ(draw_markov(profile, 9, 4, 0).size(), 1U);
  EXPECT_EQ(draw_markov({{1}, {1'000'000}, {{1'000'000}}}, 1, 1, INT64_MAX).size(), kMarkovListMax);
  for (std::size_t i = 1; i < longer.size(); ++i) {
    const bool allowed = longer[i - 1] == 1   ? longer[i] == 5
                         : longer[i - 1] == 2 ? longer[i] != 2
                                              : longer[i] == 2;
    EXPECT_TRUE(allowed) << longer[i - 1] << " then " << longer[i];
  }
}

TEST(DrawMarkov, FitOfDrawnListsIsTheProfile) {
  const MarkovProfile profile{
      {1, 2, 4},
      {200'000, 300'000, 500'000},
      {{700'000, 200'000, 100'000}, {100'000, 600'000, 300'000}, {50'000, 150'000, 800'000}}};
  Lists lists;
  for (std::uint64_t i = 0; i < 2'000; ++i) lists.push_back(draw_markov(profile, 1, i, 150));
  const auto fit = fit_markov(lists);
  ASSERT_TRUE(fit.ok());
  ASSERT_EQ(fit.value().profile.states, profile.states);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(fit.value().profile.initial[i], profile.initial[i], 40'000);
    for (std::size_t j = 0; j < 3; ++j) {
      EXPECT_NEAR(fit.value().profile.transitions[i][j], profile.transitions[i][j], 10'000);
    }
  }
}

TEST(ParseMarkov, TextOfAFitIsReadBack) {
  const auto fit = fit_markov({{1, 3, 3, 1}, {3}, {1, 1, 7}});
  ASSERT_TRUE(fit.ok());
  const auto back = parse_markov(markov_text(fit.value(), "hand-made \"numbers\"\n"), "m.json");
  ASSERT_TRUE(back.ok()) << back.error().text;
  EXPECT_EQ(back.value(), fit.value().profile);
}

TEST(ParseMarkov, BadProfilesAreRefusedByPlace) {
  struct Case {
    const char* text;
    const char* error;
  };
  for (const Case& c :
       {Case{"{", "m:1:"}, Case{"[]", "m: got a list of 0 values, want an object of states"},
        Case{R"({"states": [1], "initial": [1000000]})", "m: got"},
        Case{R"({"states": [], "initial": [], "transitions": []})", "m:/states: got"},
        Case{R"({"states": [2, 2], "initial": [], "transitions": []})",
             "m:/states/1: got 2, want an integer in [3, 1024]"},
        Case{R"({"states": [0], "initial": [], "transitions": []})", "m:/states/0: got 0"},
        Case{R"({"states": [1], "initial": [1], "transitions": []})",
             "m:/initial: got shares that sum to 1, want 1000000; shares are in millionths"},
        Case{R"({"states": [1, 2], "initial": [1000001, -1], "transitions": []})",
             "m:/initial/0: got 1000001, want an integer in [0, 1000000]"},
        Case{R"({"states": [1], "initial": [1000000], "transitions": []})",
             "m:/transitions: got a list of 0 values, want a list of 1 lists"},
        Case{R"({"states": [1], "initial": [1000000], "transitions": [[1000000, 0]]})",
             "m:/transitions/0: got a list of 2 values, want a list of 1 integers"},
        Case{R"({"states": [1], "initial": [1000000], "transitions": [[1000000]], "x": 1})",
             "m:/x: got an unknown key"}}) {
    const auto parsed = parse_markov(c.text, "m");
    ASSERT_FALSE(parsed.ok()) << c.text;
    EXPECT_EQ(parsed.error().text.rfind(c.error, 0), 0U) << parsed.error().text;
  }
}

TEST(AcceptMarkov, WorkloadDrawsAListForEachRequest) {
  const auto scenario = parse_with({"acceptance.kind=list", "acceptance.markov=m.json",
                                    "workload.output=200", "workload.requests=20"});
  ASSERT_TRUE(scenario.ok()) << error_of(scenario);
  const std::string text = R"({"states": [1, 4], "initial": [500000, 500000],)"
                           R"( "transitions": [[500000, 500000], [500000, 500000]]})";
  const Drained drained = drain(scenario.value(), one_file("m.json", text));
  ASSERT_EQ(drained.requests.size(), 20U) << drained.error;
  for (const RequestSpec& request : drained.requests) {
    const auto& list = request.row.accept;
    EXPECT_GE(std::accumulate(list.begin(), list.end(), 0), 199);
    EXPECT_EQ(list, draw_markov(parse_markov(text, "m").value(), 1,
                                static_cast<std::uint64_t>(request.row.id), 199));
  }
  EXPECT_NE(drained.requests[0].row.accept, drained.requests[1].row.accept);
  const Drained gone = drain(scenario.value(), one_file("", ""));
  EXPECT_NE(gone.error.find("m.json: got no such file"), std::string::npos) << gone.error;
  EXPECT_NE(gone.error.find("embedded profiles are eagle-query-product-rank, eagle-spec-bench"),
            std::string::npos)
      << gone.error;
  const auto both =
      parse_with({"acceptance.kind=list", "acceptance.markov=m.json", "acceptance.lists=[[1]]"});
  EXPECT_NE(error_of(both).find("want one of `lists`, `path` and `markov`"), std::string::npos)
      << error_of(both);
}

TEST(EmbeddedProfiles, EachIsSoundAndDrawnListsAreLikeItsRecords) {
  const auto names = embedded_profile_names();
  EXPECT_EQ(names.size(), 5U);
  EXPECT_EQ(embedded_profile("no-such-profile"), std::nullopt);
  for (const std::string_view name : names) {
    const auto text = embedded_profile(name);
    ASSERT_TRUE(text) << name;
    const auto profile = parse_markov(*text, std::string(name));
    ASSERT_TRUE(profile.ok()) << profile.error().text;
    const auto tree = parse_json(*text, std::string(name));
    ASSERT_TRUE(tree.ok());
    ASSERT_NE(tree.value().find("source"), nullptr) << name;
    const auto number = [&tree](const char* key) {
      const JsonNode* node = tree.value().find(key);
      return node == nullptr ? 0.0 : static_cast<double>(fixed_point(node->text, 0).units);
    };
    Lists lists;
    for (std::uint64_t i = 0; i < 400; ++i) {
      lists.push_back(draw_markov(profile.value(), 1, i, 2'000));
    }
    const MarkovFit drawn = measure_lists(lists);
    const double mean = number("mean_millionths");
    EXPECT_NEAR(static_cast<double>(drawn.mean_millionths), mean, 0.05 * mean) << name;
    EXPECT_NEAR(static_cast<double>(drawn.lag1_millionths), number("lag1_millionths"), 60'000)
        << name;
  }
}

/// The public records a profile is fitted to, and its text.
struct Record {
  const char* profile;
  const char* file;
  const char* source;
};

constexpr const char* kSource =
    "github.com/BNukhkadiev/Spec-Bench at 0f000117, Apache-2.0; Vicuna-7B v1.3, temperature 0: ";

TEST(EmbeddedProfiles, AreTheFitsOfThePublicRecords) {
  for (const Record& record :
       {Record{"eagle-query-product-rank", "query_product_rank.eagle", "EAGLE, query_product_rank"},
        Record{"eagle-spec-bench", "spec_bench.eagle", "EAGLE, spec_bench"},
        Record{"hydra-query-product-rank", "query_product_rank.hydra", "Hydra, query_product_rank"},
        Record{"medusa-mt-bench", "mt_bench.medusa", "Medusa, mt_bench"},
        Record{"sps-68m-spec-bench", "spec_bench.sps-68m", "68M draft model, spec_bench"}}) {
    const std::string file = std::string("data/spec-bench-acceptance/") + record.file + ".jsonl";
    const auto path = test::shared_data(file);
    if (!path) GTEST_SKIP() << test::missing_shared_data(file);
    std::ifstream in(*path, std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    const auto lists = read_accept_file(LineReader(file, make_text_source(std::move(text))));
    ASSERT_TRUE(lists.ok()) << lists.error().text;
    const auto fit = fit_markov(lists.value());
    ASSERT_TRUE(fit.ok()) << fit.error().text;
    const std::string wanted = markov_text(fit.value(), kSource + std::string(record.source));
    const std::filesystem::path target = std::filesystem::path(TANDEM_SOURCE_DIR) / "scenarios" /
                                         "profiles" / (std::string(record.profile) + ".json");
    if (std::getenv("TANDEM_REWRITE_PROFILES") != nullptr) {
      std::ofstream(target, std::ios::binary) << wanted;
    }
    std::ifstream kept(target, std::ios::binary);
    const std::string found((std::istreambuf_iterator<char>(kept)),
                            std::istreambuf_iterator<char>());
    EXPECT_TRUE(found == wanted) << target << " is not the fit of " << file
                                 << "; run this test with TANDEM_REWRITE_PROFILES=1";
  }
}

}  // namespace
}  // namespace tandem
