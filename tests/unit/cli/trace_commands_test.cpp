// `verify`, `info`, `dump` and `plan` in-process on traces that `run` wrote.
#include <algorithm>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/cli/fake_io.hpp"
#include "tests/unit/cli/pressed_scenario.hpp"

namespace tandem::cli {
namespace {

using Json = nlohmann::json;
using test::FakeMachine;
using test::lines_of;

class TraceCommands : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(m_("run azure-conv --set engine.max_num_seqs=8 --steps 1500 -o run.tbt"), kExitClean)
        << m_.err.text;
  }

  static bool has_line(const std::string& text, const std::string& start) {
    const auto lines = lines_of(text);
    return std::any_of(lines.begin(), lines.end(),
                       [&](const std::string& line) { return line.rfind(start, 0) == 0; });
  }

  FakeMachine m_;
};

TEST_F(TraceCommands, VerifyWithAnyJobsThenTheSameTextAndJson) {
  ASSERT_EQ(m_("verify run.tbt --jobs 1"), kExitClean) << m_.out.text << m_.err.text;
  const std::string text = m_.out.text;
  ASSERT_EQ(m_("verify run.tbt --jobs 1 --json -"), kExitClean);
  const std::string json = m_.out.text;
  EXPECT_TRUE(has_line(text, "verdict         clean")) << text;
  for (const char* jobs : {"2", "4", "7"}) {
    EXPECT_EQ(m_(std::string("verify run.tbt --jobs ") + jobs), kExitClean);
    EXPECT_EQ(m_.out.text, text) << jobs;
    EXPECT_EQ(m_(std::string("verify run.tbt --json - --jobs ") + jobs), kExitClean);
    EXPECT_EQ(m_.out.text, json) << jobs;
  }
}

TEST_F(TraceCommands, VerifyOfADivergedTraceWithAnyJobsThenTheSameText) {
  ASSERT_EQ(m_("run dnode-short-drafts --policy predict-sum --unguarded -o bad.tbt"),
            kExitDiverged);
  ASSERT_EQ(m_("verify bad.tbt --all --jobs 1"), kExitDiverged);
  const std::string text = m_.out.text;
  EXPECT_TRUE(has_line(text, "divergence check=V1 ")) << text;
  for (const char* jobs : {"2", "4"}) {
    EXPECT_EQ(m_(std::string("verify bad.tbt --all --jobs ") + jobs), kExitDiverged);
    EXPECT_EQ(m_.out.text, text) << jobs;
  }
  const auto lines = lines_of(text);
  const auto divergence_count =
      std::count_if(lines.begin(), lines.end(),
                    [](const std::string& line) { return line.rfind("divergence ", 0) == 0; });
  EXPECT_GT(divergence_count, 1);
  ASSERT_EQ(m_("verify bad.tbt --json -"), kExitDiverged);
  const Json json = Json::parse(m_.out.text)["traces"][0];
  EXPECT_TRUE(has_line(text, json["first_divergence"].get<std::string>()));
}

TEST_F(TraceCommands, SeveralTracesThenOneVerdictEachAndTheWorstCode) {
  ASSERT_EQ(m_("run dnode-short-drafts --policy predict-sum -o bad.tbt"), kExitDiverged);
  EXPECT_EQ(m_("verify run.tbt none.tbt"), kExitBadInput);
  EXPECT_TRUE(has_line(m_.out.text, "run.tbt"));
  EXPECT_TRUE(has_line(m_.out.text, "none.tbt"));
  EXPECT_EQ(m_("verify run.tbt none.tbt bad.tbt"), kExitDiverged);
  EXPECT_TRUE(has_line(m_.out.text, "bad.tbt"));
  EXPECT_EQ(m_("verify run.tbt bad.tbt --json v.json --junit v.xml"), kExitDiverged);
  EXPECT_EQ(Json::parse(m_.files.files["v.json"])["traces"].size(), 2U);
  EXPECT_NE(m_.files.files["v.xml"].find("<failure message=\"divergence check=V"),
            std::string::npos);
}

