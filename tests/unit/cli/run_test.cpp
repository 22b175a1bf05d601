// `tandem run` in-process: results, overrides, inputs, recording, and each way it ends.
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/cli/fake_io.hpp"

namespace tandem::cli {
namespace {

using Json = nlohmann::json;
using test::FakeMachine;
using test::lines_of;

Json json_of(FakeMachine& m, const std::string& line, int exit_code = kExitClean) {
  EXPECT_EQ(m(line + " --json -"), exit_code) << line << "\n" << m.err.text;
  return Json::parse(m.out.text, nullptr, false);
}

TEST(Run, CatalogueScenarioThenCleanAndEveryKeyOfTheJson) {
  FakeMachine m;
  const Json json = json_of(m, "run azure-conv --steps 300");
  for (const char* key :
       {"scenario", "device", "schedule", "policy", "seed", "steps", "requests", "tokens",
        "token_digest", "counter_digest", "divergences", "first_divergence", "checks",
        "recorder_stalls", "step_time_us", "idle_pct"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
  EXPECT_EQ(json["scenario"], "azure-conv");
  EXPECT_EQ(json["device"], "host");
  EXPECT_EQ(json["steps"], 300);
  EXPECT_EQ(json["divergences"], 0);
  EXPECT_TRUE(json["first_divergence"].is_null());
  EXPECT_GT(json["checks"]["V1"]["run"], 0);
  EXPECT_EQ(json["checks"]["V1"]["not_checkable"], 0);
  EXPECT_EQ(m.err.text, "");
}

TEST(Run, TextThenSummaryAndVerdictIn80Columns) {
  FakeMachine m;
  EXPECT_EQ(m("run azure-conv --steps 300 -o a.tbt"), kExitClean) << m.err.text;
  for (const char* name :
       {"scenario ", "schedule ", "policy ", "seed ", "steps ", "requests ", "tokens ",
        "token_digest ", "counter_digest ", "virtual time ", "step time ", "trace ", "checks run ",
        "not checkable ", "diverged ", "verdict         clean"}) {
    EXPECT_NE(("\n" + m.out.text).find(std::string("\n") + name), std::string::npos) << name;
  }
  for (const std::string& line : lines_of(m.out.text)) EXPECT_LE(line.size(), 80U) << line;
}

TEST(Run, TwiceThenTheSameBytesAndAnotherSeedOthers) {
  FakeMachine m;
  ASSERT_EQ(m("run azure-conv --steps 400 -o a.tbt"), kExitClean) << m.err.text;
  ASSERT_EQ(m("run azure-conv --steps 400 -o b.tbt"), kExitClean) << m.err.text;
  ASSERT_EQ(m("run azure-conv --steps 400 -o c.tbt --seed 99"), kExitClean) << m.err.text;
  EXPECT_EQ(m.files.files["a.tbt"], m.files.files["b.tbt"]);
  EXPECT_NE(m.files.files["a.tbt"], m.files.files["c.tbt"]);
  EXPECT_EQ(m.files.files.count("a.tbt.part"), 0U);
}

TEST(Run, BothSchedulesThenEqualTokenDigests) {
  FakeMachine m;
  const Json overlap = json_of(m, "run decode-small --schedule overlap");
  const Json sync = json_of(m, "run decode-small --schedule sync");
  EXPECT_EQ(overlap["schedule"], "overlap");
  EXPECT_EQ(sync["schedule"], "sync");
  EXPECT_EQ(overlap["token_digest"], sync["token_digest"]);
  EXPECT_EQ(overlap["tokens"], sync["tokens"]);
  EXPECT_GT(overlap["requests"], 0);
}

TEST(Run, ThreadsExecutorThenTheSameResultsButForItsName) {
  FakeMachine m;
  const std::string line = "run azure-conv --steps 400";
  Json det = json_of(m, line + " --executor det -o det.tbt");
  Json threads = json_of(m, line + " --executor threads -o threads.tbt");
  EXPECT_EQ(det["executor"], "det");
  EXPECT_EQ(threads["executor"], "threads");
  for (Json* json : {&det, &threads}) {
    for (const char* key : {"executor", "trace", "trace_bytes"}) json->erase(key);
  }
  EXPECT_EQ(det, threads);
  EXPECT_EQ(m("diff det.tbt threads.tbt"), kExitClean) << m.out.text;
  EXPECT_EQ(m("verify threads.tbt"), kExitClean) << m.out.text;
}

TEST(Run, OldMeaningOfTheEncoderTestIsAProvenanceDivergence) {
  FakeMachine m;
  const Json json = json_of(
      m, "run cached-recovery --set draft_path=self --set encoder_test=step_idx", kExitDiverged);
  const auto first = json["first_divergence"].get<std::string>();
  EXPECT_NE(first.find("check=V32"), std::string::npos) << first;
  for (const auto& [name, counts] : json["checks"].items()) {
    const bool provenance = name == "V32" || name == "V33";
    EXPECT_EQ(counts["diverged"].get<int>() > 0, provenance) << name;
  }
}

TEST(Run, ThreadsExecutorThatMeetsADivergenceOrAFullDiskThenItEnds) {
  FakeMachine m;
  const std::string broken = "run dnode-short-drafts --policy predict-sum";
  const Json det = json_of(m, broken, kExitDiverged);
  for (const char* more : {"", " --no-verify"}) {
    const Json threads = json_of(m, broken + " --executor threads" + more, kExitDiverged);
    EXPECT_EQ(threads["guard_step"], det["guard_step"]) << more;
  }
  m.files.space_bytes = 20'000;
  EXPECT_EQ(m("run azure-conv --steps 2000 --executor threads -o a.tbt"), kExitBadInput);
  EXPECT_NE(m.err.text.find("no space left"), std::string::npos) << m.err.text;
}

TEST(Run, StopAskedThenTheThreadsExecutorStopsAtAStepAndExitCodeIs130) {
  FakeMachine m;
  m.stop = true;
  EXPECT_EQ(m("run azure-conv --executor threads"), kExitInterrupted) << m.err.text;
  EXPECT_NE(m.out.text.find("\ninterrupted     after 0 steps"), std::string::npos) << m.out.text;
}

TEST(Run, PredictSumWithShortDraftsThenExitCode1) {
  FakeMachine m;
  const Json json = json_of(m, "run dnode-short-drafts --policy predict-sum", kExitDiverged);
  EXPECT_EQ(json["policy"], "predict-sum");
  EXPECT_GT(json["checks"]["V1"]["diverged"], 0);
}

// With R6 overlap the draft launch of #7001 (r * W rows) outgrows the hidden rows one step before
// its main launch is too small, and V16 says so first; with R6 sync the main launch is the first
// mistake.
TEST(Run, PredictSumWithDraftRowsReadThenV1IsFirstInEveryOutput) {
  FakeMachine m;
  const std::string line = "run dnode-short-drafts --policy predict-sum --set rows.R6=sync";
  const Json json = json_of(m, line, kExitDiverged);
  const std::string first = json["first_divergence"].get<std::string>();
  EXPECT_EQ(first.rfind("divergence check=V1 step=", 0), 0U) << first;
  EXPECT_NE(first.find(" policy=predict-sum"), std::string::npos) << first;

  EXPECT_EQ(m(line + " -o a.tbt"), kExitDiverged);
  EXPECT_NE(m.out.text.find("\n" + first + "\n"), std::string::npos) << m.out.text;
  EXPECT_EQ(m("verify a.tbt"), kExitDiverged);
  EXPECT_NE(m.out.text.find("\n" + first + "\n"), std::string::npos) << m.out.text;
}

TEST(Run, ShortDraftsWithTheDefaultPolicyThenClean) {
  FakeMachine m;
  EXPECT_EQ(m("run dnode-short-drafts"), kExitClean) << m.out.text << m.err.text;
}

TEST(Run, RunsVerdictThenEqualToThatOfItsFile) {
  FakeMachine m;
  const Json live =
      json_of(m, "run dnode-short-drafts --policy predict-sum --unguarded -o a.tbt", kExitDiverged);
  const Json file = json_of(m, "verify a.tbt", kExitDiverged)["traces"][0];
  for (const char* key : {"steps", "requests", "tokens", "counter_digest", "divergences",
                          "first_divergence", "checks"}) {
    EXPECT_EQ(live[key], file[key]) << key;
  }
}

TEST(Run, AzureCsvThenItsRowsAreTheRequests) {
  FakeMachine m;
  m.files.files["my trace.csv"] =
      "TIMESTAMP,ContextTokens,GeneratedTokens\n"
      "2023-11-16 18:15:46.6805900,374,44\n"
      "2023-11-16 18:15:46.9951690,396,10\n"
      "2023-11-16 18:15:47.1951690,12,3\n";
  EXPECT_EQ(m.run({"run", "my trace.csv", "--json", "-", "-o", "a.tbt"}), kExitClean) << m.err.text;
  const Json json = Json::parse(m.out.text);
  EXPECT_EQ(json["scenario"], "my_trace");
  EXPECT_EQ(json["requests"], 3);
  EXPECT_EQ(json["tokens"], 57);
  EXPECT_EQ(json["divergences"], 0);
}

TEST(Run, AzureCsvWithABadRowThenPlaceAndNothingUnderTheName) {
  FakeMachine m;
  m.files.files["t.csv"] =
      "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,x\n";
  EXPECT_EQ(m("run t.csv -o a.tbt"), kExitBadInput);
  EXPECT_EQ(m.out.text, "");
  EXPECT_NE(m.err.text.find("t.csv"), std::string::npos) << m.err.text;
  EXPECT_EQ(lines_of(m.err.text).size(), 1U) << m.err.text;
  EXPECT_EQ(m.files.files.count("a.tbt"), 0U);
}

TEST(Run, ScenarioFileThenFilesItNamesAreFoundBesideIt) {
  FakeMachine m;
  m.files.files["dir/s.json"] = R"({"workload": {"kind": "azure-csv", "path": "rows.csv"}})";
  m.files.files["dir/rows.csv"] =
      "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,20,5\n";
  const Json json = json_of(m, "run dir/s.json");
  EXPECT_EQ(json["requests"], 1);
  EXPECT_EQ(json["tokens"], 5);
}

TEST(Run, BadScenariosThenExitCode2OneLineNothingWritten) {
  FakeMachine m;
  m.files.files["empty.json"] = "";
  m.files.files["text.json"] = "{ not json";
  m.files.files["key.json"] = R"({"workloda": {}})";
  m.files.files["range.json"] =
      R"({"engine": {"max_num_seqs": 0}, "workload": {"kind": "azure-csv", "path": "x"}})";
  m.files.files["gone.json"] = R"({"workload": {"kind": "azure-csv", "path": "gone.csv"}})";
  const std::size_t before = m.files.files.size();
  for (const char* scenario :
       {"empty.json", "text.json", "key.json", "range.json", "gone.json", "none.json",
        "no-such-name", "azure-conv --set nothing", "azure-conv --set nothing=1",
        "azure-conv --set engine.max_num_seqs=-1", "azure-conv --set engine.max_num_seqs=x"}) {
    EXPECT_EQ(m(std::string("run ") + scenario + " -o a.tbt"), kExitBadInput) << scenario;
    EXPECT_EQ(m.out.text, "") << scenario;
    EXPECT_EQ(lines_of(m.err.text).size(), 1U) << scenario << "\n" << m.err.text;
    EXPECT_NE(m.err.text.find(", want "), std::string::npos) << m.err.text;
    EXPECT_EQ(m.files.files.size(), before) << scenario;
  }
  EXPECT_EQ(m("run range.json"), kExitBadInput);
  EXPECT_NE(m.err.text.find("range.json:/engine/max_num_seqs: got 0"), std::string::npos)
      << m.err.text;
}

TEST(Run, SetsThenTheScenarioChangesAndSetWinsOverItsOption) {
  FakeMachine m;
  const Json json = json_of(m, "run decode-small --seed 5 --set seed=6 --set rows.R11=sync");
  EXPECT_EQ(json["seed"], 6);
  EXPECT_EQ(json["schedule"], "mixed");
}

TEST(Run, UnwritableOutputThenExitCode2BeforeTheRun) {
  FakeMachine m;
  EXPECT_EQ(m("run azure-conv -o missing/a.tbt"), kExitBadInput);
  EXPECT_NE(m.err.text.find("missing/a.tbt"), std::string::npos) << m.err.text;
  EXPECT_EQ(m("run azure-conv --json missing/a.json"), kExitBadInput);
  EXPECT_TRUE(m.files.files.empty());
}

TEST(Run, DeviceFullBeforeTheFirstBlockThenNothingStays) {
  FakeMachine m;
  m.files.space_bytes = 10;
  EXPECT_EQ(m("run azure-conv --steps 300 -o a.tbt"), kExitBadInput);
  EXPECT_NE(m.err.text.find("no space left"), std::string::npos) << m.err.text;
  EXPECT_TRUE(m.files.files.empty());
}

TEST(Run, DeviceFullLaterThenPartKeepsWholeBlocksAndVerifies) {
  FakeMachine m;
  ASSERT_EQ(m("run azure-conv --steps 3000 -o a.tbt"), kExitClean) << m.err.text;
  const std::string whole = m.files.files["a.tbt"];
  m.files.space_bytes = whole.size() * 3 / 4;
  EXPECT_EQ(m("run azure-conv --steps 3000 -o b.tbt"), kExitBadInput);
  EXPECT_NE(m.err.text.find("b.tbt.part keeps the steps up to the last complete block"),
            std::string::npos)
      << m.err.text;
  EXPECT_EQ(lines_of(m.err.text).size(), 1U) << m.err.text;
  ASSERT_EQ(m.files.files.count("b.tbt"), 0U);
  const std::string part = m.files.files["b.tbt.part"];
  ASSERT_FALSE(part.empty());
  EXPECT_EQ(whole.substr(0, part.size()), part);
  EXPECT_EQ(m("verify b.tbt.part"), kExitBadInput);
  EXPECT_NE(m.out.text.find("verdict         clean"), std::string::npos) << m.out.text;
}

TEST(Run, StopFlagThenExitCode130AndATraceThatIsWhole) {
  FakeMachine m;
  m.stop = true;
  EXPECT_EQ(m("run azure-conv --steps 3000 -o a.tbt"), kExitInterrupted) << m.err.text;
  EXPECT_NE(m.out.text.find("interrupted "), std::string::npos) << m.out.text;
  m.stop = false;
  EXPECT_EQ(m("dump a.tbt --jsonl"), kExitClean) << m.err.text;
}

TEST(Run, RecordOffThenNotVerifiedAndSameTokens) {
  FakeMachine m;
  const Json off = json_of(m, "run decode-small --record off");
  const Json state = json_of(m, "run decode-small");
  EXPECT_EQ(off["verified"], false);
  EXPECT_TRUE(off["divergences"].is_null());
  EXPECT_EQ(off["token_digest"], state["token_digest"]);
}

TEST(Run, OtherLevelsThenVerifiedWithTheSameCounters) {
  FakeMachine m;
  const Json state = json_of(m, "run decode-small");
  for (const char* level : {"timeline", "full"}) {
    const Json json =
        json_of(m, std::string("run decode-small -o ") + level + ".tbt --record " + level);
    EXPECT_EQ(json["record"], level);
    EXPECT_EQ(json["divergences"], 0);
    EXPECT_EQ(json["counter_digest"], state["counter_digest"]);
    EXPECT_EQ(m(std::string("verify ") + level + ".tbt"), kExitClean) << m.out.text << m.err.text;
  }
}

TEST(Run, NoVerifyWithOutputThenTheSameBytes) {
  FakeMachine m;
  ASSERT_EQ(m("run decode-small -o a.tbt"), kExitClean);
  ASSERT_EQ(m("run decode-small -o b.tbt --no-verify"), kExitClean);
  EXPECT_NE(m.out.text.find("verdict         not verified"), std::string::npos);
  EXPECT_EQ(m.files.files["a.tbt"], m.files.files["b.tbt"]);
}

TEST(Run, CompressedThenSmallerWithTheSameVerdictOrRefusedByName) {
  FakeMachine m;
  const int exit_code = m("run azure-conv --steps 500 -o a.tbt --compress zstd");
  if (!zstd_available()) {
    EXPECT_EQ(exit_code, kExitBadInput);
    EXPECT_NE(m.err.text.find("--compress: got 'zstd'"), std::string::npos);
    return;
  }
  ASSERT_EQ(exit_code, kExitClean) << m.err.text;
  ASSERT_EQ(m("run azure-conv --steps 500 -o b.tbt"), kExitClean);
  EXPECT_LT(m.files.files["a.tbt"].size(), m.files.files["b.tbt"].size());
  Json a = json_of(m, "verify a.tbt")["traces"][0];
  Json b = json_of(m, "verify b.tbt")["traces"][0];
  a.erase("trace");
  b.erase("trace");
  EXPECT_EQ(a, b);
}

TEST(Run, JsonToAFileThenTextOnOutputAndTheDocumentInTheFile) {
  FakeMachine m;
  EXPECT_EQ(m("run decode-small --json r.json"), kExitClean) << m.err.text;
  EXPECT_EQ(m.out.text.rfind("scenario ", 0), 0U) << m.out.text;
  EXPECT_EQ(Json::parse(m.files.files["r.json"])["scenario"], "decode-small");
}

TEST(Run, TerminalThenProgressIsClearedAndPipeSeesNone) {
  FakeMachine m;
  m.err.terminal = true;
  EXPECT_EQ(m("run azure-conv --steps 1000"), kExitClean);
  if (!m.err.text.empty()) {
    EXPECT_EQ(m.err.text.substr(m.err.text.size() - 4), "\r\x1b[K");
    EXPECT_EQ(m.err.text.find('\n'), std::string::npos);
  }
  m.err.terminal = false;
  EXPECT_EQ(m("run azure-conv --steps 1000"), kExitClean);
  EXPECT_EQ(m.err.text, "");
}

}  // namespace
}  // namespace tandem::cli
