// The engine's contract (semantics 6.9) without a device.
#include "runtime/core/engine.hpp"

#include <memory>

#include <gtest/gtest.h>

#include "tests/support/run_helpers.hpp"

namespace tandem {
namespace {

using test::ListWorkload;
using test::request;

/// An engine with its workload and the two columns it looks at.
struct Bench {
  Bench(Scenario s, std::vector<RequestSpec> requests)
      : scenario(std::move(s)),
        workload(std::move(requests)),
        policy(make_policy(scenario.config)),
        engine(scenario, *policy, workload),
        zeros(static_cast<std::size_t>(scenario.config.max_num_seqs), 0) {}

  std::vector<Task> plan(std::int64_t t) {
    std::vector<Task> tasks;
    const Status status = engine.plan(t, t * 1000, zeros, zeros, tasks);
    EXPECT_TRUE(status.ok());
    return tasks;
  }

  /// The message of step t: `count` tokens 7 for every slot in `slots`, length `seq_len`.
  void tell(std::int64_t t, const std::vector<std::int32_t>& slots, std::int32_t count,
            std::int32_t seq_len) {
    Message m;
    m.step = t;
    m.slots = static_cast<std::int32_t>(zeros.size());
    m.count = m.digest = m.seq_len = zeros;
    m.request = engine.request();
    m.generation = engine.given();
    for (std::int32_t& generation : m.generation) --generation;
    for (const std::int32_t slot : slots) {
      m.count[static_cast<std::size_t>(slot)] = count;
      m.seq_len[static_cast<std::size_t>(slot)] = seq_len;
    }
    const auto width = static_cast<std::size_t>(scenario.config.row_width());
    const std::vector<std::int64_t> tokens(zeros.size() * width, 7);
    engine.on_message({m, tokens}, outcomes, frees);
  }

