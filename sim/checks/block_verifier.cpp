// The order of all checks in a step: insert, resolve, P1, packing, settle, P2, P3, P4, messages.
#include "sim/checks/block_verifier.hpp"

#include <algorithm>
#include <utility>

#include "sim/checks/absent_fields.hpp"
#include "sim/oracle/arith.hpp"
#include "traces/base/hash.hpp"

namespace tandem::sim {
namespace {

CheckSet enabled_checks(const TraceHeader& header, const FieldSet& present, const Rules& rules) {
  CheckSet set = followable_checks(present, rules);
  for (std::size_t i = 0; i < kCheckCount; ++i) {
    const auto id = static_cast<CheckId>(i);
    set.set(i, set.test(i) && check_info(id).implemented && !is_excluded(id, header.config) &&
                   is_checkable(id, present));
  }
  return set;
}

/// Calls visit(column) for every per-slot column that the checks index.
template <class Record, class Visit>
void each_column(Record& r, Visit visit) {
  const auto slot_columns = [&visit](auto& c) {
    for (auto* column : {&c.q, &c.e, &c.d, &c.s, &c.b, &c.g, &c.a}) visit(*column);
  };
  const auto draft_columns = [&visit](auto& c) {
    for (auto* column : {&c.len, &c.hole, &c.digest, &c.first}) visit(*column);
  };
  slot_columns(r.p1);
  slot_columns(r.p2);
  slot_columns(r.p4);
  draft_columns(r.p1_draft);
  draft_columns(r.p4_draft);
  for (auto* column :
       {&r.believed_len,  &r.believed_reserve, &r.q_cpu,         &r.b_cpu,
        &r.p1_p,          &r.p1_table_hash,    &r.p1_request,    &r.enqueue_generation,
        &r.p2_generation, &r.seed_used,        &r.stop_step_idx, &r.p1_generation,
        &r.accept_digest, &r.last_digest,      &r.accept_marks,  &r.p2_first,
        &r.draft_e,       &r.paired,           &r.shadow.q,      &r.shadow.e,
        &r.shadow.d,      &r.shadow.g,         &r.shadow.s,      &r.step_q,
        &r.step_d,        &r.step_digest}) {
    visit(*column);
  }
  for (auto& sub : r.substeps) {
    for (auto* column :
         {&sub.qd, &sub.dd, &sub.row_request, &sub.row_position, &sub.row_phase, &sub.row_count}) {
      visit(*column);
    }
  }
}

/// The same for what level `full` adds.
template <class Record, class Visit>
void each_full_column(Record& r, Visit visit) {
  for (auto* columns : {&r.p0, &r.p3}) {
    for (auto* column : {&columns->q, &columns->e, &columns->d, &columns->s, &columns->b,
                         &columns->g, &columns->a}) {
      visit(*column);
    }
  }
}

bool has_full_columns(const FieldSet& present) {
  bool any = false;
  for (auto i = static_cast<std::size_t>(Field::p0_q); i <= static_cast<std::size_t>(Field::p3_a);
       ++i) {
    any = any || present.test(i);
  }
  return any;
}

std::uint64_t pair_of(std::int32_t low, std::int32_t high) {
  return static_cast<std::uint32_t>(low) |
         (static_cast<std::uint64_t>(static_cast<std::uint32_t>(high)) << 32U);
}

}  // namespace

Result<Judge> Judge::make(const TraceHeader& header) {
  Judge judge;
  judge.header = header;
  TANDEM_TRY(judge.rules, make_rules(header.config));
  judge.present = readable_fields(header);
  judge.enabled = enabled_checks(header, judge.present, judge.rules);
  judge.fills = needs_filling(judge.present);
  judge.has_full = has_full_columns(judge.present);
  return judge;
}

BlockVerifier::BlockVerifier(const Judge& judge, std::size_t kept_max)
    : report(judge.enabled, to_name(judge.header.config.policy), kept_max), judge_(judge) {
  const auto slots = static_cast<std::size_t>(judge.rules.slots);
  for (Column* column : {&scratch_.zeros, &scratch_.a, &scratch_.b, &scratch_.c, &scratch_.d,
                         &scratch_.frees, &scratch_.by_stop, &scratch_.request_at_launch,
                         &scratch_.substep_end, &scratch_.reach, &scratch_.removal}) {
    column->assign(slots, 0);
  }
  scratch_.fresh.finished.assign(slots, 0);
  scratch_.fresh.by_stop.assign(slots, 0);
}

void BlockVerifier::begin(const Keyframe& keyframe) {
  load(state_, judge_.rules, keyframe);
  scratch_.fresh.exists = false;
  scratch_.draft_tokens.clear();
  forget_removals(scratch_);
}

void BlockVerifier::check_beginning(const Keyframe& keyframe) {
  if (keyframe.t != judge_.header.first_step) {
    report.begin_step(keyframe.t);
    report.add({CheckId::V0, "-", -1, -1, Field::count, "keyframe.t", nothing(), just(keyframe.t),
                just(judge_.header.first_step)});
    return;
  }
  // Another engine may count its steps from 0 at the first that it records, and its buffers may
  // hold what a warm-up left.
  const bool of_this_project = judge_.present.test(static_cast<std::size_t>(Field::seed_used));
  if (keyframe.t != 0 || !of_this_project) return;
  Keyframe empty = Keyframe::initial(0, judge_.rules.slots);
  // An empty row holds -1 in every cell; a keyframe that says no more than t = 0 reads as 0.
  if (keyframe.draft.first != empty.draft.first) {
    constexpr std::int64_t kNoToken = -1;
    const std::uint32_t first = token_row_digest(judge_.rules.digest_key, {&kNoToken, 1}, 8);
    std::fill(empty.draft.first.begin(), empty.draft.first.end(), static_cast<std::int32_t>(first));
  }
  begin(empty);
  v0_keyframe(state_, keyframe, judge_.present, report);
}

void BlockVerifier::step(const StepRecord& record) {
  const bool as_is = !judge_.fills && has_shape(record);
  const StepRecord& r = as_is ? record : shaped(record);
  count(r);  // as recorded: before anything is filled in
  judge_step(r, judge_.fills ? &repaired_ : nullptr);
}

void BlockVerifier::end(const Keyframe& next) {
  ++report.tally.chained;
  v0_keyframe(state_, next, judge_.present, report);
}

void BlockVerifier::judge_step(const StepRecord& r, StepRecord* copy) {
  if (copy != nullptr) fill_clock(*copy, state_, judge_.present);
  report.begin_step(r.t);
  StepContext c{judge_.rules,         r,           state_, scratch_, report, judge_.present,
                judge_.header.config, judge_.plans};
  judge_insert(c);
  judge_launch(c, copy);
  if (r.kind == StepKind::back) {
    if (copy != nullptr) fill_accepted(*copy, state_, judge_.present);
    judge_back(c);
  } else {
    v7_nothing_after_launch(c);
    v7_no_substeps(c);
    v7_p4_is_whole(c);
    v7_full_is_empty(c);
    std::fill(state_.finished.begin(), state_.finished.end(), 0);
  }
  finish_step(c);
}

void BlockVerifier::judge_insert(StepContext& c) {
  if (c.has(Field::t) && c.r.t != state_.t) {
    c.out.add({CheckId::V0, "-", -1, -1, Field::t, "", just(c.r.t), nothing(), just(state_.t)});
    state_.t = c.r.t;
  }
  begin_step(state_);
  for (const Task& task : c.r.tasks) {
    v12_task(c, task);
    if (report.is_enabled(CheckId::V12)) v12_task_members(c, task);
    v21_granted_blocks(c, task);
    note_removal(c, task);
    apply_task(state_, judge_.rules, task);
  }
  v20_view(c);
  v3_flags_in(c);
  v4_cached_in(c);
  v39_pinned_copies(c);
  v12_p0(c);
  scratch_.request_at_launch = state_.request;
  std::fill(scratch_.frees.begin(), scratch_.frees.end(), 0);
}

void BlockVerifier::judge_launch(StepContext& c, StepRecord* copy) {
  recover(state_, judge_.rules);
  if (copy != nullptr) fill_launch(*copy, state_, judge_.rules, judge_.present);
  v1_launch_covers_rows(c);
  v3_mode(c);
  v2_predicted_pair(c);
  if (c.out.is_enabled(CheckId::V2b)) v2b_surplus_is_explained(c);
  v5_launch_fits(c);
  if (c.out.is_enabled(CheckId::V6)) v6_host_copies(c);
  v7_kind(c);
  v8_ghost_steps(c);
  v12_state_at_launch(c);
  mark_running(state_);
  v12_relations(c);
  v12_draft_rows(c);
  if (c.out.is_enabled(CheckId::V20)) v20_slots_beyond_view(c);
  v9_input_rows(c);
  v10_output_rows(c);
  if (c.out.is_enabled(CheckId::V34)) v34_main_ids(c);
  v29_main_size(c);
  v23_plan(c);
  v36_beliefs(c);
  receive_before_predict(c);
  v2_v4_cached_out(c);
  state_.q_cpu = c.r.q_cpu;
  state_.b_cpu = c.r.b_cpu;
}

void BlockVerifier::judge_back(StepContext& c) {
  v33_script(c);
  v13_accepted(c);
  v35_generations(c);
  v38_seeds_and_counters(c);
  advance_seeds(state_, judge_.rules);
  update_status(state_, c.r.accept_marks, c.r.last_digest);
  v13_accepted_rows(c);
  v14_status(c);
  v15_v34_marks(c);
  compose_message(state_, c.r.accept_digest, scratch_.fresh);
  v16_v17_v32_drafts(c);
  v17_shadow(c);
  v16_skipped_substeps(c);
  v29_draft_sizes(c);
  v36_draft_reach(c);
  v18_v19_state_at_end(c);
  v19_q_follows_p3(c);
  v18_draft_rows(c);
  launch_in_flight(state_);
}

void BlockVerifier::finish_step(StepContext& c) {
  receive_at_end(c);
  v22_messages(c);
  v22_beyond_view(c);
  v37_outcomes(c);
  v37_frees(c);
  v3_flags_out(c);
  v11_poison(c);
  v30_tails(c);
  v31_count_uses(c);
  keep_draft_rows(c);
  const bool quiet = c.r.kind == StepKind::idle && c.r.tasks.empty() && c.r.messages.empty();
  if (c.r.repeat != 1 && (!quiet || c.r.repeat < 1)) {
    c.out.add({CheckId::V0, "-", -1, -1, Field::repeat, "", just(c.r.repeat), nothing(), just(1)});
  }
  state_.t = wrap_add(c.r.t, std::max<std::int64_t>(1, c.r.repeat));
}

void BlockVerifier::count(const StepRecord& r) {
  Tally& tally = report.tally;
  ++tally.records;
  tally.steps = wrap_add(tally.steps, std::max<std::int64_t>(1, r.repeat));
  tally.requests += static_cast<std::int64_t>(r.outcomes.size());
  for (const Task& task : r.tasks) {
    if (task.kind == TaskKind::dnode && task.admits) ++tally.tokens;
  }
  for (const Message& message : r.messages) {
    for (const std::int32_t tokens : message.count) tally.tokens += std::max(tokens, 0);
  }
  tally.counter_digest += counter_digest(r);
}

bool BlockVerifier::has_shape(const StepRecord& r) const {
  const auto slots = static_cast<std::size_t>(judge_.rules.slots);
  bool fits = r.substeps.size() == static_cast<std::size_t>(judge_.rules.substeps);
  const auto check = [&fits, slots](const Column& column) {
    fits = fits && column.size() == slots;
  };
  each_column(r, check);
  if (judge_.has_full) each_full_column(r, check);
  return fits;
}

const StepRecord& BlockVerifier::shaped(const StepRecord& r) {
  const auto slots = static_cast<std::size_t>(judge_.rules.slots);
  repaired_ = r;
  repaired_.substeps.resize(static_cast<std::size_t>(judge_.rules.substeps));
  const auto fit = [slots](Column& column) { column.resize(slots, 0); };
  each_column(repaired_, fit);
  if (judge_.has_full) each_full_column(repaired_, fit);
  return repaired_;
}

std::uint64_t counter_digest(const StepRecord& r) {
  std::uint64_t h = mix64(static_cast<std::uint64_t>(r.t));
  h = hash_chain(h, pair_of(r.n, r.token_num));
  h = hash_chain(h, pair_of(r.launch_bsz, r.real_bsz));
  h = hash_chain(h, pair_of(r.output_rows, static_cast<std::int32_t>(r.mode)));
  h = hash_chain(h, pair_of(r.cached_out.token_num, r.cached_out.real_bsz));
  for (const DraftSubstep& sub : r.substeps) {
    h = hash_chain(h, sub.launched ? static_cast<std::uint64_t>(sub.token_num) : 0);
  }
  // Slots are mixed one by one and summed, their index among the inputs: a chain would make every
  // slot wait for the one before.
  std::uint64_t slots = 0;
  for (std::size_t i = 0; i < r.p1.q.size(); ++i) {
    std::uint64_t x = (i + 1) * kGolden64;
    x += pair_of(r.p1.q[i], r.p1.e[i]) * 0xD6E8FEB86659FD93ULL;
    x += pair_of(r.p1.d[i], r.p1.g[i]) * 0xA0761D6478BD642FULL;
    x += pair_of(r.p1.s[i], r.p1.b[i]) * 0xE7037ED1A0B428DBULL;
    x += static_cast<std::uint64_t>(static_cast<std::uint32_t>(r.p2.a[i])) * 0x8EBC6AF09C88C6E3ULL;
    slots += mix64(x);
  }
  return mix64(hash_chain(h, slots));
}

}  // namespace tandem::sim
