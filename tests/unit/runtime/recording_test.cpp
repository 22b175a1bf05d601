// What the host device and the step loop record: seeds, owners, counts, graph tails, beliefs.
#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/host/tensors.hpp"
#include "tests/unit/runtime/hooked_device.hpp"
#include "traces/base/random.hpp"

namespace tandem {
namespace {

using plan::OpKind;
using test::KeepingSink;
using test::request;
using test::run_hooked;
using test::run_kept;
using test::small_scenario;

/// Prompts longer than the budget, D-node arrivals, preemptions, aborts and short outputs.
std::vector<RequestSpec> eventful_requests(std::int32_t count) {
  std::vector<RequestSpec> out;
  for (std::int32_t i = 0; i < count; ++i) {
    RequestSpec spec = request(i, i * 3, 5 + (i * 61) % 250, 2 + (i * 13) % 50);
    if (i % 3 == 0) spec.row.eos_at = 2 + (i * 7) % 30;
    if (i % 5 == 4) spec.dnode_drafts = 1;
    if (i % 4 == 2) spec.preempt_after = 1 + i % 7;
    if (i % 7 == 5) spec.row.abort_after = 2;
    out.push_back(spec);
  }
  return out;
}

/// Budget below the longest prompts, so that they are chunked.
Scenario eventful_scenario(RowMode mode) {
  Scenario s = small_scenario(4, 3);
  s.config.max_num_batched_tokens = 64;
  test::set_all_rows(s, mode);
  return s;
}

/// Too few blocks for all: slots are parked and preempted by the engine.
Scenario tight_scenario(RowMode mode) {
  Scenario s = eventful_scenario(mode);
  s.config.kv_blocks = 24;
  return s;
}

std::size_t at(std::int32_t slot) { return static_cast<std::size_t>(slot); }

bool starts_generation(const Task& task) {
  return task.kind == TaskKind::prefill || task.kind == TaskKind::dnode;
}

// -- seeds (5.4, V38) -----------------------------------------------------------------------------

constexpr std::uint64_t kModulus = 9'223'372'036'854'775'806U;  // 2^63 - 2

std::uint64_t first_seed(const RunConfig& config, RequestId id) {
  const auto key = static_cast<std::uint64_t>(id);
  return keyed_draw(config.seed, hash_text("infer_seed"), key, 0) % kModulus;
}

/// Follows the seed of every slot through a run, by the text of traces/run_config.hpp.
struct SeedFollower {
  explicit SeedFollower(const RunConfig& run) : config(run), seed(at(run.max_num_seqs), 0) {}

  void insert(const StepRecord& r) {
    for (const Task& task : r.tasks) {
      if (!starts_generation(task)) continue;
      seed[at(task.slot)] = first_seed(config, task.request);
      chunks += task.kind == TaskKind::prefill && !task.admits ? 1 : 0;
      recoveries += task.admits && task.generated > 1 ? 1 : 0;
    }
  }
  void advance(std::int32_t n) {
    const auto step = static_cast<std::uint64_t>(4 * config.row_width());
    for (std::size_t i = 0; i < at(n); ++i) seed[i] = (seed[i] + step) % kModulus;
  }

