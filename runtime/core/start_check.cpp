// Bounds of a keyframe that a run is to start from.
#include "runtime/core/start_check.hpp"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

namespace tandem {
namespace {

constexpr const char* kStartRemedy = "record it again, or reschedule it with --replay-requests";

/// A column of B entries, each in [low, high].
struct Bound {
  const char* name;
  const Column& column;
  std::int64_t low;
  std::int64_t high;
};

Status check_bound(const std::string& place, const Bound& bound, std::size_t slots) {
  if (bound.column.size() != slots) {
    return Error::make(place + ": " + bound.name,
                       fmt::format("got {} entries", bound.column.size()),
                       fmt::format("one for each of {} slots", slots), kStartRemedy);
  }
  for (std::size_t i = 0; i < slots; ++i) {
    const std::int64_t value = bound.column[i];
    if (value >= bound.low && value <= bound.high) continue;
    return Error::make(fmt::format("{}: {} of slot {}", place, bound.name, i),
                       fmt::format("got {}", value),
                       fmt::format("an integer in [{}, {}]", bound.low, bound.high), kStartRemedy);
  }
  return {};
}

Status check_columns(const Keyframe& k, const RunConfig& c, const std::string& place) {
  const std::int64_t tokens = c.max_model_len;
  const std::int64_t width = c.row_width();
  const std::int64_t ahead = tokens + c.num_speculative_tokens;
  constexpr std::int64_t kAny = INT32_MAX;
  for (const Bound& bound : {
           Bound{"request", k.request, kNoRequest, kAny},
           Bound{"generation", k.generation, 0, kAny - 1},
           Bound{"q", k.slots.q, 0, width},
           Bound{"e", k.slots.e, 0, 0},
           Bound{"d", k.slots.d, 0, tokens},
           Bound{"s", k.slots.s, 0, 1},
           Bound{"b", k.slots.b, 0, 1},
           Bound{"g", k.slots.g, 0, tokens},
           Bound{"a", k.slots.a, 0, width},
           Bound{"p", k.p, 0, tokens},
           Bound{"draft.len", k.draft.len, 0, width},
           Bound{"draft.hole", k.draft.hole, 0, 1},
           Bound{"draft.digest", k.draft.digest, 0, kAny},
           Bound{"draft.first", k.draft.first, 0, kAny},
           Bound{"step_q", k.step_q, 0, width},
           Bound{"step_d", k.step_d, 0, tokens},
           Bound{"step_digest", k.step_digest, 0, kAny},
           // Of a prefill that nothing followed, the chunk is left.
           Bound{"shadow.q", k.shadow.q, 0, c.max_num_batched_tokens},
           Bound{"shadow.e", k.shadow.e, 0, tokens},
           Bound{"shadow.d", k.shadow.d, 0, ahead},
           Bound{"shadow.g", k.shadow.g, 0, ahead},
           Bound{"shadow.s", k.shadow.s, 0, 1},
           Bound{"q_cpu", k.q_cpu, 0, c.max_num_batched_tokens},
           Bound{"b_cpu", k.b_cpu, 0, 1},
           Bound{"preempted", k.preempted, 0, 1},
           Bound{"last_preempted", k.last_preempted, 0, 1},
           Bound{"known_d", k.known_d, 0, tokens},
           Bound{"known_g", k.known_g, 0, tokens},
           Bound{"in_flight", k.in_flight, 0, k.has_unsent ? 1 : 0},
       }) {
    TANDEM_RETURN_IF_ERROR(check_bound(place, bound, k.slots.s.size()));
  }
  return {};
}

Status check_unsent(const Keyframe& k, const RunConfig& c, const std::string& place) {
  const Message& m = k.unsent;
  const auto slots = static_cast<std::size_t>(c.max_num_seqs);
  const std::string at = place + ": unsent";
  if (m.step != k.t - 1 || m.slots < 0 || m.slots > c.max_num_seqs) {
    return Error::make(at, fmt::format("got the output of step {} for {} slots", m.step, m.slots),
                       fmt::format("that of step {} for at most {}", k.t - 1, c.max_num_seqs),
                       kStartRemedy);
  }
  TANDEM_RETURN_IF_ERROR(check_bound(at, {"count", m.count, kPreemptMark, c.row_width()}, slots));
  TANDEM_RETURN_IF_ERROR(check_bound(at, {"digest", m.digest, 0, INT32_MAX}, slots));
  TANDEM_RETURN_IF_ERROR(check_bound(at, {"seq_len", m.seq_len, 0, c.max_model_len}, slots));
  for (std::size_t i = 0; i < slots; ++i) {
    if (m.count[i] <= 0 || (k.request[i] != kNoRequest && k.slots.g[i] >= m.count[i])) continue;
    return Error::make(fmt::format("{}: count of slot {}", at, i),
                       fmt::format("got {} tokens", m.count[i]),
                       "tokens of the slot's own request, as many as it has at most", kStartRemedy);
  }
  return {};
}

Status check_slot(const Keyframe& k, const RunConfig& c, std::size_t i, const std::string& at) {
  const bool live = k.slots.s[i] == 0 || k.slots.b[i] != 0;
  const bool parked = k.slots.b[i] != 0;
  if (live && (k.request[i] == kNoRequest || k.slots.g[i] < 1)) {
    return Error::make(at, "got a running slot without a request or without a token",
                       "a request whose text is computed", kStartRemedy);
  }
  if (live && k.draft.len[i] < (parked ? 0 : k.slots.q[i])) {
    return Error::make(at, fmt::format("got q = {} on {} drafts", k.slots.q[i], k.draft.len[i]),
                       "no more rows than D holds", kStartRemedy);
  }
  if (k.request[i] != kNoRequest && k.generation[i] < 1) {
    return Error::make(at, "got an occupied slot that was never given away", "generation >= 1",
                       kStartRemedy);
  }
  if (static_cast<std::int64_t>(k.blocks[i].size()) > c.table_width()) {
    return Error::make(at, fmt::format("got {} blocks", k.blocks[i].size()),
                       fmt::format("at most {}", c.table_width()), kStartRemedy);
  }
  const std::int32_t most = c.kv_blocks > 0 ? c.kv_blocks - 1 : INT32_MAX;
  for (const std::int32_t block : k.blocks[i]) {
    if (block >= 0 && block <= most) continue;
    return Error::make(at, fmt::format("got block {}", block), fmt::format("0 to {}", most),
                       kStartRemedy);
  }
  return {};
}

}  // namespace

Status check_start(const Keyframe& k, const RunConfig& c, const std::string& place) {
  const auto slots = static_cast<std::size_t>(c.max_num_seqs);
  const auto occupied = static_cast<std::size_t>(std::count_if(
      k.request.begin(), k.request.end(), [](RequestId r) { return r != kNoRequest; }));
  if (k.slots.s.size() != slots || k.blocks.size() != slots || k.infer_seed.size() != slots ||
      k.rows.size() != occupied) {
    return Error::make(place,
                       fmt::format("got {} slots, {} of them occupied, and {} rows",
                                   k.slots.s.size(), occupied, k.rows.size()),
                       fmt::format("{} slots and a row for each that is occupied", slots),
                       kStartRemedy);
  }
  TANDEM_RETURN_IF_ERROR(check_columns(k, c, place));
  if (k.n < 0 || k.n > c.max_num_seqs) {
    return Error::make(place + ": n", fmt::format("got {}", k.n),
                       fmt::format("0 to {}", c.max_num_seqs), kStartRemedy);
  }
  for (std::size_t i = 0, row = 0; i < slots; ++i) {
    const std::string at = fmt::format("{}: slot {}", place, i);
    TANDEM_RETURN_IF_ERROR(check_slot(k, c, i, at));
    if (k.request[i] == kNoRequest) continue;
    if (k.rows[row].id != k.request[i]) {
      return Error::make(at, fmt::format("got the row of request {}", k.rows[row].id),
                         fmt::format("that of request {}", k.request[i]), kStartRemedy);
    }
    ++row;
  }
  return k.has_unsent ? check_unsent(k, c, place) : Status();
}

}  // namespace tandem
