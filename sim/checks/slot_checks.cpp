// V12 to V15, V20, V21 (granted blocks), V33, V35 and V38: the slots from insert to P2.
#include <algorithm>

#include "sim/checks/stages.hpp"
#include "sim/oracle/arith.hpp"

namespace tandem::sim {
namespace {

void bad_task(StepContext& c, const Task& task, const char* member, std::int64_t host,
              std::int64_t oracle) {
  c.out.add({CheckId::V12, "P0", task.slot, task.request, Field::tasks, member, just(host),
             nothing(), just(oracle)});
}

bool is_insert(const Task& task) {
  return task.kind == TaskKind::prefill || task.kind == TaskKind::dnode;
}

/// The task names the slot's occupant, or the one it admits (E2, E5).
void check_identity(StepContext& c, const Task& task, std::size_t slot) {
  const bool admits = task.admits && is_insert(task);
  const std::int32_t generation = admits ? c.s.given[slot] : occupant_generation(c.s, slot);
  if (task.generation != generation) bad_task(c, task, ".generation", task.generation, generation);
  const std::int32_t request = admits ? task.row.id : c.s.request[slot];
  if (task.request != request) bad_task(c, task, ".request", task.request, request);
  const bool is_free = c.s.request[slot] < 0;
  if (admits != is_free || (task.admits && !is_insert(task))) {
    bad_task(c, task, ".admits", task.admits ? 1 : 0, is_free && is_insert(task) ? 1 : 0);
  }
}

void check_chunk(StepContext& c, const Task& task, std::size_t slot) {
  const RequestRow& row = task.admits ? task.row : c.s.occupants[slot].row;
  if (task.end <= task.start || task.end > task.text_len) {
    bad_task(c, task, ".end", task.end, task.text_len);
  }
  // A prefix cache holds the start of a text, but never its last token: that one gives the logits.
  const std::int32_t cached = std::max(0, std::min(row.cached_prompt, wrap_sub(task.text_len, 1)));
  const std::int32_t start = task.admits ? cached : c.s.known_d[slot];
  if (task.start != start) bad_task(c, task, ".start", task.start, start);
  const std::int32_t text = wrap_add(row.prompt_len, task.generated);
  if (task.text_len != text) bad_task(c, task, ".text_len", task.text_len, text);
  if (!task.admits && task.generated != c.s.known_g[slot]) {
    bad_task(c, task, ".generated", task.generated, c.s.known_g[slot]);
  }
}

void check_dnode(StepContext& c, const Task& task) {
  if (task.start != task.row.prompt_len) {
    bad_task(c, task, ".start", task.start, task.row.prompt_len);
  }
  if (task.text_len != task.row.prompt_len) {
    bad_task(c, task, ".text_len", task.text_len, task.row.prompt_len);
  }
  if (task.generated != 1) bad_task(c, task, ".generated", task.generated, 1);
  if (task.drafts < 0 || task.drafts > c.rules.drafts) {
    bad_task(c, task, ".drafts", task.drafts, c.rules.drafts);
  }
}

}  // namespace

void v12_task(StepContext& c, const Task& task) {
  if (task.slot < 0 || task.slot >= c.rules.slots) {
    bad_task(c, task, ".slot", task.slot, c.rules.slots - 1);
    return;
  }
  const auto slot = static_cast<std::size_t>(task.slot);
  check_identity(c, task, slot);
  if (task.kind == TaskKind::prefill) check_chunk(c, task, slot);
  if (task.kind == TaskKind::dnode) check_dnode(c, task);
}

/// V21, first part: a granted block is in the pool and nobody else's.
void v21_granted_blocks(StepContext& c, const Task& task) {
  if (task.slot < 0 || task.slot >= c.rules.slots) return;
  for (const std::int32_t block : task.blocks) {
    const bool in_pool = block >= 0 && block < c.rules.kv_blocks;
    const bool followed = in_pool && static_cast<std::size_t>(block) < c.s.owner.size();
    const std::int32_t owner = followed ? c.s.owner[static_cast<std::size_t>(block)] : -1;
    if (in_pool && owner < 0) continue;
    c.out.add({CheckId::V21, "P0", task.slot, task.request, Field::tasks, ".blocks", just(block),
               nothing(), owner >= 0 ? just(owner) : nothing()});
  }
}

void v20_view(StepContext& c) {
  c.s.n = occupied_view(c.s);
  expect_host(c, CheckId::V20, Field::n, c.r.n, c.s.n);
  if (c.has(Field::n)) c.s.n = std::clamp(c.r.n, 0, c.rules.slots);
}

void v20_slots_beyond_view(StepContext& c) {
  const auto add = [&c](Field field, std::size_t i, std::int32_t device, std::int32_t oracle) {
    c.out.add({CheckId::V20, "P1", static_cast<std::int32_t>(i), c.s.request[i], field, "",
               nothing(), just(device), just(oracle)});
  };
  for (std::size_t i = c.below(); i < c.slots(); ++i) {
    if (c.r.p1.q[i] != 0) add(Field::p1_q, i, c.r.p1.q[i], 0);
    if (c.r.p1.s[i] == 0) add(Field::p1_s, i, c.r.p1.s[i], 1);
  }
}

/// Whose data a slot holds is told while it runs or is parked; elsewhere it means nothing.
static void follow_identity(StepContext& c) {
  for (std::size_t i = 0; i < c.slots(); ++i) {
    const bool held = c.s.dev.s[i] == 0 || c.s.dev.b[i] != 0;
    c.s.held_request[i] = held ? c.s.request[i] : kNoRequest;
    c.s.held_generation[i] = held ? occupant_generation(c.s, i) : 0;
  }
  follow(c, CheckId::V12, Field::p1_request, "P1", c.r.p1_request, c.s.held_request);
  follow(c, CheckId::V12, Field::p1_generation, "P1", c.r.p1_generation, c.s.held_generation);
}

void v12_state_at_launch(StepContext& c) {
  const auto column = [&c](Field field, const Column& device, Column& oracle) {
    follow(c, CheckId::V12, field, "P1", device, oracle);
  };
  column(Field::p1_q, c.r.p1.q, c.s.dev.q);
  column(Field::p1_e, c.r.p1.e, c.s.dev.e);
  column(Field::p1_d, c.r.p1.d, c.s.dev.d);
  column(Field::p1_s, c.r.p1.s, c.s.dev.s);
  column(Field::p1_b, c.r.p1.b, c.s.dev.b);
  column(Field::p1_g, c.r.p1.g, c.s.dev.g);
  column(Field::p1_p, c.r.p1_p, c.s.p);
  column(Field::p1_draft_len, c.r.p1_draft.len, c.s.draft.len);
  column(Field::p1_draft_hole, c.r.p1_draft.hole, c.s.draft.hole);
  column(Field::p1_draft_digest, c.r.p1_draft.digest, c.s.draft.digest);
  column(Field::p1_draft_first, c.r.p1_draft.first, c.s.draft.first);
  column(Field::p1_table_hash, c.r.p1_table_hash, c.s.table_hash);
  follow_identity(c);
}

/// True where some slot breaks a relation: the same as below, without words, so that it vectorises.
static bool breaks_relation(const StepContext& c) {
  const SlotColumns& p = c.s.dev;
  const std::size_t slots = c.slots();
  const std::int32_t width = c.rules.width;
  std::int32_t bad = 0;
  for (std::size_t i = 0; i < slots; ++i) {
    const std::int32_t q = p.q[i];
    const std::int32_t d = p.d[i];
    const std::int32_t covered = c.s.covered[i];
    const std::int32_t want = wrap_sub(wrap_add(c.s.prompt_len[i], p.g[i]), 1);
    const std::int32_t runs = mask_of(q > 0);
    const std::int32_t decodes = runs & mask_of(p.e[i] == 0);
    bad |= mask_of(q < 0) | (runs & p.s[i]) | (mask_of(p.e[i] > 0) & (q ^ p.e[i]));
    bad |= mask_of(p.b[i] != 0) & (mask_of(p.s[i] == 0) | q | d);
    bad |= runs & (mask_of(d > covered) | mask_of(wrap_add(d, q) > covered));
    bad |= decodes & (mask_of(q > width) | (c.s.draft.len[i] ^ q) | c.s.draft.hole[i]);
    bad |= decodes & ((d ^ want) | mask_of(d <= 0));
  }
  return bad != 0;
}

/// V21, second part: relation 9 where V12 cannot run. Cached text is covered too: a table is filled
/// from its start.
static void v21_rows_have_blocks(StepContext& c) {
  for (std::size_t i = 0; i < c.slots(); ++i) {
    const std::int32_t q = c.s.dev.q[i];
    if (q <= 0 || std::int64_t{c.s.dev.d[i]} + q <= c.s.covered[i]) continue;
    c.out.add({CheckId::V21, "P1", static_cast<std::int32_t>(i), c.s.request[i], Field::p1_d, "",
               nothing(), just(c.s.dev.d[i]), nothing()});
  }
}

/// Relations 6 to 9 of section 2.4, on the adopted state: they hold of any healthy P1.
void v12_relations(StepContext& c) {
  if (!c.out.is_enabled(CheckId::V12) && c.out.is_enabled(CheckId::V21)) v21_rows_have_blocks(c);
  if (!c.out.is_enabled(CheckId::V12) || !breaks_relation(c)) return;
  const SlotColumns& p = c.s.dev;
  const auto add = [&c](Field field, std::size_t i, std::int32_t device, Value oracle) {
    c.out.add({CheckId::V12, "P1", static_cast<std::int32_t>(i), c.s.request[i], field, "",
               nothing(), just(device), oracle});
  };
  for (std::size_t i = 0; i < c.slots(); ++i) {
    const std::int32_t q = p.q[i];
    if (q > 0 && p.s[i] != 0) add(Field::p1_s, i, p.s[i], just(0));
    if (p.b[i] != 0 && (p.s[i] == 0 || q != 0 || p.d[i] != 0)) add(Field::p1_b, i, p.b[i], just(0));
    if (p.e[i] > 0 && q != p.e[i]) add(Field::p1_e, i, p.e[i], just(q));
    if (q <= 0) {
      if (q < 0) add(Field::p1_q, i, q, just(0));
      continue;
    }
    if (std::int64_t{p.d[i]} + q > c.s.covered[i]) add(Field::p1_d, i, p.d[i], nothing());
    if (p.e[i] != 0) continue;
    if (q > c.rules.width) add(Field::p1_q, i, q, just(c.rules.width));
    if (c.s.draft.len[i] != q || c.s.draft.hole[i] != 0) {
      add(Field::p1_draft_len, i, c.s.draft.len[i], just(q));
    }
    const std::int32_t want = wrap_sub(wrap_add(c.s.prompt_len[i], p.g[i]), 1);
    if (p.d[i] != want || p.d[i] <= 0) add(Field::p1_d, i, p.d[i], just(want));
  }
}

/// Whether a producer knows which chunks do not finish their text, so that it leaves out the digest
/// of their tokens.
bool tells_chunks(const StepContext& c) {
  return c.has(Field::p1_e) && c.has(Field::p1_p) && c.has(Field::p2_d);
}

void v13_accepted(StepContext& c) {
  const auto add = [&c](Field field, std::size_t i, std::int32_t device, std::int32_t oracle) {
    c.out.add({CheckId::V13, "P2", static_cast<std::int32_t>(i), c.s.request[i], field, "",
               nothing(), just(device), just(oracle)});
  };
  constexpr std::int32_t kMarks = kMarkLastIsEos | kMarkEarlierEos | kMarkNegative;
  for (std::size_t i = 0; i < c.slots(); ++i) {
    const std::int32_t a = c.r.p2.a[i];
    if (c.s.run[i] == 0) {
      if (a != 0) add(Field::p2_a, i, a, 0);
      if (c.r.accept_digest[i] != 0) add(Field::accept_digest, i, c.r.accept_digest[i], 0);
      if (c.r.last_digest[i] != 0) add(Field::last_digest, i, c.r.last_digest[i], 0);
      if (c.r.accept_marks[i] != 0) add(Field::accept_marks, i, c.r.accept_marks[i], 0);
    } else {
      const std::int32_t most = c.s.dev.e[i] != 0 ? 1 : std::max(1, c.s.dev.q[i]);
      if (a < 1 || a > most) add(Field::p2_a, i, a, std::clamp(a, 1, most));
      if ((c.r.accept_marks[i] & ~kMarks) != 0) {
        add(Field::accept_marks, i, c.r.accept_marks[i], c.r.accept_marks[i] & kMarks);
      }
      const bool told = tells_chunks(c) && c.has(Field::accept_digest);
      if (told && c.s.chunk[i] != 0 && c.r.accept_digest[i] != 0) {
        add(Field::accept_digest, i, c.r.accept_digest[i], 0);
      }
    }
  }
  c.s.dev.a = c.r.p2.a;
}

/// On P1's state: runs before update_status().
void v33_script(StepContext& c) {
  std::fill(c.s.stopped.begin(), c.s.stopped.end(), 0);
  if (!c.rules.scripted) return;  // V37 asks what ended a request, also where V33 cannot run
  for (std::size_t i = 0; i < c.slots(); ++i) {
    if (c.s.run[i] == 0 || c.s.request[i] < 0) continue;
    Occupant& who = c.s.occupants[i];
    if (!who.script.known()) continue;
    const std::int32_t g = c.s.dev.g[i];
    std::int64_t offered = 1;
    if (c.s.dev.e[i] == 0) offered = std::min(who.script.commits(g), std::max(1, c.s.dev.q[i]));
    const StepCut cut = cut_step(who.row, offered, g, c.s.chunk[i] == 0);
    const std::int64_t want = cut.tokens;
    const auto add = [&](Field field, std::int32_t device, std::int64_t oracle) {
      c.out.add({CheckId::V33, "P2", static_cast<std::int32_t>(i), c.s.request[i], field, "",
                 nothing(), just(device), just(oracle)});
    };
    const std::int32_t a = c.r.p2.a[i];
    if (a != want) add(Field::p2_a, a, want);
    const bool ended = (c.r.accept_marks[i] & kMarkLastIsEos) != 0;
    if (a == want && ended != cut.ends) {
      add(Field::accept_marks, c.r.accept_marks[i], cut.ends ? 1 : 0);
    }
    c.s.stopped[i] = cut.by_stop && a == want && ended ? 1 : 0;
  }
}

void v35_generations(StepContext& c) {
  if (!c.out.is_enabled(CheckId::V35)) return;
  Column& want = c.tmp.a;
  for (std::size_t i = 0; i < c.slots(); ++i) {
    want[i] = c.s.run[i] != 0 ? occupant_generation(c.s, i) : 0;
  }
  compare(c, CheckId::V35, Field::enqueue_generation, "P2", c.r.enqueue_generation, want);
  compare(c, CheckId::V35, Field::p2_generation, "P2", c.r.p2_generation, want);
}

/// Both are read before the step advances them. What is recorded of a seed is adopted.
void v38_seeds_and_counters(StepContext& c) {
  constexpr std::int64_t kSeedBits = 0x7FFFFFFF;
  Column& seeds = c.tmp.a;
  Column& counters = c.tmp.b;
  for (std::size_t i = 0; i < c.slots(); ++i) {
    const bool ran = c.s.run[i] != 0;
    seeds[i] = ran ? static_cast<std::int32_t>(c.s.infer_seed[i] & kSeedBits) : 0;
    counters[i] = ran ? c.s.dev.g[i] : 0;
  }
  compare(c, CheckId::V38, Field::seed_used, "P2", c.r.seed_used, seeds);
  compare(c, CheckId::V38, Field::stop_step_idx, "P2", c.r.stop_step_idx, counters);
  for (std::size_t i = 0; c.has(Field::seed_used) && i < c.slots(); ++i) {
    if (c.s.run[i] == 0 || c.r.seed_used[i] == seeds[i]) continue;
    c.s.infer_seed[i] = c.r.seed_used[i] & kSeedBits;
    c.s.seed_in_part[i] = 1;
  }
}

/// V15 and V34 on what was emitted; after update_status().
void v15_v34_marks(StepContext& c) {
  for (std::size_t i = 0; i < c.slots(); ++i) {
    if (c.s.run[i] == 0) continue;
    const std::int32_t marks = c.r.accept_marks[i];
    const std::int64_t g = c.s.dev.g[i];
    const std::int64_t limit = c.s.max_dec_len[i];
    const auto add = [&](CheckId check, Field field, std::int64_t device, std::int64_t oracle) {
      c.out.add({check, "P2", static_cast<std::int32_t>(i), c.s.request[i], field, "", nothing(),
                 just(device), just(oracle)});
    };
    if ((marks & kMarkNegative) != 0) {
      add(CheckId::V34, Field::accept_marks, marks, marks & ~kMarkNegative);
    }
    if ((marks & kMarkEarlierEos) != 0) {
      add(CheckId::V15, Field::accept_marks, marks, marks & ~kMarkEarlierEos);
    }
    if (g > limit) add(CheckId::V15, Field::p2_g, g, limit);
    if (g >= limit && (marks & kMarkLastIsEos) == 0) {
      add(CheckId::V15, Field::accept_marks, marks, marks | kMarkLastIsEos);
    }
  }
}

void v14_status(StepContext& c) {
  const auto column = [&c](Field field, const Column& device, Column& oracle) {
    follow(c, CheckId::V14, field, "P2", device, oracle);
  };
  column(Field::p2_q, c.r.p2.q, c.s.dev.q);
  column(Field::p2_e, c.r.p2.e, c.s.dev.e);
  column(Field::p2_d, c.r.p2.d, c.s.dev.d);
  column(Field::p2_s, c.r.p2.s, c.s.dev.s);
  column(Field::p2_b, c.r.p2.b, c.s.dev.b);
  column(Field::p2_g, c.r.p2.g, c.s.dev.g);
  column(Field::p2_first, c.r.p2_first, c.s.draft.first);
  // Both digests keep the top bits of one hash, so they agree where the row is one token.
  for (std::size_t i = 0; i < c.slots(); ++i) {
    const std::int32_t all = c.r.accept_digest[i];
    const std::int32_t last = c.r.last_digest[i];
    const bool in_range = all >= 0 && all <= 0xFFFF && last >= 0 && last <= 0xFF;
    const bool is_left_out = c.s.chunk[i] != 0 && all == 0;
    if (in_range && (c.r.p2.a[i] != 1 || is_left_out || all / 256 == last)) continue;
    c.out.add({CheckId::V14, "P2", static_cast<std::int32_t>(i), c.s.request[i],
               in_range ? Field::last_digest : Field::accept_digest, "", nothing(),
               just(in_range ? last : all), in_range ? just(all / 256) : nothing()});
  }
}

}  // namespace tandem::sim