TEST_F(TraceCommands, RequiredCheckWithoutInputsThenExitCode2UnlessNotRequired) {
  ASSERT_EQ(m_("dump run.tbt --jsonl"), kExitClean) << m_.err.text;
  // A foreign trace that does not say how many rows were launched: what needs that cannot run.
  auto lines = lines_of(m_.out.text);
  ASSERT_FALSE(lines.empty());
  std::string foreign;
  for (const std::string& line : lines) {
    Json object = Json::parse(line);
    if (object["type"] == "header") object["header"]["absent"] = Json::array({"token_num"});
    if (object["type"] == "step") object.erase("token_num");
    foreign += object.dump() + "\n";
  }
  m_.files.files["foreign.jsonl"] = foreign;
  ASSERT_EQ(m_("verify foreign.jsonl --require none --json -"), kExitClean)
      << m_.out.text << m_.err.text;
  const Json checks = Json::parse(m_.out.text)["traces"][0]["checks"];
  std::string unable;
  for (const auto& [name, count] : checks.items()) {
    if (count["not_checkable"] > 0) unable = name;
  }
  ASSERT_FALSE(unable.empty()) << checks;
  EXPECT_EQ(m_("verify foreign.jsonl --require " + unable), kExitBadInput);
  EXPECT_NE(m_.err.text.find("no inputs for " + unable), std::string::npos) << m_.err.text;
  EXPECT_TRUE(has_line(m_.out.text, "required        " + unable)) << m_.out.text;
  EXPECT_TRUE(has_line(m_.out.text, "not checkable   ")) << m_.out.text;
}

TEST_F(TraceCommands, DumpAsJsonlThenItReadsBackWithTheSameVerdictAndText) {
  ASSERT_EQ(m_("dump run.tbt"), kExitClean);
  const std::string text = m_.out.text;
  ASSERT_EQ(m_("dump run.tbt --jsonl"), kExitClean);
  m_.files.files["run.jsonl"] = m_.out.text;
  ASSERT_EQ(m_("dump run.jsonl --jsonl"), kExitClean);
  EXPECT_EQ(m_.out.text, m_.files.files["run.jsonl"]);
  ASSERT_EQ(m_("dump run.jsonl"), kExitClean);
  EXPECT_EQ(m_.out.text, text);
  ASSERT_EQ(m_("verify run.jsonl --json -"), kExitClean) << m_.out.text;
  Json twin = Json::parse(m_.out.text)["traces"][0];
  ASSERT_EQ(m_("verify run.tbt --json -"), kExitClean);
  Json original = Json::parse(m_.out.text)["traces"][0];
  twin.erase("trace");
  original.erase("trace");
  EXPECT_EQ(twin, original);
}

TEST_F(TraceCommands, DumpOfSomeStepsThenThoseStepsIn80Columns) {
  ASSERT_EQ(m_("dump run.tbt --steps 1000:1003"), kExitClean) << m_.err.text;
  for (const char* step : {"step 1000 ", "step 1001 ", "step 1002 "}) {
    EXPECT_TRUE(has_line(m_.out.text, step)) << m_.out.text;
  }
  EXPECT_FALSE(has_line(m_.out.text, "step 999 "));
  EXPECT_FALSE(has_line(m_.out.text, "step 1003 "));
  EXPECT_TRUE(has_line(m_.out.text, "  slot  request")) << m_.out.text;
  for (const std::string& line : lines_of(m_.out.text)) EXPECT_LE(line.size(), 80U) << line;
}

TEST_F(TraceCommands, DumpOfSomeStepsAsJsonlThenWholeBlocksThatVerify) {
  ASSERT_EQ(m_("dump run.tbt --jsonl --steps 700:701"), kExitClean) << m_.err.text;
  m_.files.files["part.jsonl"] = m_.out.text;
  ASSERT_EQ(m_("dump part.jsonl --steps 700"), kExitClean) << m_.err.text;
  EXPECT_TRUE(has_line(m_.out.text, "step 700 "));
  EXPECT_EQ(m_("verify part.jsonl"), kExitClean) << m_.out.text << m_.err.text;
}

TEST_F(TraceCommands, DumpOfStepsThatAreNotThereThenExitCode2) {
  EXPECT_EQ(m_("dump run.tbt --steps 1500:1600"), kExitBadInput);
  EXPECT_EQ(m_.err.text, "error: --steps: got '1500:1600', want steps in [0, 1500)\n");
  EXPECT_EQ(m_.out.text, "");
}

TEST_F(TraceCommands, DumpWithoutAReaderThenQuietCode0) {
  m_.out.reader_reads = 100'000;
  EXPECT_EQ(m_("dump run.tbt"), kExitClean);
  EXPECT_EQ(m_.err.text, "");
  EXPECT_EQ(m_("dump run.tbt --jsonl"), kExitClean);
  EXPECT_EQ(m_.err.text, "");
}

