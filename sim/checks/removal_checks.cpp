// V37 where a slot was taken away: which outcome a preempted or an aborted request may have (E4 to
// E6).
#include <algorithm>

#include "sim/checks/stages.hpp"

namespace tandem::sim {
namespace {

void wrong_outcome(StepContext& c, std::size_t slot, const char* member, Value host, Value oracle) {
  c.out.add({CheckId::V37, "-", static_cast<std::int32_t>(slot), c.s.request[slot], Field::outcomes,
             member, host, nothing(), oracle});
}

/// Of what was delivered an abort keeps as many as the client's trigger says; any prefix where that
/// is not known.
void check_aborted(StepContext& c, std::size_t slot, const RequestOutcome* found) {
  constexpr auto kAbort = static_cast<int>(StopReason::abort);
  if (found == nullptr) {
    wrong_outcome(c, slot, "", nothing(), just(c.s.request[slot]));
    return;
  }
  if (found->reason != StopReason::abort) {
    wrong_outcome(c, slot, ".reason", just(static_cast<int>(found->reason)), just(kAbort));
  }
  const std::int32_t delivered = c.s.known_g[slot];
  const std::int32_t trigger = c.s.occupants[slot].row.abort_after;
  const std::int32_t kept = trigger < 0 ? delivered : std::min(trigger, delivered);
  const bool fits = trigger < 0 ? found->output_len >= 0 && found->output_len <= delivered
                                : found->output_len == kept;
  if (!fits) wrong_outcome(c, slot, ".output_len", just(found->output_len), just(kept));
}

/// It goes on, unless its own tokens had ended it before its -9 came.
void check_preempted(StepContext& c, std::size_t slot, const RequestOutcome& found) {
  const std::int32_t known = c.s.known_g[slot];
  if (found.output_len != known) {
    wrong_outcome(c, slot, ".output_len", just(found.output_len), just(known));
  }
  const RequestRow& row = c.s.occupants[slot].row;
  const bool at_limit = known >= row.max_dec_len;
  const bool fits = (found.reason == StopReason::length && at_limit && known != row.eos_at) ||
                    (found.reason == StopReason::eos && known == row.eos_at) ||
                    (found.reason == StopReason::stop && row.stop_at > 0 && known > row.stop_at);
  if (!fits) wrong_outcome(c, slot, ".reason", just(static_cast<int>(found.reason)), nothing());
}

/// An outcome of a request whose slot is not freed in this step is nobody's, or comes too early.
void check_owner(StepContext& c, const RequestOutcome& outcome) {
  std::int32_t holder = -1;
  for (std::size_t i = 0; i < c.slots() && outcome.id >= 0; ++i) {
    if (c.s.request[i] != outcome.id) continue;
    if (c.tmp.frees[i] != 0) return;
    holder = static_cast<std::int32_t>(i);
  }
  c.out.add({CheckId::V37, "-", holder, outcome.id, Field::outcomes, ".id", just(outcome.id),
             nothing(), nothing()});
}

}  // namespace

void forget_removals(Scratch& tmp) {
  std::fill(tmp.removal.begin(), tmp.removal.end(), kRemovalUnknown);
}

void note_removal(StepContext& c, const Task& task) {
  if (task.slot < 0 || task.slot >= c.rules.slots) return;
  std::int32_t& removal = c.tmp.removal[static_cast<std::size_t>(task.slot)];
  if (task.kind == TaskKind::preempt) removal = kRemovalPreempt;
  if (task.kind == TaskKind::abort) removal = kRemovalAbort;
}

/// Before v37_frees() forgets who held the slots.
void v37_outcomes(StepContext& c) {
  const bool judged = !c.rules.prefill_node && c.out.is_enabled(CheckId::V37);
  if (!judged) return;
  const auto outcome_of = [&c](std::int32_t request) -> const RequestOutcome* {
    const auto found =
        std::find_if(c.r.outcomes.begin(), c.r.outcomes.end(),
                     [request](const RequestOutcome& outcome) { return outcome.id == request; });
    return found == c.r.outcomes.end() ? nullptr : &*found;
  };
  for (std::size_t i = 0; i < c.slots(); ++i) {
    if (c.tmp.frees[i] != kFreeRemoved) continue;
    const RequestOutcome* found = outcome_of(c.s.request[i]);
    const std::int32_t removal = c.tmp.removal[i];
    const bool aborted = found != nullptr && found->reason == StopReason::abort;
    if (removal == kRemovalAbort || (removal == kRemovalUnknown && aborted)) {
      check_aborted(c, i, found);
    } else if (found != nullptr) {
      check_preempted(c, i, *found);
    }
  }
  for (const RequestOutcome& outcome : c.r.outcomes) check_owner(c, outcome);
}

}  // namespace tandem::sim
