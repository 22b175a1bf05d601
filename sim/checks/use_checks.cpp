// V11, V31, V36 and V39: who used which count, belief or buffer, and what became of poisoned rows.
#include <algorithm>

#include "sim/checks/stages.hpp"
#include "sim/oracle/arith.hpp"
#include "traces/plan/plan.hpp"

namespace tandem::sim {
namespace {

std::int64_t tokens_of(const Message& message) {
  std::int64_t tokens = 0;
  for (const std::int32_t count : message.count) tokens += std::max(count, 0);
  return tokens;
}

void v31_use(StepContext& c, const CountUse* use, const CountUse* want) {
  const auto add = [&c](const char* member, Value host, Value oracle, std::int64_t lag) {
    c.out.add({CheckId::V31, "-", -1, -1, Field::count_uses, member, host, nothing(), oracle, lag});
  };
  if (use == nullptr || want == nullptr || use->user != want->user) {
    add(".user", use != nullptr ? just(static_cast<int>(use->user)) : nothing(),
        want != nullptr ? just(static_cast<int>(want->user)) : nothing(), 0);
    return;
  }
  const std::int64_t lag = wrap_sub(c.r.t, use->step);
  if (use->step != want->step) add(".step", just(use->step), just(want->step), lag);
  if (use->count != want->count) add(".count", just(use->count), just(want->count), lag);
}

/// The believed length of an occupied slot and what is reserved beyond it (4.2b).
struct Belief {
  std::int64_t length = 0;
  std::int64_t reserve = 0;
  bool bound = false;  ///< the policy promises never to be below the device
};

Belief belief_of(const StepContext& c, std::size_t i) {
  const OracleState& s = c.s;
  switch (c.rules.policy) {
    case PolicyKind::upper_bound:
      return {s.known_d[i] + std::int64_t{c.rules.width} * s.in_flight[i], c.rules.width, true};
    case PolicyKind::all_accepted:
      return {std::int64_t{s.known_d[i]} + (s.in_flight[i] > 0 ? s.q_cpu[i] : 0), 0, true};
    case PolicyKind::exact:
    case PolicyKind::predict_sum:
    case PolicyKind::predict_rows:
    case PolicyKind::predict_rows_hidden:
      break;
  }
  return {s.known_d[i], 0, false};
}

}  // namespace

/// Each message's mask counts the tokens that the message delivers, each replay the valid rows of
/// its own step. With R2 sync the message of a step is sent at its end, behind the replay.
void v31_count_uses(StepContext& c) {
  std::vector<CountUse>& want = c.tmp.uses;
  want.clear();
  const auto routing = [&] {
    if (c.r.kind != StepKind::back) return;
    want.push_back({CountUser::routing_replay, c.r.t, sum_below(c.r.p1.q, c.rules.slots)});
  };
  if (c.rules.sync[2]) routing();
  for (const Message& message : c.r.messages) {
    if (message.control) continue;
    want.push_back({CountUser::sampling_mask, message.step, tokens_of(message)});
  }
  if (!c.rules.sync[2]) routing();
  const std::vector<CountUse>& uses = c.r.count_uses;
  if (uses == want) return;
  for (std::size_t k = 0; k < std::max(uses.size(), want.size()); ++k) {
    v31_use(c, k < uses.size() ? &uses[k] : nullptr, k < want.size() ? &want[k] : nullptr);
  }
}

/// Called at the launch, before anything that arrives in this step is taken in. A step without a
/// launch believes nothing.
void v36_beliefs(StepContext& c) {
  const bool launched = c.r.token_num != 0;
  const auto add = [&c](std::size_t i, Field field, std::int64_t host, Value device, Value oracle) {
    c.out.add({CheckId::V36, "P1", static_cast<std::int32_t>(i), c.s.request[i], field, "",
               just(host), device, oracle});
  };
  for (std::size_t i = 0; i < c.slots(); ++i) {
    const bool held = launched && i < c.below() && c.s.request[i] >= 0;
    const Belief want = held ? belief_of(c, i) : Belief{};
    const std::int64_t length = c.r.believed_len[i];
    const std::int64_t reserve = c.r.believed_reserve[i];
    if (length != want.length) {
      add(i, Field::believed_len, length, just(c.r.p1.d[i]), just(want.length));
    }
    if (reserve != want.reserve)
      add(i, Field::believed_reserve, reserve, nothing(), just(want.reserve));
    if (!want.bound || c.r.p1.q[i] <= 0) continue;
    const std::int64_t reach = std::int64_t{c.r.p1.d[i]} + c.r.p1.q[i];
    if (length < c.r.p1.d[i]) add(i, Field::believed_len, length, just(c.r.p1.d[i]), nothing());
    if (reserve > 0 && length + reserve < reach) {
      add(i, Field::believed_reserve, length + reserve, just(reach), nothing());
    }
  }
}

/// insert(t) stages the arrays of its tasks once; they must still be those when the device copies.
void v39_pinned_sources(StepContext& c) {
  const std::size_t wanted = c.r.tasks.empty() ? 0 : 1;
  const auto add = [&c](const char* member, std::int64_t host, Value device, Value oracle) {
    c.out.add(
        {CheckId::V39, "P0", -1, -1, Field::pinned_copies, member, just(host), device, oracle});
  };
  if (c.r.pinned_copies.size() != wanted) {
    add("", static_cast<std::int64_t>(c.r.pinned_copies.size()), nothing(),
        just(static_cast<std::int64_t>(wanted)));
  }
  for (const PinnedCopy& copy : c.r.pinned_copies) {
    constexpr auto kStaging = static_cast<std::int32_t>(plan::Buffer::task_arrays_cpu);
    if (copy.buffer != kStaging) add(".buffer", copy.buffer, nothing(), just(kStaging));
    if (copy.at_enqueue != copy.at_copy) {
      add(".at_copy", copy.at_enqueue, just(copy.at_copy), just(copy.at_enqueue));
    }
  }
}

/// Rows from T to N of the hidden states and from R to n W of the output batch ids.
void v11_poison(StepContext& c) {
  std::int64_t rows = 0;
  if (c.r.kind == StepKind::back) {
    const std::int64_t valid = std::min(sum_below(c.r.p1.q, c.s.n), std::int64_t{c.r.token_num});
    rows = (c.r.token_num - valid) +
           (std::int64_t{c.s.n} * c.rules.width - std::int64_t{c.r.output_rows});
  }
  const auto expect = [&c](Field field, std::int64_t device, std::int64_t oracle) {
    if (device == oracle) return;
    c.out.add({CheckId::V11, "P4", -1, -1, field, "", nothing(), just(device), just(oracle)});
  };
  expect(Field::poison_rows, c.r.poison_rows, rows);
  expect(Field::poison_damaged, c.r.poison_damaged, 0);
}

}  // namespace tandem::sim
