// V16 to V19, V32, and the draft halves of V2, V21 and V34: from propose to P4.
#include <algorithm>

#include "sim/checks/stages.hpp"
#include "sim/oracle/arith.hpp"

namespace tandem::sim {
namespace {

/// What the oracle expects of one sub-step's launch, from recorded host inputs.
struct SubstepLaunch {
  bool launched = false;
  bool blocking = false;
  std::int64_t device_sum = 0;
  std::int64_t hidden_rows = 0;
  std::int64_t token_num = 0;
};

void at_substep(StepContext& c, CheckId check, Field field, Value host, Value device,
                Value oracle) {
  c.out.add({check, "P3", -1, -1, field, "", host, device, oracle});
}

std::int64_t sum(const Column& column) {
  std::int64_t total = 0;
  for (const std::int32_t value : column) total += value;
  return total;
}

/// Any draft slot that is not skipped: the device bool of R3 and R9.
bool any_running(const OracleState& s) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(s.n); ++i) {
    if (s.shadow.s[i] == 0) return true;
  }
  return false;
}

/// Rows of the hidden states that the sub-step finds (R4 at sub-step 0, R5 behind it).
std::int64_t hidden_rows(const StepContext& c, std::int32_t substep, std::int64_t device_sum) {
  if (substep == 0) return c.rules.sync[4] ? device_sum : c.r.token_num;
  if (c.rules.path == DraftPath::gather) return c.s.n;
  if (c.rules.sync[5]) return device_sum;
  return c.r.substeps[static_cast<std::size_t>(substep) - 1].token_num;
}

SubstepLaunch expected_launch(const StepContext& c, std::int32_t substep, const DraftSubstep& sub) {
  SubstepLaunch want;
  want.device_sum = sum(c.s.shadow.q);
  want.hidden_rows = hidden_rows(c, substep, want.device_sum);
  const std::int64_t hidden =
      c.has(Field::sub_hidden_rows) ? std::int64_t{sub.hidden_rows} : want.hidden_rows;
  want.blocking = c.rules.sync[6] || c.rules.policy == PolicyKind::exact || c.s.draft_flag;
  want.token_num = want.blocking
                       ? want.device_sum
                       : policy_draft_rows(c.rules, substep, c.r.token_num, c.r.real_bsz, hidden);
  const bool watched = c.rules.sync[3] || (c.rules.sync[9] && substep > 0);
  want.launched = want.token_num > 0 && !(watched && !any_running(c.s));
  return want;
}

/// V2 where a pair is cached at all; else the rows have one legal value and V16 says so.
void v2_draft_rows(StepContext& c, const DraftSubstep& sub, const SubstepLaunch& want) {
  const CheckId check = c.rules.predicts ? CheckId::V2 : CheckId::V16;
  if (c.has(Field::sub_blocking) && sub.blocking != want.blocking) {
    at_substep(c, check, Field::sub_blocking, just(sub.blocking ? 1 : 0), nothing(),
               just(want.blocking ? 1 : 0));
  }
  if (sub.token_num != want.token_num && c.has(Field::sub_token_num)) {
    at_substep(c, check, Field::sub_token_num, just(sub.token_num), just(sum(sub.qd)),
               just(want.token_num));
  }
}

