// V12, V13, V18 and V19 at record level `full`: P0, P3 and the token rows themselves.
#include <algorithm>
#include <span>

#include "sim/checks/stages.hpp"

namespace tandem::sim {
namespace {

using Tokens = std::vector<std::int64_t>;

std::span<const std::int64_t> row_of(const StepContext& c, const Tokens& tokens, std::size_t i) {
  const auto width = static_cast<std::size_t>(c.rules.width);
  return std::span<const std::int64_t>(tokens).subspan(i * width, width);
}

bool is_eos(const StepContext& c, std::int64_t token) {
  const std::vector<std::int64_t>& ids = c.config.eos_ids;
  return std::find(ids.begin(), ids.end(), token) != ids.end();
}

/// A key of 0 is one that was not stored: digests then say nothing about tokens (4.1 "Digests").
bool has_key(const StepContext& c) { return c.config.digest_key != 0; }

std::int32_t digest_of(const StepContext& c, std::span<const std::int64_t> tokens, unsigned bits) {
  return static_cast<std::int32_t>(token_row_digest(c.config.digest_key, tokens, bits));
}

bool has_shape(StepContext& c, CheckId check, const char* point, Field field,
               const Tokens& tokens) {
  const std::size_t want = c.slots() * static_cast<std::size_t>(c.rules.width);
  if (tokens.size() == want) return true;
  c.out.add({check, point, -1, -1, field, "", nothing(),
             just(static_cast<std::int64_t>(tokens.size())),
             just(static_cast<std::int64_t>(want))});
  return false;
}

struct RowCheck {
  StepContext& c;
  CheckId check;
  const char* point;
  Field field;