  Scenario scenario;
  ListWorkload workload;
  std::unique_ptr<HostPolicy> policy;
  Engine engine;
  Column zeros;
  std::vector<RequestOutcome> outcomes;
  std::vector<SlotFree> frees;
};

TEST(Engine, AdmitsInArrivalOrderIntoTheLowestFreeSlot) {
  Bench b(test::small_scenario(2, 3),
          {request(0, 0, 10, 5), request(1, 0, 20, 5), request(2, 0, 30, 5)});
  const std::vector<Task> tasks = b.plan(0);
  ASSERT_EQ(tasks.size(), 2U);
  EXPECT_EQ(tasks[0].request, 0);
  EXPECT_EQ(tasks[0].slot, 0);
  EXPECT_EQ(tasks[1].request, 1);
  EXPECT_TRUE(tasks[1].admits);
  EXPECT_EQ(b.engine.view_length(0), 2);
}

TEST(Engine, ArrivalAfterTheStepWaits) {
  Bench b(test::small_scenario(2, 3), {request(0, 5, 10, 5)});
  EXPECT_TRUE(b.plan(2).empty());
  EXPECT_EQ(b.engine.idle_repeat(2, 0, 1'000'000, true), 3);
  EXPECT_EQ(b.engine.idle_repeat(2, 0, 1'000'000, false), 1);
  EXPECT_EQ(b.plan(5).size(), 1U);
}

TEST(Engine, PromptBeyondTheBudgetIsChunked) {
  Scenario s = test::small_scenario(1, 3);
  s.config.max_num_batched_tokens = 64;
  Bench b(std::move(s), {request(0, 0, 150, 5)});
  std::vector<std::pair<std::int32_t, std::int32_t>> chunks;
  for (std::int64_t t = 0; t < 3; ++t) {
    const std::vector<Task> tasks = b.plan(t);
    ASSERT_EQ(tasks.size(), 1U);
    EXPECT_EQ(tasks[0].kind, TaskKind::prefill);
    EXPECT_EQ(tasks[0].admits, t == 0);
    chunks.emplace_back(tasks[0].start, tasks[0].end);
  }
  EXPECT_EQ(chunks,
            (std::vector<std::pair<std::int32_t, std::int32_t>>{{0, 64}, {64, 128}, {128, 150}}));
}

TEST(Engine, BudgetCountsWRowsForEveryRunningSlot) {
  Scenario s = test::small_scenario(3, 3);
  s.config.max_num_batched_tokens = 40;
  Bench b(std::move(s), {request(0, 0, 30, 9), request(1, 1, 100, 9)});
  ASSERT_EQ(b.plan(0).size(), 1U);
  const std::vector<Task> tasks = b.plan(1);
  ASSERT_EQ(tasks.size(), 1U);
  EXPECT_EQ(tasks[0].end, 40 - 4);
}

TEST(Engine, SlotIsFreeOnlyAfterTheMessageThatEndsItsRequest) {
  Scenario s = test::small_scenario(1, 3);
  Bench b(std::move(s), {request(0, 0, 10, 2), request(1, 0, 10, 2)});
  ASSERT_EQ(b.plan(0).size(), 1U);
  b.engine.mark_launched(0, 1);
  EXPECT_TRUE(b.plan(1).empty());
  b.engine.mark_launched(1, 1);
  b.tell(0, {0}, 1, 10);
  EXPECT_TRUE(b.frees.empty());
  EXPECT_TRUE(b.plan(2).empty());
  b.tell(1, {0}, 1, 11);
  ASSERT_EQ(b.frees.size(), 1U);
  EXPECT_EQ(b.outcomes[0].output_len, 2);
  EXPECT_EQ(b.outcomes[0].reason, StopReason::length);
  const std::vector<Task> tasks = b.plan(3);
  ASSERT_EQ(tasks.size(), 1U);
  EXPECT_EQ(tasks[0].request, 1);
  EXPECT_EQ(tasks[0].generation, 1);
}

TEST(Engine, TableCoversTheLookAheadOfTheLag) {
  Scenario s = test::small_scenario(1, 3);  // W = 4, block size 16, lag 1
  Bench b(std::move(s), {request(0, 0, 20, 50)});
  const std::vector<Task> admitted = b.plan(0);
  ASSERT_EQ(admitted.size(), 1U);
  EXPECT_EQ(admitted[0].blocks.size(), 2U);  // (20 + 8) / 16 = 1: entries 0 and 1
  const std::vector<Task> refresh = b.plan(1);
  ASSERT_EQ(refresh.size(), 1U);  // (20 + 2 * 4 + 8) / 16 = 2: one more
  EXPECT_EQ(refresh[0].kind, TaskKind::decode);
  EXPECT_EQ(refresh[0].blocks.size(), 1U);
  EXPECT_TRUE(b.plan(2).empty());
}

TEST(Engine, ShortBlocksPreemptTheMostRecentlyAdmitted) {
  Scenario s = test::small_scenario(2, 3);
  s.config.kv_blocks = 4;
  Bench b(std::move(s), {request(0, 0, 20, 50), request(1, 0, 20, 50)});
  ASSERT_EQ(b.plan(0).size(), 2U);  // two blocks each: none left
  const std::vector<Task> tasks = b.plan(1);
  ASSERT_EQ(tasks.size(), 1U);
  EXPECT_EQ(tasks[0].kind, TaskKind::preempt);
  EXPECT_EQ(tasks[0].slot, 1);
  EXPECT_TRUE(b.plan(2).empty());  // one preemption at a time; its mark is still out
}

TEST(Engine, PreemptedRequestComesBackFirstWithAllItsTokens) {
  Scenario s = test::small_scenario(1, 3);
  RequestSpec first = request(0, 0, 20, 50);
  first.preempt_after = 3;
  Bench b(std::move(s), {first, request(1, 0, 20, 50)});
  ASSERT_EQ(b.plan(0).size(), 1U);
  b.engine.mark_launched(0, 1);
  b.tell(0, {0}, 3, 22);
  const std::vector<Task> tasks = b.plan(1);
  ASSERT_EQ(tasks.size(), 1U);
  EXPECT_EQ(tasks[0].kind, TaskKind::preempt);
  b.engine.mark_launched(1, 1);
  b.tell(1, {0}, kPreemptMark, 0);
  ASSERT_EQ(b.frees.size(), 1U);
  EXPECT_TRUE(b.outcomes.empty());
  const std::vector<Task> again = b.plan(2);
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].request, 0);
  EXPECT_EQ(again[0].text_len, 23);
  EXPECT_EQ(again[0].generated, 3);
}

TEST(Engine, AbortedRequestIsClosedByItsMarkAndNotQueuedAgain) {
  Scenario s = test::small_scenario(1, 3);
  RequestSpec first = request(0, 0, 20, 50);
  first.row.abort_after = 1;
  Bench b(std::move(s), {first});
  ASSERT_EQ(b.plan(0).size(), 1U);
  b.engine.mark_launched(0, 1);
  b.tell(0, {0}, 1, 20);
  ASSERT_EQ(b.plan(1).size(), 1U);
  b.engine.mark_launched(1, 1);
  b.tell(1, {0}, kPreemptMark, 0);
  ASSERT_EQ(b.outcomes.size(), 1U);
  EXPECT_EQ(b.outcomes[0].reason, StopReason::abort);
  EXPECT_TRUE(b.engine.is_over(0, true));
}

