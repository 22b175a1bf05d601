// The six policies of semantics 4.2b: clean where they are right, named where they are not.
#include <gtest/gtest.h>

#include "tests/unit/sim/judge_helpers.hpp"

namespace tandem::test {
namespace {

/// r * W draft rows exceed an exact launch with short slots: V16 is right about these two policies
/// unless R6 reads the rows.
bool counts_draft_rows_by_slots(PolicyKind policy) {
  return policy == PolicyKind::predict_sum || policy == PolicyKind::predict_rows;
}

RunConfig busy_config(PolicyKind policy) {
  RunConfig c = tiny_config();
  c.policy = policy;
  c.max_num_seqs = 4;
  c.num_speculative_tokens = 3;
  c.num_model_steps = 3;
  c.block_size = 16;
  return c;
}

/// Chunks, EOS, length limits, reuse of slots, a preemption and, with `dnode`, a transferred
/// request with one draft: everything that makes a prediction differ from the truth.
TinyTrace busy_run(const RunConfig& config, bool dnode, std::size_t cut_every = 0) {
  return record_run(config, 0, 40, cut_every, [dnode](TinyRun& run, int i) {
    if (i == 0) run.prefill(0, row(0, 5, 300, 17, {4, 1, 3}), 20);
    if (i == 1) run.prefill(1, row(1, 9, 12, 0, {2, 4}), 20);
    if (i == 1) run.chunk(2, row(2, 20, 300, 25, {1, 2}), 0, 8, 20);
    if (i == 2) run.chunk(2, row(2, 20, 300, 25, {1, 2}), 8, 20, 0);
    if (i == 6 && dnode) run.dnode(3, row(3, 6, 300, 0, {4}), 1, 20);
    if (i == 20) run.prefill(0, row(4, 3, 9, 0, {3, 2}), 20);
    if (i == 30 && dnode) run.preempt(3);
  });
}

class EveryPolicy : public testing::TestWithParam<PolicyKind> {};

TEST_P(EveryPolicy, IsCleanWithoutTransferredRequests) {
  RunConfig config = busy_config(GetParam());
  if (counts_draft_rows_by_slots(GetParam())) config.rows[6] = RowMode::sync;
  EXPECT_EQ(first_line(judge(busy_run(config, false))), "clean");
}

TEST_P(EveryPolicy, IsCleanWithSynchronousRows) {
  RunConfig config = busy_config(GetParam());
  for (const int r : {6, 2, 0}) {
    config.rows[static_cast<std::size_t>(r)] = RowMode::sync;
    const bool dnode = r == 0 || GetParam() != PolicyKind::predict_sum;
    EXPECT_EQ(first_line(judge(busy_run(config, dnode))), "clean") << "R" << r;
  }
}

TEST_P(EveryPolicy, VerdictDoesNotDependOnJobs) {
  const TinyTrace trace = busy_run(busy_config(GetParam()), true, 3);
  EXPECT_EQ(judge(trace, 1), judge(trace, 3));
  EXPECT_EQ(judge(trace, 1), judge_live(trace));
}

INSTANTIATE_TEST_SUITE_P(Table, EveryPolicy,
                         testing::Values(PolicyKind::exact, PolicyKind::predict_sum,
                                         PolicyKind::predict_rows, PolicyKind::predict_rows_hidden,
                                         PolicyKind::upper_bound, PolicyKind::all_accepted),
                         [](const testing::TestParamInfo<PolicyKind>& kind) {
                           std::string name = to_name(kind.param);
                           for (char& c : name) c = c == '-' ? '_' : c;
                           return name;
                         });

TEST(Policies, TransferredRequestIsCleanUnderTheDefaultPolicy) {
  for (const std::size_t cut : {0U, 1U, 7U}) {
    const TinyTrace trace = busy_run(busy_config(PolicyKind::predict_rows_hidden), true, cut);
    EXPECT_EQ(first_line(judge(trace)), "clean") << "a block every " << cut << " steps";
  }
}

/// Two requests decode; a third arrives in step 5 with one draft instead of three.
TinyTrace growing_run(const RunConfig& config) {
  return record_run(config, 0, 10, 0, [](TinyRun& run, int i) {
    if (i == 0) run.prefill(0, row(0, 5, 300, 0, {4, 1, 3}), 20);
    if (i == 0) run.prefill(1, row(1, 9, 300, 0, {2, 4}), 20);
    if (i == 5) run.dnode(2, row(2, 6, 300, 0, {4}), 1, 20);
  });
}

TEST(Policies, PredictSumIsCaughtByV1AtItsFirstWrongStep) {
  RunConfig config = busy_config(PolicyKind::predict_sum);
  config.rows[6] = RowMode::sync;
  const TinyTrace trace = growing_run(config);
  const sim::Verdict verdict = judge(trace);
  ASSERT_TRUE(trace.content[0].records[6].guard_tripped);
  EXPECT_EQ(first_line(verdict),
            "divergence check=V1 step=6 rank=0 point=P1 slot=- request=- field=token_num host=10 "
            "device=12 oracle=12 belongs_to=6 policy=predict-sum");
  EXPECT_EQ(count_of(verdict, sim::CheckId::V1).diverged, 1U);
  EXPECT_EQ(count_of(verdict, sim::CheckId::V2).diverged, 0U) << "the declared policy was followed";
}

TEST(Policies, PredictSumWithoutR6AlreadyBreaksTheDraftLaunchOneStepEarlier) {
  const sim::Verdict verdict = judge(growing_run(busy_config(PolicyKind::predict_sum)));
  ASSERT_GE(verdict.divergences.size(), 2U);
  EXPECT_EQ(verdict.divergences[0].check, sim::CheckId::V16);
  EXPECT_EQ(verdict.divergences[0].step, 5);
  EXPECT_EQ(verdict.divergences[1].check, sim::CheckId::V1);
  EXPECT_EQ(verdict.divergences[1].step, 6);
}

TEST(Policies, PredictRowsIsCaughtByV16WhereAnExactLaunchIsSmall) {
  const TinyTrace trace = busy_run(busy_config(PolicyKind::predict_rows), true);
  const StepRecord& exact = trace.content[0].records[6];
  ASSERT_LT(exact.substeps[0].hidden_rows, exact.substeps[0].token_num);
  const sim::Verdict verdict = judge(trace);
  EXPECT_EQ(
      first_line(verdict),
      "divergence check=V16 step=6 rank=0 point=P3 slot=- request=- field=substeps[0].token_num "
      "host=" +
          std::to_string(exact.substeps[0].token_num) +
          " device=" + std::to_string(exact.substeps[0].device_sum) + " oracle=" +
          std::to_string(exact.substeps[0].hidden_rows) + " belongs_to=6 policy=predict-rows");
}

TEST(Policies, DeclaringAnotherPolicyIsCaughtByV2) {
  TinyTrace trace = busy_run(busy_config(PolicyKind::predict_rows_hidden), true);
  trace.head.config.policy = PolicyKind::all_accepted;
  const sim::Verdict verdict = judge(trace);
  EXPECT_GT(count_of(verdict, sim::CheckId::V2).diverged, 0U);
  EXPECT_EQ(count_of(verdict, sim::CheckId::V1).diverged, 0U);
}

TEST(Policies, ChecksOfThePredictionAreExcludedWhereNothingIsPredicted) {
  const sim::Verdict verdict = judge(busy_run(busy_config(PolicyKind::exact), true));
  for (const sim::CheckId id : {sim::CheckId::V2, sim::CheckId::V3, sim::CheckId::V4}) {
    EXPECT_TRUE(verdict.excluded.at(static_cast<std::size_t>(id)));
    EXPECT_EQ(count_of(verdict, id), sim::CheckCount{});
  }
  TinyTrace trace = busy_run(busy_config(PolicyKind::exact), true);
  record_of(trace, 9).cached_out = {3, 1};
  EXPECT_EQ(judge(trace).divergences.at(0).check, sim::CheckId::V1) << "but their fields are read";
}

}  // namespace
}  // namespace tandem::test
