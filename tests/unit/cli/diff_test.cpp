// `tandem diff` in-process: equal forms, one changed field of every kind, folds, cuts, damage.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/cli/fake_io.hpp"

namespace tandem::cli {
namespace {

using OrderedJson = nlohmann::ordered_json;
using test::FakeMachine;
using test::lines_of;

class Diff : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(m_("run decode-small --steps 90 -o a.tbt"), kExitClean) << m_.err.text;
    ASSERT_EQ(m_("dump a.tbt --jsonl"), kExitClean) << m_.err.text;
    for (const std::string& line : lines_of(m_.out.text))
      lines_.push_back(OrderedJson::parse(line));
  }

  /// The line of a step in the twin.
  OrderedJson& step(std::int64_t t) {
    for (OrderedJson& line : lines_) {
      if (line["type"] == "step" && line.value("t", std::int64_t{0}) == t) return line;
    }
    ADD_FAILURE() << "no step " << t;
    return lines_.front();
  }

  /// One in which something runs, is said, and nothing comes or goes.
  OrderedJson& quiet_step() {
    for (OrderedJson& line : lines_) {
      if (line["type"] == "step" && !line.contains("tasks") && !line.contains("outcomes") &&
          line.contains("messages") && line["p1.q"] == OrderedJson({4, 4, 4, 4})) {
        return line;
      }
    }
    ADD_FAILURE() << "no quiet step";
    return lines_.front();
  }

  void write(const std::string& name) {
    std::string& text = m_.files.files[name];
    text.clear();
    for (const OrderedJson& line : lines_) text += line.dump() + "\n";
  }

  /// Compares a.tbt with the lines as they are now.
  OrderedJson difference(int exit_code = kExitDiverged) {
    write("b.jsonl");
    EXPECT_EQ(m_("diff a.tbt b.jsonl --json -"), exit_code) << m_.out.text << m_.err.text;
    return OrderedJson::parse(m_.out.text, nullptr, false);
  }

  FakeMachine m_;
  std::vector<OrderedJson> lines_;
};

TEST_F(Diff, SameRunInBothFormsThenEqual) {
  const OrderedJson diff = difference(kExitClean);
  EXPECT_EQ(diff["equal"], true);
  EXPECT_EQ(diff["steps"]["in_both"], 90);
  EXPECT_EQ(diff["steps"]["differing"], 0);
  EXPECT_EQ(diff["counter_digest"]["a"], diff["counter_digest"]["b"]);
  EXPECT_GE(diff["keyframes"]["compared"], 2) << "the first one and the final state";
  EXPECT_TRUE(diff["first_difference"].is_null());
  EXPECT_TRUE(diff["fields"].empty());
  EXPECT_TRUE(diff["not_compared"].empty());
}

TEST_F(Diff, OneCellOfAColumnThenStepFieldSlotAndBothValues) {
  const int before = step(40)["p2.a"][1].get<int>();
  step(40)["p2.a"][1] = before + 1;
  const OrderedJson diff = difference();
  const OrderedJson& first = diff["first_difference"];
  EXPECT_EQ(first["step"], 40);
  EXPECT_EQ(first["field"], "p2.a");
  EXPECT_EQ(first["slot"], 1);
  EXPECT_EQ(first["a"], before);
  EXPECT_EQ(first["b"], before + 1);
  EXPECT_EQ(first["before"]["step"], 39);
  EXPECT_EQ(first["after"]["step"], 41);
  EXPECT_EQ(first["before"]["a"], first["before"]["b"]);
  EXPECT_EQ(diff["fields"], OrderedJson({{"p2.a", 1}}));
  EXPECT_EQ(diff["steps"]["differing"], 1);
  EXPECT_NE(diff["counter_digest"]["a"], diff["counter_digest"]["b"]);
}

