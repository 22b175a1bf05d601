// What the engine learns from messages: tokens, ends, freed slots (E4 to E6), and its totals.
#include <algorithm>
#include <utility>

#include "runtime/core/engine.hpp"
#include "traces/base/check.hpp"

namespace tandem {

void Engine::on_message(const EngineMessage& in, std::vector<RequestOutcome>& outcomes,
                        std::vector<SlotFree>& frees) {
  const Message& m = in.message;
  const auto width = static_cast<std::size_t>(config_.row_width());
  if (!m.control) unmark_launched(m.step);
  for (std::int32_t slot = 0; slot < m.slots; ++slot) {
    const auto i = static_cast<std::size_t>(slot);
    if (!is_addressed(m, i)) continue;
    if (m.count[i] == kPreemptMark) {
      close_marked(slot, outcomes, frees);
    } else if (m.count[i] > 0) {
      known_d_[i] = m.seq_len[i];
      deliver(slot, m.count[i], &in.tokens[i * width]);
      if (at(slot).reason != StopReason::open && !at(slot).ending) {
        finish_slot(slot, outcomes, frees);
      }
    }
  }
}

void Engine::deliver(std::int32_t slot, std::int32_t count, const std::int64_t* tokens) {
  Occupant& o = at(slot);
  known_g_[static_cast<std::size_t>(slot)] += count;
  if (o.aborted) return;  // what was in flight behind an abort is dropped (E6)
  const RequestRow& row = o.what.spec.row;
  const std::int32_t before = o.what.tokens.generated;
  ledger_.deliver(o.what.tokens, {tokens, static_cast<std::size_t>(count)});
  for (std::int32_t x = 0; x < count; ++x) {
    const std::int32_t generated = before + x + 1;
    if (is_eos(tokens[x]) || generated >= row.max_dec_len) o.reason = reason_to_end(row, generated);
  }
}

void Engine::finish_slot(std::int32_t slot, std::vector<RequestOutcome>& outcomes,
                         std::vector<SlotFree>& frees) {
  const auto i = static_cast<std::size_t>(slot);
  Occupant& o = at(slot);
  const StopReason reason = o.aborted ? StopReason::abort : o.reason;
  const TokenStream& tokens = o.what.tokens;
  const std::int32_t kept = o.aborted ? tokens.compared() : tokens.generated;
  outcomes.push_back({o.what.spec.row.id, kept, reason});
  ledger_.close(tokens);
  frees.push_back({slot, given_[i] - 1});
  blocks_.give_back(o.blocks);
  slots_[i].reset();
  vacate(i);
}

void Engine::close_marked(std::int32_t slot, std::vector<RequestOutcome>& outcomes,
                          std::vector<SlotFree>& frees) {
  const auto i = static_cast<std::size_t>(slot);
  Occupant& o = at(slot);
  TANDEM_CHECK(o.ending);
  if (o.aborted || o.reason != StopReason::open) {  // one that had ended is not queued again (E4)
    finish_slot(slot, outcomes, frees);
    return;
  }
  frees.push_back({slot, given_[i] - 1});
  blocks_.give_back(o.blocks);
  queue_.push_front(std::move(o.what));  // E5
  slots_[i].reset();
  vacate(i);
}

const RequestRow& Engine::row(std::int32_t slot) const { return at(slot).what.spec.row; }

Status Engine::drain_unadmitted(const std::function<Status(const RequestRow&)>& take) {
  for (const Waiting& waiting : queue_) {
    if (!waiting.admitted_before) TANDEM_RETURN_IF_ERROR(take(waiting.spec.row));
  }
  queue_.clear();
  return {};
}

}  // namespace tandem
