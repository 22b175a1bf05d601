// What `run` and `verify` print around a first divergence: golden texts of real and of made ones.
#include <algorithm>
#include <functional>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/cli/fake_io.hpp"
#include "tests/unit/cli/pressed_scenario.hpp"

namespace tandem::cli {
namespace {

using OrderedJson = nlohmann::ordered_json;
using test::FakeMachine;
using test::lines_of;
using test::pressed_scenario;

/// From the line of the first divergence on.
std::string from_divergence(const std::string& text) {
  const std::size_t at = text.find("\ndivergence ");
  return at == std::string::npos ? "" : text.substr(at + 1);
}

/// Writes the twin of `from` as `to`; `edit` may change the object of each line.
void rewrite(FakeMachine& m, const std::string& from, const std::string& to,
             const std::function<void(OrderedJson&)>& edit) {
  ASSERT_EQ(m("dump " + from + " --jsonl"), kExitClean) << m.err.text;
  std::string out;
  for (const std::string& line : lines_of(m.out.text)) {
    OrderedJson object = OrderedJson::parse(line);
    edit(object);
    out += object.dump() + "\n";
  }
  m.files.files[to] = out;
}

void rewrite_step(FakeMachine& m, const std::string& from, const std::string& to, std::int64_t t,
                  const std::function<void(OrderedJson&)>& edit) {
  rewrite(m, from, to, [&](OrderedJson& object) {
    if (object["type"] == "step" && object["t"] == t) edit(object);
  });
}

void expect_80_columns(const std::string& text) {
  for (const std::string& line : lines_of(text)) {
    if (line.rfind("divergence ", 0) == 0) continue;
    EXPECT_LE(line.size(), 80U) << line;
    EXPECT_TRUE(line.empty() || line.back() != ' ') << "'" << line << "'";
  }
}

TEST(Neighbourhood, LaunchTooSmallThenGoldenTextWithTheSlotThatGrew) {
  FakeMachine m;
  ASSERT_EQ(m("run dnode-short-drafts --policy predict-sum --set rows.R6=sync -o a.tbt"),
            kExitDiverged);
  const std::string golden =
      "divergence check=V1 step=2 rank=0 point=P1 slot=- request=- field=token_num host=14 "
      "device=16 oracle=16 belongs_to=2 policy=predict-sum\n"
      "check V1        N covers T; in exact mode N = T and rr = r (semantics 4.2)\n"
      "place           step 2, point P1\n"
      "                                          host        device        oracle\n"
      "  token_num                                 14            16            16\n"
      "  device and oracle agree, the host not\n"
      "       step kind  mode          N  rr   r    T  cached\n"
      "          0 back  exact        10   3   3   10  -1,-1 -> -1,-1       flag\n"
      "          1 back  exact        14   4   4   14  -1,-1 -> 14,4\n"
      ">         2 back  predicted    14   4   4   16  14,4 -> 16,4         GUARD\n"
      "launch          policy predict-sum predicted it in step 1 and the host waited\n"
      "                for nothing\n"
      "                N = sum of q_cpu + parked * W = 14 + 0 * 4 = 14, r^ = 4 that ran\n"
      "                in step 1 + 0 parked = 4\n"
      "rows            slot 3, 2 rows too few: more rows than were counted for it: its\n"
      "                drafts grew from 1 to 3, step 1 was its first on this D node\n";
  EXPECT_EQ(from_divergence(m.out.text), golden);
  ASSERT_EQ(m("verify a.tbt"), kExitDiverged);
  EXPECT_EQ(from_divergence(m.out.text), golden);
}

TEST(Neighbourhood, DraftLaunchTooLargeThenSubStepNamedWithItsTable) {
  FakeMachine m;
  ASSERT_EQ(m("run dnode-short-drafts --policy predict-sum"), kExitDiverged);
  const std::string text = from_divergence(m.out.text);
  EXPECT_NE(text.find(" field=substeps[0].token_num host=16 device=8 oracle=14 "),
            std::string::npos)
      << text;
  EXPECT_NE(
      text.find("\nrows            slot 3 has 2 rows in the main launch, W = 4: first step of"),
      std::string::npos)
      << text;
  EXPECT_NE(text.find("\n     0    16           8           14  r * W\n"), std::string::npos)
      << text;
  expect_80_columns(text);
}

TEST(Neighbourhood, ColumnOfASlotChangedThenItsRowsAndWhatItDid) {
  FakeMachine m;
  ASSERT_EQ(m("run decode-small --steps 20 -o a.tbt"), kExitClean) << m.err.text;
  rewrite_step(m, "a.tbt", "a.jsonl", 3,
               [](OrderedJson& step) { step["p2.d"][2] = step["p2.d"][2].get<int>() + 1; });
  ASSERT_EQ(m("verify a.jsonl"), kExitDiverged) << m.err.text;
  const std::string golden =
      "check V14       P2 follows from P1 and a: g, d, D[0] advance; stopped iff the\n"
      "                last token is EOS (semantics 5.7)\n"
      "place           step 3, point P2, slot 2, request 2\n"
      "                                          host        device        oracle\n"
      "  p2.d                                       -            48            47\n";
  const std::string text = from_divergence(m.out.text);
  EXPECT_EQ(text.substr(text.find('\n') + 1, golden.size()), golden);
  const std::string rows =
      "\n>         3  P1       4     0      45  0  0      6    -\n"
      "             P2       4     0      48  1  0      8    2\n"
      "             P4       0     0      47  1  0      8    2\n"
      "             request 2: decoding: 1 of 3 drafts accepted, 2 tokens; length 45 ->\n"
      "             48, generated 6 -> 8; EOS\n"
      "          4  P1       0     0      47  1  0      8    -\n"
      "             P2       0     0       0  1  0      8    0\n"
      "             P4       0     0       0  1  0      8    0\n"
      "             request 2: finished in step 3 (EOS); the host learns it after this\n"
      "             launch\n";
  EXPECT_NE(text.find(rows), std::string::npos) << text;
  EXPECT_EQ(text.substr(text.size() - 18), "             free\n") << text;
  expect_80_columns(text);
}

TEST(Neighbourhood, SubStepOfASlotChangedThenItsRowsOfEverySubStep) {
  FakeMachine m;
  ASSERT_EQ(m("run decode-small --steps 20 -o a.tbt"), kExitClean) << m.err.text;
  rewrite_step(m, "a.tbt", "a.jsonl", 6,
               [](OrderedJson& step) { step["substeps"][1]["qd"][1] = 0; });
  ASSERT_EQ(m("verify a.jsonl"), kExitDiverged) << m.err.text;
  const std::string text = from_divergence(m.out.text);
  EXPECT_NE(text.find(" slot=1 request=1 field=substeps[1].qd host=- device=0 oracle=1 "),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("\n          1     0      20             1            20       1       1\n"),
            std::string::npos)
      << text;
  expect_80_columns(text);
}

TEST(Neighbourhood, MessageChangedThenTheMessagesOfTheStep) {
  FakeMachine m;
  ASSERT_EQ(m("run decode-small --steps 20 -o a.tbt"), kExitClean) << m.err.text;
  rewrite_step(m, "a.tbt", "a.jsonl", 5,
               [](OrderedJson& step) { step["messages"][0]["count"][0] = 3; });
  ASSERT_EQ(m("verify a.jsonl"), kExitDiverged) << m.err.text;
  const std::string text = from_divergence(m.out.text);
  EXPECT_NE(text.find("; the host's value is of step 4\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nmessages        of step 4, sent behind"), std::string::npos) << text;
}

TEST(Neighbourhood, KeyframeBehindTheLastStepThenTheStepsBeforeAreShown) {
  FakeMachine m;
  ASSERT_EQ(m("run decode-small --steps 20 -o a.tbt"), kExitClean) << m.err.text;
  rewrite(m, "a.tbt", "a.jsonl", [](OrderedJson& object) {
    if (object["type"] != "end") return;
    OrderedJson& d = object["last"]["d"];
    d[0] = d[0].get<int>() + 1;
  });
  ASSERT_EQ(m("verify a.jsonl"), kExitDiverged) << m.out.text << m.err.text;
  const std::string text = from_divergence(m.out.text);
  EXPECT_NE(text.find("divergence check=V0 step=20 "), std::string::npos) << text;
  EXPECT_NE(text.find("\n         18 back "), std::string::npos) << text;
  EXPECT_NE(text.find("\n         19 back "), std::string::npos) << text;
  EXPECT_NE(text.find("\n>        20 no record of it\n"), std::string::npos) << text;
}

// Each slot and step of a run with everything in it: a divergence there must tell the same story
// live, from the file and from its twin, and what the slot did must be known.
TEST(Neighbourhood, AnySlotOfAnyStepThenAStoryIn80Columns) {
  FakeMachine m;
  m.files.files["pressed.json"] = pressed_scenario(32);
  ASSERT_EQ(m("run pressed.json -o a.tbt"), kExitClean) << m.out.text << m.err.text;
  std::string all;
  for (std::int64_t t = 0; t < 60; t += 2) {
    bool changed = false;  // not where an idle run holds the step
    rewrite_step(m, "a.tbt", "a.jsonl", t, [&](OrderedJson& step) {
      changed = true;
      const auto slot = static_cast<std::size_t>(t / 2 % 4);
      if (!step.contains("p1.g")) step["p1.g"] = {0, 0, 0, 0};
      step["p1.g"][slot] = step["p1.g"][slot].get<int>() + 1;
    });
    if (!changed) continue;
    ASSERT_EQ(m("verify a.jsonl"), kExitDiverged) << "step " << t << m.out.text << m.err.text;
    expect_80_columns(m.out.text);
    all += from_divergence(m.out.text);
  }
  for (const char* words :
       {"prefill chunk [", "prefill of text [", "decoding: ", "preempted by a task of", "parked",
        "finished in step ", "(EOS)", "             free\n"}) {
    EXPECT_NE(all.find(words), std::string::npos) << words;
  }
}

TEST(Neighbourhood, EveryBrokenPolicyThenTheSameLiveAndFromTheFile) {
  FakeMachine m;
  for (const char* run :
       {"dnode-short-drafts --policy predict-sum --unguarded",
        "dnode-short-drafts --policy predict-rows", "dnode-short-drafts --policy predict-sum",
        "dnode-short-drafts --policy predict-sum --set rows.R6=sync --unguarded"}) {
    const std::string line = run;
    ASSERT_EQ(m("run " + line + " -o a.tbt"), kExitDiverged) << line << m.err.text;
    const std::string live = from_divergence(m.out.text);
    EXPECT_GT(lines_of(live).size(), 8U) << live;
    expect_80_columns(live);
    ASSERT_EQ(m("verify a.tbt"), kExitDiverged);
    EXPECT_EQ(from_divergence(m.out.text), live) << line;
    ASSERT_EQ(m("run " + line + " --json -"), kExitDiverged);
    const OrderedJson in_run = OrderedJson::parse(m.out.text)["first_divergence_detail"];
    ASSERT_EQ(m("verify a.tbt --json -"), kExitDiverged);
    EXPECT_EQ(OrderedJson::parse(m.out.text)["traces"][0]["first_divergence_detail"], in_run)
        << line;
  }
}

TEST(Neighbourhood, JsonThenValuesStepsAndRowsAsNumbers) {
  FakeMachine m;
  ASSERT_EQ(m("run dnode-short-drafts --policy predict-sum --set rows.R6=sync --json -"),
            kExitDiverged);
  const OrderedJson json = OrderedJson::parse(m.out.text);
  EXPECT_EQ(json["first_divergence"].get<std::string>().rfind("divergence check=V1 ", 0), 0U);
  const OrderedJson& detail = json["first_divergence_detail"];
  EXPECT_EQ(detail["check"], "V1");
  EXPECT_EQ(detail["section"], "4.2");
  EXPECT_EQ(detail["host"], 14);
  EXPECT_EQ(detail["device"], 16);
  EXPECT_EQ(detail["oracle"], 16);
  EXPECT_TRUE(detail["slot"].is_null());
  const OrderedJson& around = detail["neighbourhood"];
  ASSERT_EQ(around["steps"].size(), 3U);
  EXPECT_EQ(around["steps"][2]["is_place"], true);
  EXPECT_EQ(around["steps"][2]["device_rows"], 16);
  EXPECT_TRUE(around["slot"].is_null());
  EXPECT_EQ(around["launch"]["rows"][0]["slot"], 3);
  EXPECT_EQ(around["launch"]["rows"][0]["rows"], -2);
  EXPECT_TRUE(around["not_read"].is_null());
}

TEST(Neighbourhood, JsonOfASlotThenItsPointsAndNullWhereNotRecorded) {
  FakeMachine m;
  ASSERT_EQ(m("run decode-small --steps 20 -o a.tbt"), kExitClean) << m.err.text;
  rewrite_step(m, "a.tbt", "a.jsonl", 3, [](OrderedJson& step) { step["p2.d"][2] = 48; });
  ASSERT_EQ(m("verify a.jsonl --json -"), kExitDiverged) << m.err.text;
  const OrderedJson detail = OrderedJson::parse(m.out.text)["traces"][0]["first_divergence_detail"];
  EXPECT_TRUE(detail["host"].is_null());
  EXPECT_TRUE(detail["neighbourhood"]["launch"].is_null());
  const OrderedJson& slot = detail["neighbourhood"]["slot"];
  EXPECT_EQ(slot["slot"], 2);
  ASSERT_EQ(slot["steps"].size(), 5U);
  EXPECT_EQ(slot["steps"][2]["p2"]["d"], 48);
  EXPECT_TRUE(slot["steps"][2]["p1"]["a"].is_null());
  EXPECT_EQ(slot["steps"][4]["activity"], "free");
  EXPECT_TRUE(slot["steps"][4]["request"].is_null());
}

TEST(Neighbourhood, AllOrSeveralTracesThenOfTheFirstOnly) {
  FakeMachine m;
  const auto count = [](const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++found;
    return found;
  };
  ASSERT_EQ(m("run dnode-short-drafts --policy predict-sum --unguarded -o a.tbt"), kExitDiverged);
  ASSERT_EQ(m("run decode-small --steps 20 -o good.tbt"), kExitClean);
  ASSERT_EQ(m("verify a.tbt --all"), kExitDiverged);
  EXPECT_GT(count(m.out.text, "\ndivergence "), 1U);
  EXPECT_EQ(count(m.out.text, "\nthe first of them:\ncheck V16 "), 1U) << m.out.text;
  ASSERT_EQ(m("verify good.tbt a.tbt a.tbt"), kExitDiverged);
  EXPECT_EQ(count(m.out.text, "\ndivergence "), 2U);
  EXPECT_EQ(count(m.out.text, "\nplace  "), 1U) << m.out.text;
  ASSERT_EQ(m("verify a.tbt a.tbt --json -"), kExitDiverged);
  const OrderedJson traces = OrderedJson::parse(m.out.text)["traces"];
  EXPECT_TRUE(traces[0]["first_divergence_detail"]["neighbourhood"].is_object());
  EXPECT_TRUE(traces[1]["first_divergence_detail"]["neighbourhood"].is_null());
  EXPECT_EQ(traces[0]["first_divergence"], traces[1]["first_divergence"]);
}

TEST(Neighbourhood, CleanThenNone) {
  FakeMachine m;
  ASSERT_EQ(m("run decode-small --steps 20 --json -"), kExitClean);
  EXPECT_TRUE(OrderedJson::parse(m.out.text)["first_divergence_detail"].is_null());
  ASSERT_EQ(m("run decode-small --steps 20"), kExitClean);
  EXPECT_EQ(m.out.text.find("\nplace "), std::string::npos);
}

/// Steps at which blocks begin.
std::vector<std::int64_t> block_starts(const std::string& twin) {
  std::vector<std::int64_t> starts;
  for (const std::string& line : lines_of(twin)) {
    if (line.rfind("{\"type\":\"keyframe\"", 0) != 0) continue;
    starts.push_back(OrderedJson::parse(line)["keyframe"].value("t", std::int64_t{0}));
  }
  return starts;
}

TEST(Neighbourhood, FirstStepOfALaterBlockThenTheStepsOfTheBlockBeforeAreShown) {
  FakeMachine m;
  ASSERT_EQ(m("run azure-conv --steps 700 -o a.tbt"), kExitClean) << m.err.text;
  ASSERT_EQ(m("dump a.tbt --jsonl"), kExitClean);
  const std::int64_t start = block_starts(m.out.text).back();
  ASSERT_GT(start, 2);
  rewrite_step(m, "a.tbt", "a.jsonl", start,
               [](OrderedJson& step) { step["real_bsz"] = step["real_bsz"].get<int>() + 1; });
  ASSERT_EQ(m("verify a.jsonl"), kExitDiverged);
  for (std::int64_t t = start - 2; t <= start + 2; ++t) {
    std::string line = std::to_string(t);
    line = (t == start ? "\n>" : "\n ") + std::string(10 - line.size(), ' ') + line + " ";
    EXPECT_NE(m.out.text.find(line), std::string::npos) << line << m.out.text;
  }
}

TEST(Neighbourhood, FileCutBehindTheDivergenceThenTheStepsThatAreLeftAndWhy) {
  FakeMachine m;
  ASSERT_EQ(m("run azure-conv --steps 700 -o a.tbt"), kExitClean) << m.err.text;
  ASSERT_EQ(m("dump a.tbt --jsonl"), kExitClean);
  const std::int64_t last = block_starts(m.out.text).back() - 1;
  rewrite_step(m, "a.tbt", "a.jsonl", last,
               [](OrderedJson& step) { step["real_bsz"] = step["real_bsz"].get<int>() + 1; });
  const std::string whole = m.files.files["a.jsonl"];
  const std::size_t keyframe = whole.rfind("{\"type\":\"keyframe\"");
  m.files.files["a.jsonl"] = whole.substr(0, keyframe + 30);
  ASSERT_EQ(m("verify a.jsonl"), kExitDiverged) << m.out.text << m.err.text;
  const std::string text = from_divergence(m.out.text);
  EXPECT_NE(text.find("\n> "), std::string::npos) << text;
  EXPECT_EQ(text.find(" " + std::to_string(last + 1) + " back"), std::string::npos) << text;
  EXPECT_NE(text.find("\nnot read        a.jsonl"), std::string::npos) << text;
}

// 0 clean and 3 no device are in usage_test and run_test; here what a divergence adds.
TEST(Neighbourhood, ExitCodesThenDivergenceOutweighsDamageAndBadInput) {
  FakeMachine m;
  ASSERT_EQ(m("run decode-small --steps 20 -o a.tbt"), kExitClean) << m.err.text;
  EXPECT_EQ(m("verify a.tbt"), kExitClean);
  EXPECT_EQ(m("verify none.tbt"), kExitBadInput);
  rewrite_step(m, "a.tbt", "a.jsonl", 3, [](OrderedJson& step) { step["p2.d"][2] = 48; });
  EXPECT_EQ(m("verify a.jsonl none.tbt"), kExitDiverged);
  std::string& bytes = m.files.files["a.jsonl"];
  bytes.resize(bytes.size() - 10);
  EXPECT_EQ(m("verify a.jsonl"), kExitDiverged);
  m.stop = true;
  EXPECT_EQ(m("verify a.tbt"), kExitInterrupted);
}

}  // namespace
}  // namespace tandem::cli
