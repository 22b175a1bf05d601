// The plan of the runtime against the order of the oracle: written apart, they must agree.
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/core/plan_builder.hpp"
#include "sim/oracle/order.hpp"
#include "tests/support/run_helpers.hpp"

namespace tandem {
namespace {

using plan::Operation;
using plan::OpKind;
using sim::Transition;

/// Events and blocking reads: they order lanes and cost time, but move no state.
bool moves_state(const Operation& op) {
  switch (op.kind) {
    case OpKind::record_event:
    case OpKind::wait_event:
    case OpKind::read_count:
    case OpKind::read_not_need_stop:
    case OpKind::read_hidden_rows:
    case OpKind::read_draft_sum:
    case OpKind::read_any_prefill:
    case OpKind::read_draft_output_rows:
      return false;
    default:
      return op.lane != plan::Lane::host;
  }
}

std::string word(OpKind op, int substep) {
  return std::string(plan::to_name(op)) + (substep < 0 ? "" : "/" + std::to_string(substep));
}

/// Device operations of a step that run back to back, in the order in which they are enqueued.
std::vector<std::string> device_words(const std::vector<plan::Segment>& chain) {
  std::vector<std::string> words;
  for (const plan::Segment& segment : chain) {
    for (const Operation& op : segment.ops) {
      if (moves_state(op)) words.push_back(word(op.kind, op.substep));
    }
  }
  return words;
}

/// The oracle's order: up to the forward where nothing follows it.
std::vector<std::string> expected_words(const RunConfig& config, bool back) {
  std::vector<std::string> words;
  for (const Transition& transition : sim::device_order(config)) {
    words.push_back(word(transition.op, transition.substep));
    if (!back && transition.op == OpKind::target_forward) break;
  }
  return words;
}

/// Every chain that a run of this configuration can execute.
void expect_order(const RunConfig& config, const std::string& name) {
  SCOPED_TRACE(name);
  for (const bool waits : {false, true}) {
    const plan::Segment front = build_front(config, {waits});
    for (const bool blocking : {false, true}) {
      const auto found = device_words(
          {front, build_save(config), build_settle(config), build_back(config, {blocking})});
      EXPECT_EQ(found, expected_words(config, true));
    }
    for (const plan::Segment& end : {build_empty(config), build_idle(config)}) {
      const auto found = device_words({front, build_save(config), build_settle(config), end});
      EXPECT_EQ(found, expected_words(config, false));
    }
  }
}

std::vector<RunConfig> row_choices(const RunConfig& base) {
  std::vector<RunConfig> out;
  for (const RowMode rest : {RowMode::sync, RowMode::overlap}) {
    RunConfig config = base;
    config.rows.fill(rest);
    out.push_back(config);
    for (std::size_t row = 0; row < kRowCount; ++row) {
      RunConfig one = config;
      one.rows[row] = rest == RowMode::sync ? RowMode::overlap : RowMode::sync;
      out.push_back(one);
    }
    config.rows[11] = RowMode::bound;
    out.push_back(config);
  }
  return out;
}

std::string name_of(const RunConfig& config) {
  std::string name = to_name(config.draft_path);
  name += config.copies_own_stream ? ", own copies, rows" : ", rows";
  for (const RowMode mode : config.rows) name.append(" ").append(to_name(mode));
  return name;
}

TEST(PlanOrder, DeviceOperationsFollowTheOracleUnderEveryRowOnBothDraftPaths) {
  for (const DraftPath path : {DraftPath::gather, DraftPath::self}) {
    for (const bool own : {false, true}) {
      RunConfig base = test::small_scenario(4, 3).config;
      base.draft_path = path;
      base.copies_own_stream = own;
      for (const RunConfig& config : row_choices(base)) expect_order(config, name_of(config));
    }
  }
}

TEST(PlanOrder, FewerSubStepsThanDraftsFollowTheOracle) {
  for (const DraftPath path : {DraftPath::gather, DraftPath::self}) {
    for (std::int32_t steps = 1; steps <= 3; ++steps) {
      RunConfig config = test::small_scenario(4, 4).config;
      config.draft_path = path;
      config.num_model_steps = steps;
      config.ngram_millionths = 500'000;
      expect_order(config, name_of(config) + ", M = " + std::to_string(steps));
    }
  }
}

TEST(PlanOrder, SwappedOperationIsSeen) {
  const RunConfig config = test::small_scenario(4, 3).config;
  plan::Segment back = build_back(config, {false});
  const auto is = [](OpKind kind) {
    return [kind](const Operation& op) { return op.kind == kind; };
  };
  const auto update =
      std::find_if(back.ops.begin(), back.ops.end(), is(OpKind::unified_update_model_status));
  const auto verify =
      std::find_if(back.ops.begin(), back.ops.end(), is(OpKind::verify_draft_tokens));
  ASSERT_NE(update, back.ops.end());
  ASSERT_NE(verify, back.ops.end());
  std::iter_swap(update, verify);
  const auto found = device_words({build_front(config, {true}), back});
  EXPECT_NE(found, expected_words(config, true));
}

TEST(PlanOrder, OperationLeftOutIsSeen) {
  RunConfig config = test::small_scenario(4, 3).config;
  config.num_model_steps = 1;
  config.ngram_millionths = 500'000;
  const plan::Segment front = build_front(config, {true});
  const plan::Segment back = build_back(config, {false});
  ASSERT_EQ(device_words({front, back}), expected_words(config, true));
  for (std::size_t i = 0; i < back.ops.size(); ++i) {
    if (!moves_state(back.ops[i])) continue;
    plan::Segment shorter = back;
    shorter.ops.erase(shorter.ops.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_NE(device_words({front, shorter}), expected_words(config, true)) << i;
  }
}

/// The stages that the oracle applies stand in its order once a step or once a sub-step.
TEST(PlanOrder, OracleStagesAreThoseOfSection93) {
  std::vector<std::string> stages;
  for (const Transition& transition : sim::device_order(test::small_scenario(4, 2).config)) {
    if (*transition.stage != '\0') stages.emplace_back(transition.stage);
  }
  const std::vector<std::string> want{"apply_task",    "recover",          "mark_running",
                                      "update_status", "draft_preprocess", "draft_update",
                                      "draft_update",  "schedule_cache"};
  EXPECT_EQ(stages, want);
}

}  // namespace
}  // namespace tandem
