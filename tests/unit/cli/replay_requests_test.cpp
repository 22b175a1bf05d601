// `tandem run --replay-requests` in-process: the same requests in another schedule, and refusals.
#include <string>
#include <utility>

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

TEST(ReplayRequests, NothingChangedThenTheSameBytes) {
  FakeMachine m;
  for (const std::string name : {"azure-conv", "decode-small", "dnode-every-length", "ngram-self",
                                 "abort-crosses-the-end"}) {
    const Json recorded = json_of(m, "run " + name + " --steps 300 -o a.tbt");
    const Json json = json_of(m, "run --replay-requests a.tbt --steps 300 -o b.tbt");
    EXPECT_EQ(json["counter_digest"], recorded["counter_digest"]) << name;
    EXPECT_EQ(m.files.files["b.tbt"], m.files.files["a.tbt"]) << name;
    EXPECT_EQ(json["extrapolated"], false);
    EXPECT_EQ(json["replay_requests"]["acceptance"], "recorded");
  }
}

TEST(ReplayRequests, AnotherScheduleThenTheSameTokensAndNoDivergence) {
  FakeMachine m;
  for (const std::string name :
       {"abort-everywhere", "abort-crosses-the-end", "preempt-everywhere", "arrivals-by-time",
        "park-and-revive", "stop-sequences", "cached-prompts"}) {
    const Json recorded = json_of(m, "run " + name + " -o a.tbt");
    for (const std::string change :
         {"--schedule sync", "--policy upper-bound", "--set rows.R2=sync",
          "--set engine.num_speculative_tokens=2", "--set engine.max_num_seqs=1",
          "--set engine.max_num_batched_tokens=64", "--set engine.block_size=32"}) {
      const std::string line = "run --replay-requests a.tbt " + change;
      if (m(line) == kExitBadInput) continue;  // that does not fit this scenario
      const Json json = json_of(m, line);
      EXPECT_EQ(json["token_digest"], recorded["token_digest"]) << name << " " << change;
      EXPECT_EQ(json["requests"], recorded["requests"]) << name << " " << change;
      EXPECT_EQ(json["divergences"], 0) << name << " " << change;
    }
    const Json sync = json_of(m, "run --replay-requests a.tbt --schedule sync");
    EXPECT_EQ(sync["schedule"], "sync");
    EXPECT_EQ(sync["token_digest"], recorded["token_digest"]);
  }
}

TEST(ReplayRequests, PolicyThatIsWrongForThemThenItsDivergence) {
  FakeMachine m;
  ASSERT_EQ(m("run dnode-short-drafts -o a.tbt"), kExitClean) << m.err.text;
  const Json json = json_of(m, "run --replay-requests a.tbt --policy predict-sum", kExitDiverged);
  EXPECT_GT(json["divergences"], 0);
  EXPECT_NE(json["first_divergence"].get<std::string>().find(" policy=predict-sum"),
            std::string::npos);
}

TEST(ReplayRequests, ScenarioThenItsEngineWithTheRequestsOfTheTrace) {
  FakeMachine m;
  const Json recorded = json_of(m, "run decode-small -o a.tbt");
  const Json json = json_of(m, "run azure-conv --replay-requests a.tbt");
  EXPECT_EQ(json["scenario"], "azure-conv");
  EXPECT_EQ(json["requests"], recorded["requests"]);
  EXPECT_EQ(json["token_digest"], recorded["token_digest"]);
  EXPECT_NE(json["counter_digest"], recorded["counter_digest"]);
}

TEST(ReplayRequests, MoreDraftsThanRecordedThenRefusedUnlessAProfileIsGiven) {
  FakeMachine m;
  ASSERT_EQ(m("run decode-small -o a.tbt"), kExitClean) << m.err.text;
  const std::string line = "run --replay-requests a.tbt --set engine.num_speculative_tokens=8";
  expect_refused(m, line, "--replay-requests: got engine.num_speculative_tokens=8, want at most 3");
  EXPECT_NE(m.err.text.find("give --accept-profile"), std::string::npos) << m.err.text;
  m.files.files["p.json"] = R"({"kind": "constant", "p": 0.7})";
  std::string digest;
  for (const char* profile : {"constant:0.7", "p.json"}) {
    const Json json = json_of(m, line + " --accept-profile " + profile);
    EXPECT_EQ(json["extrapolated"], true);
    EXPECT_EQ(json["replay_requests"]["acceptance"], "profile");
    EXPECT_EQ(json["divergences"], 0);
    const auto counters = json["counter_digest"].get<std::string>();
    if (!digest.empty()) {
      EXPECT_EQ(counters, digest);
    }
    digest = counters;
  }
  EXPECT_EQ(m(line + " --accept-profile constant:0.7"), kExitClean);
  EXPECT_NE(m.out.text.find("\nacceptance      extrapolated: --accept-profile\n"),
            std::string::npos)
      << m.out.text;
}