TEST_F(TraceCommands, InfoThenWhatTheFileHolds) {
  ASSERT_EQ(m_("info run.tbt"), kExitClean) << m_.err.text;
  for (const char* start : {"scenario        azure-conv", "schedule        overlap",
                            "device          host, executor det", "producer        tandem 0.0.0",
                            "level           state", "steps           1,500 from step 0 on",
                            "records         ", "requests        ", "segments        ",
                            "blocks          ", "size            ", "closed          yes",
                            "damage          none", "absent fields   none", "compression     "}) {
    EXPECT_TRUE(has_line(m_.out.text, start)) << start << "\n" << m_.out.text;
  }
  for (const std::string& line : lines_of(m_.out.text)) EXPECT_LE(line.size(), 80U) << line;
}

TEST_F(TraceCommands, InfoOfARunWithPreemptionsThenEachRequestOnce) {
  m_.files.files["pressed.json"] = test::pressed_scenario(32);
  ASSERT_EQ(m_("run pressed.json -o p.tbt"), kExitClean) << m_.out.text << m_.err.text;
  ASSERT_EQ(m_("dump p.tbt"), kExitClean);
  const auto lines = lines_of(m_.out.text);
  const auto admissions = std::count_if(lines.begin(), lines.end(), [](const std::string& line) {
    return line.find(", admits:") != std::string::npos;
  });
  ASSERT_GT(admissions, 5) << "nothing was admitted again";
  ASSERT_EQ(m_("info p.tbt"), kExitClean);
  EXPECT_TRUE(has_line(m_.out.text, "requests        5 seen, 5 ended, 0 never admitted"))
      << m_.out.text;
}

TEST_F(TraceCommands, StopFlagThenReadersEndWithCode130) {
  m_.stop = true;
  EXPECT_EQ(m_("verify run.tbt"), kExitInterrupted);
  EXPECT_TRUE(has_line(m_.out.text, "interrupted "));
  EXPECT_EQ(m_("dump run.tbt"), kExitInterrupted);
  EXPECT_EQ(m_("dump run.tbt --jsonl"), kExitInterrupted);
  EXPECT_EQ(m_("info run.tbt"), kExitInterrupted);
}

TEST(Plan, TextThenEverySegmentKindIn80Columns) {
  FakeMachine m;
  ASSERT_EQ(m("plan azure-conv"), kExitClean) << m.err.text;
  for (const char* kind : {"\nfront ", "\nsave ", "\nsettle ", "\nback ", "\nempty ", "\nidle "}) {
    EXPECT_NE(m.out.text.find(kind), std::string::npos) << kind;
  }
  EXPECT_NE(m.out.text.find("target_forward"), std::string::npos);
  for (const std::string& line : lines_of(m.out.text)) EXPECT_LE(line.size(), 80U) << line;
}

TEST(Plan, JsonThenTheSameSegmentsAsTheTrace) {
  FakeMachine m;
  ASSERT_EQ(m("plan azure-conv --json"), kExitClean);
  const Json plan = Json::parse(m.out.text);
  EXPECT_EQ(plan["schedule"], "overlap");
  ASSERT_GE(plan["segments"].size(), 6U);
  for (const Json& segment : plan["segments"]) {
    EXPECT_FALSE(segment["operations"].empty()) << segment["kind"];
    EXPECT_EQ(segment["hash"].get<std::string>().size(), 18U);
  }
  ASSERT_EQ(m("plan azure-conv --schedule sync --json"), kExitClean);
  EXPECT_NE(Json::parse(m.out.text)["segments"], plan["segments"]);
}

TEST(Plan, DotThenAGraphWithAClusterASegment) {
  FakeMachine m;
  ASSERT_EQ(m("plan azure-conv --dot"), kExitClean);
  EXPECT_EQ(m.out.text.rfind("digraph \"azure-conv", 0), 0U);
  EXPECT_EQ(std::count(m.out.text.begin(), m.out.text.end(), '{'),
            std::count(m.out.text.begin(), m.out.text.end(), '}'));
  EXPECT_NE(m.out.text.find("subgraph cluster_5"), std::string::npos);
  EXPECT_NE(m.out.text.find("style=dashed"), std::string::npos);
}

}  // namespace
}  // namespace tandem::cli
