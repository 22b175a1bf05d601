// Cached prompts, n-gram drafts, the encoder test of 5.11 and seeds, in whole runs.
#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "runtime/core/plan_builder.hpp"
#include "runtime/core/script.hpp"
#include "tests/support/run_helpers.hpp"

namespace tandem {
namespace {

using test::KeepingSink;
using test::request;
using test::run_kept;
using test::small_scenario;

std::vector<RequestSpec> plain_requests(std::int32_t count) {
  std::vector<RequestSpec> out;
  for (std::int32_t i = 0; i < count; ++i) {
    RequestSpec spec = request(i, i * 2, 5 + (i * 37) % 200, 3 + (i * 13) % 60);
    if (i % 3 == 0) spec.row.eos_at = 2 + (i * 7) % 40;
    if (i % 5 == 4) spec.dnode_drafts = 1;
    out.push_back(spec);
  }
  return out;
}

// -- cached prompts (6.1) -------------------------------------------------------------------------

TEST(CachedPrompt, ChangesNoTokenAndComputesNoCachedRow) {
  auto requests = plain_requests(30);
  KeepingSink plain;
  const RunSummary expected = run_kept(small_scenario(4, 3), requests, plain);
  for (RequestSpec& spec : requests) spec.row.cached_prompt = spec.row.prompt_len / 2;
  for (const RowMode rest : {RowMode::overlap, RowMode::sync}) {
    for (const DraftPath path : {DraftPath::gather, DraftPath::self}) {
      Scenario s = small_scenario(4, 3);
      s.config.draft_path = path;
      test::set_all_rows(s, rest);
      KeepingSink sink;
      EXPECT_EQ(run_kept(s, requests, sink).token_digest, expected.token_digest);
      for (const StepRecord& r : sink.steps) {
        for (const Task& task : r.tasks) {
          if (task.kind != TaskKind::prefill || !task.admits) continue;
          const auto slot = static_cast<std::size_t>(task.slot);
          EXPECT_EQ(task.start, task.row.cached_prompt) << r.t;
          EXPECT_EQ(r.p1.d[slot], task.start) << r.t;
          EXPECT_EQ(r.p1.q[slot], task.end - task.start) << r.t;
          // The MTP head consumes the rows of the computed part only.
          if (r.substeps[0].qd[slot] == 0) continue;  // too near its limit to draft
          EXPECT_EQ(r.substeps[0].row_position[slot], task.start) << r.t;
          EXPECT_EQ(r.substeps[0].row_count[slot], task.end - task.start) << r.t;
        }
      }
    }
  }
}

TEST(CachedPrompt, CountsAgainAfterAPreemptionAndBehindADNode) {
  for (const std::int32_t drafts : {-1, 2}) {
    RequestSpec spec = request(0, 0, 40, 30);
    spec.row.cached_prompt = 33;
    spec.preempt_after = 5;
    spec.dnode_drafts = drafts;
    KeepingSink sink;
    EXPECT_EQ(run_kept(small_scenario(2, 3), {spec}, sink).tokens, 30);
    std::vector<std::int32_t> starts;
    for (const StepRecord& r : sink.steps) {
      for (const Task& task : r.tasks) {
        if (task.admits) starts.push_back(task.start);
      }
    }
    EXPECT_EQ(starts, (std::vector<std::int32_t>{drafts < 0 ? 33 : 40, 33}));
  }
}

// -- n-gram drafts (3.2.1 f) ----------------------------------------------------------------------

Scenario hybrid(std::int32_t drafts, std::int32_t model_steps, std::uint32_t ngram) {
  Scenario s = small_scenario(4, drafts);
  s.config.num_model_steps = model_steps;
  s.config.ngram_millionths = ngram;
  s.config.acceptance.millionths.assign(static_cast<std::size_t>(drafts), 900'000);
  return s;
}

TEST(NgramDrafts, StandBehindThoseOfTheHeadAsOftenAsTheShareSays) {
  const auto requests = plain_requests(30);
  const Scenario s = hybrid(5, 2, 400'000);
  KeepingSink sink;
  (void)run_kept(s, requests, sink);
  std::int64_t seen = 0;
  std::int64_t longest = 0;
  for (const StepRecord& r : sink.steps) {
    if (r.kind != StepKind::back) continue;
    for (std::size_t i = 0; i < 4; ++i) {
      if (r.p4.s[i] != 0) continue;
      const RequestSpec& spec = requests[static_cast<std::size_t>(r.p1_request[i])];
      const std::int32_t g = r.p2.g[i];
      const bool near_limit = g + 2 >= spec.row.max_dec_len;
      const std::int32_t appended =
          near_limit ? 0 : script::ngram_count(s.config, spec.row.id, spec.row.max_dec_len, g);
      EXPECT_EQ(r.p4.q[i], (near_limit ? 1 : 3) + appended) << r.t << ", slot " << i;
      EXPECT_EQ(r.p4_draft.len[i], r.p4.q[i]) << r.t << ", slot " << i;
      EXPECT_EQ(r.p4_draft.hole[i], 0);
      seen += appended > 0 ? 1 : 0;
      longest = std::max<std::int64_t>(longest, r.p4.q[i]);
    }
  }
  EXPECT_GT(seen, 50);
  EXPECT_EQ(longest, 6);  // all of W occurs
}

TEST(NgramDrafts, EndInFrontOfTheLimit) {
  RunConfig config;
  config.num_speculative_tokens = 16;
  config.num_model_steps = 3;
  config.ngram_millionths = 1'000'000;
  constexpr std::int64_t kMaxDecLen = 13;
  for (RequestId request = 0; request < 40; ++request) {
    for (std::int64_t g = 1; g < kMaxDecLen; ++g) {
      const std::int32_t count = script::ngram_count(config, request, kMaxDecLen, g);
      EXPECT_GE(count, 0);
      EXPECT_TRUE(count == 0 || g + 3 + count < kMaxDecLen) << g;
    }
  }
}

TEST(NgramDrafts, AreAcceptedAsFarAsTheProfileReaches) {
  const auto requests = plain_requests(30);
  const Scenario s = hybrid(5, 1, 1'000'000);
  KeepingSink sink;
  (void)run_kept(s, requests, sink);
  std::int64_t by_ngram = 0;
  for (const StepRecord& r : sink.steps) {
    if (r.kind != StepKind::back) continue;
    for (std::size_t i = 0; i < 4; ++i) {
      if (r.p1.q[i] == 0 || r.p1.e[i] > 0 || r.p2.s[i] != 0) continue;
      const RequestRow& row = requests[static_cast<std::size_t>(r.p1_request[i])].row;
      const std::int32_t reached = script::accept_count(s.config, script::of(row), r.p1.g[i]);
      EXPECT_EQ(r.p2.a[i], std::min(reached, r.p1.q[i])) << r.t << ", slot " << i;
      by_ngram += r.p2.a[i] > 2 ? 1 : 0;
    }
  }
  EXPECT_GT(by_ngram, 50);
}

TEST(NgramDrafts, ChangeNoTokenInAnySchedule) {
  const auto requests = plain_requests(30);
  KeepingSink plain;
  const RunSummary without = run_kept(hybrid(4, 1, 0), requests, plain);
  for (const RowMode rest : {RowMode::overlap, RowMode::sync}) {
    for (const DraftPath path : {DraftPath::gather, DraftPath::self}) {
      for (const PolicyKind policy :
           {PolicyKind::predict_rows_hidden, PolicyKind::all_accepted, PolicyKind::exact}) {
        Scenario s = hybrid(4, 1, 600'000);
        s.config.draft_path = path;
        s.config.policy = policy;
        test::set_all_rows(s, rest);
        KeepingSink sink;
        const RunSummary with = run_kept(s, requests, sink);
        EXPECT_EQ(with.token_digest, without.token_digest) << to_name(policy);
        EXPECT_FALSE(with.guard_tripped) << to_name(policy);
        if (rest == RowMode::overlap) {
          EXPECT_LT(with.launched_steps, without.launched_steps) << to_name(policy);
        }
      }
    }
  }
}

TEST(NgramDrafts, LetPredictSumLaunchTooFewRows) {
  Scenario s = hybrid(4, 1, 300'000);
  s.config.policy = PolicyKind::predict_sum;
  KeepingSink sink;
  EXPECT_TRUE(run_kept(s, {request(0, 0, 20, 200)}, sink).guard_tripped);
}

TEST(NgramDrafts, AreAnOperationOnlyWhereTheyHappen) {
  const auto count = [](const RunConfig& config) {
    const plan::Segment back = build_back(config, {});
    return std::count_if(back.ops.begin(), back.ops.end(), [](const plan::Operation& op) {
      return op.kind == plan::OpKind::ngram_extend;
    });
  };
  EXPECT_EQ(count(hybrid(4, 1, 0).config), 0);
  EXPECT_EQ(count(hybrid(4, 1, 1).config), 1);
}

// -- the encoder test of eagle_get_self_hidden_states (5.11) --------------------------------------

std::int64_t slot_steps(const KeepingSink& sink) {
  std::int64_t total = 0;
  for (const StepRecord& r : sink.steps) total += r.real_bsz;
  return total;
}

TEST(EncoderTest, StepIdxCostsAcceptanceWhereARecoveredTextIsPrefilledBesideOthers) {
  auto requests = plain_requests(24);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (i % 4 == 2) requests[i].preempt_after = static_cast<std::int32_t>(2 + i % 6);
  }
  Scenario s = small_scenario(4, 3);
  s.config.draft_path = DraftPath::self;
  KeepingSink right;
  const RunSummary expected = run_kept(s, requests, right);
  s.config.encoder_test = EncoderTest::step_idx;
  KeepingSink wrong;
  const RunSummary got = run_kept(s, requests, wrong);
  EXPECT_EQ(got.token_digest, expected.token_digest);  // the target is never wrong
  std::int64_t foreign = 0;
  for (const StepRecord& r : wrong.steps) {
    if (r.kind != StepKind::back) continue;
    for (std::size_t i = 0; i < 4; ++i) {
      if (!r.substeps[1].launched || r.substeps[1].qd[i] == 0) continue;
      foreign += r.substeps[1].row_request[i] == r.p1_request[i] ? 0 : 1;
    }
  }
  EXPECT_GT(foreign, 0);
  // Lost drafts cost slots further steps.
  EXPECT_GT(slot_steps(wrong), slot_steps(right));
}

TEST(EncoderTest, StepIdxHasNoEffectOnPathGather) {
  auto requests = plain_requests(12);
  requests[2].preempt_after = 3;
  Scenario s = small_scenario(4, 3);
  KeepingSink a;
  (void)run_kept(s, requests, a);
  s.config.encoder_test = EncoderTest::step_idx;
  KeepingSink b;
  (void)run_kept(s, requests, b);
  EXPECT_EQ(a.steps, b.steps);
}

// -- seeds (5.4) ----------------------------------------------------------------------------------

TEST(Script, InferSeedIsBelowTheModulusAndDiffersByRequest) {
  const RunConfig config = small_scenario(4, 3).config;
  for (RequestId id = 0; id < 1000; ++id) {
    const std::int64_t seed = script::infer_seed(config, id);
    ASSERT_GE(seed, 0);
    ASSERT_LT(seed, 9'223'372'036'854'775'806);
    ASSERT_NE(seed, script::infer_seed(config, id + 1));
  }
}

}  // namespace
}  // namespace tandem
