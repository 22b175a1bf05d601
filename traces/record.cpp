// Shapes of a StepRecord and of an empty Keyframe.
#include "traces/record.hpp"

#include "traces/keyframe.hpp"

namespace tandem {
namespace {

void zero(Column& column, std::size_t slots) { column.assign(slots, 0); }

void zero(SlotColumns& c, std::size_t slots) {
  for (Column* column : {&c.q, &c.e, &c.d, &c.s, &c.b, &c.g, &c.a}) zero(*column, slots);
}

void zero(DraftRowColumns& c, std::size_t slots) {
  for (Column* column : {&c.len, &c.hole, &c.digest, &c.first}) zero(*column, slots);
}

void zero(DraftShadowColumns& c, std::size_t slots) {
  for (Column* column : {&c.q, &c.e, &c.d, &c.g, &c.s}) zero(*column, slots);
}

void zero(DraftSubstep& sub, std::size_t slots) {
  sub.launched = sub.blocking = false;
  sub.token_num = sub.hidden_rows = sub.captured_size = sub.device_sum = sub.id_below =
      sub.id_above = sub.live_tail = 0;
  for (Column* column :
       {&sub.qd, &sub.dd, &sub.row_request, &sub.row_position, &sub.row_phase, &sub.row_count}) {
    zero(*column, slots);
  }
}

void clear_scalars(StepRecord& r) {
  r.t = 0;
  r.repeat = 1;
  r.kind = StepKind::back;
  r.n = 0;
  r.flag_in = r.flag_out = r.draft_flag_in = r.draft_flag_out = false;
  r.mode = LaunchMode::exact;
  r.cached_in = r.cached_out = CachedPair{};
  r.token_num = r.launch_bsz = r.real_bsz = r.captured_size = 0;
  r.q_cpu_step = r.b_cpu_step = 0;
  r.output_rows = r.output_rows_host = r.id_below = r.id_above = 0;
  r.guard_tripped = false;
  r.live_tail = r.poison_rows = r.poison_damaged = 0;
  r.start_ns = r.end_ns = 0;
}

void clear_lists(StepRecord& r) {
  r.segments.clear();
  r.deviations.clear();
  r.tasks.clear();
  r.pinned_copies.clear();
  r.outcomes.clear();
  r.frees.clear();
  r.cu_seqlens_q.clear();
  r.cu_seqlens_q_output.clear();
  r.row_runs.clear();
  r.output_runs.clear();
  r.messages.clear();
  r.count_uses.clear();
  r.spans.clear();
}

}  // namespace

void StepRecord::reset(RecordLevel level, std::int32_t slots, std::int32_t substep_count,
                       std::int32_t row_width) {
  const auto size = static_cast<std::size_t>(slots);
  clear_scalars(*this);
  clear_lists(*this);
  for (SlotColumns* columns : {&p1, &p2, &p4}) zero(*columns, size);
  for (DraftRowColumns* columns : {&p1_draft, &p4_draft}) zero(*columns, size);
  for (Column* column : {&q_cpu,
                         &b_cpu,
                         &believed_len,
                         &believed_reserve,
                         &p1_p,
                         &p1_table_hash,
                         &p1_request,
                         &p1_generation,
                         &accept_digest,
                         &last_digest,
                         &accept_marks,
                         &p2_first,
                         &enqueue_generation,
                         &p2_generation,
                         &seed_used,
                         &stop_step_idx,
                         &draft_e,
                         &paired,
                         &step_q,
                         &step_d,
                         &step_digest}) {
    zero(*column, size);
  }
  zero(shadow, size);
  substeps.resize(static_cast<std::size_t>(substep_count));
  for (DraftSubstep& sub : substeps) zero(sub, size);
  const std::size_t kept = level == RecordLevel::full ? size : 0;
  zero(p0, kept);
  zero(p3, kept);
  const std::size_t cells = kept * static_cast<std::size_t>(row_width);
  for (auto* tokens : {&p1_tokens, &p2_tokens, &p4_tokens}) tokens->assign(cells, 0);
}

Keyframe Keyframe::initial(std::int64_t t, std::int32_t slots) {
  const auto size = static_cast<std::size_t>(slots);
  Keyframe k;
  k.t = t;
  zero(k.slots, size);
  k.slots.s.assign(size, 1);
  zero(k.draft, size);
  for (Column* column :
       {&k.p, &k.step_q, &k.step_d, &k.step_digest, &k.generation, &k.q_cpu, &k.b_cpu, &k.preempted,
        &k.last_preempted, &k.known_d, &k.known_g, &k.in_flight}) {
    zero(*column, size);
  }
  zero(k.shadow, size);
  k.shadow.s.assign(size, 1);
  k.request.assign(size, kNoRequest);
  k.blocks.resize(size);
  k.infer_seed.assign(size, 0);
  return k;
}

}  // namespace tandem
