// Requests that no run could serve are refused where they are read: rows beyond the block table,
// and outputs that a P node never ends.
#include <string>

#include <gtest/gtest.h>

#include "scenarios/request_rules.hpp"
#include "tests/unit/scenarios/scenario_text.hpp"

namespace tandem {
namespace {

using test::drain;
using test::error_of;
using test::one_file;
using test::parse_with;

// A table of 41 positions for 40 tokens: the row of a D node's first step may end behind it.
const std::vector<std::string> kTightTable{
    "engine.max_model_len=40", "engine.block_size=1", "engine.enc_dec_block_num=1",
    "engine.num_speculative_tokens=8", "engine.max_num_batched_tokens=1024"};

Result<Scenario> with_tight_table(std::vector<std::string> overrides) {
  overrides.insert(overrides.begin(), kTightTable.begin(), kTightTable.end());
  return parse_with(overrides);
}

std::string requests_override(const std::string& request) {
  return "workload={\"kind\":\"requests\",\"requests\":[" + request + "]}";
}

TEST(Misfit, DnodeRowBehindTheBlockTableIsRefused) {
  const auto refused =
      with_tight_table({requests_override(R"({"prompt":36,"max_dec_len":4,"dnode_drafts":5})")});
  EXPECT_EQ(error_of(refused),
            "x.json:/workload/requests/0/dnode_drafts: got a prompt of 36 and 5 drafts, whose row "
            "ends at text position 42, want at most 41 positions (the block table); bring fewer "
            "drafts, or set engine.enc_dec_block_num to 2 or more");
  const auto fits =
      with_tight_table({requests_override(R"({"prompt":36,"max_dec_len":4,"dnode_drafts":4})")});
  EXPECT_TRUE(fits.ok()) << error_of(fits);
}

TEST(Misfit, DrawnDnodeRowsBehindTheBlockTableAreRefused) {
  const std::vector<std::string> share{"workload.prompt=37", "workload.output=2",
                                       "workload.dnode.fraction=0.5"};
  auto overrides = share;
  overrides.push_back("workload.dnode.drafts=4");
  const auto refused = with_tight_table(overrides);
  EXPECT_EQ(
      error_of(refused),
      "x.json:/workload/dnode/drafts: got a prompt of 37 and 4 drafts, whose row ends at text "
      "position 42, want at most 41 positions (the block table); bring fewer drafts, or set "
      "engine.enc_dec_block_num to 2 or more");
  overrides.back() = "workload.dnode.drafts=3";
  const auto fits = with_tight_table(overrides);
  EXPECT_TRUE(fits.ok()) << error_of(fits);
}

TEST(Misfit, CsvRowWhoseDnodeRowIsBehindTheBlockTableIsRefusedByLine) {
  const auto parsed = with_tight_table(
      {"workload={\"kind\":\"azure-csv\",\"path\":\"a.csv\",\"dnode\":{\"fraction\":1,"
       "\"drafts\":6}}"});
  ASSERT_TRUE(parsed.ok()) << error_of(parsed);
  const auto error = [&parsed](const std::string& row) {
    const std::string head =
        "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.0000000,1,2\n";
    return drain(parsed.value(),
                 one_file("a.csv", head + "2023-11-16 18:15:47.0000000," + row + "\n"))
        .error;
  };
  EXPECT_EQ(
      error("35,5"),
      "a.csv:3:29: got a prompt of 35 and 6 drafts, whose row ends at text position 42, want at "
      "most 41 positions (the block table); bring fewer drafts, or set "
      "engine.enc_dec_block_num to 2 or more, or delete the line");
  EXPECT_EQ(error("34,6"), "");
  EXPECT_EQ(error("39,1"), "");  // ends with its first token: no D node sees it
}

TEST(Misfit, OutputThatAPrefillNodeNeverEndsIsRefused) {
  const auto refused = parse_with(
      {"engine.role=prefill", requests_override(R"({"prompt":3,"output":1},{"prompt":3})")});
  EXPECT_EQ(error_of(refused),
            "x.json:/workload/requests/1: got a prompt of 3 and an output of 16381 tokens, want an "
            "output of 1 token (engine.role is prefill: a request leaves with its first token); "
            "set its output to 1, or engine.role to mixed");
  for (const char* request : {R"({"prompt":3,"output":1})", R"({"prompt":3,"max_dec_len":1})",
                              R"({"prompt":3,"eos_at":1})"}) {
    const auto fits = parse_with({"engine.role=prefill", requests_override(request)});
    ASSERT_TRUE(fits.ok()) << error_of(fits);
    EXPECT_TRUE(fits.value().config.splitwise_prefill);
  }
  EXPECT_NE(error_of(parse_with({"engine.role=prefill"})).find("/workload: got a prompt of 10 and"),
            std::string::npos);
}

}  // namespace
}  // namespace tandem