void v16_rows(StepContext& c, const DraftSubstep& sub, const SubstepLaunch& want,
              std::int32_t substep) {
  follow(c, CheckId::V16, Field::sub_qd, "P3", sub.qd, c.s.shadow.q);
  const std::int64_t device = sum(sub.qd);
  if (sub.device_sum != device) {
    at_substep(c, CheckId::V16, Field::sub_device_sum, nothing(), just(sub.device_sum),
               just(device));
  }
  if (sub.hidden_rows != want.hidden_rows) {
    at_substep(c, CheckId::V16, Field::sub_hidden_rows, just(sub.hidden_rows), nothing(),
               just(want.hidden_rows));
  }
  const bool covers = sub.token_num >= device;
  const bool fits = substep > 0 || sub.token_num <= sub.hidden_rows;
  const bool by_slots = substep == 0 || device <= c.r.real_bsz;
  if (!covers || !fits || !by_slots) {
    const std::int64_t bound = !fits ? std::int64_t{sub.hidden_rows} : device;
    at_substep(c, CheckId::V16, Field::sub_token_num, just(sub.token_num), just(device),
               just(bound));
  }
  // Beyond n an earlier step may have left anything: it is nobody's.
  const std::size_t n = c.below();
  std::int32_t bad = 0;
  const std::int32_t first = mask_of(substep == 0);
  for (std::size_t i = 0; i < n; ++i) {
    const std::int32_t most = (first & std::max(c.s.dev.q[i], 0)) | (~first & 1);
    bad |= mask_of(sub.qd[i] < 0) | mask_of(sub.qd[i] > most);
  }
  for (std::size_t i = 0; bad != 0 && i < n; ++i) {
    const std::int32_t most = substep == 0 ? std::max(c.s.dev.q[i], 0) : 1;
    if (sub.qd[i] >= 0 && sub.qd[i] <= most) continue;
    c.out.add({CheckId::V16, "P3", static_cast<std::int32_t>(i), c.s.request[i], Field::sub_qd, "",
               nothing(), just(sub.qd[i]), just(most)});
  }
}

/// V21, last part: the positions that the draft writes.
void v21_draft_blocks(StepContext& c, const DraftSubstep& sub) {
  const std::size_t n = c.below();
  std::int32_t bad = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const std::int32_t end = wrap_add(sub.dd[i], sub.qd[i]);
    const std::int32_t beyond = mask_of(sub.dd[i] > c.s.covered[i]) | mask_of(end > c.s.covered[i]);
    bad |= mask_of(sub.qd[i] > 0) & beyond;
  }
  for (std::size_t i = 0; bad != 0 && i < n; ++i) {
    if (sub.qd[i] <= 0 || std::int64_t{sub.dd[i]} + sub.qd[i] <= c.s.covered[i]) continue;
    c.out.add({CheckId::V21, "P3", static_cast<std::int32_t>(i), c.s.request[i], Field::sub_dd, "",
               nothing(), just(sub.dd[i]), just(std::int64_t{c.s.covered[i]} - sub.qd[i])});
  }
}

/// What V32 expects of the slots that consume rows. Apart, so that the loop vectorises.
struct Provenance {
  std::int32_t* __restrict request;
  std::int32_t* __restrict position;
  std::int32_t* __restrict phase;
  std::int32_t* __restrict count;
};

void expect_provenance(std::size_t slots, std::int32_t substep, const std::int32_t* __restrict rows,
                       const std::int32_t* __restrict request,
                       const std::int32_t* __restrict position, const Provenance& want) {
  const Provenance out = want;
  for (std::size_t i = 0; i < slots; ++i) {
    const std::int32_t consumes = mask_of(rows[i] > 0);
    out.request[i] = (consumes & request[i]) | ~consumes;
    out.position[i] = consumes & position[i];
    out.phase[i] = consumes & substep;
    out.count[i] = consumes & rows[i];
  }
}

/// Sub-step 0 takes the target's rows from dd on. Later ones take the row that the sub-step before
/// made last: its input token stood one behind the KV position dd + qd - 1, so at dd + qd. That is
/// this sub-step's own dd, except behind a frozen sub-step, which recomputes one position (5.12).
void v32_provenance(StepContext& c, const DraftSubstep& sub, std::int32_t substep) {
  if (!c.out.is_enabled(CheckId::V32)) return;
  Scratch& x = c.tmp;
  expect_provenance(c.slots(), substep, sub.qd.data(), c.s.request.data(),
                    substep == 0 ? sub.dd.data() : x.substep_end.data(),
                    {x.a.data(), x.b.data(), x.c.data(), x.d.data()});
  compare(c, CheckId::V32, Field::sub_row_request, "P3", sub.row_request, x.a);
  compare(c, CheckId::V32, Field::sub_row_position, "P3", sub.row_position, x.b);
  compare(c, CheckId::V32, Field::sub_row_phase, "P3", sub.row_phase, x.c);
  compare(c, CheckId::V32, Field::sub_row_count, "P3", sub.row_count, x.d);
}