TEST(ReplayRequests, WhatBelongsToTheRequestsThenRefusedByName) {
  FakeMachine m;
  ASSERT_EQ(m("run decode-small -o a.tbt"), kExitClean) << m.err.text;
  for (const auto& [change, error] : {
           std::pair{"--seed 12", "--replay-requests: got seed=12, want "},
           std::pair{"--set arrivals=time", "--replay-requests: got arrivals=\"time\", want"},
           std::pair{"--set model.vocab_size=900", "--replay-requests: got model.vocab_size=900"},
           std::pair{"--set workload.requests=3", "want no key of `workload`"},
           std::pair{"--set acceptance.p=0.2", "want no key of `acceptance`"},
           std::pair{"--until 1s", "--until: got '1s' with a replay"},
           std::pair{"--accept-profile sometimes", "--accept-profile: got 'sometimes'"},
           std::pair{"--accept-profile constant:7", "--accept-profile: got '7', want a number in"},
           std::pair{"--accept-profile constant:", "--accept-profile: got '', want a number in"},
           std::pair{"--accept-profile per-position:0.5,0.4,", "--accept-profile: got '', want"},
           std::pair{"--accept-profile per-position:1,nan", "--accept-profile: got 'nan', want"},
           std::pair{"--set engine.max_model_len=8", "a.tbt: request 0: got a prompt of"},
       }) {
    expect_refused(m, std::string("run --replay-requests a.tbt ") + change, error);
  }
}

TEST(ReplayRequests, TraceWithoutTableOrRowsThenRefused) {
  FakeMachine m;
  record_as_jsonl(m, "decode-small", "a.jsonl");
  test::blank(m, "a.jsonl", Json({"tasks"}));
  expect_refused(m, "run --replay-requests a.jsonl",
                 "a.jsonl: got a trace without `tasks` and so without request table");
  record_as_jsonl(m, "decode-small", "a.jsonl");
  edit_line(m, "a.jsonl", [](Json& line) {
    if (!line.contains("tasks") || line["tasks"].empty()) return false;
    line["tasks"][0]["row"]["prompt_len"] = 0;
    return true;
  });
  expect_refused(m, "run --replay-requests a.jsonl", "request 0: got prompt_len 0 in its row");
}

TEST(ReplayRequests, TraceWithoutAcceptanceThenItsCountsInAnySchedule) {
  FakeMachine m;
  for (const char* name : {"decode-small", "preempt-everywhere", "stop-sequences"}) {
    record_as_jsonl(m, name, "a.jsonl");
    test::blank(m, "a.jsonl", Json::array());
    const Json overlap = json_of(m, "run --replay-requests a.jsonl");
    const Json sync = json_of(m, "run --replay-requests a.jsonl --schedule sync");
    EXPECT_EQ(overlap["replay_requests"]["acceptance"], "commits");
    EXPECT_EQ(overlap["token_digest"], sync["token_digest"]) << name;
    EXPECT_EQ(overlap["requests"], sync["requests"]) << name;
    EXPECT_EQ(overlap["divergences"], 0) << name;
    EXPECT_EQ(sync["divergences"], 0) << name;
  }
}

TEST(ReplayRequests, CountsAtTheirOwnBatchesThenTheRecordedCounters) {
  FakeMachine m;
  const Json recorded = json_of(m, "run decode-small");
  record_as_jsonl(m, "decode-small", "a.jsonl");
  test::blank(m, "a.jsonl", Json::array());
  const Json json = json_of(m, "run --replay-requests a.jsonl");
  EXPECT_EQ(json["counter_digest"], recorded["counter_digest"]);
}

TEST(ReplayRequests, TraceFromTheMiddleWithoutAcceptanceThenTheRestOfItsRequests) {
  FakeMachine m;
  record_in_blocks(m, "decode-small", 8, "a.tbt");
  ASSERT_EQ(m("dump a.tbt --steps 16:23 --jsonl"), kExitClean) << m.err.text;
  m.files.files["m.jsonl"] = m.out.text;
  test::blank(m, "m.jsonl", Json::array());
  const Json json = json_of(m, "run --replay-requests m.jsonl");
  const Json& counts = json["replay_requests"];
  EXPECT_GT(counts["resumed"], 0);
  EXPECT_GT(counts["open_cut"], 0);
  EXPECT_EQ(json["requests"], counts["requests"]);
  EXPECT_EQ(json["divergences"], 0);
  const Json sync = json_of(m, "run --replay-requests m.jsonl --schedule sync");
  EXPECT_EQ(json["token_digest"], sync["token_digest"]);
}

}  // namespace
}  // namespace tandem::cli