  const RunConfig& config;
  std::vector<std::uint64_t> seed;
  std::int64_t chunks = 0;
  std::int64_t recoveries = 0;
};

void expect_seeds(const Scenario& s, std::int64_t& parked) {
  KeepingSink sink;
  RunOptions options;
  options.block_steps = 5;
  (void)run_kept(s, eventful_requests(30), sink, options);
  SeedFollower follower(s.config);
  std::size_t next_keyframe = 0;
  for (std::size_t k = 0; k < sink.steps.size(); ++k) {
    const StepRecord& r = sink.steps[k];
    if (next_keyframe < sink.keyframes.size() && sink.keyframe_before[next_keyframe] == k) {
      const Keyframe& frame = sink.keyframes[next_keyframe++];
      for (std::size_t i = 0; i < frame.request.size(); ++i) {
        if (frame.request[i] == kNoRequest) continue;
        ASSERT_EQ(static_cast<std::uint64_t>(frame.infer_seed[i]), follower.seed[i])
            << "keyframe before " << r.t << ", slot " << i;
      }
    }
    follower.insert(r);
    if (r.kind != StepKind::back) continue;
    for (std::size_t i = 0; i < r.p1.q.size(); ++i) {
      const bool ran = r.p1.q[i] > 0;
      const auto low31 = static_cast<std::int32_t>(follower.seed[i] & 0x7FFFFFFFU);
      ASSERT_EQ(r.seed_used[i], ran ? low31 : 0) << r.t << ", slot " << i;
      parked += r.p1.b[i];
    }
    follower.advance(r.n);
  }
  EXPECT_EQ(next_keyframe, sink.keyframes.size());
  EXPECT_GT(next_keyframe, 3U);
  EXPECT_GT(follower.chunks, 0);
  EXPECT_GT(follower.recoveries, 0);
}

TEST(SeedUsed, StartsAnewWithEveryInsertAndAdvancesByFourRowsAStep) {
  std::int64_t parked = 0;
  for (const RowMode mode : {RowMode::sync, RowMode::overlap}) {
    expect_seeds(eventful_scenario(mode), parked);
    expect_seeds(tight_scenario(mode), parked);
  }
  EXPECT_GT(parked, 0);  // a parked slot's seed goes on with the others
}

TEST(SeedUsed, FallsBehindWhereAStepSkipsTheSamplingParameters) {
  std::int32_t skipped = -1;
  const auto hook = [&](HostDevice& inner, const plan::Operation& op, const LaunchArgs& args) {
    if (op.kind == OpKind::build_sampling_params && args.t == 4) {
      skipped = 4;
      return;
    }
    inner.enqueue(op, args);
  };
  KeepingSink sink;
  (void)run_hooked(small_scenario(1, 3), {request(0, 0, 20, 60)}, sink, hook);
  ASSERT_EQ(skipped, 4);
  const auto start = first_seed(small_scenario(1, 3).config, 0);
  EXPECT_EQ(sink.steps[3].seed_used[0], static_cast<std::int32_t>((start + 48) & 0x7FFFFFFFU));
  EXPECT_EQ(sink.steps[4].seed_used[0], 0);
  EXPECT_EQ(sink.steps[5].seed_used[0], static_cast<std::int32_t>((start + 64) & 0x7FFFFFFFU));
}

// -- stop counters and owners (5.6, V35, V38) -----------------------------------------------------

TEST(StopStepIdx, IsTheCommittedLengthBeforeTheUpdate) {
  for (const RowMode mode : {RowMode::sync, RowMode::overlap}) {
    KeepingSink sink;
    (void)run_kept(tight_scenario(mode), eventful_requests(30), sink);
    for (const StepRecord& r : sink.steps) {
      for (std::size_t i = 0; i < r.p1.q.size(); ++i) {
        const bool ran = r.kind == StepKind::back && r.p1.q[i] > 0;
        ASSERT_EQ(r.stop_step_idx[i], ran ? r.p1.g[i] : 0) << r.t << ", slot " << i;
      }
    }
  }
}

TEST(Owners, OfAWriteAreTheSameAtEnqueueAndOnTheDevice) {
  for (const RowMode mode : {RowMode::sync, RowMode::overlap}) {
    KeepingSink sink;
    (void)run_kept(tight_scenario(mode), eventful_requests(30), sink);
    std::vector<std::int32_t> generation(4, 0);
    std::int32_t latest = 0;
    for (const StepRecord& r : sink.steps) {
      for (const Task& task : r.tasks) {
        if (task.admits) generation[at(task.slot)] = task.generation;
      }
      for (std::size_t i = 0; i < r.p1.q.size(); ++i) {
        const bool ran = r.kind == StepKind::back && r.p1.q[i] > 0;
        const std::int32_t wanted = ran ? generation[i] : 0;
        ASSERT_EQ(r.p2_generation[i], wanted) << r.t << ", slot " << i;
        ASSERT_EQ(r.enqueue_generation[i], wanted) << r.t << ", slot " << i;
        latest = std::max(latest, wanted);
      }
    }
    EXPECT_GT(latest, 3);
  }
}

// -- counts and their steps (V31) -----------------------------------------------------------------

std::int64_t sum_of(const Column& column) {
  std::int64_t sum = 0;
  for (const std::int32_t v : column) sum += v;
  return sum;
}

struct Seen {
  std::int64_t ghosts = 0;
  std::int64_t controls = 0;
  std::int64_t masked = 0;  ///< messages with tokens of a step whose other slots' were not sent
};

/// The uses that one record must hold, from what its step and its message's step committed.
std::vector<CountUse> wanted_uses(const StepRecord& r, const std::map<std::int64_t, Column>& p2_a,
                                  bool late, Seen& seen) {
  std::vector<CountUse> out;
  const CountUse routing{CountUser::routing_replay, r.t, sum_of(r.p1.q)};
  if (!late && r.kind == StepKind::back) out.push_back(routing);
  for (const Message& m : r.messages) {
    seen.controls += m.control ? 1 : 0;
    if (m.control) continue;
    const Column& a = p2_a.at(m.step);
    std::int64_t delivered = 0;
    for (std::size_t i = 0; i < m.count.size(); ++i) delivered += m.count[i] > 0 ? a[i] : 0;
    seen.masked += delivered > 0 && delivered < sum_of(a) ? 1 : 0;
    out.push_back({CountUser::sampling_mask, m.step, delivered});
  }
  if (late && r.kind == StepKind::back) out.push_back(routing);
  return out;
}

TEST(CountUses, AreThoseOfTheirOwnStepInBothSchedules) {
  auto requests = eventful_requests(30);
  for (RequestSpec& spec : requests) spec.row.arrival *= 6;  // so that slots run dry in between
  requests[0].row.abort_after = 1;  // alone: its mark needs a control output
  for (const RowMode r2 : {RowMode::sync, RowMode::overlap}) {
    Scenario s = eventful_scenario(RowMode::overlap);
    s.config.rows[2] = r2;
    KeepingSink sink;
    (void)run_kept(s, requests, sink);
    std::map<std::int64_t, Column> p2_a;
    Seen seen;
    std::int64_t predicted_surplus = 0;
    for (const StepRecord& r : sink.steps) {
      if (r.kind == StepKind::back) p2_a[r.t] = r.p2.a;
      EXPECT_EQ(r.count_uses, wanted_uses(r, p2_a, r2 == RowMode::overlap, seen)) << r.t;
      seen.ghosts += r.kind == StepKind::empty ? 1 : 0;
      predicted_surplus += r.kind == StepKind::back && r.token_num > sum_of(r.p1.q) ? 1 : 0;
    }
    EXPECT_GT(seen.ghosts, 0);
    EXPECT_GT(seen.controls, 0);
    EXPECT_GT(seen.masked, 0);
    EXPECT_GT(predicted_surplus, 0);  // N would have been a different count
  }
}

// -- graph tails (8.3, V30) -----------------------------------------------------------------------

TEST(CountLive, CountsRowsBehindTheValidOnesThatCarryABatchId) {
  const Ints batch_id{0, 0, 1, 2, -1, 3, -1};
  EXPECT_EQ(count_live(batch_id, 3, 7), 2);
  EXPECT_EQ(count_live(batch_id, 3, 4), 1);
  EXPECT_EQ(count_live(batch_id, 4, 5), 0);
  EXPECT_EQ(count_live(batch_id, 7, 7), 0);
  EXPECT_EQ(count_live(batch_id, 5, 3), 0);   // the guard dropped rows: nothing lies behind
  EXPECT_EQ(count_live(batch_id, 5, 99), 1);  // never beyond the buffer
}

TEST(LiveTail, IsZeroWithAndWithoutCapturedSizes) {
  const std::vector<std::vector<std::int32_t>> sizes{{}, {16, 8, 4}, {16}, {64, 16}};
  for (const RowMode mode : {RowMode::sync, RowMode::overlap}) {
    for (const DraftPath path : {DraftPath::gather, DraftPath::self}) {
      for (const auto& captured : sizes) {
        Scenario s = tight_scenario(mode);
        s.config.draft_path = path;
        s.config.captured_sizes = captured;
        KeepingSink sink;
        (void)run_kept(s, eventful_requests(30), sink);
        std::int64_t padded = 0;
        for (const StepRecord& r : sink.steps) {
          EXPECT_EQ(r.live_tail, 0) << r.t << ", captured " << r.captured_size;
          for (const DraftSubstep& sub : r.substeps) EXPECT_EQ(sub.live_tail, 0) << r.t;
          padded += r.captured_size > r.token_num ? 1 : 0;
        }
        EXPECT_EQ(padded > 0, !captured.empty());
      }
    }
  }
}

/// A forward told of fewer slots than were packed computes the rows of the last one for no one.
TEST(LiveTail, CountsRowsAndSlotsBehindTheView) {
  const auto hook = [](HostDevice& inner, const plan::Operation& op, LaunchArgs args) {
    if (op.kind == OpKind::target_forward) --args.n;
    inner.enqueue(op, args);
  };
  KeepingSink sink;
  (void)run_hooked(small_scenario(4, 3), eventful_requests(12), sink, hook);
  std::int64_t live = 0;
  for (const StepRecord& r : sink.steps) {
    if (r.n == 0) continue;
    const std::int32_t last = r.p1.q[at(r.n - 1)];
    EXPECT_EQ(r.live_tail, r.token_num > 0 && last > 0 ? last + 1 : 0) << r.t;
    live += r.live_tail;
  }
  EXPECT_GT(live, 0);
}

/// The proposer's q buffer has B entries too: one behind the view is a slot for no one.
TEST(LiveTail, CountsSlotsOfTheHeadBehindTheView) {
  const auto hook = [](HostDevice& inner, const plan::Operation& op, LaunchArgs args) {
    if (op.kind == OpKind::draft_forward) --args.n;
    inner.enqueue(op, args);
  };
  KeepingSink sink;
  (void)run_hooked(small_scenario(4, 3), eventful_requests(12), sink, hook);
  std::int64_t live = 0;
  for (const StepRecord& r : sink.steps) {
    for (const DraftSubstep& sub : r.substeps) {
      const bool behind = sub.launched && sub.qd[at(r.n - 1)] > 0;
      EXPECT_EQ(sub.live_tail, behind ? 1 : 0) << r.t;
      live += sub.live_tail;
    }
  }
  EXPECT_GT(live, 0);
}

// -- beliefs (4.2b, V36) --------------------------------------------------------------------------

/// What the host may know, step by step, from tasks and messages alone.
struct Knowledge {
  explicit Knowledge(const RunConfig& run) : config(run), slots(at(run.max_num_seqs)) {}

