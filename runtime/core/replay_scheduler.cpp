// Hands out recorded batches and keeps the host's view of the run that is made with them.
#include "runtime/core/replay_scheduler.hpp"

#include <algorithm>
#include <utility>

#include "runtime/core/script.hpp"

namespace tandem {
namespace {

/// Whether a request is over with its generated-th token (5.6, 5.7).
bool is_end(const RequestRow& row, std::int32_t generated) {
  if (generated >= row.max_dec_len || (row.eos_at > 0 && generated == row.eos_at)) return true;
  return row.stop_at > 0 && generated == row.stop_at + 1 && generated >= row.min_tokens;
}

}  // namespace

ReplayScheduler::ReplayScheduler(const RunConfig& config, const RecordedRun& run)
    : Scheduler(config),
      run_(run),
      cursor_(run),
      frees_told_(run.present.test(static_cast<std::size_t>(Field::frees))),
      frees_pending_(slot_count(), false),
      slots_(slot_count()) {}

// -- recorded batches -----------------------------------------------------------------------------

Status ReplayScheduler::plan(std::int64_t t, Nanos /*now*/, const Column& /*q_cpu*/,
                             const Column& /*b_cpu*/, std::vector<Task>& tasks) {
  while (!has_record_ || cursor_.record().t + cursor_.record().repeat <= t) {
    TANDEM_TRY(has_record_, cursor_.next());
    if (!has_record_) return {};
  }
  if (!is_recorded(t)) return {};  // within an idle run that was recorded as one
  for (const SlotFree& free : cursor_.record().frees) {
    frees_pending_[static_cast<std::size_t>(free.slot)] = true;
  }
  for (const Task& recorded : cursor_.record().tasks) {
    Task task = recorded;
    task.draft_digest = task.last_digest = 0;  // the device tells what it was delivered
    if (task.admits) task.row = run_.row_of(recorded.row);
    apply(task);
    tasks.push_back(std::move(task));
  }
  return {};
}

void ReplayScheduler::apply(const Task& task) {
  const auto slot = static_cast<std::size_t>(task.slot);
  if (task.admits) admit(task);
  switch (task.kind) {
    case TaskKind::prefill:
      known_d_[slot] = task.end;
      break;
    case TaskKind::dnode:
      known_d_[slot] = task.text_len;
      break;
    case TaskKind::decode:
      break;
    case TaskKind::preempt:
    case TaskKind::abort:
      slots_[slot].ending = true;
      slots_[slot].aborted = task.kind == TaskKind::abort;
      break;
  }
}

/// What a request that comes back, or was under way before the trace, had been delivered.
TokenStream ReplayScheduler::stream_of(const RequestRow& row, std::int32_t generated) {
  const auto found = away_.find(row.id);
  if (found != away_.end()) {
    const TokenStream stream = found->second;
    away_.erase(found);
    return stream;
  }
  TokenStream stream;
  stream.id = row.id;
  const auto request = run_.table.find(row.id);
  const bool aborted = request != run_.table.end() && request->second.aborted();
  stream.compared_max = row.abort_after;
  if (row.abort_after < 0 && aborted) stream.compared_max = request->second.outcome.output_len;
  std::vector<std::int64_t> tokens;
  tokens.reserve(static_cast<std::size_t>(generated));
  for (std::int32_t k = 0; k < generated; ++k) {
    tokens.push_back(script::token(config_, script::of(row), std::int64_t{row.prompt_len} + k));
  }
  ledger_.deliver(stream, tokens);
  return stream;
}

void ReplayScheduler::admit(const Task& task) {
  const auto slot = static_cast<std::size_t>(task.slot);
  vacate(slot);
  request_[slot] = task.request;
  given_[slot] = task.generation + 1;
  known_g_[slot] = task.generated;
  max_dec_len_[slot] = task.row.max_dec_len;
  slots_[slot] = Occupant{};
  slots_[slot].row = task.row;
  slots_[slot].tokens = stream_of(task.row, task.generated);
}

void ReplayScheduler::restore(const Keyframe& k) {
  std::size_t row = 0;
  for (std::size_t slot = 0; slot < slot_count(); ++slot) {
    given_[slot] = k.generation[slot];
    if (k.request[slot] == kNoRequest) continue;
    request_[slot] = k.request[slot];
    known_d_[slot] = k.known_d[slot];
    known_g_[slot] = k.known_g[slot];
    in_flight_[slot] = k.in_flight[slot];
    Occupant& o = slots_[slot];
    o.row = run_.row_of(k.rows[row++]);
    o.tokens = stream_of(o.row, k.known_g[slot]);
    max_dec_len_[slot] = o.row.max_dec_len;
    // It may have ended with its mark still to come.
    if (is_end(o.row, k.known_g[slot])) o.reason = reason_to_end(o.row, k.known_g[slot]);
    o.ending = k.preempted[slot] != 0 || k.last_preempted[slot] != 0;
    const auto request = run_.table.find(k.request[slot]);
    o.aborted = o.ending && request != run_.table.end() && request->second.aborted();
  }
  if (!k.has_unsent) return;
  Launched launched{k.unsent.step, Column(slot_count(), 0)};
  for (std::size_t slot = 0; slot < slot_count(); ++slot) {
    if (in_flight_[slot] > 0) launched.given[slot] = given_[slot];
  }
  launched_.push_back(std::move(launched));
}

// -- what the host learns -------------------------------------------------------------------------

void ReplayScheduler::learn(std::size_t slot, std::int32_t count, const std::int64_t* tokens) {
  Occupant& o = slots_[slot];
  known_g_[slot] += count;
  if (o.aborted) return;  // as in the engine: what was in flight behind an abort is dropped (E6)
  const std::int32_t before = o.tokens.generated;
  ledger_.deliver(o.tokens, {tokens, static_cast<std::size_t>(count)});
  for (std::int32_t x = 0; x < count; ++x) {
    const std::int32_t generated = before + x + 1;
    if (is_eos(tokens[x]) || generated >= o.row.max_dec_len) {
      o.reason = reason_to_end(o.row, generated);
    }
  }
}

/// A slot that was preempted or aborted goes with its mark, not with tokens that come before it.
bool ReplayScheduler::is_due(std::size_t slot, std::int32_t count) const {
  if (frees_told_ && !frees_pending_[slot]) return false;
  if (count == kPreemptMark) return true;
  if (slots_[slot].ending) return false;
  return frees_told_ || slots_[slot].reason != StopReason::open;
}

void ReplayScheduler::on_message(const EngineMessage& in, std::vector<RequestOutcome>& outcomes,
                                 std::vector<SlotFree>& frees) {
  const Message& m = in.message;
  const auto width = static_cast<std::size_t>(config_.row_width());
  if (!m.control) unmark_launched(m.step);
  for (std::size_t slot = 0; slot < static_cast<std::size_t>(m.slots); ++slot) {
    if (!is_addressed(m, slot)) continue;
    if (m.count[slot] > 0) {
      known_d_[slot] = m.seq_len[slot];
      learn(slot, m.count[slot], &in.tokens[slot * width]);
    }
    if (is_due(slot, m.count[slot])) release(slot, outcomes, frees);
  }
}

void ReplayScheduler::release(std::size_t slot, std::vector<RequestOutcome>& outcomes,
                              std::vector<SlotFree>& frees) {
  Occupant& o = slots_[slot];
  if (o.aborted || o.reason != StopReason::open) {
    const StopReason reason = o.aborted ? StopReason::abort : o.reason;
    const std::int32_t kept = o.aborted ? o.tokens.compared() : o.tokens.generated;
    outcomes.push_back({o.row.id, kept, reason});
    ledger_.close(o.tokens);
  } else {
    away_[o.row.id] = o.tokens;
  }
  frees.push_back({static_cast<std::int32_t>(slot), given_[slot] - 1});
  frees_pending_[slot] = false;
  o = Occupant{};
  vacate(slot);
}

/// Frees that no message of this run accounts for are the recording's all the same.
void ReplayScheduler::end_step(std::int64_t t, std::vector<RequestOutcome>& outcomes,
                               std::vector<SlotFree>& frees) {
  if (!is_recorded(t)) return;
  for (const SlotFree& free : cursor_.record().frees) {
    const auto slot = static_cast<std::size_t>(free.slot);
    if (frees_pending_[slot] && is_occupied(slot)) release(slot, outcomes, frees);
    frees_pending_[slot] = false;
  }
}

// -- what the loop asks ---------------------------------------------------------------------------

std::int32_t ReplayScheduler::view_length(std::int64_t t) const {
  const bool told = run_.present.test(static_cast<std::size_t>(Field::n)) && is_recorded(t);
  return told ? cursor_.record().n : occupied_end();
}

bool ReplayScheduler::is_over(std::int64_t t, bool /*settled*/) const { return t >= run_.end_step; }

std::int64_t ReplayScheduler::idle_repeat(std::int64_t t, Nanos /*now*/, Nanos /*idle_ns*/,
                                          bool /*silent*/) const {
  if (!has_record_) return 1;
  return std::max<std::int64_t>(1, cursor_.record().t + cursor_.record().repeat - t);
}

const RequestRow& ReplayScheduler::row(std::int32_t slot) const {
  return slots_[static_cast<std::size_t>(slot)].row;
}

Status ReplayScheduler::drain_unadmitted(const std::function<Status(const RequestRow&)>& take) {
  for (const RequestRow& row : run_.reader->unadmitted()) {
    TANDEM_RETURN_IF_ERROR(take(run_.row_of(row)));
  }
  return {};
}

}  // namespace tandem
