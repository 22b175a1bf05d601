// `tandem run FILE` on request traces: formats by content, slices, rates, and refusals.
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/cli/fake_io.hpp"

namespace tandem::cli {
namespace {

using Json = nlohmann::json;
using test::FakeMachine;
using test::lines_of;

Json run_json(FakeMachine& m, const std::string& line) {
  EXPECT_EQ(m(line + " --json -"), kExitClean) << line << "\n" << m.err.text;
  return Json::parse(m.out.text, nullptr, false);
}

/// One row a minute, prompts of 10, outputs of 1, 2, 3, ..
std::string minutes(int rows) {
  std::string text = "arrived_at,num_prefill_tokens,num_decode_tokens\n";
  for (int i = 0; i < rows; ++i) {
    text += std::to_string(60 * i) + ",10," + std::to_string(i + 1) + "\n";
  }
  return text;
}

TEST(RunTrace, AnyFormatUnderAnyNameThenItsRowsAreTheRequests) {
  const std::string mooncake =
      R"({"timestamp": 0, "input_length": 20000, "output_length": 3, "hash_ids": [1, 2]})"
      "\n"
      R"({"timestamp": 9, "input_length": 1024, "output_length": 4, "hash_ids": [1, 2]})";
  const std::string qwen =
      R"({"chat_id": 1, "timestamp": 0.5, "input_length": 40, "output_length": 3, "hash_ids": []})"
      "\n"
      R"({"chat_id": 2, "timestamp": 0.6, "input_length": 40, "output_length": 4, "hash_ids": []})";
  const std::string sessions =
      R"({"arrival_time_ns": 5, "sub_requests": [{"input_toks": 9, "output_toks": 3,)"
      R"( "tool_duration_ns": 7}, {"input_toks": 12, "output_toks": 4}]})";
  for (const std::string& text :
       {std::string("Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\r\n"
                    "5,m,9,3,12,x\r\n6,m,9,0,9,x\r\n7,m,9,4,13,x\r\n"),
        std::string("num_prefill_tokens,num_decode_tokens,num_total_tokens,pd_ratio\n9,3,12,3\n"
                    "8,4,12,2\n"),
        mooncake, qwen, sessions}) {
    FakeMachine m;
    m.files.files["dir/trace.json"] = text;
    std::string digest;
    for (const char* schedule : {"sync", "overlap"}) {
      const Json json = run_json(m, std::string("run dir/trace.json --schedule ") + schedule);
      EXPECT_EQ(json["scenario"], "trace");
      EXPECT_EQ(json["requests"], 2) << text;
      EXPECT_EQ(json["tokens"], 7) << text;
      EXPECT_EQ(json["divergences"], 0) << text;
      const auto token_digest = json["token_digest"].get<std::string>();
      if (!digest.empty()) {
        EXPECT_EQ(token_digest, digest) << text;
      }
      digest = token_digest;
    }
  }
}

TEST(RunTrace, SliceThenOnlyItsRowsRun) {
  FakeMachine m;
  m.files.files["t.csv"] = minutes(10);
  EXPECT_EQ(run_json(m, "run t.csv")["tokens"], 55);
  EXPECT_EQ(run_json(m, "run t.csv --from 2m --until 4m")["tokens"], 3 + 4);
  EXPECT_EQ(run_json(m, "run t.csv --from 121")["tokens"], 55 - 6);
  EXPECT_EQ(run_json(m, "run t.csv --until 60001ms")["tokens"], 3);
}

TEST(RunTrace, RateThenVirtualTimeShrinks) {
  FakeMachine m;
  m.files.files["t.csv"] = minutes(3);
  const auto steps = [&m](const std::string& scale) {
    return run_json(m, "run t.csv --rate-scale " + scale)["steps"].get<std::int64_t>();
  };
  const std::int64_t once = steps("1");
  EXPECT_NEAR(static_cast<double>(steps("4")), static_cast<double>(once) / 4, 100);
  EXPECT_NEAR(static_cast<double>(steps("0.5")), static_cast<double>(once) * 2, 100);
}

TEST(RunTrace, BadSlicesThenExitCode2AndOneSentence) {
  FakeMachine m;
  m.files.files["t.csv"] = minutes(3);
  for (const auto& [arguments, error] :
       {std::pair{"t.csv --from x", "--from: got 'x', want a time"},
        std::pair{"t.csv --from 1h",
                  "t.csv: got no request: 3 rows were read, the last at 120.000"},
        std::pair{"t.csv --from 1ms --until 1s", "2 rows were read"},
        std::pair{"t.csv --until 0", "--until: got '0', want a time above 0"},
        std::pair{"t.csv --until -1s", "--until: got '-1s', want a time"},
        std::pair{"t.csv --rate-scale 0", "--rate-scale: got '0', want a number in [0.000001"},
        std::pair{"t.csv --rate-scale fast", "--rate-scale: got 'fast', want"},
        std::pair{"t.csv --from 5s --until 5s", "want more than workload.from_ns, 5000000000"},
        std::pair{"azure-conv --from 5s", "from_ns: got 5000000000"}}) {
    EXPECT_EQ(m(std::string("run ") + arguments), kExitBadInput) << arguments;
    EXPECT_EQ(lines_of(m.err.text).size(), 1U) << m.err.text;
    EXPECT_NE(m.err.text.find(error), std::string::npos) << m.err.text;
  }
}

TEST(RunTrace, BadRowThenItsPlaceAndNothingUnderTheName) {
  FakeMachine m;
  m.files.files["t.csv"] = minutes(3) + "180,10,x\n";
  EXPECT_EQ(m("run t.csv -o a.tbt"), kExitBadInput);
  EXPECT_EQ(m.out.text, "");
  EXPECT_NE(m.err.text.find("t.csv:5:8: got \"x\", want an integer"), std::string::npos)
      << m.err.text;
  EXPECT_EQ(lines_of(m.err.text).size(), 1U);
  EXPECT_EQ(m.files.files.count("a.tbt"), 0U);
}

TEST(RunTrace, UnknownFileThenOneSentenceThatNamesTheFormats) {
  FakeMachine m;
  m.files.files["t.csv"] = "time,prompt,output\n1,2,3\n";
  EXPECT_EQ(m("run t.csv"), kExitBadInput);
  EXPECT_EQ(m.err.text,
            "error: t.csv: got \"time,prompt,output\", want a JSON scenario, or a request trace: "
            "Azure LLM inference trace 2023 (CSV), BurstGPT (CSV), Vidur (CSV), Qwen-Bailian (JSON "
            "lines), Mooncake (JSON lines), LLMServingSim (JSON lines)\n");
  m.files.files["t.bin"] = std::string(
      "\x7f"
      "ELF\x02\x00\x00\n\xff",
      9);
  EXPECT_EQ(m("run t.bin"), kExitBadInput);
  EXPECT_EQ(lines_of(m.err.text).size(), 1U) << m.err.text;
}

TEST(RunTrace, MarkovProfileByNameThenCleanAndLossless) {
  FakeMachine m;
  m.files.files["t.csv"] = minutes(10);
  const std::string line =
      "run t.csv --rate-scale 100000 --set workload.stop=length --set acceptance.kind=list --set "
      "acceptance.markov=sps-68m-spec-bench --schedule ";
  const Json sync = run_json(m, line + "sync");
  const Json overlap = run_json(m, line + "overlap");
  EXPECT_EQ(sync["tokens"], 55);
  EXPECT_EQ(sync["divergences"], 0);
  EXPECT_EQ(overlap["divergences"], 0);
  EXPECT_EQ(sync["token_digest"], overlap["token_digest"]);
}

}  // namespace
}  // namespace tandem::cli