/// V32, the target's rows of sub-step 0: each is paired with the token behind it, but the last one
/// of a chunk that does not finish its text: it meets a sampled token instead of the text's (5.8).
void v32_pairs(StepContext& c, const DraftSubstep& sub) {
  for (std::size_t i = 0; i < c.slots(); ++i) {
    const std::int32_t rows = sub.launched ? std::max(sub.qd[i], 0) : 0;
    const std::int32_t want = rows > 0 && c.s.chunk[i] != 0 ? rows - 1 : rows;
    if (c.r.paired[i] == want) continue;
    c.out.add({CheckId::V32, "P3", static_cast<std::int32_t>(i), c.s.request[i], Field::paired, "",
               nothing(), just(c.r.paired[i]), just(want)});
  }
}

void v34_draft_ids(StepContext& c, const DraftSubstep& sub) {
  if (sub.id_below != 0) {
    at_substep(c, CheckId::V34, Field::sub_id_below, nothing(), just(sub.id_below), just(0));
  }
  if (sub.id_above != 0) {
    at_substep(c, CheckId::V34, Field::sub_id_above, nothing(), just(sub.id_above), just(0));
  }
}

bool all_zero(const Column& column, std::int32_t also = 0) {
  return std::all_of(column.begin(), column.end(),
                     [also](std::int32_t v) { return v == 0 || v == also; });
}

/// A sub-step that was not launched holds nothing.
void v16_not_launched(StepContext& c, const DraftSubstep& sub) {
  const auto zero = [&c](Field field, std::int64_t value) {
    if (value != 0) at_substep(c, CheckId::V16, field, just(value), nothing(), just(0));
  };
  zero(Field::sub_token_num, sub.token_num);
  zero(Field::sub_captured_size, sub.captured_size);
  zero(Field::sub_device_sum, sub.device_sum);
  zero(Field::sub_id_below, sub.id_below);
  zero(Field::sub_id_above, sub.id_above);
  zero(Field::sub_qd, all_zero(sub.qd) ? 0 : 1);
  zero(Field::sub_dd, all_zero(sub.dd) ? 0 : 1);
  zero(Field::sub_row_request, all_zero(sub.row_request, -1) ? 0 : 1);
  zero(Field::sub_row_position, all_zero(sub.row_position) ? 0 : 1);
  zero(Field::sub_row_phase, all_zero(sub.row_phase) ? 0 : 1);
  zero(Field::sub_row_count, all_zero(sub.row_count) ? 0 : 1);
}

void check_launched(StepContext& c, const DraftSubstep& sub, const SubstepLaunch& want,
                    std::int32_t substep) {
  v2_draft_rows(c, sub, want);
  if (c.out.is_enabled(CheckId::V16)) v16_rows(c, sub, want, substep);
  follow(c, CheckId::V17, Field::sub_dd, "P3", sub.dd, c.s.shadow.d);
  if (c.out.is_enabled(CheckId::V21)) v21_draft_blocks(c, sub);
  v32_provenance(c, sub, substep);
  if (c.out.is_enabled(CheckId::V34)) v34_draft_ids(c, sub);
  const std::size_t slots = c.slots();
  for (std::size_t i = 0; i < slots; ++i) {
    c.tmp.substep_end[i] = wrap_add(sub.dd[i], sub.qd[i]);
  }
}

}  // namespace