  void expect(std::size_t i, const char* member, std::int64_t device, std::int64_t oracle) const {
    if (device == oracle) return;
    c.out.add({check, point, static_cast<std::int32_t>(i), c.s.request[i], field, member, nothing(),
               just(device), just(oracle)});
  }
};

/// A row of D against its length, hole and digests as recorded beside it.
void check_draft_row(const RowCheck& v, std::size_t i, const Tokens& tokens,
                     const DraftRowColumns& columns) {
  const std::span<const std::int64_t> row = row_of(v.c, tokens, i);
  const auto end = std::find(row.begin(), row.end(), -1);
  const auto length = static_cast<std::size_t>(end - row.begin());
  v.expect(i, ".len", columns.len[i], static_cast<std::int64_t>(length));
  const bool hole = std::any_of(end, row.end(), [](std::int64_t token) { return token != -1; });
  v.expect(i, ".hole", columns.hole[i], hole ? 1 : 0);
  for (const std::int64_t token : row) {
    const bool in_range = token >= -1 && token < v.c.rules.vocab;
    if (!in_range) v.expect(i, ".id", token, -1);
  }
  if (!has_key(v.c)) return;
  const std::span<const std::int64_t> drafts = row.first(std::max<std::size_t>(length, 1));
  v.expect(i, ".digest", columns.digest[i], digest_of(v.c, drafts.subspan(1), 8));
  if (length == 0 && columns.first[i] == 0) return;  // an empty row has no first token
  v.expect(i, ".first", columns.first[i], digest_of(v.c, row.first(1), 8));
}

void check_accepted_row(const RowCheck& v, std::size_t i) {
  StepContext& c = v.c;
  const StepRecord& r = c.r;
  const auto a = static_cast<std::size_t>(std::clamp(r.p2.a[i], 0, c.rules.width));
  for (const std::int64_t cell : row_of(c, r.p2_tokens, i).subspan(a)) v.expect(i, "", cell, -1);
  if (c.s.run[i] == 0) return;
  const std::span<const std::int64_t> row = row_of(c, r.p2_tokens, i).first(a);
  // Rows of another shape are V12's finding: there is no draft to compare with.
  const bool has_drafts = c.has(Field::p1_tokens) && r.p1_tokens.size() == r.p2_tokens.size();
  std::int32_t marks = 0;
  for (std::size_t x = 0; x < a; ++x) {
    if (row[x] < 0) marks |= kMarkNegative;
    if (is_eos(c, row[x])) marks |= x + 1 == a ? kMarkLastIsEos : kMarkEarlierEos;
    if (row[x] >= c.rules.vocab) v.expect(i, ".id", row[x], c.rules.vocab - 1);
    // What was accepted in front of the last token are drafts, position by position (5.5).
    const bool was_draft = has_drafts && x + 1 < a && r.p1.e[i] == 0;
    if (was_draft) v.expect(i, ".draft", row[x], row_of(c, r.p1_tokens, i)[x + 1]);
  }
  v.expect(i, ".marks", r.accept_marks[i], marks);
  if (!has_key(c) || a == 0) return;
  const bool is_left_out = c.s.chunk[i] != 0 && r.accept_digest[i] == 0;
  if (!is_left_out) v.expect(i, ".digest", r.accept_digest[i], digest_of(c, row, 16));
  v.expect(i, ".last", r.last_digest[i], digest_of(c, row.last(1), 8));
}

bool all_zero(const Tokens& tokens) {
  return std::all_of(tokens.begin(), tokens.end(), [](std::int64_t v) { return v == 0; });
}

}  // namespace

/// After insert(t), before recover: P4 of the step before and the tasks.
void v12_p0(StepContext& c) {
  if (c.has(Field::p1_tokens)) c.tmp.parked_at_p0 = c.s.dev.b;
  const auto column = [&c](Field field, const Column& device, Column& oracle) {
    follow(c, CheckId::V12, field, "P0", device, oracle);
  };
  column(Field::p0_q, c.r.p0.q, c.s.dev.q);
  column(Field::p0_e, c.r.p0.e, c.s.dev.e);
  column(Field::p0_d, c.r.p0.d, c.s.dev.d);
  column(Field::p0_s, c.r.p0.s, c.s.dev.s);
  column(Field::p0_b, c.r.p0.b, c.s.dev.b);
  column(Field::p0_g, c.r.p0.g, c.s.dev.g);
  column(Field::p0_a, c.r.p0.a, c.s.dev.a);
}

void v12_draft_rows(StepContext& c) {
  if (!c.has(Field::p1_tokens) || !c.out.is_enabled(CheckId::V12)) return;
  const RowCheck v{c, CheckId::V12, "P1", Field::p1_tokens};
  if (!has_shape(c, CheckId::V12, "P1", Field::p1_tokens, c.r.p1_tokens)) return;
  for (std::size_t i = 0; i < c.slots(); ++i) check_draft_row(v, i, c.r.p1_tokens, c.r.p1_draft);
  // D is written between P4 and P1 by a D-node's insert and by recover alone.
  Column& written = c.tmp.a;
  std::fill(written.begin(), written.end(), 0);
  for (const Task& task : c.r.tasks) {
    if (task.kind != TaskKind::dnode || task.slot < 0 || task.slot >= c.rules.slots) continue;
    written[static_cast<std::size_t>(task.slot)] = 1;
  }
  for (std::size_t i = 0; i < c.slots() && !c.tmp.draft_tokens.empty(); ++i) {
    const bool recovered = c.tmp.parked_at_p0[i] != 0 && c.r.p1.b[i] == 0;
    if (written[i] != 0 || recovered) continue;
    const std::span<const std::int64_t> before = row_of(c, c.tmp.draft_tokens, i);
    const std::span<const std::int64_t> now = row_of(c, c.r.p1_tokens, i);
    for (std::size_t x = 0; x < now.size(); ++x) v.expect(i, "", now[x], before[x]);
  }
}

void v13_accepted_rows(StepContext& c) {
  if (!c.has(Field::p2_tokens) || !c.out.is_enabled(CheckId::V13)) return;
  if (!has_shape(c, CheckId::V13, "P2", Field::p2_tokens, c.r.p2_tokens)) return;
  const RowCheck v{c, CheckId::V13, "P2", Field::p2_tokens};
  for (std::size_t i = 0; i < c.slots(); ++i) check_accepted_row(v, i);
}

/// P3, behind propose and in front of schedule_cache, is P2 with the q of 5.12b.
void v18_p3(StepContext& c) {
  const auto column = [&c](Field field, const Column& device, Column& oracle) {
    follow(c, CheckId::V18, field, "P3", device, oracle);
  };
  column(Field::p3_q, c.r.p3.q, c.s.dev.q);
  column(Field::p3_e, c.r.p3.e, c.s.dev.e);
  column(Field::p3_d, c.r.p3.d, c.s.dev.d);
  column(Field::p3_s, c.r.p3.s, c.s.dev.s);
  column(Field::p3_b, c.r.p3.b, c.s.dev.b);
  column(Field::p3_g, c.r.p3.g, c.s.dev.g);
  column(Field::p3_a, c.r.p3.a, c.s.dev.a);
}

/// What p4.q must be given p3.q: 0 where schedule_cache parked or stopped the slot, else the same.
void v19_q_follows_p3(StepContext& c) {
  if (!c.has(Field::p3_q) || !c.has(Field::p4_s)) return;
  Column& q = c.tmp.a;
  for (std::size_t i = 0; i < c.slots(); ++i) q[i] = c.r.p4.s[i] != 0 ? 0 : c.r.p3.q[i];
  for (std::size_t i = c.below(); i < c.slots(); ++i) q[i] = c.r.p3.q[i];  // beyond the view
  compare(c, CheckId::V19, Field::p4_q, "P4", c.r.p4.q, q);
}

void v18_draft_rows(StepContext& c) {
  if (!c.has(Field::p4_tokens) || !c.out.is_enabled(CheckId::V18)) return;
  if (!c.has(Field::p2_a)) return;
  if (!has_shape(c, CheckId::V18, "P4", Field::p4_tokens, c.r.p4_tokens)) return;
  const RowCheck v{c, CheckId::V18, "P4", Field::p4_tokens};
  for (std::size_t i = 0; i < c.slots(); ++i) {
    check_draft_row(v, i, c.r.p4_tokens, c.r.p4_draft);
    const std::int64_t first = row_of(c, c.r.p4_tokens, i).front();
    const bool ran = c.s.run[i] != 0 && c.r.p2.a[i] > 0 && c.r.p2.a[i] <= c.rules.width;
    if (ran && c.has(Field::p2_tokens) && c.r.p2_tokens.size() == c.r.p4_tokens.size()) {
      const auto last = static_cast<std::size_t>(c.r.p2.a[i]) - 1;
      v.expect(i, ".first", first, row_of(c, c.r.p2_tokens, i)[last]);
    } else if (c.s.run[i] == 0 && c.r.p1_tokens.size() == c.r.p4_tokens.size()) {
      v.expect(i, ".first", first, row_of(c, c.r.p1_tokens, i).front());
    }
  }
}

/// A step without postprocess: no P2 and no P3, and D is P1's or left out.
void v7_full_is_empty(StepContext& c) {
  const auto zero = [&c](Field field, const Column& column) {
    if (c.has(field)) compare(c, CheckId::V7, field, "P3", column, c.tmp.zeros);
  };
  zero(Field::p3_q, c.r.p3.q);
  zero(Field::p3_e, c.r.p3.e);
  zero(Field::p3_d, c.r.p3.d);
  zero(Field::p3_s, c.r.p3.s);
  zero(Field::p3_b, c.r.p3.b);
  zero(Field::p3_g, c.r.p3.g);
  zero(Field::p3_a, c.r.p3.a);
  const auto add = [&c](Field field, const char* point) {
    c.out.add({CheckId::V7, point, -1, -1, field, "", nothing(), just(1), just(0)});
  };
  if (c.has(Field::p2_tokens) && !all_zero(c.r.p2_tokens)) add(Field::p2_tokens, "P2");
  const bool repeated = c.r.p4_tokens == c.r.p1_tokens;
  if (c.has(Field::p4_tokens) && !repeated && !all_zero(c.r.p4_tokens)) add(Field::p4_tokens, "P4");
}

void keep_draft_rows(StepContext& c) {
  const bool back = c.r.kind == StepKind::back;
  const bool known = c.has(Field::p1_tokens) && c.has(Field::p4_tokens);
  const Tokens& tokens = back ? c.r.p4_tokens : c.r.p1_tokens;
  const bool fits = tokens.size() == c.slots() * static_cast<std::size_t>(c.rules.width);
  if (known && fits) {
    c.tmp.draft_tokens = tokens;
  } else {
    c.tmp.draft_tokens.clear();
  }
}

}  // namespace tandem::sim
