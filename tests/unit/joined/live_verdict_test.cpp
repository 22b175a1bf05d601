// Runtime and judge together: sound runs are clean under every switch, broken policies are named.
#include <functional>
#include <string>

#include <gtest/gtest.h>

#include "sim/checks/verify.hpp"
#include "tests/support/run_helpers.hpp"

namespace tandem {
namespace {

using test::request;
using test::small_scenario;

/// Prefills and D-node inserts of all lengths; EOS, length limit and both at once occur.
std::vector<RequestSpec> mixed_requests(std::int32_t count) {
  std::vector<RequestSpec> out;
  for (std::int32_t i = 0; i < count; ++i) {
    RequestSpec spec = request(i, i * 2, 5 + (i * 37) % 200, 2 + (i * 13) % 60);
    if (i % 3 == 0) spec.row.eos_at = 2 + (i * 7) % 40;
    if (i % 5 == 4) spec.dnode_drafts = i % 4;
    out.push_back(spec);
  }
  return out;
}

struct Outcome {
  sim::Verdict verdict;
  RunSummary summary;
};

Outcome judged(const Scenario& scenario, std::vector<RequestSpec> requests) {
  sim::VerifyOptions options;
  options.divergences_max = 3;
  const auto verifier = sim::make_live_verifier(options);
  test::ListWorkload workload(std::move(requests));
  RunOptions run;
  run.block_steps = 16;  // many blocks: every keyframe is a link of V0
  Result<RunSummary> summary = run_on_host(scenario, workload, run, verifier.get());
  EXPECT_TRUE(summary.ok());
  return {verifier->verdict(), summary.ok() ? summary.value() : RunSummary{}};
}

std::string first_line(const sim::Verdict& verdict) {
  return verdict.divergences.empty() ? "" : sim::to_line(verdict.divergences.front());
}

void expect_clean(const Scenario& scenario, const std::vector<RequestSpec>& requests,
                  const std::string& what) {
  const Outcome outcome = judged(scenario, requests);
  EXPECT_EQ(outcome.verdict.divergence_count, 0U) << what << ": " << first_line(outcome.verdict);
  EXPECT_EQ(outcome.verdict.steps, outcome.summary.steps) << what;
  EXPECT_EQ(outcome.verdict.requests, static_cast<std::int64_t>(requests.size())) << what;
  EXPECT_GT(outcome.verdict.checks[static_cast<std::size_t>(sim::CheckId::V1)].run, 0U) << what;
}

TEST(LiveVerdict, EveryRowSwitchIsCleanOnBothDraftPaths) {
  for (const DraftPath path : {DraftPath::gather, DraftPath::self}) {
    for (const RowMode rest : {RowMode::overlap, RowMode::sync}) {
      Scenario base = small_scenario(4, 3);
      base.config.draft_path = path;
      test::set_all_rows(base, rest);
      const std::string name = std::string(to_name(path)) + ", rest " + to_name(rest);
      expect_clean(base, mixed_requests(30), name);
      for (std::size_t row = 0; row < kRowCount; ++row) {
        Scenario s = base;
        s.config.rows[row] = rest == RowMode::sync ? RowMode::overlap : RowMode::sync;
        expect_clean(s, mixed_requests(20), name + ", R" + std::to_string(row) + " switched");
      }
    }
  }
}

TEST(LiveVerdict, BoundOutputRowsGraphsAndOwnCopiesAreClean) {
  Scenario bound = small_scenario(4, 3);
  bound.config.rows[11] = RowMode::bound;
  expect_clean(bound, mixed_requests(30), "bound");
  Scenario graphs = small_scenario(4, 3);
  graphs.config.captured_sizes = {16, 8, 4};
  expect_clean(graphs, mixed_requests(30), "graphs");
  Scenario own = small_scenario(4, 3);
  own.config.copies_own_stream = true;
  own.config.pinned_ring_depth = 2;
  expect_clean(own, mixed_requests(30), "own copies");
}

TEST(LiveVerdict, FewerSubStepsThanDraftsAreClean) {
  for (std::int32_t model_steps = 1; model_steps <= 4; ++model_steps) {
    Scenario s = small_scenario(4, 4);
    s.config.num_model_steps = model_steps;
    expect_clean(s, mixed_requests(30), "M = " + std::to_string(model_steps));
  }
}

TEST(LiveVerdict, FinishedBatchSkipsSubStepsWhereR9ReadsTheBool) {
  // With R4 sync the hidden states of a batch that has just ended have no rows, so sub-step 0 is
  // not launched; R9 must still learn that nothing runs.
  Scenario s = small_scenario(2, 3);
  s.config.rows[4] = s.config.rows[9] = RowMode::sync;
  expect_clean(s, {request(0, 0, 7, 34, 2)}, "R4 and R9 sync");
}

TEST(LiveVerdict, PrefillNodeWithFrozenSubStepsIsClean) {
  // Only a P node drafts next to max_dec_len: every sub-step but the first two freezes (5.8, 5.12).
  for (const DraftPath path : {DraftPath::gather, DraftPath::self}) {
    Scenario s = small_scenario(2, 6);
    s.config.draft_path = path;
    s.config.splitwise_prefill = true;
    expect_clean(s, {request(0, 0, 20, 2, 1), request(1, 1, 200, 2, 1)}, to_name(path));
  }
}

TEST(LiveVerdict, ParkingRevivalAndPreemptionAreClean) {
  for (const RowMode rest : {RowMode::overlap, RowMode::sync}) {
    for (const std::int32_t blocks : {18, 22, 30}) {
      Scenario s = small_scenario(4, 3);
      test::set_all_rows(s, rest);
      s.config.kv_blocks = blocks;
      std::vector<RequestSpec> requests = mixed_requests(24);
      for (RequestSpec& spec : requests) spec.dnode_drafts = -1;
      expect_clean(s, requests, std::to_string(blocks) + " blocks, " + to_name(rest));
    }
  }
}

TEST(LiveVerdict, AbortsAndForcedPreemptionsAreClean) {
  std::vector<RequestSpec> requests = mixed_requests(24);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (i % 4 == 1) requests[i].row.abort_after = static_cast<std::int32_t>(2 + i % 5);
    if (i % 4 == 2) requests[i].preempt_after = static_cast<std::int32_t>(1 + i % 6);
  }
  for (const RowMode rest : {RowMode::overlap, RowMode::sync}) {
    Scenario s = small_scenario(4, 3);
    test::set_all_rows(s, rest);
    expect_clean(s, requests, to_name(rest));
  }
}

/// The view shrinks below a slot whose draft state no propose has cleared.
TEST(LiveVerdict, RequestPreemptedAloneAboveAFreeSlotIsClean) {
  std::vector<RequestSpec> requests{request(0, 0, 20, 3), request(1, 0, 30, 60)};
  requests[1].preempt_after = 20;
  expect_clean(small_scenario(2, 3), requests, "preempted alone");
}

TEST(LiveVerdict, SoundPoliciesAreClean) {
  for (const PolicyKind policy : {PolicyKind::exact, PolicyKind::upper_bound,
                                  PolicyKind::all_accepted, PolicyKind::predict_rows_hidden}) {
    Scenario s = small_scenario(4, 3);
    s.config.policy = policy;
    expect_clean(s, mixed_requests(30), to_name(policy));
  }
}

TEST(LiveVerdict, PredictSumIsNamedByV1AtItsFirstWrongStep) {
  Scenario s = small_scenario(2, 3);
  s.config.policy = PolicyKind::predict_sum;
  s.config.rows[6] = RowMode::sync;  // else V16 speaks one step earlier
  RequestSpec spec = request(0, 0, 20, 60);
  spec.dnode_drafts = 1;
  const Outcome outcome = judged(s, {spec});
  EXPECT_TRUE(outcome.summary.guard_tripped);
  EXPECT_EQ(first_line(outcome.verdict),
            "divergence check=V1 step=1 rank=0 point=P1 slot=- request=- field=token_num host=2 "
            "device=4 oracle=4 belongs_to=1 policy=predict-sum");
}

TEST(LiveVerdict, PredictRowsBreaksByV16AfterAnExactStepWithFewRows) {
  Scenario s = small_scenario(2, 3);
  s.config.policy = PolicyKind::predict_rows;
  RequestSpec spec = request(0, 0, 20, 60);
  spec.dnode_drafts = 1;
  const Outcome outcome = judged(s, {spec});
  ASSERT_FALSE(outcome.verdict.divergences.empty());
  EXPECT_EQ(outcome.verdict.divergences.front().check, sim::CheckId::V16);
  EXPECT_EQ(outcome.verdict.divergences.front().step, 0);
}

}  // namespace
}  // namespace tandem