TEST(Engine, CachedPartCostsBlocksButNoBudget) {
  Scenario s = test::small_scenario(1, 3);
  s.config.max_num_batched_tokens = 64;
  RequestSpec spec = request(0, 0, 150, 5);
  spec.row.cached_prompt = 50;
  Bench b(std::move(s), {spec});
  const std::vector<Task> first = b.plan(0);
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].start, 50);
  EXPECT_EQ(first[0].end, 114);
  EXPECT_EQ(first[0].blocks.size(), 8U);  // (114 + 8) / 16 = 7
  EXPECT_EQ(b.engine.known_d()[0], 114);
  const std::vector<Task> second = b.plan(1);
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].start, 114);
  EXPECT_EQ(second[0].end, 150);
}

TEST(Engine, LastTokenOfATextIsComputedEvenIfAllOfItIsCached) {
  RequestSpec spec = request(0, 0, 30, 5);
  spec.row.cached_prompt = 30;
  Bench b(test::small_scenario(1, 3), {spec});
  const std::vector<Task> tasks = b.plan(0);
  ASSERT_EQ(tasks.size(), 1U);
  EXPECT_EQ(tasks[0].start, 29);
  EXPECT_EQ(tasks[0].end, 30);
}

TEST(Engine, TotalsCountEveryTokenOnceWhateverHappensToItsRequest) {
  Scenario s = test::small_scenario(2, 3);
  RequestSpec preempted = request(0, 0, 20, 4);
  preempted.preempt_after = 2;
  RequestSpec aborted = request(1, 0, 20, 50);
  aborted.row.abort_after = 3;
  Bench b(std::move(s), {preempted, aborted});
  std::uint64_t digest = b.engine.totals().token_digest;
  EXPECT_EQ(digest, 0U);
  ASSERT_EQ(b.plan(0).size(), 2U);
  b.engine.mark_launched(0, 2);
  b.tell(0, {0, 1}, 2, 21);
  EXPECT_EQ(b.engine.totals().tokens, 4);
  (void)b.plan(1);
  b.engine.mark_launched(1, 2);
  b.tell(1, {1}, 4, 25);  // two of these are behind the trigger and dropped
  EXPECT_EQ(b.engine.totals().tokens, 5);
  digest = b.engine.totals().token_digest;
  (void)b.plan(2);
  b.engine.mark_launched(2, 2);
  b.tell(2, {0, 1}, kPreemptMark, 0);  // one waits again, the other is closed: no token moves
  EXPECT_EQ(b.engine.totals().tokens, 5);
  EXPECT_EQ(b.engine.totals().token_digest, digest);
  EXPECT_EQ(b.engine.totals().requests, 1);
  ASSERT_EQ(b.plan(3).size(), 1U);
  b.engine.mark_launched(3, 2);
  b.tell(3, {0}, 2, 24);
  EXPECT_EQ(b.engine.totals().tokens, 7);
  EXPECT_EQ(b.engine.totals().requests, 2);
}

TEST(Engine, AbortAfterNoTokenStandsBehindTheAdmission) {
  RequestSpec first = request(0, 0, 20, 50);
  first.row.abort_after = 0;
  Bench b(test::small_scenario(1, 3), {first});
  const std::vector<Task> tasks = b.plan(0);
  ASSERT_EQ(tasks.size(), 2U);
  EXPECT_EQ(tasks[0].kind, TaskKind::prefill);
  EXPECT_EQ(tasks[1].kind, TaskKind::abort);
  EXPECT_EQ(tasks[1].request, 0);
}

TEST(Engine, MessageThatCrossesTheAbortTriggerAndEndsTheRequestFreesItsSlot) {
  Scenario s = test::small_scenario(1, 3);
  RequestSpec first = request(0, 0, 20, 3);
  first.row.abort_after = 2;
  Bench b(std::move(s), {first});
  ASSERT_EQ(b.plan(0).size(), 1U);
  b.engine.mark_launched(0, 1);
  b.tell(0, {0}, 3, 20);
  ASSERT_EQ(b.frees.size(), 1U);  // E4: no abort was inserted, so no mark is to come
  ASSERT_EQ(b.outcomes.size(), 1U);
  EXPECT_EQ(b.outcomes[0].reason, StopReason::length);
  EXPECT_TRUE(b.plan(1).empty());
}

}  // namespace
}  // namespace tandem
