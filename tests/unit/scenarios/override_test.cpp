// Overrides: what they may reach, how their values are read, and what a new kind takes away.
#include <gtest/gtest.h>

#include "tests/unit/scenarios/scenario_text.hpp"

namespace tandem {
namespace {

using test::error_of;
using test::parse_with;

TEST(Overrides, TextsNeedNoQuotesAndMayLookLikeNumbers) {
  const auto parsed = parse_with({"name=123", "policy=\"exact\"", "draft_path=self"});
  ASSERT_TRUE(parsed.ok()) << error_of(parsed);
  EXPECT_EQ(parsed.value().config.scenario, "123");
  EXPECT_EQ(parsed.value().config.policy, PolicyKind::exact);
  EXPECT_EQ(parsed.value().config.draft_path, DraftPath::self);
}

TEST(Overrides, LaterOnesWin) {
  const auto parsed = parse_with({"seed=5", "seed=6"});
  ASSERT_TRUE(parsed.ok()) << error_of(parsed);
  EXPECT_EQ(parsed.value().config.seed, 6U);
  EXPECT_NE(parsed.value().config.digest_key, parse_with({"seed=5"}).value().config.digest_key);
}

TEST(Overrides, ListEntriesAreReachedByIndex) {
  const std::string text = R"({"workload": {"kind": "requests", "requests": [
      {"prompt": 3, "output": 4}, {"prompt": 5, "output": 6}]}})";
  const auto parsed = parse_scenario(text, "x.json", {"workload.requests.1.prompt=7"});
  ASSERT_TRUE(parsed.ok()) << error_of(parsed);
  EXPECT_EQ(parsed.value().workload.requests[0].row.prompt_len, 3);
  EXPECT_EQ(parsed.value().workload.requests[1].row.prompt_len, 7);
  EXPECT_NE(error_of(parse_scenario(text, "x.json", {"workload.requests.2.prompt=7"}))
                .find("got index \"2\", want 0 to 1 of a list"),
            std::string::npos);
}

TEST(Overrides, NewKindDropsTheKeysItCannotUse) {
  const auto parsed = parse_with({"workload.kind=azure-csv", "workload.path=a.csv",
                                  "acceptance.kind=per-position", "acceptance.p=[0.1,0.2,0.3]"});
  ASSERT_TRUE(parsed.ok()) << error_of(parsed);
  EXPECT_EQ(parsed.value().workload.kind, WorkloadKind::azure_csv);
  EXPECT_EQ(parsed.value().workload.requests_max, 3);  // `requests` serves both kinds
  EXPECT_EQ(parsed.value().config.acceptance.millionths[2], 300'000U);
  // The same keys in the file are a mistake of the file.
  const std::string text = R"({"workload": {"kind": "azure-csv", "path": "a", "prompt": 4}})";
  EXPECT_NE(error_of(parse_scenario(text, "x.json")).find("/workload/prompt: got 4, want no such"),
            std::string::npos);
}

TEST(Overrides, MalformedOnesAreRefused) {
  for (const char* text : {"seed", "=3", "", ".seed=1", "seed.=1", "a..b=1"}) {
    EXPECT_NE(error_of(parse_with({text})).find("; write it like engine.block_size=16"),
              std::string::npos)
        << text;
  }
  EXPECT_NE(error_of(parse_with({"workload.prompt.tokens=3"})).find("got a key below 10"),
            std::string::npos);
  EXPECT_NE(error_of(parse_with({"engine.blok_size=null"})).find("\"block_size\""),
            std::string::npos);
  EXPECT_NE(error_of(parse_with(std::vector<std::string>(1'001, "seed=1"))).find("at most 1000"),
            std::string::npos);
}

}  // namespace
}  // namespace tandem
