// Level full: P0, P3 and token rows, as parts of V12, V13, V18 and V19.
#include <algorithm>
#include <span>

#include "sim/checks/stages.hpp"
#include "sim/oracle/arith.hpp"
#include "traces/base/hash.hpp"

namespace tandem::sim {
namespace {

void point(StepContext& c, CheckId check, Field first, const char* name, const SlotColumns& device,
           const SlotColumns& oracle) {
  const auto at = [first](int k) { return static_cast<Field>(static_cast<int>(first) + k); };
  compare(c, check, at(0), name, device.q, oracle.q);
  compare(c, check, at(1), name, device.e, oracle.e);
  compare(c, check, at(2), name, device.d, oracle.d);
  compare(c, check, at(3), name, device.s, oracle.s);
  compare(c, check, at(4), name, device.b, oracle.b);
  compare(c, check, at(5), name, device.g, oracle.g);
  compare(c, check, at(6), name, device.a, oracle.a);
}

/// A level below full has none; a foreign record may have them in any shape.
bool has_point(const StepContext& c, Field first, const SlotColumns& point) {
  if (!c.has(first)) return false;
  for (const Column* column :
       {&point.q, &point.e, &point.d, &point.s, &point.b, &point.g, &point.a}) {
    if (column->size() != c.slots()) return false;
  }
  return true;
}

bool has_tokens(const StepContext& c, Field field, const std::vector<std::int64_t>& tokens) {
  return c.has(field) && tokens.size() == c.slots() * static_cast<std::size_t>(c.rules.width);
}

/// A slot's row of a token table.
std::span<const std::int64_t> row_of(const StepContext& c, const std::vector<std::int64_t>& tokens,
                                     std::size_t slot) {
  const auto width = static_cast<std::size_t>(c.rules.width);
  return {tokens.data() + slot * width, width};
}

std::int32_t digest(const StepContext& c, std::span<const std::int64_t> tokens, unsigned bits) {
  return static_cast<std::int32_t>(token_row_digest(c.rules.digest_key, tokens, bits));
}

struct RowFields {
  CheckId check;
  const char* point;
  Field tokens;
};

/// D in full against what the record says of it in short.
void check_draft_rows(StepContext& c, const RowFields& f, const std::vector<std::int64_t>& tokens,
                      const DraftRowColumns& told) {
  if (!has_tokens(c, f.tokens, tokens)) return;
  for (std::size_t i = 0; i < c.slots(); ++i) {
    const std::span<const std::int64_t> row = row_of(c, tokens, i);
    const auto end = std::find(row.begin(), row.end(), -1);
    const auto length = static_cast<std::size_t>(end - row.begin());
    const bool hole = std::any_of(end, row.end(), [](std::int64_t id) { return id != -1; });
    const std::int32_t drafts = length > 1 ? digest(c, row.subspan(1, length - 1), 8) : 0;
    const auto expect = [&](const char* member, std::int64_t got, std::int64_t want) {
      if (got == want) return;
      c.out.add({f.check, f.point, static_cast<std::int32_t>(i), c.s.request[i], f.tokens, member,
                 nothing(), just(got), just(want)});
    };
    expect(".len", static_cast<std::int64_t>(length), told.len[i]);
    expect(".hole", hole ? 1 : 0, told.hole[i]);
    expect(".digest", drafts, told.digest[i]);
    expect(".first", digest(c, row.first(1), 8), told.first[i]);
    for (std::size_t x = 0; x < length; ++x) {
      if (row[x] >= 0 && row[x] < c.rules.vocab) continue;
      expect(".id", row[x], -1);
    }
  }
}

/// A against D of P1: every accepted draft is the draft, but for an EOS in its place.
void check_accepted_row(StepContext& c, std::size_t i) {
  const std::span<const std::int64_t> row = row_of(c, c.r.p2_tokens, i);
  const auto count = static_cast<std::size_t>(std::clamp(c.r.p2.a[i], 0, c.rules.width));
  const auto expect = [&](const char* member, std::int64_t got, std::int64_t want) {
    if (got == want) return;
    c.out.add({CheckId::V13, "P2", static_cast<std::int32_t>(i), c.s.request[i], Field::p2_tokens,
               member, nothing(), just(got), just(want)});
  };
  if (c.has(Field::accept_digest)) {
    expect(".digest", digest(c, row.first(count), 16), c.r.accept_digest[i]);
  }
  if (count == 0) return;
  if (c.has(Field::last_digest)) {
    expect(".last", digest(c, row.subspan(count - 1, 1), 8), c.r.last_digest[i]);
  }
  const bool prefill = c.r.p1.e[i] > 0;
  if (prefill || !has_tokens(c, Field::p1_tokens, c.r.p1_tokens)) return;
  const std::span<const std::int64_t> drafts = row_of(c, c.r.p1_tokens, i);
  for (std::size_t x = 0; x + 1 < count; ++x) expect(".id", row[x], drafts[x + 1]);
}

}  // namespace

/// V12: P0 is P4 of the step before with the tasks applied, before recover.
void v12_state_after_insert(StepContext& c) {
  if (!has_point(c, Field::p0_q, c.r.p0)) return;
  point(c, CheckId::V12, Field::p0_q, "P0", c.r.p0, c.s.dev);
}

void v12_input_tokens(StepContext& c) {
  check_draft_rows(c, {CheckId::V12, "P1", Field::p1_tokens}, c.r.p1_tokens, c.r.p1_draft);
}

void v13_accepted_tokens(StepContext& c) {
  if (!has_tokens(c, Field::p2_tokens, c.r.p2_tokens)) return;
  for (std::size_t i = 0; i < c.slots(); ++i) check_accepted_row(c, i);
}

/// V18: P3 is P2 with q as draft_model_postprocess and the n-gram match leave it.
void v18_state_after_propose(StepContext& c) {
  if (!has_point(c, Field::p3_q, c.r.p3)) return;
  point(c, CheckId::V18, Field::p3_q, "P3", c.r.p3, c.s.dev);
}

void v18_draft_tokens(StepContext& c) {
  check_draft_rows(c, {CheckId::V18, "P4", Field::p4_tokens}, c.r.p4_tokens, c.r.p4_draft);
}

}  // namespace tandem::sim
