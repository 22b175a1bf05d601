// Filling in what a foreign trace lacks. Each value is one that a sound run cannot differ from.
#include "sim/checks/absent_fields.hpp"

#include <initializer_list>

#include "sim/oracle/arith.hpp"
#include "sim/oracle/device.hpp"

namespace tandem::sim {
namespace {

using F = Field;

bool has(const FieldSet& present, Field field) {
  return present.test(static_cast<std::size_t>(field));
}

bool has_all(const FieldSet& present, std::initializer_list<Field> fields) {
  for (const Field field : fields) {
    if (!has(present, field)) return false;
  }
  return true;
}

/// Checks that read the record, and of the state only P1 as it was adopted from their own inputs.
constexpr CheckId kStateless[] = {CheckId::V1,  CheckId::V5,  CheckId::V6,  CheckId::V8,
                                  CheckId::V9,  CheckId::V10, CheckId::V11, CheckId::V23,
                                  CheckId::V29, CheckId::V30, CheckId::V31, CheckId::V34,
                                  CheckId::V39};

bool tells_accepted(const FieldSet& present) {
  return has(present, F::p2_a) || has(present, F::p2_g) || has(present, F::p4_g) ||
         has(present, F::p2_d);
}

bool tells_ends(const FieldSet& present) {
  return has(present, F::accept_marks) || has(present, F::p2_s) ||
         has_all(present, {F::p4_s, F::p4_d});
}

/// A request that leaves a P node was taken over: no message says when its slot is free.
bool tells_occupants(const FieldSet& present, const Rules& rules) {
  return has(present, F::tasks) && (has(present, F::frees) || !rules.prefill_node);
}

std::int64_t rows_of(const StepRecord& r) {
  std::int64_t rows = 0;
  for (const RowRun& run : r.row_runs) rows += run.rows;
  return rows;
}

std::int32_t accepted(const StepRecord& r, const OracleState& s, const FieldSet& present,
                      std::size_t i) {
  if (has(present, F::p2_g)) return wrap_sub(r.p2.g[i], s.dev.g[i]);
  if (has(present, F::p4_g)) return wrap_sub(r.p4.g[i], s.dev.g[i]);
  return s.dev.e[i] > 0 ? 1 : wrap_sub(r.p2.d[i], s.dev.d[i]);
}

/// A slot that its own tokens stopped keeps d at P4; a parked or half-prefilled one does not.
bool ended(const StepRecord& r, const FieldSet& present, std::size_t i) {
  if (has(present, F::p2_s)) return r.p2.s[i] != 0;
  return r.p4.s[i] != 0 && r.p4.d[i] > 0;
}

}  // namespace

FieldSet readable_fields(const TraceHeader& header) {
  FieldSet present = present_fields(header);
  if (has(present, F::substeps)) return present;
  for (auto i = static_cast<std::size_t>(F::sub_launched);
       i <= static_cast<std::size_t>(F::sub_live_tail); ++i) {
    present.reset(i);
  }
  return present;
}

CheckSet followable_checks(const FieldSet& present, const Rules& rules) {
  CheckSet set;
  set.set();
  const bool follows =
      tells_occupants(present, rules) && tells_accepted(present) && tells_ends(present);
  if (!follows) {
    set.reset();
    for (const CheckId id : kStateless) set.set(index_of(id));
  }
  if (!has(present, F::t) && !has(present, F::repeat)) {  // which step it is, is not told
    for (const CheckId id : {CheckId::V6, CheckId::V22, CheckId::V31}) set.reset(index_of(id));
  }
  return set;
}

bool needs_filling(const FieldSet& present) {
  return !has_all(present,
                  {F::t, F::mode, F::token_num, F::real_bsz, F::kind, F::q_cpu, F::b_cpu, F::p2_a,
                   F::accept_marks, F::accept_digest, F::last_digest, F::p4_draft_digest});
}

void fill_clock(StepRecord& r, const OracleState& s, const FieldSet& present) {
  if (!has(present, F::t)) r.t = s.t;
}

void fill_launch(StepRecord& r, const OracleState& s, const Rules& rules, const FieldSet& present) {
  const Column& q = has(present, F::p1_q) ? r.p1.q : s.dev.q;
  const Column& b = has(present, F::p1_b) ? r.p1.b : s.dev.b;
  if (!has(present, F::mode)) {
    const bool usable = s.cached.token_num > 0 && s.cached.real_bsz > 0;
    const bool predicted = rules.predicts && !s.flag && usable;
    r.mode = predicted ? LaunchMode::predicted : LaunchMode::exact;
  }
  if (!has(present, F::token_num)) {
    const std::int64_t rows =
        r.mode == LaunchMode::predicted ? s.cached.token_num : sum_below(q, s.n);
    r.token_num = static_cast<std::int32_t>(has(present, F::row_runs) ? rows_of(r) : rows);
  }
  if (!has(present, F::real_bsz)) r.real_bsz = count_positive(q, s.n);
  if (!has(present, F::kind)) {
    r.kind = r.real_bsz > 0 ? StepKind::back : StepKind::empty;
    if (r.token_num == 0) r.kind = StepKind::idle;
  }
  if (!has(present, F::q_cpu)) r.q_cpu = q;
  if (!has(present, F::b_cpu)) r.b_cpu = b;
}

void fill_accepted(StepRecord& r, const OracleState& s, const FieldSet& present) {
  const bool first_told = has(present, F::p2_first) || has(present, F::p4_draft_first);
  const Column& first = has(present, F::p2_first) ? r.p2_first : r.p4_draft.first;
  for (std::size_t i = 0; i < s.run.size(); ++i) {
    const bool ran = s.run[i] != 0;
    if (!has(present, F::p2_a)) r.p2.a[i] = ran ? accepted(r, s, present, i) : 0;
    if (!has(present, F::accept_marks)) {
      r.accept_marks[i] = ran && ended(r, present, i) ? kMarkLastIsEos : 0;
    }
    if (!has(present, F::accept_digest)) r.accept_digest[i] = ran ? kUnknown : 0;
    if (!has(present, F::last_digest)) {
      r.last_digest[i] = ran ? (first_told ? first[i] : kUnknown) : 0;
    }
    if (!has(present, F::p4_draft_digest)) r.p4_draft.digest[i] = kUnknown;
  }
}

}  // namespace tandem::sim
