// V36: what the host believes of each slot's length at launch, and what the device then writes.
#include <algorithm>

#include "sim/checks/stages.hpp"
#include "sim/oracle/arith.hpp"

namespace tandem::sim {
namespace {

bool promises_bound(const Rules& rules) {
  return rules.policy == PolicyKind::upper_bound || rules.policy == PolicyKind::all_accepted;
}

/// The policy's column of 4.2b for all occupied slots: `length` from what the engine knows before
/// the launch. Apart, so that the loop vectorises.
void expect_beliefs(const StepContext& c, Column& length, Column& reserve) {
  const OracleState& s = c.s;
  const bool upper = c.rules.policy == PolicyKind::upper_bound;
  const std::int32_t scheduled = mask_of(c.rules.policy == PolicyKind::all_accepted);
  const std::int32_t rows_each = upper ? c.rules.width : 0;
  const std::size_t slots = c.slots();
  for (std::size_t i = 0; i < slots; ++i) {
    const std::int32_t occupied = mask_of(s.request[i] >= 0);
    const std::int32_t in_flight = mask_of(s.in_flight[i] > 0);
    const auto steps = static_cast<std::uint32_t>(s.in_flight[i]);
    const auto bound = static_cast<std::int32_t>(static_cast<std::uint32_t>(rows_each) * steps);
    const std::int32_t ahead = wrap_add(bound, in_flight & scheduled & s.q_cpu[i]);
    length[i] = occupied & wrap_add(s.known_d[i], ahead);
    reserve[i] = occupied & rows_each;
  }
}

/// Tokens that the engine reserved for the slot before this launch: E3's h, or the policy's where
/// that is more.
void reservations(const StepContext& c, Column& reach) {
  const std::int32_t ahead = (c.config.lag() + 1) * c.rules.width;
  for (std::size_t i = 0; i < c.slots(); ++i) {
    const std::int32_t policy = wrap_add(c.r.believed_len[i], c.r.believed_reserve[i]);
    reach[i] = std::max(policy, wrap_add(c.s.known_d[i], ahead));
  }
}

/// True where some running slot may break what v36_beliefs() demands: the same without words and
/// with sums that wrap, so that it vectorises. What wraps is looked at closely.
bool leaves_belief(const StepContext& c) {
  const SlotColumns& p = c.r.p1;
  const std::int32_t bound = mask_of(promises_bound(c.rules));
  std::int32_t bad = 0;
  for (std::size_t i = 0; i < c.slots(); ++i) {
    const std::int32_t runs = mask_of(p.q[i] > 0);
    const std::int32_t end = wrap_add(p.d[i], p.q[i]);
    bad |= runs & bound & mask_of(c.r.believed_len[i] < p.d[i]);
    bad |= runs & (mask_of(end > c.tmp.reach[i]) | mask_of(end < p.d[i]));
  }
  return bad != 0;
}

bool leaves_reach(const StepContext& c, const DraftSubstep& sub, std::size_t substep) {
  const auto ahead = static_cast<std::int32_t>(substep);
  std::int32_t bad = 0;
  for (std::size_t i = 0; i < c.below(); ++i) {
    const std::int32_t end = wrap_add(sub.dd[i], sub.qd[i]);
    const std::int32_t most = wrap_add(c.tmp.reach[i], ahead);
    bad |= mask_of(sub.qd[i] > 0) & (mask_of(end > most) | mask_of(end < sub.dd[i]));
  }
  return bad != 0;
}

void report(StepContext& c, const char* point, Field field, std::size_t i, std::int64_t host,
            std::int64_t device, Value oracle) {
  c.out.add({CheckId::V36, point, static_cast<std::int32_t>(i), c.s.request[i], field, "",
             just(host), just(device), oracle});
}

}  // namespace

void v36_beliefs(StepContext& c) {
  if (!c.out.is_enabled(CheckId::V36)) return;
  Column& length = c.tmp.a;
  Column& reserve = c.tmp.b;
  const bool launched = c.r.kind != StepKind::idle && c.r.token_num > 0;
  if (launched) {
    expect_beliefs(c, length, reserve);
  } else {
    length = c.tmp.zeros;
    reserve = c.tmp.zeros;
  }
  compare(c, CheckId::V36, Field::believed_len, "P1", c.r.believed_len, length);
  compare(c, CheckId::V36, Field::believed_reserve, "P1", c.r.believed_reserve, reserve);
  if (!launched) return;
  reservations(c, c.tmp.reach);
  if (!leaves_belief(c)) return;
  for (std::size_t i = 0; i < c.slots(); ++i) {
    if (c.r.p1.q[i] <= 0) continue;
    const std::int64_t d = c.r.p1.d[i];
    if (promises_bound(c.rules) && c.r.believed_len[i] < d) {
      report(c, "P1", Field::believed_len, i, c.r.believed_len[i], d, just(length[i]));
    }
    const std::int64_t end = d + c.r.p1.q[i];
    if (end > c.tmp.reach[i]) report(c, "P1", Field::p1_d, i, c.tmp.reach[i], end, nothing());
  }
}

/// Sub-step j writes at most j tokens behind what the target may have written: its first commits
/// nothing, and each later one moves on by one (5.12).
void v36_draft_reach(StepContext& c) {
  if (!c.out.is_enabled(CheckId::V36)) return;
  for (std::size_t j = 0; j < c.r.substeps.size(); ++j) {
    const DraftSubstep& sub = c.r.substeps[j];
    if (!sub.launched || !leaves_reach(c, sub, j)) continue;
    c.out.begin_substep(static_cast<std::int32_t>(j));
    for (std::size_t i = 0; i < c.below(); ++i) {
      if (sub.qd[i] <= 0) continue;
      const std::int64_t end = std::int64_t{sub.dd[i]} + sub.qd[i];
      const std::int64_t most = std::int64_t{c.tmp.reach[i]} + static_cast<std::int64_t>(j);
      if (end > most) report(c, "P3", Field::sub_dd, i, most, end, nothing());
    }
  }
  c.out.begin_substep(-1);
}

}  // namespace tandem::sim
