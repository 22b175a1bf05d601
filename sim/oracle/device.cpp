// The device oracle. Written from the semantics, in the order of its section 9.3.
#include "sim/oracle/device.hpp"

#include <algorithm>

#include "sim/oracle/arith.hpp"

namespace tandem::sim {
namespace {

std::size_t below(const OracleState& s) { return static_cast<std::size_t>(s.n); }

void write_seed(OracleState& s, const Rules& rules, std::size_t i) {
  s.infer_seed[i] = initial_seed(rules, s.request[i]);
  s.seed_in_part[i] = 0;
}

void insert_chunk(OracleState& s, const Task& task, std::size_t i) {
  const std::int32_t length = wrap_sub(task.end, task.start);
  const bool finishes = task.end >= task.text_len;
  s.dev.s[i] = 0;
  s.dev.b[i] = 0;
  s.dev.d[i] = task.start;
  s.dev.q[i] = length;
  s.dev.e[i] = length;
  s.dev.g[i] = finishes ? task.generated : 0;
  s.step_d[i] = 0;
  s.p[i] = task.text_len;
  s.shadow.q[i] = length;
  s.shadow.e[i] = length;
  s.shadow.d[i] = task.start;
  s.shadow.g[i] = s.dev.g[i];
  s.shadow.s[i] = 0;
  s.chunk[i] = finishes ? 0 : 1;
  s.preempted[i] = 0;
  s.known_d[i] = task.end;
  if (task.admits) s.known_g[i] = task.generated;
  s.flag = true;
  s.draft_flag = true;
}

/// 6.2. The shadow state is rebuilt from the target's by 5.8, provided that no prefill is left in
/// it.
void insert_dnode(OracleState& s, const Task& task, std::size_t i) {
  const std::int32_t rows = wrap_add(task.drafts, 1);
  s.dev.s[i] = 0;
  s.dev.b[i] = 0;
  s.dev.d[i] = task.start;
  s.dev.q[i] = rows;
  s.dev.e[i] = 0;
  s.dev.g[i] = task.generated;
  s.p[i] = task.text_len;
  s.draft.len[i] = rows;
  s.draft.hole[i] = 0;
  s.draft.digest[i] = task.draft_digest;
  s.draft.first[i] = task.last_digest;
  s.shadow.q[i] = rows;
  s.shadow.e[i] = 0;
  s.preempted[i] = 0;
  s.known_d[i] = task.start;
  s.known_g[i] = task.generated;
  s.cached.token_num = -1;
}

void remove(OracleState& s, std::size_t i) {
  s.dev.s[i] = 1;
  s.dev.q[i] = s.dev.e[i] = s.dev.d[i] = 0;
  s.dev.b[i] = 0;
  s.preempted[i] = 1;
  s.removed[i] = 1;
  s.chunk[i] = 0;
  clear_table(s, i);
}

void grant(OracleState& s, const Rules& rules, const Task& task, std::size_t i) {
  append_table(s, rules, i, task.blocks);
  s.held[i].insert(s.held[i].end(), task.blocks.begin(), task.blocks.end());
  for (const std::int32_t block : task.blocks) {
    if (block < 0 || static_cast<std::size_t>(block) >= s.owner.size()) continue;
    s.owner[static_cast<std::size_t>(block)] = static_cast<std::int16_t>(i);
  }
}

void wipe_drafts(OracleState& s, std::size_t i) {
  s.draft.len[i] = std::min(s.draft.len[i], 1);
  s.draft.hole[i] = 0;
  s.draft.digest[i] = 0;
  s.wrote[i] = 0;
}

void stop_and_clear(OracleState& s, std::size_t i) {
  s.dev.s[i] = 1;
  s.dev.q[i] = s.dev.d[i] = s.dev.e[i] = s.dev.a[i] = 0;
}

void park(OracleState& s, std::size_t i) {
  s.dev.b[i] = 1;
  s.dev.s[i] = 1;
  s.step_q[i] = s.dev.q[i];
  s.step_d[i] = s.dev.d[i];
  s.step_digest[i] = s.draft.digest[i];
  s.dev.q[i] = s.dev.d[i] = s.dev.a[i] = 0;
}

}  // namespace

void begin_step(OracleState& s) {
  std::fill(s.removed.begin(), s.removed.end(), 0);
  std::fill(s.chunk.begin(), s.chunk.end(), 0);
}

void apply_task(OracleState& s, const Rules& rules, const Task& task) {
  if (task.slot < 0 || task.slot >= rules.slots) return;
  const auto i = static_cast<std::size_t>(task.slot);
  if (task.admits && (task.kind == TaskKind::prefill || task.kind == TaskKind::dnode)) {
    occupy_slot(s, rules, i, task.row);
    clear_table(s, i);
  }
  switch (task.kind) {
    case TaskKind::prefill:
      insert_chunk(s, task, i);
      write_seed(s, rules, i);
      break;
    case TaskKind::dnode:
      insert_dnode(s, task, i);
      write_seed(s, rules, i);
      break;
    case TaskKind::decode:
      s.preempted[i] = 0;
      break;
    case TaskKind::preempt:
    case TaskKind::abort:
      remove(s, i);
      return;
  }
  grant(s, rules, task, i);
}

void recover(OracleState& s, const Rules& rules) {
  for (std::size_t i = 0; i < below(s); ++i) {
    if (s.dev.b[i] == 0) continue;
    // Block min((step_d + 2K + 1) div bs, nblk - 1) is present iff the row reaches it.
    const std::int32_t ahead = wrap_add(s.step_d[i], 2 * rules.drafts + 1);
    const std::int32_t last = (rules.table_width - 1) * rules.block_size;
    if (std::min(ahead, last) >= s.covered[i]) continue;
    s.dev.b[i] = 0;
    s.dev.q[i] = s.step_q[i];
    s.dev.s[i] = 0;
    s.dev.e[i] = 0;
    s.dev.d[i] = s.step_d[i];
    s.draft.len[i] = s.step_q[i];
    s.draft.hole[i] = 0;
    s.draft.digest[i] = s.step_digest[i];
  }
}

void mark_running(OracleState& s) {
  const std::size_t n = below(s);
  for (std::size_t i = 0; i < s.run.size(); ++i) {
    s.run[i] = i < n && s.dev.s[i] == 0 && s.dev.b[i] == 0 ? 1 : 0;
  }
}

void update_status(OracleState& s, const Column& marks, const Column& last_digest) {
  const std::size_t n = below(s);
  for (std::size_t i = 0; i < s.run.size(); ++i) {
    s.finished[i] = 0;
    if (s.run[i] != 0) {
      const std::int32_t a = s.dev.a[i];
      s.dev.g[i] = wrap_add(s.dev.g[i], a);
      if (s.dev.e[i] > 0) {
        s.dev.d[i] = wrap_add(s.dev.d[i], s.dev.e[i]);
        s.dev.e[i] = 0;
      } else if (s.dev.d[i] > 0) {
        s.dev.d[i] = wrap_add(s.dev.d[i], a);
      }
      const std::int32_t ended = (marks[i] & kMarkLastIsEos) != 0 ? 1 : 0;
      s.dev.s[i] = ended;
      s.finished[i] = ended;
      s.draft.first[i] = last_digest[i];
      s.draft.len[i] = std::max(s.draft.len[i], 1);
    } else if (i < n) {
      stop_and_clear(s, i);
    }
  }
}

void draft_preprocess(OracleState& s, const Rules& rules) {
  DraftShadowColumns& h = s.shadow;
  // All B slots: the proposer works on the full buffer (2.3), and the view may have shrunk since a
  // slot was preempted with nothing running beside it.
  for (std::size_t i = 0; i < s.run.size(); ++i) {
    wipe_drafts(s, i);
    const std::int64_t reach = static_cast<std::int64_t>(s.dev.g[i]) + rules.substeps;
    const bool near_limit = !rules.prefill_node && reach >= s.max_dec_len[i];
    if (s.dev.s[i] != 0 || near_limit) {
      h.s[i] = 1;
      h.q[i] = h.d[i] = h.e[i] = h.g[i] = 0;
      continue;
    }
    h.s[i] = 0;
    if (h.e[i] > 0) {
      h.q[i] = h.e[i];
      h.g[i] = wrap_sub(s.dev.g[i], 1);
    } else {
      h.d[i] = wrap_sub(s.dev.d[i], s.dev.a[i]);
      h.g[i] = wrap_sub(s.dev.g[i], s.dev.a[i]);
      h.q[i] = s.dev.a[i];
    }
  }
}

namespace {

// Both run M times a step: masks instead of branches, columns that the compiler knows to be apart.

/// The state half of 5.12. `writes` gets all bits where D_i[sub + 1] = token, else none.
void advance_shadow(std::size_t n, std::int32_t* __restrict q, std::int32_t* __restrict e,
                    std::int32_t* __restrict d, std::int32_t* __restrict g,
                    const std::int32_t* __restrict stopped, const std::int32_t* __restrict limit,
                    std::int32_t* __restrict writes) {
  for (std::size_t i = 0; i < n; ++i) {
    const std::int32_t active = mask_of(q[i] > 0);
    const std::int32_t live = active & mask_of(stopped[i] == 0);
    const std::int32_t encodes = live & mask_of(e[i] > 0);
    const std::int32_t unfrozen = mask_of(g[i] < wrap_sub(limit[i], 1));
    const std::int32_t decodes = live & ~encodes & mask_of(d[i] > 0) & unfrozen;
    d[i] = wrap_add(d[i], (encodes & e[i]) | (decodes & q[i]));
    g[i] = wrap_add(g[i], (encodes & 1) | (decodes & q[i]));
    e[i] &= ~(encodes | (active & ~live));
    q[i] = (live & 1) | (~active & q[i]);
    writes[i] = (encodes & mask_of(g[i] < limit[i])) | decodes;
  }
}

/// The row keeps its prefix form only while every entry before the new one is there.
void write_drafts(std::size_t n, std::int32_t substep, const std::int32_t* __restrict writes,
                  std::int32_t* __restrict wrote, std::int32_t* __restrict len,
                  std::int32_t* __restrict hole) {
  for (std::size_t i = 0; i < n; ++i) {
    const std::int32_t follows = mask_of(len[i] == substep + 1);
    wrote[i] |= writes[i] & 1;
    len[i] = wrap_add(len[i], writes[i] & follows & 1);
    hole[i] |= writes[i] & ~follows & 1;
  }
}

}  // namespace

void draft_update(OracleState& s, std::int32_t substep) {
  const std::size_t n = s.run.size();  // B, as in draft_preprocess()
  DraftShadowColumns& h = s.shadow;
  advance_shadow(n, h.q.data(), h.e.data(), h.d.data(), h.g.data(), h.s.data(),
                 s.max_dec_len.data(), s.writes.data());
  write_drafts(n, substep, s.writes.data(), s.wrote.data(), s.draft.len.data(),
               s.draft.hole.data());
}

void advance_seeds(OracleState& s, const Rules& rules) {
  const auto step = static_cast<std::uint64_t>(rules.width) * 4;
  for (std::size_t i = 0; i < below(s); ++i) {
    const std::uint64_t next = static_cast<std::uint64_t>(s.infer_seed[i]) + step;
    s.infer_seed[i] = static_cast<std::int64_t>(next < kSeedModulus ? next : next % kSeedModulus);
  }
}

void ngram_extend(OracleState& s, const Rules& rules) {
  if (rules.ngram_millionths == 0) return;
  for (std::size_t i = 0; i < below(s); ++i) {
    const bool unfinished = s.dev.d[i] < s.p[i];
    const std::int64_t reach = std::int64_t{s.dev.g[i]} + rules.substeps;
    if (s.dev.s[i] != 0 || unfinished || reach >= s.max_dec_len[i]) continue;
    const std::int64_t left = s.max_dec_len[i] - reach - 1;  // drafts in front of the limit
    const std::int32_t drawn = ngram_drafts(rules, s.request[i], s.dev.g[i]);
    const auto drafts = static_cast<std::int32_t>(std::min<std::int64_t>(drawn, left));
    if (drafts == 0) continue;
    s.wrote[i] = 1;
    if (s.draft.len[i] == rules.substeps + 1) {
      s.draft.len[i] = wrap_add(s.draft.len[i], drafts);
    } else {
      s.draft.hole[i] = 1;  // what the MTP head left out stays open in front of them
    }
  }
}

void draft_postprocess(OracleState& s) {
  for (std::size_t i = 0; i < below(s); ++i) {
    if (s.dev.s[i] != 0) {
      s.dev.q[i] = 0;
    } else if (s.dev.e[i] == 0) {
      s.dev.q[i] = s.draft.len[i];
    }
  }
}

void schedule_cache(OracleState& s, const Rules& rules, const Column& draft_digest) {
  const std::size_t n = below(s);
  const std::int32_t table_end = rules.table_width * rules.block_size;
  for (std::size_t i = 0; i < n; ++i) {
    if (s.wrote[i] != 0) s.draft.digest[i] = draft_digest[i];
    if (s.dev.s[i] != 0) continue;
    if (s.dev.d[i] < s.p[i]) {
      stop_and_clear(s, i);
      continue;
    }
    if (rules.prefill_node) {
      stop_and_clear(s, i);
      continue;
    }
    // Block y = (d + 2K + 2) div bs: parked iff y < nblk and the row does not reach it.
    const std::int32_t ahead = wrap_add(s.dev.d[i], 2 * rules.drafts + 2);
    if (ahead < table_end && ahead >= s.covered[i]) park(s, i);
  }
}

std::int64_t sum_below(const Column& column, std::int32_t n) {
  std::int64_t sum = 0;
  const std::size_t end = std::min(column.size(), static_cast<std::size_t>(std::max(n, 0)));
  for (std::size_t i = 0; i < end; ++i) sum += column[i];
  return sum;
}

std::int32_t count_positive(const Column& column, std::int32_t n) {
  std::int32_t count = 0;
  const std::size_t end = std::min(column.size(), static_cast<std::size_t>(std::max(n, 0)));
  for (std::size_t i = 0; i < end; ++i) count += column[i] > 0 ? 1 : 0;
  return count;
}

}  // namespace tandem::sim