  struct Slot {
    std::int32_t given = -1;  ///< generation; -1: free
    std::int32_t length = 0;
    std::map<std::int64_t, bool> in_flight;  ///< launched steps without their message
  };

  void insert(const StepRecord& r) {
    for (const Task& task : r.tasks) {
      Slot& slot = slots[at(task.slot)];
      if (task.admits) slot = {task.generation, 0, {}};
      if (task.kind == TaskKind::prefill) slot.length = task.end;
      if (task.kind == TaskKind::dnode) slot.length = task.text_len;
    }
  }
  [[nodiscard]] std::pair<std::int32_t, std::int32_t> belief(std::size_t i) const {
    const Slot& slot = slots[i];
    if (slot.given < 0) return {0, 0};
    const auto flying = static_cast<std::int32_t>(slot.in_flight.size());
    const std::int32_t width = config.row_width();
    if (config.policy == PolicyKind::upper_bound) return {slot.length + width * flying, width};
    const bool optimistic = config.policy == PolicyKind::all_accepted && flying > 0;
    return {slot.length + (optimistic ? q_before[i] : 0), 0};
  }
  /// The messages of the iteration, all sent behind its launch; then its ghost brings none.
  void learn(const StepRecord& r) {
    for (std::size_t i = 0; r.token_num > 0 && i < at(r.n); ++i) slots[i].in_flight[r.t] = true;
    for (const Message& m : r.messages) {
      for (std::size_t i = 0; i < slots.size(); ++i) {
        if (!m.control) slots[i].in_flight.erase(m.step);
        const bool own = m.count[i] > 0 && m.generation[i] == slots[i].given;
        if (own) slots[i].length = m.seq_len[i];
      }
    }
    for (Slot& slot : slots) {
      if (r.kind == StepKind::empty) slot.in_flight.erase(r.t);
    }
    for (const SlotFree& free : r.frees) slots[at(free.slot)] = {};
    q_before = r.q_cpu;
  }

