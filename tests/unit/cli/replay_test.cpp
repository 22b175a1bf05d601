// `tandem run --replay` in-process: equal runs, refusals, edited traces told where, damage.
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/cli/fake_io.hpp"
#include "tests/unit/cli/replay_cases.hpp"

namespace tandem::cli {
namespace {

using Json = nlohmann::json;
using test::edit_line;
using test::expect_refused;
using test::FakeMachine;
using test::json_of;
using test::record_as_jsonl;
using test::record_in_blocks;

TEST(Replay, BothSchedulesThenTheSameBytesAndDigests) {
  FakeMachine m;
  for (const std::string name :
       {"azure-conv --steps 300", "abort-everywhere", "abort-crosses-the-end", "preempt-everywhere",
        "dnode-every-length", "park-and-revive", "stop-preempted"}) {
    for (const char* schedule : {"overlap", "sync"}) {
      const std::string line = "run " + name + " --schedule " + schedule;
      const Json recorded = json_of(m, line + " -o a.tbt");
      const Json json = json_of(m, "run --replay a.tbt -o b.tbt");
      const Json comparison = json["replay"]["comparison"];
      EXPECT_TRUE(comparison["reproduced"]) << line << comparison;
      EXPECT_EQ(comparison["steps_compared"], recorded["steps"]) << line;
      EXPECT_EQ(comparison["counter_digest_replayed"], comparison["counter_digest_recorded"]);
      EXPECT_TRUE(comparison["not_compared"].empty()) << comparison;
      for (const char* key : {"scenario", "schedule", "steps", "requests", "tokens", "token_digest",
                              "counter_digest", "divergences"}) {
        EXPECT_EQ(json[key], recorded[key]) << line << " " << key;
      }
      EXPECT_EQ(m.files.files["b.tbt"], m.files.files["a.tbt"]) << line;
    }
  }
}

TEST(Replay, TextThenTheTraceTheKindAndThatItIsReproduced) {
  FakeMachine m;
  ASSERT_EQ(m("run decode-small -o a.tbt"), kExitClean) << m.err.text;
  EXPECT_EQ(m("run --replay a.tbt"), kExitClean) << m.err.text;
  EXPECT_NE(m.out.text.find("\nreplay          a.tbt, batch-exact, "), std::string::npos);
  EXPECT_NE(m.out.text.find("\nreproduced      yes: "), std::string::npos) << m.out.text;
  EXPECT_EQ(m("run --replay a.tbt --record off"), kExitClean) << m.err.text;
  EXPECT_NE(m.out.text.find("\nreproduced      not compared: --record off\n"), std::string::npos);
}

TEST(Replay, ThreadsExecutorOrStepsThenTheSameAsFarAsItGoes) {
  FakeMachine m;
  ASSERT_EQ(m("run azure-conv --steps 200 -o a.tbt"), kExitClean) << m.err.text;
  const Json threads = json_of(m, "run --replay a.tbt --executor threads");
  EXPECT_EQ(threads["replay"]["comparison"]["steps_compared"], 200);
  const Json part = json_of(m, "run --replay a.tbt --steps 50");
  EXPECT_EQ(part["replay"]["comparison"]["steps_compared"], 50);
  EXPECT_TRUE(part["replay"]["comparison"]["reproduced"]);
}

TEST(Replay, KeysThatLeaveBatchesAloneThenReproducedButForWhatTheyTouch) {
  FakeMachine m;
  ASSERT_EQ(m("run azure-conv --steps 100 -o a.tbt"), kExitClean) << m.err.text;
  const auto not_compared = [&m](const std::string& change) {
    const Json json = json_of(m, "run --replay a.tbt --set " + change);
    const Json& comparison = json["replay"]["comparison"];
    EXPECT_TRUE(comparison["reproduced"]) << change << comparison;
    EXPECT_EQ(json["divergences"], 0) << change;
    return comparison["not_compared"].size();
  };
  EXPECT_GT(not_compared("copies=own"), 0U);
  EXPECT_GT(not_compared("engine.pinned_ring_depth=4"), 0U);
  EXPECT_GT(not_compared("engine.cuda_graphs=false"), 0U);
  EXPECT_EQ(not_compared("timing.host_op_ns=9000"), 0U);
}

TEST(Replay, ChangeOfRowsPolicySizesOrSeedThenRefusedByName) {
  FakeMachine m;
  ASSERT_EQ(m("run decode-small -o a.tbt"), kExitClean) << m.err.text;
  const std::string remedy =
      "as a.tbt was recorded; to change it, reschedule with --replay-requests";
  for (const auto& [change, error] : {
           std::pair{"--schedule sync", "--replay: got rows.R0=\"sync\", want \"overlap\""},
           std::pair{"--set rows.R2=sync", "--replay: got rows.R2=\"sync\", want \"overlap\""},
           std::pair{"--policy predict-sum", "--replay: got policy=\"predict-sum\", want"},
           std::pair{"--set engine.num_speculative_tokens=2", "engine.num_speculative_tokens=2"},
           std::pair{"--set engine.max_num_seqs=3", "--replay: got engine.max_num_seqs=3, want"},
           std::pair{"--set draft_path=self", "--replay: got draft_path=\"self\", want \"gather\""},
           std::pair{"--seed 12", "--replay: got seed=12, want "},
       }) {
    expect_refused(m, std::string("run --replay a.tbt ") + change, error);
    EXPECT_NE(m.err.text.find(remedy), std::string::npos) << m.err.text;
  }
}

TEST(Replay, OptionsThatDoNotGoTogetherThenOneSentence) {
  FakeMachine m;
  ASSERT_EQ(m("run decode-small -o a.tbt"), kExitClean) << m.err.text;
  for (const auto& [arguments, error] : {
           std::pair{"", "tandem run: got no SCENARIO, want one, --replay TRACE or"},
           std::pair{"--replay a.tbt --replay-requests a.tbt", "--replay-requests: got it beside"},
           std::pair{"--replay a.tbt --accept-profile constant:0.5", "--accept-profile: got it"},
           std::pair{"single-slot --accept-profile constant:0.5", "--accept-profile: got it"},
           std::pair{"--replay a.tbt --set workload.requests=3", "want no key of `workload`"},
           std::pair{"--replay a.tbt --set acceptance.p=0.2", "want no key of `acceptance`"},
           std::pair{"--replay a.tbt --rate-scale 2", "--rate-scale: got '2' with a replay"},
           std::pair{"--replay a.tbt --from 1s", "--from: got '1s' with a replay"},
           std::pair{"--replay a.tbt -o a.tbt", "-o: got the trace that is replayed"},
           std::pair{"--replay none.tbt", "none.tbt: no such file"},
           std::pair{"--replay a.tbt --set engine.kv_blocks=1", "engine.kv_blocks"},
       }) {
    expect_refused(m, std::string("run ") + arguments, error);
  }
}

TEST(Replay, ChangedCountThenItDiffersThereAndOnlyThere) {
  FakeMachine m;
  record_as_jsonl(m, "decode-small", "a.jsonl");
  ASSERT_EQ(json_of(m, "run --replay a.jsonl")["replay"]["comparison"]["steps_differing"], 0);
  std::int64_t step = -1;
  edit_line(m, "a.jsonl", [&step](Json& line) {
    if (!line.contains("p2.a") || line["t"] < 4 || line["p2.a"][0] < 1) return false;
    step = line["t"];
    line["p2.a"][0] = line["p2.a"][0].get<int>() + 1;
    return true;
  });
  ASSERT_GE(step, 4);
  const Json json = json_of(m, "run --replay a.jsonl", kExitDiverged);
  const Json comparison = json["replay"]["comparison"];
  EXPECT_FALSE(comparison["reproduced"]);
  EXPECT_EQ(comparison["steps_differing"], 1);
  EXPECT_EQ(comparison["differing_fields"], Json({{"p2.a", 1}}));
  const std::string line = comparison["first_difference"];
  EXPECT_EQ(line.rfind("replay difference step=" + std::to_string(step) + " slot=0 field=p2.a ", 0),
            0U)
      << line;
  EXPECT_EQ(json["divergences"], 0) << "what was replayed is sound";
}

TEST(Replay, ChangedChunkThenTheBatchesOfItsTailDiffer) {
  FakeMachine m;
  record_as_jsonl(m, "chunked-prefill", "a.jsonl");
  edit_line(m, "a.jsonl", [](Json& line) {
    if (!line.contains("tasks") || line["tasks"].empty()) return false;
    Json& task = line["tasks"][0];
    if (task["kind"] != "prefill" || task["end"].get<int>() < 2) return false;
    task["end"] = task["end"].get<int>() - 1;
    return true;
  });
  const Json json = json_of(m, "run --replay a.jsonl", kExitDiverged);
  EXPECT_FALSE(json["replay"]["comparison"]["reproduced"]);
}

TEST(Replay, BatchThatNoDeviceCanCarryOutThenRefusedWithItsPlace) {
  using Edit = void (*)(Json & task);
  for (const auto& [edit, error] : {
           std::pair<Edit, const char*>{[](Json& task) { task["slot"] = 512; }, "slot: got 512"},
           {[](Json& task) { task["end"] = 1'000'000; }, "end: got 1000000"},
           {[](Json& task) { task["blocks"][0] = -3; }, "blocks: got -3"},
           {[](Json& task) { task["row"]["prompt_len"] = 0; }, "row.prompt_len: got 0"},
           {[](Json& task) { task["row"]["id"] = 77; }, "row.id: got 77"},
       }) {
    FakeMachine m;
    record_as_jsonl(m, "decode-small", "a.jsonl");
    edit_line(m, "a.jsonl", [edit = edit](Json& line) {
      if (!line.contains("tasks") || line["tasks"].empty()) return false;
      edit(line["tasks"][0]);
      return true;
    });
    expect_refused(m, "run --replay a.jsonl", std::string("a.jsonl: step 0: tasks[0].") + error);
  }
}

TEST(Replay, TornTraceThenItsReadablePartAndExitCode2) {
  FakeMachine m;
  ASSERT_EQ(m("run azure-conv --steps 700 -o a.tbt"), kExitClean) << m.err.text;
  m.files.files["a.tbt"].resize(m.files.files["a.tbt"].size() * 9 / 10);
  const Json json = json_of(m, "run --replay a.tbt", kExitBadInput);
  EXPECT_EQ(json["replay"]["steps_recorded"], 512) << "one whole block of 64 slots";
  EXPECT_TRUE(json["replay"]["comparison"]["reproduced"]);
  EXPECT_FALSE(json["replay"]["damage"].is_null());
  m.files.files["a.tbt"].resize(3000);
  expect_refused(m, "run --replay a.tbt", "a.tbt: got no step that can be read");
}

TEST(Replay, TraceFromTheMiddleThenFromItsStepOn) {
  FakeMachine m;
  record_in_blocks(m, "decode-small", 8, "a.tbt");
  ASSERT_EQ(m("dump a.tbt --steps 16:23 --jsonl"), kExitClean) << m.err.text;
  m.files.files["m.jsonl"] = m.out.text;
  const Json json = json_of(m, "run --replay m.jsonl -o b.tbt");
  EXPECT_TRUE(json["replay"]["comparison"]["reproduced"]) << json["replay"];
  EXPECT_EQ(json["replay"]["comparison"]["steps_compared"], 8);
  EXPECT_EQ(json["divergences"], 0);
  ASSERT_EQ(m("verify b.tbt"), kExitClean) << m.out.text;
  EXPECT_NE(m.out.text.find("\nsteps           8\n"), std::string::npos) << m.out.text;
}

TEST(Replay, TraceFromTheMiddleWhoseTokensNoScriptHasThenRefused) {
  using Edit = void (*)(Json & keyframe);
  for (const auto& [edit, error] : {
           std::pair<Edit, const char*>{
               [](Json& k) { k["draft_digest"][0] = k["draft_digest"][0].get<int>() ^ 1; },
               "m.jsonl: first keyframe: got a digest of draft tokens of slot 0"},
           {[](Json& k) { k["q"][0] = 9; }, "m.jsonl: first keyframe: q of slot 0: got 9"},
       }) {
    FakeMachine m;
    record_in_blocks(m, "decode-small", 8, "a.tbt");
    ASSERT_EQ(m("dump a.tbt --steps 16:23 --jsonl"), kExitClean) << m.err.text;
    m.files.files["m.jsonl"] = m.out.text;
    edit_line(m, "m.jsonl", [edit = edit](Json& line) {
      if (line["type"] == "keyframe") edit(line["keyframe"]);
      return line["type"] == "keyframe";
    });
    expect_refused(m, "run --replay m.jsonl", error);
  }
}

// A recorder of a real model states no acceptance and keeps no token that a script could know.
TEST(Replay, TraceWithoutAcceptanceThenItsCountsAreRepeated) {
  FakeMachine m;
  for (const char* name : {"decode-small", "preempt-everywhere", "stop-sequences"}) {
    record_as_jsonl(m, name, "a.jsonl");
    edit_line(m, "a.jsonl", [](Json& line) {
      if (line["type"] != "header") return false;
      line["header"]["config"]["acceptance"]["millionths"] = Json::array();
      return true;
    });
    const Json json = json_of(m, "run --replay a.jsonl");
    const Json comparison = json["replay"]["comparison"];
    EXPECT_EQ(json["replay"]["acceptance"], "commits");
    EXPECT_TRUE(comparison["reproduced"]) << name << comparison;
    EXPECT_EQ(comparison["counter_digest_replayed"], comparison["counter_digest_recorded"]);
    EXPECT_EQ(json["divergences"], 0) << name << json["first_divergence"];
  }
}

TEST(Replay, TraceWithoutTasksOrCountsThenRefused) {
  FakeMachine m;
  for (const auto& [absent, error] : {
           std::pair{Json({"tasks"}), "got a trace without `tasks` and so without request table"},
           std::pair{Json({"p2.a", "p2.g", "p2.d", "p4.g"}), "got no accepted counts: `p2.a`"},
       }) {
    record_as_jsonl(m, "decode-small", "a.jsonl");
    test::blank(m, "a.jsonl", absent);
    expect_refused(m, "run --replay a.jsonl", error);
  }
}

}  // namespace
}  // namespace tandem::cli
