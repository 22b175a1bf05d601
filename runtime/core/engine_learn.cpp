// What the engine learns from messages: tokens, ends, freed slots (E4 to E6), and its totals.
#include <algorithm>
#include <utility>

#include "runtime/core/engine.hpp"
#include "traces/base/check.hpp"
#include "traces/base/hash.hpp"

namespace tandem {
namespace {

/// What one request's stream adds to the digest of all.
std::uint64_t stream_digest(RequestId id, std::int32_t length, std::uint64_t stream) {
  const std::uint64_t named = hash_chain(stream, static_cast<std::uint64_t>(id));
  return mix64(hash_chain(named, static_cast<std::uint64_t>(length)));
}

/// Tokens of a request that its digest covers: all, or those up to the trigger of its abort. Steps
/// do not end where the trigger lies, so what lies behind it depends on the schedule.
std::int32_t compared_tokens(const RequestSpec& spec, std::int32_t delivered) {
  return spec.abort_after < 0 ? delivered : std::min(delivered, spec.abort_after);
}

}  // namespace

void Engine::on_message(const EngineMessage& in, std::vector<RequestOutcome>& outcomes,
                        std::vector<SlotFree>& frees) {
  const Message& m = in.message;
  const auto width = static_cast<std::size_t>(config_.row_width());
  if (!m.control) unmark_launched(m.step);
  for (std::int32_t slot = 0; slot < m.slots; ++slot) {
    const auto i = static_cast<std::size_t>(slot);
    if (m.count[i] == 0 || !slots_[i] || given_[i] - 1 != m.generation[i]) continue;
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

/// Why an output that ends with its generated-th token ends there. A token that is EOS by the
/// request's own row goes before the stop sequence, and both before the limit: the limit may fall
/// on the same place.
StopReason Engine::reason_to_end(const RequestRow& row, std::int32_t generated) const {
  if (generated == row.eos_at) return StopReason::eos;
  const bool stop_is_tried = row.stop_at > 0 && row.min_tokens <= row.max_dec_len;
  if (stop_is_tried && generated == row.stop_at + 1) return StopReason::stop;
  return generated >= row.max_dec_len ? StopReason::length : StopReason::eos;
}

void Engine::deliver(std::int32_t slot, std::int32_t count, const std::int64_t* tokens) {
  Occupant& o = at(slot);
  const RequestSpec& spec = o.what.spec;
  known_g_[static_cast<std::size_t>(slot)] += count;
  if (o.aborted) return;  // what was in flight behind an abort is dropped (E6)
  count_out(o.what);
  for (std::int32_t x = 0; x < count; ++x) {
    ++o.what.generated;
    if (compared_tokens(spec, o.what.generated) == o.what.generated) {
      o.what.stream = hash_chain(o.what.stream, static_cast<std::uint64_t>(tokens[x]));
    }
    const bool eos = std::find(config_.eos_ids.begin(), config_.eos_ids.end(), tokens[x]) !=
                     config_.eos_ids.end();
    if (eos || o.what.generated >= spec.row.max_dec_len) {
      o.reason = reason_to_end(spec.row, o.what.generated);
    }
  }
  count_in(o.what);
}

void Engine::finish_slot(std::int32_t slot, std::vector<RequestOutcome>& outcomes,
                         std::vector<SlotFree>& frees) {
  const auto i = static_cast<std::size_t>(slot);
  Occupant& o = at(slot);
  const StopReason reason = o.aborted ? StopReason::abort : o.reason;
  const std::int32_t kept =
      o.aborted ? compared_tokens(o.what.spec, o.what.generated) : o.what.generated;
  outcomes.push_back({o.what.spec.row.id, kept, reason});
  // Only a request that ended counts with an empty stream (aborted before its first token).
  if (compared_tokens(o.what.spec, o.what.generated) == 0) {
    totals_.token_digest += stream_digest(o.what.spec.row.id, 0, 0);
  }
  ++totals_.requests;
  frees.push_back({slot, given_[i] - 1});
  blocks_.give_back(o.blocks);
  slots_[i].reset();
  request_[i] = kNoRequest;
  known_d_[i] = known_g_[i] = in_flight_[i] = max_dec_len_[i] = 0;
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
  request_[i] = kNoRequest;
  known_d_[i] = known_g_[i] = in_flight_[i] = max_dec_len_[i] = 0;
}

void Engine::count_in(const Waiting& what) {
  const std::int32_t tokens = compared_tokens(what.spec, what.generated);
  if (tokens == 0) return;
  totals_.tokens += tokens;
  totals_.token_digest += stream_digest(what.spec.row.id, tokens, what.stream);
}

/// Takes back what count_in added: the sum is modulo 2^64, so this is exact.
void Engine::count_out(const Waiting& what) {
  const std::int32_t tokens = compared_tokens(what.spec, what.generated);
  if (tokens == 0) return;
  totals_.tokens -= tokens;
  totals_.token_digest -= stream_digest(what.spec.row.id, tokens, what.stream);
}

void Engine::mark_launched(std::int64_t t, std::int32_t n) {
  Launched launched{t, Column(slots_.size(), 0)};
  for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
    if (!slots_[i]) continue;
    ++in_flight_[i];
    launched.given[i] = given_[i];
  }
  launched_.push_back(std::move(launched));
}

void Engine::unmark_launched(std::int64_t t) {
  TANDEM_CHECK(!launched_.empty());
  const auto step =
      std::find_if(launched_.begin(), launched_.end(), [t](const Launched& l) { return l.t == t; });
  TANDEM_CHECK(step != launched_.end());
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i] && step->given[i] == given_[i]) --in_flight_[i];
  }
  launched_.erase(step);
}

std::int32_t Engine::view_length() const {
  for (std::size_t i = slots_.size(); i > 0; --i) {
    if (slots_[i - 1]) return static_cast<std::int32_t>(i);
  }
  return 0;
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