  const RunConfig& config;
  std::vector<Slot> slots;
  Column q_before = Column(slots.size(), 0);
};

struct BeliefsSeen {
  std::int64_t free_slots = 0;  ///< below n
  std::int64_t exact = 0;       ///< running slots believed to be where they are
  std::int64_t below = 0;
  std::int64_t above = 0;
};

BeliefsSeen expect_beliefs(const Scenario& s, const std::vector<RequestSpec>& requests) {
  KeepingSink sink;
  const RunSummary summary = run_kept(s, requests, sink);
  EXPECT_FALSE(summary.guard_tripped);
  Knowledge host(s.config);
  BeliefsSeen seen;
  for (const StepRecord& r : sink.steps) {
    host.insert(r);
    for (std::size_t i = 0; i < r.believed_len.size(); ++i) {
      const auto [length, reserve] = host.belief(i);
      const bool launched = r.token_num > 0;
      EXPECT_EQ(r.believed_len[i], launched ? length : 0) << r.t << ", slot " << i;
      EXPECT_EQ(r.believed_reserve[i], launched ? reserve : 0) << r.t << ", slot " << i;
      seen.free_slots += launched && i < at(r.n) && host.slots[i].given < 0 ? 1 : 0;
      if (!launched || r.p1.q[i] == 0 || r.p1.e[i] > 0) continue;
      seen.exact += r.believed_len[i] == r.p1.d[i] ? 1 : 0;
      seen.below += r.believed_len[i] < r.p1.d[i] ? 1 : 0;
      seen.above += r.believed_len[i] > r.p1.d[i] ? 1 : 0;
    }
    host.learn(r);
  }
  EXPECT_GT(seen.free_slots, 0);
  return seen;
}

TEST(Beliefs, OfPredictSumAreTheLastMessagesLengths) {
  // Without D nodes no q grows, so that its launches hold (4.3).
  std::vector<RequestSpec> requests = eventful_requests(30);
  for (RequestSpec& spec : requests) spec.dnode_drafts = -1;
  for (const RowMode mode : {RowMode::sync, RowMode::overlap}) {
    Scenario s = eventful_scenario(mode);
    s.config.policy = PolicyKind::predict_sum;
    const BeliefsSeen seen = expect_beliefs(s, requests);
    EXPECT_EQ(seen.below > 0, mode == RowMode::overlap);
    EXPECT_EQ(seen.above, 0);
    EXPECT_GT(seen.exact, 0);
  }
}

TEST(Beliefs, AreThoseOfThePolicyAndZeroForFreeSlots) {
  for (const PolicyKind policy :
       {PolicyKind::exact, PolicyKind::predict_rows, PolicyKind::predict_rows_hidden,
        PolicyKind::upper_bound, PolicyKind::all_accepted}) {
    SCOPED_TRACE(to_name(policy));
    for (const RowMode mode : {RowMode::sync, RowMode::overlap}) {
      Scenario s = eventful_scenario(mode);
      s.config.policy = policy;
      const BeliefsSeen seen = expect_beliefs(s, eventful_requests(30));
      const bool bound = policy == PolicyKind::upper_bound || policy == PolicyKind::all_accepted;
      EXPECT_EQ(seen.below > 0, mode == RowMode::overlap && !bound);
      EXPECT_EQ(seen.above > 0, mode == RowMode::overlap && bound);
      EXPECT_GT(seen.exact, 0);
    }
  }
}

}  // namespace
}  // namespace tandem