// Every kind of field: where it is changed, and the path and slot that must be named.
TEST_F(Diff, OneChangeOfEachKindThenItsPath) {
  const auto expect_first = [this](const char* path, const OrderedJson& slot) {
    const OrderedJson first = difference()["first_difference"];
    EXPECT_EQ(first["field"], path);
    EXPECT_EQ(first["slot"], slot) << path;
    EXPECT_NE(first["a"], first["b"]) << path;
  };
  const std::vector<OrderedJson> clean = lines_;
  const auto change = [&](const char* path, const OrderedJson& slot, auto edit) {
    lines_ = clean;
    edit(quiet_step());
    expect_first(path, slot);
  };
  change("n", nullptr, [](OrderedJson& r) { r["n"] = 1; });
  change("kind", nullptr, [](OrderedJson& r) { r["kind"] = "empty"; });
  change("mode", nullptr,
         [](OrderedJson& r) { r["mode"] = r["mode"] == "exact" ? "predicted" : "exact"; });
  change("cached_out.token_num", nullptr,
         [](OrderedJson& r) { r["cached_out"]["token_num"] = 77; });
  change("guard_tripped", nullptr, [](OrderedJson& r) { r["guard_tripped"] = true; });
  change("cu_seqlens_q[1]", nullptr, [](OrderedJson& r) { r["cu_seqlens_q"][1] = 99; });
  change("batch_id_per_token[0].rows", nullptr,
         [](OrderedJson& r) { r["batch_id_per_token"][0][1] = 9; });
  change("substeps[1].qd", 2, [](OrderedJson& r) { r["substeps"][1]["qd"][2] = 9; });
  change("messages[0].count", 3, [](OrderedJson& r) { r["messages"][0]["count"][3] = 44; });
  change("segments[1]", nullptr, [](OrderedJson& r) { r["segments"][1] = "0x1234567812345678"; });
  change("tasks[0]", nullptr, [](OrderedJson& r) {
    r["tasks"] = OrderedJson::array({{{"kind", "decode"}, {"slot", 1}, {"request", 1}}});
  });
  change("outcomes[0]", nullptr, [](OrderedJson& r) {
    r["outcomes"] = OrderedJson::array({{{"id", 1}, {"output_len", 4}, {"reason", "eos"}}});
  });
  lines_ = clean;
  step(0)["tasks"][1]["row"]["prompt_len"] = 3;
  expect_first("tasks[1].row.prompt_len", nullptr);
  lines_ = clean;
  step(0)["tasks"][0]["blocks"][0] = 9;
  expect_first("tasks[0].blocks[0]", nullptr);
}

TEST_F(Diff, TextThenTheSameFirstDifferenceIn80Columns) {
  step(40)["p1.d"] = {1, 2, 3, 4};
  write("b.jsonl");
  ASSERT_EQ(m_("diff a.tbt b.jsonl"), kExitDiverged) << m_.err.text;
  for (const char* line :
       {"schedules       comparable: equal rows, policy and configuration\n",
        "header          equal\n", "steps           90 in both, 1 of them differ\n",
        "first           step 40, p1.d, slot 0\n", "  B             1\n",
        "before          step 39\n", "after           step 41\n", "steps by field  p1.d=1\n",
        "verdict         different\n"}) {
    EXPECT_NE(("\n" + m_.out.text).find(std::string("\n") + line), std::string::npos)
        << line << m_.out.text;
  }
  for (const std::string& line : lines_of(m_.out.text)) EXPECT_LE(line.size(), 80U) << line;
}

TEST_F(Diff, IgnoredFieldThenEqual) {
  step(40)["p2.a"][1] = 9;
  write("b.jsonl");
  EXPECT_EQ(m_("diff a.tbt b.jsonl --ignore p2.a"), kExitClean) << m_.out.text << m_.err.text;
  EXPECT_NE(m_.out.text.find("not compared    p2.a\n"), std::string::npos) << m_.out.text;
  EXPECT_EQ(m_("diff a.tbt b.jsonl --ignore p2.x"), kExitBadInput);
  EXPECT_EQ(m_.err.text.rfind("error: --ignore: got 'p2.x'", 0), 0U) << m_.err.text;
}