void v16_v17_v32_drafts(StepContext& c) {
  draft_preprocess(c.s, c.rules);
  follow(c, CheckId::V16, Field::draft_e, "P3", c.r.draft_e, c.s.shadow.e);
  for (std::int32_t j = 0; j < c.rules.substeps; ++j) {
    c.out.begin_substep(j);
    const DraftSubstep& sub = c.r.substeps[static_cast<std::size_t>(j)];
    const SubstepLaunch want = expected_launch(c, j, sub);
    const bool recorded = c.has(Field::sub_launched);
    if (recorded && sub.launched != want.launched) {
      at_substep(c, CheckId::V16, Field::sub_launched, just(sub.launched ? 1 : 0), nothing(),
                 just(want.launched ? 1 : 0));
    }
    if (j == 0 && c.out.is_enabled(CheckId::V32)) v32_pairs(c, sub);
    if (recorded && !sub.launched) {
      if (c.out.is_enabled(CheckId::V16)) v16_not_launched(c, sub);
      continue;
    }
    if (recorded) check_launched(c, sub, want, j);
    draft_update(c.s, j);
  }
  c.out.begin_substep(-1);
}

void v17_shadow(StepContext& c) {
  follow(c, CheckId::V17, Field::shadow_q, "P3", c.r.shadow.q, c.s.shadow.q);
  follow(c, CheckId::V17, Field::shadow_e, "P3", c.r.shadow.e, c.s.shadow.e);
  follow(c, CheckId::V17, Field::shadow_d, "P3", c.r.shadow.d, c.s.shadow.d);
  follow(c, CheckId::V17, Field::shadow_g, "P3", c.r.shadow.g, c.s.shadow.g);
  follow(c, CheckId::V17, Field::shadow_s, "P3", c.r.shadow.s, c.s.shadow.s);
}

void v18_v19_state_at_end(StepContext& c) {
  ngram_extend(c.s, c.rules);
  draft_postprocess(c.s);
  v18_p3(c);
  schedule_cache(c.s, c.rules, c.r.p4_draft.digest);
  follow(c, CheckId::V18, Field::p4_q, "P4", c.r.p4.q, c.s.dev.q);
  follow(c, CheckId::V18, Field::p4_s, "P4", c.r.p4.s, c.s.dev.s);
  follow(c, CheckId::V18, Field::p4_draft_len, "P4", c.r.p4_draft.len, c.s.draft.len);
  follow(c, CheckId::V18, Field::p4_draft_hole, "P4", c.r.p4_draft.hole, c.s.draft.hole);
  follow(c, CheckId::V18, Field::p4_draft_digest, "P4", c.r.p4_draft.digest, c.s.draft.digest);
  follow(c, CheckId::V18, Field::p4_draft_first, "P4", c.r.p4_draft.first, c.s.draft.first);
  for (std::size_t i = 0; i < c.slots(); ++i) {
    const std::int32_t digest = c.s.draft.digest[i];
    if ((digest >= 0 && digest <= 0xFF) || digest == kUnknown) continue;
    c.out.add({CheckId::V18, "P4", static_cast<std::int32_t>(i), c.s.request[i],
               Field::p4_draft_digest, "", nothing(), just(digest), nothing()});
  }
  follow(c, CheckId::V19, Field::p4_e, "P4", c.r.p4.e, c.s.dev.e);
  follow(c, CheckId::V19, Field::p4_d, "P4", c.r.p4.d, c.s.dev.d);
  follow(c, CheckId::V19, Field::p4_b, "P4", c.r.p4.b, c.s.dev.b);
  follow(c, CheckId::V19, Field::p4_g, "P4", c.r.p4.g, c.s.dev.g);
  follow(c, CheckId::V19, Field::p4_a, "P4", c.r.p4.a, c.s.dev.a);
  follow(c, CheckId::V19, Field::step_q, "P4", c.r.step_q, c.s.step_q);
  follow(c, CheckId::V19, Field::step_d, "P4", c.r.step_d, c.s.step_d);
  follow(c, CheckId::V19, Field::step_digest, "P4", c.r.step_digest, c.s.step_digest);
}

}  // namespace tandem::sim
