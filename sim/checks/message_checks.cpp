// V22, V24 to V26 and V37: what was sent, and what the engine does with it. V7: what must be
// missing.
#include <algorithm>
#include <bit>
#include <utility>

#include "sim/checks/stages.hpp"
#include "sim/oracle/arith.hpp"

namespace tandem::sim {
namespace {

std::int32_t at(const Column& column, std::size_t i, std::int32_t fill = 0) {
  return i < column.size() ? column[i] : fill;
}

void add(StepContext& c, CheckId check, std::size_t slot, const char* member, const Message& sent,
         std::int64_t host, Value device, std::int64_t oracle) {
  c.out.add({check, "-", static_cast<std::int32_t>(slot), c.tmp.request_at_launch[slot],
             Field::messages, member, just(host), device, just(oracle),
             wrap_sub(c.r.t, sent.step)});
}

/// V22 and V25: counts, digests, lengths. The device's value is P2's of the step it belongs to.
void check_content(StepContext& c, const Message& sent, const Message& want) {
  if (sent.count == want.count && sent.digest == want.digest && sent.seq_len == want.seq_len)
    return;
  const auto n = static_cast<std::size_t>(std::clamp(want.slots, 0, c.rules.slots));
  for (std::size_t i = 0; i < c.slots(); ++i) {
    const bool inside = i < n;
    const std::int32_t want_count = inside ? want.count[i] : 0;
    const std::int32_t count = at(sent.count, i);
    const Value device = want.control ? nothing() : just(want_count);
    if (count != want_count) {
      const bool mark = count == kPreemptMark || want_count == kPreemptMark;
      add(c, mark ? CheckId::V25 : CheckId::V22, i, ".count", sent, count, device, want_count);
      continue;
    }
    const std::int32_t want_digest = inside ? want.digest[i] : 0;
    if (at(sent.digest, i) != want_digest) {
      add(c, CheckId::V22, i, ".digest", sent, at(sent.digest, i), just(want_digest), want_digest);
    }
    if (inside && at(sent.seq_len, i) != want.seq_len[i]) {
      add(c, CheckId::V22, i, ".seq_len", sent, at(sent.seq_len, i), device, want.seq_len[i]);
    }
  }
}

/// V24: who the tokens belong to; a slot without tokens names nobody.
void check_names(StepContext& c, const Message& sent, const Message& want) {
  if (sent.request == want.request && sent.generation == want.generation) return;
  for (std::size_t i = 0; i < c.slots(); ++i) {
    const std::int32_t request = at(sent.request, i, kNoRequest);
    const std::int32_t generation = at(sent.generation, i);
    if (request != want.request[i]) {
      add(c, CheckId::V24, i, ".request", sent, request, nothing(), want.request[i]);
    }
    if (generation != want.generation[i]) {
      add(c, CheckId::V24, i, ".generation", sent, generation, nothing(), want.generation[i]);
    }
  }
}

void check_message(StepContext& c, const Message& sent, const Message& want) {
  const auto scalar = [&c, &sent](const char* member, std::int64_t host, std::int64_t oracle) {
    if (host == oracle) return;
    c.out.add({CheckId::V22, "-", -1, -1, Field::messages, member, just(host), nothing(),
               just(oracle), wrap_sub(c.r.t, sent.step)});
  };
  scalar(".control", sent.control ? 1 : 0, want.control ? 1 : 0);
  scalar(".step", sent.step, want.step);
  scalar(".slots", sent.slots, want.slots);
  check_content(c, sent, want);
  check_names(c, sent, want);
}

/// The messages due in this step, in order.
struct Due {
  const Message* texts[2] = {};
  std::size_t count = 0;
};

Due due_messages(const StepContext& c) {
  Due due;
  const PendingMessage& saved = c.rules.sync[2] ? c.tmp.fresh : c.s.unsent;
  if (saved.exists) due.texts[due.count++] = &saved.text;
  if (c.tmp.has_control) due.texts[due.count++] = &c.tmp.control;
  return due;
}

/// Once a step, `pending` being the output that is sent in it.
void hand_over(StepContext& c, const PendingMessage& pending) {
  c.tmp.by_stop = pending.by_stop;
  if (c.has(Field::messages)) {
    for (const Message& sent : c.r.messages) receive(c.s, sent, pending.finished, c.tmp.frees);
    return;
  }
  const Due due = due_messages(c);
  for (std::size_t k = 0; k < due.count; ++k) {
    receive(c.s, *due.texts[k], pending.finished, c.tmp.frees);
  }
}

}  // namespace

void receive_before_predict(StepContext& c) {
  const bool posts = c.r.kind == StepKind::back;
  c.tmp.has_control = !posts && compose_control(c.s, c.tmp.control);
  if (c.rules.sync[2] && posts) return;
  hand_over(c, c.s.unsent);
  if (c.s.unsent.exists) std::fill(c.s.last_preempted.begin(), c.s.last_preempted.end(), 0);
}

void receive_at_end(StepContext& c) {
  if (!c.rules.sync[2] || c.r.kind != StepKind::back) return;
  hand_over(c, c.tmp.fresh);
  std::fill(c.s.last_preempted.begin(), c.s.last_preempted.end(), 0);
}

void v22_messages(StepContext& c) {
  const Due due = due_messages(c);
  if (c.has(Field::messages)) {
    const std::size_t sent = c.r.messages.size();
    if (sent != due.count) {
      CheckId check = CheckId::V22;
      if (c.r.kind != StepKind::back) check = sent < due.count ? CheckId::V26 : CheckId::V7;
      if (c.tmp.has_control) check = CheckId::V25;
      c.out.add({check, "-", -1, -1, Field::messages, "", just(static_cast<std::int64_t>(sent)),
                 nothing(), just(static_cast<std::int64_t>(due.count))});
    }
    for (std::size_t k = 0; k < std::min(sent, due.count); ++k) {
      check_message(c, c.r.messages[k], *due.texts[k]);
    }
  }
  if (c.tmp.has_control) std::fill(c.s.preempted.begin(), c.s.preempted.end(), 0);
  std::swap(c.s.unsent, c.tmp.fresh);
  if (c.rules.sync[2]) c.s.unsent.exists = false;
  c.tmp.fresh.exists = false;
}

namespace {

constexpr std::uint32_t bit_of(StopReason reason) { return 1U << static_cast<unsigned>(reason); }

/// What may have ended the occupant, as bits of StopReason, at least one. Where two things end it
/// with the same token, either is its reason.
std::uint32_t causes_of_end(const StepContext& c, std::size_t slot) {
  const RequestRow& row = c.s.occupants[slot].row;
  const std::int32_t length = c.s.known_g[slot];
  std::uint32_t causes = 0;
  if (row.eos_at > 0 && row.eos_at == length) causes |= bit_of(StopReason::eos);
  if (length >= row.max_dec_len) causes |= bit_of(StopReason::length);
  if (c.tmp.by_stop[slot] != 0) causes |= bit_of(StopReason::stop);
  if (causes != 0) return causes;
  // A model with tokens of its own ends where it likes; a script that did has its V33 already.
  const bool scripted = c.rules.scripted && c.s.occupants[slot].script.known();
  return bit_of(StopReason::eos) | (scripted ? 0 : bit_of(StopReason::stop));
}

/// The outcome of a request that its own tokens ended; a preempted one comes back and has none.
void check_outcome(StepContext& c, std::size_t slot) {
  const auto found = std::find_if(
      c.r.outcomes.begin(), c.r.outcomes.end(),
      [&c, slot](const RequestOutcome& outcome) { return outcome.id == c.s.request[slot]; });
  const auto report = [&c, slot](const char* member, Value host, std::int64_t oracle) {
    c.out.add({CheckId::V37, "-", static_cast<std::int32_t>(slot), c.s.request[slot],
               Field::outcomes, member, host, nothing(), just(oracle)});
  };
  if (found == c.r.outcomes.end()) {
    report("", nothing(), c.s.request[slot]);
    return;
  }
  if (found->output_len != c.s.known_g[slot]) {
    report(".output_len", just(found->output_len), c.s.known_g[slot]);
  }
  const std::uint32_t causes = causes_of_end(c, slot);
  const auto reason = static_cast<unsigned>(found->reason);
  if (reason < 8 && (causes >> reason & 1U) != 0) return;
  report(".reason", just(static_cast<int>(found->reason)), std::countr_zero(causes));
}

}  // namespace

void v37_frees(StepContext& c) {
  Column& recorded = c.tmp.a;
  std::fill(recorded.begin(), recorded.end(), 0);
  const auto report = [&c](std::int32_t slot, const char* member, std::int64_t host,
                           std::int64_t oracle) {
    const bool is_slot = slot >= 0 && slot < c.rules.slots;
    c.out.add({CheckId::V37, "-", slot, is_slot ? c.s.request[static_cast<std::size_t>(slot)] : -1,
               Field::frees, member, just(host), nothing(), just(oracle)});
  };
  for (const SlotFree& free : c.r.frees) {
    if (free.slot < 0 || free.slot >= c.rules.slots) {
      report(free.slot, ".slot", free.slot, c.rules.slots - 1);
      continue;
    }
    const auto slot = static_cast<std::size_t>(free.slot);
    recorded[slot] = wrap_add(recorded[slot], 1);
    const std::int32_t generation = occupant_generation(c.s, slot);
    if (free.generation != generation)
      report(free.slot, ".generation", free.generation, generation);
  }
  const bool judged = !c.rules.prefill_node && c.out.is_enabled(CheckId::V37);
  for (std::size_t i = 0; i < c.slots(); ++i) {
    const std::int32_t due = c.tmp.frees[i] != 0 ? 1 : 0;
    if (judged && recorded[i] != due) report(static_cast<std::int32_t>(i), "", recorded[i], due);
    if (judged && c.tmp.frees[i] == kFreeEnded) check_outcome(c, i);
    if ((c.has(Field::frees) ? recorded[i] : due) != 0) release_slot(c.s, i);
  }
}

void v7_nothing_after_launch(StepContext& c) {
  const auto zero = [&c](Field field, const Column& column) {
    compare(c, CheckId::V7, field, "-", column, c.tmp.zeros);
  };
  zero(Field::p2_q, c.r.p2.q);
  zero(Field::p2_e, c.r.p2.e);
  zero(Field::p2_d, c.r.p2.d);
  zero(Field::p2_s, c.r.p2.s);
  zero(Field::p2_b, c.r.p2.b);
  zero(Field::p2_g, c.r.p2.g);
  zero(Field::p2_a, c.r.p2.a);
  zero(Field::accept_digest, c.r.accept_digest);
  zero(Field::last_digest, c.r.last_digest);
  zero(Field::accept_marks, c.r.accept_marks);
  zero(Field::p2_first, c.r.p2_first);
  zero(Field::enqueue_generation, c.r.enqueue_generation);
  zero(Field::p2_generation, c.r.p2_generation);
  zero(Field::seed_used, c.r.seed_used);
  zero(Field::stop_step_idx, c.r.stop_step_idx);
  zero(Field::draft_e, c.r.draft_e);
  zero(Field::paired, c.r.paired);
  for (std::size_t j = 0; j < c.r.substeps.size(); ++j) {
    c.out.begin_substep(static_cast<std::int32_t>(j));
    const DraftSubstep& sub = c.r.substeps[j];
    if (sub.launched && c.has(Field::sub_launched)) {
      c.out.add({CheckId::V7, "P3", -1, -1, Field::sub_launched, "", just(1), nothing(), just(0)});
    }
    zero(Field::sub_qd, sub.qd);
    zero(Field::sub_dd, sub.dd);
  }
  c.out.begin_substep(-1);
  zero(Field::shadow_q, c.r.shadow.q);
  zero(Field::shadow_e, c.r.shadow.e);
  zero(Field::shadow_d, c.r.shadow.d);
  zero(Field::shadow_g, c.r.shadow.g);
  zero(Field::shadow_s, c.r.shadow.s);
  // "P4 is P1": left out, or repeated.
  const auto zero_or = [&c](Field field, const Column& column, const Column& oracle) {
    if (column != c.tmp.zeros) compare(c, CheckId::V7, field, "P4", column, oracle);
  };
  zero_or(Field::p4_q, c.r.p4.q, c.s.dev.q);
  zero_or(Field::p4_e, c.r.p4.e, c.s.dev.e);
  zero_or(Field::p4_d, c.r.p4.d, c.s.dev.d);
  zero_or(Field::p4_s, c.r.p4.s, c.s.dev.s);
  zero_or(Field::p4_b, c.r.p4.b, c.s.dev.b);
  zero_or(Field::p4_g, c.r.p4.g, c.s.dev.g);
  zero_or(Field::p4_a, c.r.p4.a, c.s.dev.a);
  zero_or(Field::p4_draft_len, c.r.p4_draft.len, c.s.draft.len);
  zero_or(Field::p4_draft_hole, c.r.p4_draft.hole, c.s.draft.hole);
  zero_or(Field::p4_draft_digest, c.r.p4_draft.digest, c.s.draft.digest);
  zero_or(Field::p4_draft_first, c.r.p4_draft.first, c.s.draft.first);
  zero_or(Field::step_q, c.r.step_q, c.s.step_q);
  zero_or(Field::step_d, c.r.step_d, c.s.step_d);
  zero_or(Field::step_digest, c.r.step_digest, c.s.step_digest);
}

}  // namespace tandem::sim
