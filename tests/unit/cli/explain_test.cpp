// `tandem explain` in-process: golden text of small steps, and what must hold for every step.
#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/cli/fake_io.hpp"
#include "tests/unit/cli/pressed_scenario.hpp"

namespace tandem::cli {
namespace {

using Json = nlohmann::json;
using test::FakeMachine;
using test::lines_of;
using test::pressed_scenario;

Json explained(FakeMachine& m, const std::string& trace, std::int64_t step) {
  EXPECT_EQ(m("explain " + trace + " " + std::to_string(step) + " --json -"), kExitClean)
      << m.err.text;
  return Json::parse(m.out.text, nullptr, false);
}

/// The text with its wrapped values on one line again.
std::string unwrapped(std::string text) {
  const std::string fold = "\n" + std::string(16, ' ');
  for (std::size_t at = 0; (at = text.find(fold, at)) != std::string::npos;) {
    text.replace(at, fold.size(), " ");
  }
  return text;
}

bool says(const Json& list, const std::string& part) {
  for (const Json& item : list) {
    const std::string text = item.is_string() ? item.get<std::string>() : item.dump();
    if (text.find(part) != std::string::npos) return true;
  }
  return false;
}

TEST(Explain, StepBehindAnEosThenGoldenText) {
  FakeMachine m;
  ASSERT_EQ(m("run decode-small --steps 20 -o run.tbt"), kExitClean) << m.err.text;
  ASSERT_EQ(m("explain run.tbt 4"), kExitClean) << m.err.text;
  const std::string golden =
      "step            4 of run.tbt\n"
      "kind            back: launched, verified, proposed\n"
      "run             decode-small, schedule overlap, policy predict-rows-hidden, B=4\n"
      "                K=3 M=3 W=4\n"
      "segments        front, save, settle, back\n"
      "tasks           none\n"
      "launch          N = 16 rows, rr = 4 slots, eager\n"
      "why             policy predict-rows-hidden predicted it in step 3 and the host\n"
      "                waited for nothing\n"
      "                N = r^ * W = 4 * 4 = 16, r^ = 4 that ran in step 3 + 0 parked =\n"
      "                4\n"
      "device          T = 12 rows of r = 3 running slots, R = 12 rows with logits\n"
      "padding         4 of 16 rows, from row 12 to 15 of the packed axis\n"
      "                slot 2, 4 rows: finished in step 3 (EOS); the host learns it\n"
      "                after this launch\n"
      "slots           slot 0, request 0, 4 rows: 1 of 3 drafts accepted, 2 tokens;\n"
      "                length 26 -> 28, generated 6 -> 8; 4 rows next\n";
  EXPECT_EQ(m.out.text.substr(0, golden.size()), golden);
  for (const char* line :
       {"messages        of step 3, sent behind this step's launch because R2 is overlap:\n",
        "engine          the engine closed request 2: 8 tokens, eos\n",
        "                 counted  copied  device  believed reserve  device\n",
        "  rows                16      12      12         -       -       -\n",
        "  slot 2               4       0       0         -       -       -\n",
        "     0    16           7           16  rows of the hidden states\n",
        "     1     3           3            4  r of this step\n", "verdict         clean\n"}) {
    EXPECT_NE(m.out.text.find(std::string("\n") + line), std::string::npos) << line << m.out.text;
  }
}

TEST(Explain, PrefillStepThenExactWithTheReason) {
  FakeMachine m;
  ASSERT_EQ(m("run decode-small --steps 5 -o run.tbt"), kExitClean) << m.err.text;
  const Json first = explained(m, "run.tbt", 0);
  EXPECT_EQ(first["launch"]["mode"], "exact");
  EXPECT_TRUE(says(first["launch"]["why"], "a prefill came in (slot 0)")) << first["launch"];
  EXPECT_TRUE(says(first["tasks"], "prefill into slot 0, request 0")) << first["tasks"];
  EXPECT_EQ(first["launch"]["padding_rows"], 0);
  EXPECT_EQ(first["substeps"][0]["blocking"], true);
  const Json second = explained(m, "run.tbt", 1);
  EXPECT_TRUE(says(second["launch"]["why"], "step 0 had a prefill")) << second["launch"];
}

TEST(Explain, SyncScheduleThenWaitsAndSendsItsOwnMessage) {
  FakeMachine m;
  ASSERT_EQ(m("run decode-small --schedule sync --steps 8 -o run.tbt"), kExitClean);
  const Json step = explained(m, "run.tbt", 3);
  EXPECT_TRUE(says(step["launch"]["why"], "R0 is sync")) << step["launch"];
  EXPECT_TRUE(says(step["messages"], "of this step, sent at its end because R2 is sync"));
  EXPECT_EQ(step["substeps"][1]["rows_are"], "blocking: R6 is sync");
}

// Over every step: the shares of the slots add up to the rows that nobody used, each with a reason,
// and the judge says of the step what it says of the trace.
void expect_every_row_explained(const std::string& scenario, const std::string& policy) {
  FakeMachine m;
  m.files.files["pressed.json"] = pressed_scenario(64);
  const int code =
      m("run " + scenario + " --steps 110 --unguarded -o run.tbt --policy " + policy + " --json -");
  ASSERT_TRUE(code == kExitClean || code == kExitDiverged) << m.err.text;
  const Json result = Json::parse(m.out.text);
  std::uint64_t divergences = 0;
  std::int64_t padding_rows = 0;
  for (std::int64_t t = 0; t < result["steps"].get<std::int64_t>(); ++t) {
    const Json step = explained(m, "run.tbt", t);
    const Json& launch = step["launch"];
    divergences += step["verdict"]["divergences"].get<std::uint64_t>();
    std::int64_t sum = 0;
    for (const Json& share : launch["padding"]) {
      sum += share["rows"].get<std::int64_t>();
      EXPECT_FALSE(share["slot"].is_null()) << scenario << " " << policy << " step " << t;
      EXPECT_NE(share["reason"], "stopped") << scenario << " " << policy << " step " << t;
    }
    EXPECT_EQ(sum, launch["padding_rows"]) << scenario << " " << policy << " step " << t;
    padding_rows += sum > 0 ? sum : 0;
  }
  EXPECT_EQ(divergences, result["divergences"]) << scenario << " " << policy;
  EXPECT_EQ(padding_rows > 0, policy != "exact") << scenario << " " << policy;
}

TEST(Explain, EveryStepOfEveryPolicyThenEveryPaddingRowHasAnOwner) {
  for (const char* policy : {"exact", "predict-sum", "predict-rows", "predict-rows-hidden",
                             "upper-bound", "all-accepted"}) {
    expect_every_row_explained("pressed.json", policy);
    expect_every_row_explained("length-limit", policy);
    expect_every_row_explained("dnode-short-drafts", policy);
  }
}

TEST(Explain, PreemptedAndParkedSlotsThenNamed) {
  FakeMachine m;
  m.files.files["pressed.json"] = pressed_scenario(64);
  ASSERT_EQ(m("run pressed.json -o run.tbt --json -"), kExitClean) << m.err.text;
  const auto steps = Json::parse(m.out.text)["steps"].get<std::int64_t>();
  std::string all;
  for (std::int64_t t = 0; t < steps; ++t) {
    ASSERT_EQ(m("explain run.tbt " + std::to_string(t)), kExitClean) << m.err.text;
    for (const std::string& line : lines_of(m.out.text)) EXPECT_LE(line.size(), 80U) << line;
    all += unwrapped(m.out.text);
  }
  for (const char* part : {"preempted by a task of this step", "preemption of slot",
                           "abort of slot", "parked: no KV block for its next tokens",
                           "KV blocks ran out", "finished in step", "empty: a ghost step",
                           "idle: nothing launched", "equal iterations", "preempted or aborted"}) {
    EXPECT_NE(all.find(part), std::string::npos) << part;
  }
}

TEST(Explain, LaunchTooSmallThenTheSlotAndTheDivergence) {
  FakeMachine m;
  ASSERT_EQ(m("run dnode-short-drafts --policy predict-sum --set rows.R6=sync -o run.tbt --json -"),
            kExitDiverged);
  const Json result = Json::parse(m.out.text);
  const std::int64_t last = result["steps"].get<std::int64_t>() - 1;
  const Json step = explained(m, "run.tbt", last);
  EXPECT_EQ(step["launch"]["guard_tripped"], true);
  EXPECT_LT(step["launch"]["padding_rows"], 0);
  EXPECT_TRUE(says(step["launch"]["padding"], "its drafts grew")) << step["launch"];
  ASSERT_FALSE(step["verdict"]["lines"].empty());
  EXPECT_EQ(step["verdict"]["lines"][0], result["first_divergence"]);
  ASSERT_EQ(m("explain run.tbt " + std::to_string(last)), kExitClean);
  EXPECT_NE(unwrapped(m.out.text).find(" too few: more rows than were counted"), std::string::npos)
      << m.out.text;
}

TEST(Explain, LaterBlockThenTheStepBeforeComesFromTheOneBefore) {
  FakeMachine m;
  ASSERT_EQ(m("run azure-conv --steps 700 -o run.tbt"), kExitClean) << m.err.text;
  std::int64_t opened = -1;
  ASSERT_EQ(m("dump run.tbt --jsonl"), kExitClean);
  for (const std::string& line : lines_of(m.out.text)) {
    if (line.rfind("{\"type\":\"keyframe\"", 0) != 0) continue;
    opened = Json::parse(line)["keyframe"].value("t", std::int64_t{0});
  }
  ASSERT_GT(opened, 0);
  const Json step = explained(m, "run.tbt", opened);
  EXPECT_EQ(step["verdict"]["from_step"], opened);
  EXPECT_EQ(step["verdict"]["divergences"], 0);
  std::int64_t sum = 0;
  for (const Json& share : step["launch"]["padding"]) sum += share["rows"].get<std::int64_t>();
  EXPECT_EQ(sum, step["launch"]["padding_rows"]);
}

TEST(Explain, StepThatIsNotThereThenCode2WithTheRange) {
  FakeMachine m;
  ASSERT_EQ(m("run decode-small --steps 20 -o run.tbt"), kExitClean) << m.err.text;
  EXPECT_EQ(m("explain run.tbt 20"), kExitBadInput);
  EXPECT_EQ(m.err.text, "error: STEP: got '20', want a step in [0, 19]\n");
  EXPECT_EQ(m.out.text, "");
  EXPECT_EQ(m("explain run.tbt x"), kExitBadInput);
  EXPECT_EQ(m.err.text.rfind("error: STEP: got 'x', want an integer", 0), 0U) << m.err.text;
  EXPECT_EQ(m("explain none.tbt 1"), kExitBadInput);
  EXPECT_EQ(lines_of(m.err.text).size(), 1U) << m.err.text;
}

}  // namespace
}  // namespace tandem::cli