TEST_F(Diff, FieldThatOneTraceLacksThenNotCompared) {
  for (OrderedJson& line : lines_) {
    if (line["type"] == "header") line["header"]["absent"] = {"token_num"};
    if (line["type"] == "step") line.erase("token_num");
  }
  const OrderedJson diff = difference();
  EXPECT_EQ(diff["not_compared"], OrderedJson({"token_num"}));
  EXPECT_EQ(diff["steps"]["differing"], 0);
  EXPECT_EQ(diff["header"][0]["key"], "absent");
}

TEST_F(Diff, OtherCutsOfBlocksThenEqual) {
  ASSERT_EQ(m_("run azure-conv --steps 1200 -o w.tbt"), kExitClean) << m_.err.text;
  ASSERT_EQ(m_("dump w.tbt --jsonl"), kExitClean);
  std::string one_block;
  int keyframes = 0;
  for (const std::string& line : lines_of(m_.out.text)) {
    const bool is_keyframe = line.rfind("{\"type\":\"keyframe\"", 0) == 0;
    if (is_keyframe && keyframes++ > 0) continue;
    one_block += line + "\n";
  }
  ASSERT_GT(keyframes, 1);
  m_.files.files["one.jsonl"] = one_block;
  EXPECT_EQ(m_("diff w.tbt one.jsonl"), kExitClean) << m_.out.text << m_.err.text;
}

TEST_F(Diff, ChangedPlanSegmentAloneThenDifferent) {
  for (OrderedJson& line : lines_) {
    if (line["type"] != "segment") continue;
    line["segment"]["ops"][0]["row"] = 5;
    break;
  }
  const OrderedJson diff = difference();
  EXPECT_EQ(diff["segments"], OrderedJson({{"only_in_a", 1}, {"only_in_b", 1}}));
  EXPECT_EQ(diff["steps"]["differing"], 0);
}

TEST_F(Diff, ChangedKeyframeAloneThenDifferent) {
  for (OrderedJson& line : lines_) {
    if (line["type"] == "keyframe") line["keyframe"]["flag"] = true;
  }
  const OrderedJson diff = difference();
  EXPECT_EQ(diff["keyframes"]["differing"], 1);
  EXPECT_EQ(diff["steps"]["differing"], 0);
}

// A quiet idle run of one record, against the same run as several: equal steps.
TEST_F(Diff, IdleRunFoldedOtherwiseThenEqualUntilAPieceDiffers) {
  m_.files.files["idle.json"] = R"({"name":"idle","workload":{"kind":"requests","requests":[
    {"arrival":0,"prompt":6,"output":5},{"arrival":60,"prompt":6,"output":5}]}})";
  ASSERT_EQ(m_("run idle.json -o a.tbt"), kExitClean) << m_.err.text;
  ASSERT_EQ(m_("dump a.tbt --jsonl"), kExitClean) << m_.err.text;
  std::vector<OrderedJson> split;
  std::int64_t last_piece = -1;
  for (const std::string& text : lines_of(m_.out.text)) {
    OrderedJson line = OrderedJson::parse(text);
    const std::int64_t repeat = line.value("repeat", std::int64_t{1});
    if (repeat < 20) {
      split.push_back(std::move(line));
      continue;
    }
    const auto t = line["t"].get<std::int64_t>();
    for (const auto& [offset, count] :
         {std::pair{0, std::int64_t{7}}, {7, std::int64_t{1}}, {8, repeat - 8}}) {
      line["t"] = t + offset;
      line["repeat"] = count;
      line["q_cpu_step"] = t + offset;
      line["b_cpu_step"] = t + offset;
      split.push_back(line);
      last_piece = t + offset;
    }
  }
  ASSERT_GT(last_piece, 0) << "the run has no folded idle stretch";
  lines_ = split;
  EXPECT_EQ(difference(kExitClean)["equal"], true);
  step(last_piece)["launch_bsz"] = 3;
  const OrderedJson diff = difference();
  EXPECT_EQ(diff["first_difference"]["step"], last_piece);
  EXPECT_EQ(diff["first_difference"]["field"], "launch_bsz");
  EXPECT_EQ(diff["fields"]["launch_bsz"], step(last_piece)["repeat"]);
}

