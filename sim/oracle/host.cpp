// The host oracle: policies, messages and the engine's knowledge.
#include "sim/oracle/host.hpp"

#include <algorithm>
#include <limits>

#include "sim/oracle/arith.hpp"

namespace tandem::sim {
namespace {

/// Rows that the policy holds for a slot that ran with q rows.
std::int32_t rows_held(const OracleState& s, const Rules& rules, std::int32_t q, std::size_t i) {
  switch (rules.policy) {
    case PolicyKind::predict_sum:
      return q;
    case PolicyKind::all_accepted: {
      // This step has been launched and its message is to come, whatever R2 is.
      const std::int64_t in_flight = std::int64_t{s.in_flight[i]} + 1;
      const std::int64_t reach = s.known_g[i] + in_flight + rules.substeps;
      return reach >= s.max_dec_len[i] ? 1 : rules.width;
    }
    case PolicyKind::exact:
    case PolicyKind::predict_rows:
    case PolicyKind::predict_rows_hidden:
    case PolicyKind::upper_bound:
      break;
  }
  return rules.width;
}

}  // namespace

CachedPair predict(OracleState& s, const Rules& rules, bool flag, const Column& q_cpu,
                   const Column& b_cpu) {
  s.counted_known = true;
  if (!rules.predicts || flag) {
    std::fill(s.counted.begin(), s.counted.end(), 0);
    return {};
  }
  std::int64_t rows = 0;
  std::int32_t running = 0;
  for (std::size_t i = 0; i < s.counted.size(); ++i) {
    std::int32_t held = q_cpu[i] > 0 ? rows_held(s, rules, q_cpu[i], i) : 0;
    const bool parked = b_cpu[i] != 0;
    held = wrap_add(held, parked ? rules.width : 0);
    running += (q_cpu[i] > 0 ? 1 : 0) + (parked ? 1 : 0);
    rows += held;
    s.counted[i] = held;
  }
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  return {static_cast<std::int32_t>(std::clamp(rows, -kMost, kMost)), running};
}

std::int64_t policy_draft_rows(const Rules& rules, std::int32_t substep, std::int64_t main_rows,
                               std::int64_t running, std::int64_t hidden_rows) {
  if (substep > 0) return running;
  const bool by_slots =
      rules.policy == PolicyKind::predict_sum || rules.policy == PolicyKind::predict_rows;
  return by_slots ? running * rules.width : std::min(main_rows, hidden_rows);
}

void compose_message(OracleState& s, const Column& accept_digest, PendingMessage& m) {
  s.last_preempted = s.preempted;
  std::fill(s.preempted.begin(), s.preempted.end(), 0);
  m.exists = true;
  m.text.control = false;
  m.text.step = s.t;
  m.text.slots = s.n;
  m.text.seq_len = s.dev.d;
  for (Column* column : {&m.text.count, &m.text.digest, &m.text.request, &m.text.generation,
                         &m.finished, &m.by_stop}) {
    column->resize(s.request.size());
  }
  const auto n = static_cast<std::size_t>(s.n);
  for (std::size_t i = 0; i < m.finished.size(); ++i) {
    const bool sent = i < n && s.dev.d[i] >= s.p[i] && s.last_preempted[i] == 0;
    const std::int32_t count = sent ? s.dev.a[i] : 0;
    m.text.count[i] = i < n && s.last_preempted[i] != 0 ? kPreemptMark : count;
    m.text.digest[i] = count > 0 ? accept_digest[i] : 0;
    const bool named = m.text.count[i] != 0;
    m.text.request[i] = named ? s.request[i] : kNoRequest;
    m.text.generation[i] = named ? occupant_generation(s, i) : 0;
    m.finished[i] = count > 0 ? s.finished[i] : 0;
    m.by_stop[i] = m.finished[i] != 0 ? s.stopped[i] : 0;
  }
}

bool compose_control(const OracleState& s, Message& out) {
  std::size_t marked_end = 0;
  for (std::size_t i = 0; i < s.preempted.size(); ++i) {
    if (s.preempted[i] != 0) marked_end = i + 1;
  }
  if (marked_end == 0) return false;
  const std::size_t slots = s.preempted.size();
  out.control = true;
  out.step = s.t;
  out.slots = static_cast<std::int32_t>(marked_end);
  out.count.assign(slots, 0);
  out.digest.assign(slots, 0);
  out.seq_len.assign(slots, 0);
  out.request.assign(slots, kNoRequest);
  out.generation.assign(slots, 0);
  for (std::size_t i = 0; i < slots; ++i) {
    if (s.preempted[i] == 0) continue;
    out.count[i] = kPreemptMark;
    out.request[i] = s.request[i];
    out.generation[i] = occupant_generation(s, i);
  }
  return true;
}

void receive(OracleState& s, const Message& sent, const Column& finished, Column& frees) {
  const std::size_t slots =
      std::min(s.request.size(), std::min(sent.count.size(), sent.seq_len.size()));
  for (std::size_t i = 0; i < slots; ++i) {
    const std::int32_t count = sent.count[i];
    if (s.request[i] < 0) continue;
    if (!sent.control) s.in_flight[i] = 0;
    if (count == kPreemptMark) {
      frees[i] = kFreeRemoved;
    } else if (count > 0) {
      s.known_d[i] = sent.seq_len[i];
      s.known_g[i] = wrap_add(s.known_g[i], count);
      const bool marked = s.preempted[i] != 0 || s.last_preempted[i] != 0;
      if (finished[i] != 0 && !marked) frees[i] = kFreeEnded;
    }
  }
}

void launch_in_flight(OracleState& s) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(s.n); ++i) {
    if (s.request[i] >= 0) s.in_flight[i] = 1;
  }
}

}  // namespace tandem::sim
