// Loading the state from a keyframe, and the bookkeeping of slots and block-table rows.
#include "sim/oracle/state.hpp"

#include <algorithm>

#include "sim/oracle/arith.hpp"

namespace tandem::sim {
namespace {

constexpr std::int32_t kOwnersMax =
    1 << 22U;  // blocks beyond are not followed: 8 MB is enough memory

void fit(Column& to, const Column& from, std::size_t slots, std::int32_t fill = 0) {
  to = from;
  to.resize(slots, fill);
}

void fit(SlotColumns& to, const SlotColumns& from, std::size_t slots) {
  fit(to.q, from.q, slots);
  fit(to.e, from.e, slots);
  fit(to.d, from.d, slots);
  fit(to.s, from.s, slots, 1);
  fit(to.b, from.b, slots);
  fit(to.g, from.g, slots);
  fit(to.a, from.a, slots);
}

void load_device(OracleState& s, const Rules& rules, const Keyframe& k, std::size_t slots) {
  fit(s.dev, k.slots, slots);
  fit(s.p, k.p, slots);
  fit(s.draft.len, k.draft.len, slots);
  fit(s.draft.hole, k.draft.hole, slots);
  fit(s.draft.digest, k.draft.digest, slots);
  fit(s.draft.first, k.draft.first, slots);
  fit(s.step_q, k.step_q, slots);
  fit(s.step_d, k.step_d, slots);
  fit(s.step_digest, k.step_digest, slots);
  fit(s.shadow.q, k.shadow.q, slots);
  fit(s.shadow.e, k.shadow.e, slots);
  fit(s.shadow.d, k.shadow.d, slots);
  fit(s.shadow.g, k.shadow.g, slots);
  fit(s.shadow.s, k.shadow.s, slots, 1);
  s.infer_seed = k.infer_seed;
  s.infer_seed.resize(slots, 0);
  s.blocks.resize(slots);
  s.table_hash.assign(slots, 0);
  s.covered.assign(slots, 0);
  for (std::size_t i = 0; i < slots; ++i) {
    clear_table(s, i);
    if (i < k.blocks.size()) append_table(s, rules, i, k.blocks[i]);
  }
}

void release_blocks(OracleState& s, std::size_t slot) {
  for (const std::int32_t block : s.held[slot]) {
    if (block < 0 || static_cast<std::size_t>(block) >= s.owner.size()) continue;
    std::int16_t& owner = s.owner[static_cast<std::size_t>(block)];
    if (owner == static_cast<std::int16_t>(slot)) owner = -1;
  }
  s.held[slot].clear();
}

void load_occupants(OracleState& s, const Rules& rules, const Keyframe& k, std::size_t slots) {
  fit(s.request, k.request, slots, kNoRequest);
  fit(s.given, k.generation, slots);
  s.prompt_len.assign(slots, 0);
  s.max_dec_len.assign(slots, 0);
  s.occupants.resize(slots);
  s.held.resize(slots);
  const auto owners = static_cast<std::size_t>(std::min(rules.kv_blocks, kOwnersMax));
  if (s.owner.size() != owners) s.owner.assign(owners, -1);
  for (std::size_t i = 0; i < slots; ++i) release_blocks(s, i);  // of an earlier block of the trace
  std::size_t next_row = 0;
  const RequestRow nobody;
  for (std::size_t i = 0; i < slots; ++i) {
    if (s.request[i] < 0) continue;
    const bool has_row = next_row < k.rows.size() && k.rows[next_row].id == s.request[i];
    const RequestRow& row = has_row ? k.rows[next_row] : nobody;
    if (has_row) ++next_row;
    s.occupants[i].row = row;
    s.occupants[i].script.assign(rules, row);
    s.prompt_len[i] = row.prompt_len;
    s.max_dec_len[i] = row.max_dec_len;
    s.held[i] = s.blocks[i];
    for (const std::int32_t block : s.held[i]) {
      if (block >= 0 && static_cast<std::size_t>(block) < s.owner.size()) {
        s.owner[static_cast<std::size_t>(block)] = static_cast<std::int16_t>(i);
      }
    }
  }
}

void load_message(PendingMessage& to, const Keyframe& k, const OracleState& s, std::size_t slots) {
  to.exists = k.has_unsent;
  to.text = k.unsent;
  for (Column* column : {&to.text.count, &to.text.digest, &to.text.seq_len, &to.text.generation}) {
    column->resize(slots, 0);
  }
  to.text.request.resize(slots, kNoRequest);
  to.finished.assign(slots, 0);
  to.by_stop.assign(slots, 0);
  if (!to.exists) return;
  // A slot that its own tokens stopped keeps d; a parked or half-prefilled one does not (5.7,
  // 5.13).
  for (std::size_t i = 0; i < slots; ++i) {
    to.finished[i] =
        to.text.count[i] > 0 && s.dev.s[i] != 0 && s.dev.b[i] == 0 && s.dev.d[i] > 0 ? 1 : 0;
    // Where the count fits, the sequence may have done it: a keyframe does not say what did.
    const RequestRow& row = s.occupants[i].row;
    const bool fits = row.stop_at > 0 && std::int64_t{row.stop_at} + 1 == s.dev.g[i];
    to.by_stop[i] = to.finished[i] != 0 && fits ? 1 : 0;
  }
}

}  // namespace

void load(OracleState& s, const Rules& rules, const Keyframe& k) {
  const auto slots = static_cast<std::size_t>(rules.slots);
  s.t = k.t;
  s.n = std::clamp(k.n, 0, rules.slots);
  load_device(s, rules, k, slots);
  load_occupants(s, rules, k, slots);
  s.flag = k.flag;
  s.draft_flag = k.draft_flag;
  s.cached = k.cached;
  s.policy_pair = k.cached;
  fit(s.q_cpu, k.q_cpu, slots);
  fit(s.b_cpu, k.b_cpu, slots);
  s.ghost = k.ghost;
  load_message(s.unsent, k, s, slots);
  fit(s.preempted, k.preempted, slots);
  fit(s.last_preempted, k.last_preempted, slots);
  fit(s.known_d, k.known_d, slots);
  fit(s.known_g, k.known_g, slots);
  fit(s.in_flight, k.in_flight, slots);
  for (Column* column :
       {&s.run, &s.finished, &s.removed, &s.chunk, &s.counted, &s.wrote, &s.held_request,
        &s.held_generation, &s.writes, &s.stopped, &s.seed_in_part}) {
    column->assign(slots, 0);
  }
  // A keyframe does not say why a counted slot stopped, nor how many rows it was counted with.
  s.counted_known = false;
  for (std::size_t i = 0; i < slots; ++i) {
    s.counted[i] = s.q_cpu[i] > 0 || s.b_cpu[i] != 0 ? 1 : 0;
    s.finished[i] = s.dev.s[i] != 0 && s.dev.b[i] == 0 ? 1 : 0;
  }
}

void clear_table(OracleState& s, std::size_t slot) {
  s.blocks[slot].clear();
  s.table_hash[slot] = 0;
  s.covered[slot] = 0;
}

void append_table(OracleState& s, const Rules& rules, std::size_t slot,
                  const std::vector<std::int32_t>& blocks) {
  std::vector<std::int32_t>& row = s.blocks[slot];
  auto hash = static_cast<std::uint32_t>(s.table_hash[slot]);
  for (const std::int32_t block : blocks) {
    if (row.size() >= static_cast<std::size_t>(rules.table_width)) break;
    hash += block_entry_hash(static_cast<std::int32_t>(row.size()), block);
    row.push_back(block);
  }
  s.table_hash[slot] = static_cast<std::int32_t>(hash);
  s.covered[slot] = static_cast<std::int32_t>(row.size()) * rules.block_size;
}

void release_slot(OracleState& s, std::size_t slot) {
  release_blocks(s, slot);
  s.request[slot] = kNoRequest;
}

void occupy_slot(OracleState& s, const Rules& rules, std::size_t slot, const RequestRow& row) {
  release_slot(s, slot);
  s.occupants[slot].row = row;
  s.occupants[slot].script.assign(rules, row);
  s.request[slot] = row.id;
  s.given[slot] = wrap_add(s.given[slot], 1);
  s.prompt_len[slot] = row.prompt_len;
  s.max_dec_len[slot] = row.max_dec_len;
  s.in_flight[slot] = 0;
}

std::int32_t occupied_view(const OracleState& s) {
  std::size_t n = s.request.size();
  while (n > 0 && s.request[n - 1] < 0) --n;
  return static_cast<std::int32_t>(n);
}

}  // namespace tandem::sim