TEST_F(Diff, FewerStepsThenThoseOfOneOnly) {
  ASSERT_EQ(m_("run decode-small --steps 60 -o b.tbt"), kExitClean);
  ASSERT_EQ(m_("diff a.tbt b.tbt --json d.json"), kExitDiverged);
  const OrderedJson diff = OrderedJson::parse(m_.files.files["d.json"]);
  EXPECT_EQ(diff["steps"]["in_both"], 60);
  EXPECT_EQ(diff["steps"]["differing"], 0);
  EXPECT_EQ(diff["steps"]["only_in_a"], OrderedJson({{"steps", 30}, {"first", 60}, {"last", 89}}));
  EXPECT_EQ(diff["steps"]["only_in_b"]["steps"], 0);
  ASSERT_EQ(m_("diff b.tbt a.tbt"), kExitDiverged);
  EXPECT_NE(m_.out.text.find("only in B       30 steps, from 60 to 89\n"), std::string::npos)
      << m_.out.text;
}

TEST_F(Diff, OtherScheduleOrPolicyThenSaidFirst) {
  ASSERT_EQ(m_("run decode-small --steps 90 --set rows.R2=sync --policy exact -o b.tbt"),
            kExitClean);
  ASSERT_EQ(m_("diff a.tbt b.tbt"), kExitDiverged);
  EXPECT_NE(m_.out.text.find("schedules       not comparable step by step: policy, rows.R2 differ"),
            std::string::npos)
      << m_.out.text;
  EXPECT_NE(m_.out.text.find("config.rows.R2: \"overlap\", \"sync\""), std::string::npos)
      << m_.out.text;
  ASSERT_EQ(m_("diff a.tbt b.tbt --json -"), kExitDiverged);
  EXPECT_EQ(OrderedJson::parse(m_.out.text)["same_schedule"], false);
}

TEST_F(Diff, OtherWriterAloneThenListedAndEqual) {
  lines_.front()["header"]["device"] = "NVIDIA H200";
  lines_.front()["header"]["producer"] = "another 1.0";
  const OrderedJson diff = difference(kExitClean);
  ASSERT_EQ(diff["header"].size(), 2U);
  EXPECT_EQ(diff["header"][0]["counts"], false);
  lines_.front()["header"]["config"]["kv_blocks"] = 1;
  EXPECT_EQ(difference()["equal"], false);
}

TEST_F(Diff, MissingOrDamagedTraceThenCode2) {
  EXPECT_EQ(m_("diff a.tbt none.tbt"), kExitBadInput);
  EXPECT_EQ(m_.out.text, "");
  EXPECT_EQ(lines_of(m_.err.text).size(), 1U) << m_.err.text;
  m_.files.files["cut.tbt"] = m_.files.files["a.tbt"];
  m_.files.files["cut.tbt"].resize(m_.files.files["cut.tbt"].size() - 40);
  EXPECT_EQ(m_("diff a.tbt cut.tbt"), kExitBadInput) << m_.out.text;
  EXPECT_EQ(lines_of(m_.err.text).size(), 1U) << m_.err.text;
  EXPECT_NE(m_.out.text.find("steps  "), std::string::npos) << "the readable part is compared";
}

TEST_F(Diff, StopFlagThenCode130) {
  m_.stop = true;
  EXPECT_EQ(m_("diff a.tbt a.tbt"), kExitInterrupted);
}

}  // namespace
}  // namespace tandem::cli
