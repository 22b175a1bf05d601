// The step loop on the host device: worked example, losslessness over rows, lifecycles.
#include <algorithm>
#include <utility>

#include <gtest/gtest.h>

#include "runtime/core/graph_sizes.hpp"
#include "tests/support/run_helpers.hpp"

namespace tandem {
namespace {

using test::KeepingSink;
using test::request;
using test::run_kept;
using test::small_scenario;

std::vector<RequestSpec> mixed_requests(std::int32_t count) {
  std::vector<RequestSpec> out;
  for (std::int32_t i = 0; i < count; ++i) {
    RequestSpec spec = request(i, i * 2, 5 + (i * 37) % 200, 3 + (i * 13) % 60);
    if (i % 3 == 0) spec.row.eos_at = 1 + (i * 7) % 40;
    if (i % 5 == 4) spec.dnode_drafts = 1;
    if (i % 5 == 4 && spec.row.eos_at == 1) spec.row.eos_at = 2;
    out.push_back(spec);
  }
  return out;
}

std::int64_t expected_tokens(const std::vector<RequestSpec>& requests) {
  std::int64_t total = 0;
  for (const RequestSpec& spec : requests) {
    const bool eos = spec.row.eos_at > 0 && spec.row.eos_at <= spec.row.max_dec_len;
    total += eos ? spec.row.eos_at : spec.row.max_dec_len;
  }
  return total;
}

TEST(StepLoop, DeliversEveryTokenOfEveryRequest) {
  const auto requests = mixed_requests(40);
  KeepingSink sink;
  const RunSummary s = run_kept(small_scenario(4, 3), requests, sink);
  EXPECT_EQ(s.requests, 40);
  EXPECT_EQ(s.tokens, expected_tokens(requests));
  EXPECT_FALSE(s.guard_tripped);
  EXPECT_TRUE(sink.ended);
}

TEST(StepLoop, EveryRowSwitchedAloneGivesTheSameTokens) {
  const auto requests = mixed_requests(30);
  Scenario overlap = small_scenario(4, 3);
  Scenario sync = overlap;
  test::set_all_rows(sync, RowMode::sync);
  KeepingSink sink;
  const std::uint64_t digest = run_kept(overlap, requests, sink).token_digest;
  KeepingSink sync_sink;
  EXPECT_EQ(run_kept(sync, requests, sync_sink).token_digest, digest);
  for (std::size_t row = 0; row < kRowCount; ++row) {
    Scenario leave_out = overlap;
    leave_out.config.rows[row] = RowMode::sync;
    Scenario add_in = sync;
    add_in.config.rows[row] = RowMode::overlap;
    KeepingSink a;
    KeepingSink b;
    EXPECT_EQ(run_kept(leave_out, requests, a).token_digest, digest) << "R" << row << " sync";
    EXPECT_EQ(run_kept(add_in, requests, b).token_digest, digest) << "R" << row << " overlap";
  }
}

TEST(StepLoop, PairsOfRowsThatMaskEachOtherGiveTheSameTokens) {
  const auto requests = mixed_requests(30);
  Scenario overlap = small_scenario(4, 3);
  KeepingSink sink;
  const std::uint64_t digest = run_kept(overlap, requests, sink).token_digest;
  for (const auto& [a, b] : {std::pair<std::size_t, std::size_t>{0, 2}, {6, 7}, {8, 11}}) {
    for (const RowMode rest : {RowMode::overlap, RowMode::sync}) {
      Scenario s = overlap;
      test::set_all_rows(s, rest);
      const RowMode other = rest == RowMode::sync ? RowMode::overlap : RowMode::sync;
      s.config.rows[a] = s.config.rows[b] = other;
      KeepingSink kept;
      EXPECT_EQ(run_kept(s, requests, kept).token_digest, digest) << "R" << a << ", R" << b;
    }
  }
}

TEST(StepLoop, SelfDraftPathGivesTheSameTokensAndAcceptanceForEveryRow) {
  const auto requests = mixed_requests(30);
  Scenario gather = small_scenario(4, 3);
  KeepingSink sink;
  const RunSummary expected = run_kept(gather, requests, sink);
  for (const RowMode rest : {RowMode::overlap, RowMode::sync}) {
    for (std::size_t row = 3; row <= 9; ++row) {
      Scenario s = gather;
      s.config.draft_path = DraftPath::self;
      test::set_all_rows(s, rest);
      s.config.rows[row] = rest == RowMode::sync ? RowMode::overlap : RowMode::sync;
      KeepingSink kept;
      const RunSummary got = run_kept(s, requests, kept);
      EXPECT_EQ(got.token_digest, expected.token_digest) << "R" << row;
      if (rest == RowMode::overlap) {
        // A wrong hidden row would cost acceptance, and so steps.
        EXPECT_EQ(got.launched_steps, expected.launched_steps) << "R" << row;
      }
    }
  }
}

TEST(StepLoop, SoundPoliciesGiveTheSameTokens) {
  const auto requests = mixed_requests(30);
  Scenario s = small_scenario(4, 3);
  KeepingSink sink;
  const std::uint64_t digest = run_kept(s, requests, sink).token_digest;
  for (const PolicyKind policy : {PolicyKind::exact, PolicyKind::predict_rows,
                                  PolicyKind::upper_bound, PolicyKind::all_accepted}) {
    s.config.policy = policy;
    KeepingSink kept;
    const RunSummary summary = run_kept(s, requests, kept);
    EXPECT_EQ(summary.token_digest, digest) << to_name(policy);
    EXPECT_FALSE(summary.guard_tripped) << to_name(policy);
  }
}

TEST(StepLoop, CopiesOnTheirOwnStreamAndDeeperRingsGiveTheSameTokens) {
  const auto requests = mixed_requests(30);
  Scenario s = small_scenario(4, 3);
  KeepingSink sink;
  const std::uint64_t digest = run_kept(s, requests, sink).token_digest;
  for (const std::int32_t depth : {1, 2, 3}) {
    s.config.copies_own_stream = true;
    s.config.pinned_ring_depth = depth;
    KeepingSink kept;
    EXPECT_EQ(run_kept(s, requests, kept).token_digest, digest) << depth;
  }
}

TEST(StepLoop, CapturedSizesHoldEveryLaunchAndChangeNoToken) {
  const auto requests = mixed_requests(30);
  Scenario s = small_scenario(4, 3);
  KeepingSink sink;
  const std::uint64_t digest = run_kept(s, requests, sink).token_digest;
  s.config.captured_sizes = {16, 8, 4};
  KeepingSink kept;
  EXPECT_EQ(run_kept(s, requests, kept).token_digest, digest);
  std::int64_t replayed = 0;
  for (const StepRecord& r : kept.steps) {
    if (r.captured_size == 0) continue;
    ++replayed;
    EXPECT_GE(r.captured_size, r.token_num) << r.t;
    EXPECT_EQ(r.id_below, 0) << r.t;
    EXPECT_EQ(r.id_above, 0) << r.t;
  }
  EXPECT_GT(replayed, 0);
}

TEST(StepLoop, CountedGraphSizeIgnoresTheCopyOfOutputRowsBesideIt) {
  // R13 sync reads count(q > 0) while R is on its way on the copy stream: each has its own target.
  Scenario s = small_scenario(4, 3);
  s.config.captured_sizes = {16, 12, 8, 4};
  s.config.rows[13] = RowMode::sync;
  s.config.copies_own_stream = true;
  KeepingSink sink;
  (void)run_kept(s, mixed_requests(30), sink);
  const GraphSizes graphs(s.config.captured_sizes, s.config.row_width());
  std::int64_t below_full = 0;
  for (const StepRecord& r : sink.steps) {
    if (r.token_num == 0 || r.flag_in) continue;
    const auto running = static_cast<std::int32_t>(
        std::count_if(r.p1.q.begin(), r.p1.q.end(), [](std::int32_t q) { return q > 0; }));
    const std::int32_t wanted = graphs.choose(running, r.token_num);
    EXPECT_EQ(r.captured_size, wanted) << r.t;
    below_full += wanted < 16 ? 1 : 0;
  }
  EXPECT_GT(below_full, 0);
}

TEST(StepLoop, QuietIdleRunIsOneRecordWithItsLength) {
  Scenario s = small_scenario(2, 3);
  KeepingSink sink;
  const RunSummary summary = run_kept(s, {request(0, 0, 5, 4), request(1, 1000, 5, 4)}, sink);
  std::int64_t iterations = 0;
  std::int64_t longest = 0;
  for (const StepRecord& r : sink.steps) {
    EXPECT_EQ(r.t, iterations);
    iterations += r.repeat;
    longest = std::max(longest, r.repeat);
  }
  EXPECT_EQ(iterations, summary.steps);
  EXPECT_GT(longest, 900);
  EXPECT_EQ(summary.requests, 2);
}

TEST(StepLoop, ArrivalsByTimeWaitInVirtualTime) {
  Scenario s = small_scenario(2, 3);
  s.config.arrivals = ArrivalUnit::ns;
  KeepingSink sink;
  const RunSummary summary =
      run_kept(s, {request(0, 0, 5, 4), request(1, 5'000'000'000, 5, 4)}, sink);
  EXPECT_EQ(summary.requests, 2);
  EXPECT_GE(summary.virtual_ns, 5'000'000'000);
  EXPECT_LT(summary.virtual_ns, 5'300'000'000);
}

TEST(StepLoop, StoppedRunHandsOverTheArrivedRequestsItNeverAdmitted) {
  Scenario s = small_scenario(1, 3);
  s.steps_max = 3;
  KeepingSink sink;
  const RunSummary summary =
      run_kept(s, {request(0, 0, 5, 400), request(1, 0, 5, 4), request(2, 900, 5, 4)}, sink);
  EXPECT_EQ(summary.steps, 3);
  ASSERT_EQ(sink.rows.size(), 1U);  // request 2 had not arrived yet
  EXPECT_EQ(sink.rows[0].id, 1);
  EXPECT_TRUE(sink.last.has_unsent);
}

TEST(StepLoop, BoundOutputRowsGiveTheSameTokens) {
  const auto requests = mixed_requests(30);
  Scenario bound = small_scenario(4, 3);
  KeepingSink a;
  const std::uint64_t digest = run_kept(bound, requests, a).token_digest;
  bound.config.rows[11] = RowMode::bound;
  KeepingSink b;
  EXPECT_EQ(run_kept(bound, requests, b).token_digest, digest);
}

TEST(StepLoop, SeedChangesTheOrderOfExecutionButNoRecord) {
  // The executor's order comes from the seed; so do the tokens. Two runs agree to the last field.
  const auto requests = mixed_requests(20);
  KeepingSink a;
  KeepingSink b;
  const RunSummary first = run_kept(small_scenario(4, 3), requests, a);
  const RunSummary second = run_kept(small_scenario(4, 3), requests, b);
  EXPECT_EQ(first.token_digest, second.token_digest);
  ASSERT_EQ(a.steps.size(), b.steps.size());
  for (std::size_t i = 0; i < a.steps.size(); ++i) ASSERT_EQ(a.steps[i], b.steps[i]) << i;
  EXPECT_EQ(a.keyframes, b.keyframes);
}

TEST(StepLoop, ScarceBlocksParkAndPreemptWithoutLosingATokens) {
  auto requests = mixed_requests(24);
  for (RequestSpec& spec : requests) spec.dnode_drafts = -1;
  Scenario plenty = small_scenario(4, 3);
  KeepingSink a;
  const RunSummary expected = run_kept(plenty, requests, a);
  Scenario scarce = plenty;
  scarce.config.kv_blocks = 22;
  KeepingSink b;
  const RunSummary got = run_kept(scarce, requests, b);
  EXPECT_EQ(got.token_digest, expected.token_digest);
  std::int64_t parked = 0;
  std::int64_t preempted = 0;
  for (const StepRecord& r : b.steps) {
    for (const std::int32_t flag : r.p1.b) parked += flag;
    for (const Task& task : r.tasks) preempted += task.kind == TaskKind::preempt ? 1 : 0;
  }
  EXPECT_GT(preempted, 0);
  EXPECT_GT(parked, 0);
}

TEST(StepLoop, ProgressEndsWithTheTokensOfTheSummary) {
  RunOptions options;
  RunProgress last;
  options.progress = [&last](const RunProgress& now) {
    EXPECT_GE(now.tokens, last.tokens);
    EXPECT_GE(now.requests_done, last.requests_done);
    last = now;
  };
  KeepingSink sink;
  const RunSummary summary = run_kept(small_scenario(4, 3), mixed_requests(40), sink, options);
  EXPECT_EQ(last.tokens, summary.tokens);
  EXPECT_EQ(last.requests_done, summary.requests);
}

TEST(StepLoop, PredictSumTripsTheGuardWhenADnodeSlotGrows) {
  Scenario s = small_scenario(2, 3);
  s.config.policy = PolicyKind::predict_sum;
  RequestSpec spec = request(0, 0, 20, 60);
  spec.dnode_drafts = 1;
  KeepingSink sink;
  const RunSummary summary = run_kept(s, {spec}, sink);
  EXPECT_TRUE(summary.guard_tripped);
  ASSERT_FALSE(sink.steps.empty());
  const StepRecord& last = sink.steps.back();
  EXPECT_TRUE(last.guard_tripped);
  EXPECT_EQ(last.token_num, 2);
  EXPECT_EQ(last.cu_seqlens_q.back(), 4);
}

TEST(StepLoop, WorkedExampleOfTheSemantics) {
  // 9.4: K = M = 2, B = 2; slot 0 prefills 2 tokens and slot 1 one at t = 2. Slot 0 accepts 2, then
  // 1 and stops by EOS at t = 4; slot 1 accepts 2, 2, 1, 3.
  Scenario s = small_scenario(2, 2);
  s.config.acceptance = {AcceptKind::list, {}};
  RequestSpec first = request(0, 2, 2, 50, 4);
  first.row.accept = {2, 1, 1, 1, 1, 1};
  RequestSpec second = request(1, 2, 1, 50);
  second.row.accept = {2, 2, 1, 3, 1, 1, 1, 1};
  s.steps_max = 7;
  KeepingSink sink;
  (void)run_kept(s, {first, second}, sink);
  struct Row {
    std::int64_t t;
    std::int32_t q0, q1, d0, d1, g0, g1, rows, bsz, r;
    LaunchMode mode;
    CachedPair out;
  };
  const LaunchMode exact = LaunchMode::exact;
  const LaunchMode predicted = LaunchMode::predicted;
  const Row expected[] = {{2, 2, 1, 0, 0, 0, 0, 3, 2, 2, exact, {-1, -1}},
                          {3, 3, 3, 2, 1, 1, 1, 6, 2, 2, exact, {6, 2}},
                          {4, 3, 3, 4, 3, 3, 3, 6, 2, 2, predicted, {6, 2}},
                          {5, 0, 3, 5, 5, 4, 5, 6, 2, 1, predicted, {3, 1}},
                          {6, 0, 3, 0, 6, 4, 6, 3, 1, 1, predicted, {3, 1}}};
  for (const Row& want : expected) {
    const auto it = std::find_if(sink.steps.begin(), sink.steps.end(),
                                 [&want](const StepRecord& r) { return r.t == want.t; });
    ASSERT_NE(it, sink.steps.end()) << want.t;
    EXPECT_EQ(it->p1.q, (Column{want.q0, want.q1})) << want.t;
    EXPECT_EQ(it->p1.d, (Column{want.d0, want.d1})) << want.t;
    EXPECT_EQ(it->p1.g, (Column{want.g0, want.g1})) << want.t;
    EXPECT_EQ(it->token_num, want.rows) << want.t;
    EXPECT_EQ(it->launch_bsz, want.bsz) << want.t;
    EXPECT_EQ(it->real_bsz, want.r) << want.t;
    EXPECT_EQ(it->mode, want.mode) << want.t;
    EXPECT_EQ(it->cached_out, want.out) << want.t;
  }
}

}  // namespace
}  // namespace tandem
