// TinyPlan: the operations of a step in the order of semantics 3.2, 3.2.1 and 4.1.
#include "tests/support/sim_tiny_plan.hpp"

#include <initializer_list>

namespace tandem::test {
namespace {

using plan::Buffer;
using plan::EventName;
using plan::Lane;
using plan::OpKind;
using plan::Segment;
using plan::SegmentKind;
using plan::Symbol;

/// Appends one operation after the other.
struct Writer {
  Segment segment;
  int substep = -1;

  explicit Writer(SegmentKind kind) { segment.kind = kind; }

  plan::Operation& add(OpKind kind, Lane lane, Symbol gate = Symbol::one) {
    plan::Operation op;
    op.kind = kind;
    op.lane = lane;
    op.gate = gate;
    op.substep = substep;
    segment.ops.push_back(op);
    return segment.ops.back();
  }
  void kernel(OpKind kind, Symbol gate = Symbol::one) { add(kind, Lane::compute, gate); }
  void wait(EventName name, int offset, Symbol gate = Symbol::one) {
    add(OpKind::wait_event, Lane::host, gate).waits = {name, offset};
  }
  void copy(OpKind kind, EventName done, Symbol gate, std::initializer_list<Buffer> to) {
    plan::Operation& op = add(kind, Lane::compute, gate);
    for (const Buffer buffer : to) op.writes.push_back({buffer, true, 0});
    add(OpKind::record_event, Lane::compute, gate).records = {done, 0};
  }
  void host(OpKind kind, int offset, std::initializer_list<Buffer> from) {
    plan::Operation& op = add(kind, Lane::host);
    for (const Buffer buffer : from) op.reads.push_back({buffer, true, offset});
  }
  void blocking_read(OpKind kind, Symbol gate) {
    add(kind, Lane::compute, gate).writes = {{Buffer::scratch_read_cpu, false, 0}};
    add(OpKind::record_event, Lane::compute, gate).records = {EventName::read_done, 0};
    wait(EventName::read_done, 0, gate);
  }
};

Segment front(const RunConfig& config, bool exact) {
  Writer w(SegmentKind::front);
  w.add(OpKind::insert_tasks, Lane::compute, Symbol::tasks)
      .reads.push_back({Buffer::task_arrays_cpu, true, 0});
  w.kernel(OpKind::recover_decode_task);
  w.copy(OpKind::copy_seq_lens, EventName::token_num, Symbol::one,
         {Buffer::seq_lens_this_time_cpu, Buffer::is_block_step_cpu});
  if (exact) {
    w.wait(EventName::token_num, 0);
    w.host(OpKind::resolve, 0, {Buffer::seq_lens_this_time_cpu});
  } else {
    w.host(OpKind::resolve, 0, {});
  }
  w.kernel(OpKind::speculate_pre_process, Symbol::N);
  if (config.row(11) == RowMode::overlap) {
    w.copy(OpKind::copy_output_rows, EventName::output_token_num, Symbol::N,
           {Buffer::output_token_num_cpu});
  }
  w.kernel(OpKind::target_forward, Symbol::N);
  return w.segment;
}

void send(Writer& w, int offset) {
  w.wait(EventName::post_process, offset);
  w.host(OpKind::send_message, offset,
         {Buffer::accept_tokens_cpu, Buffer::accept_num_cpu, Buffer::seq_lens_decoder_cpu,
          Buffer::prompt_lens_cpu});
  w.host(OpKind::sampling_mask, offset, {Buffer::accept_num_cpu});
}

Segment save() {
  Writer w(SegmentKind::save);
  send(w, -1);
  return w.segment;
}

Segment settle() {
  Writer w(SegmentKind::settle);
  w.wait(EventName::token_num, 0);
  w.host(OpKind::predict, 0, {Buffer::seq_lens_this_time_cpu, Buffer::is_block_step_cpu});
  return w.segment;
}

Segment back(const RunConfig& config, bool blocking) {
  Writer w(SegmentKind::back);
  w.host(OpKind::routing_replay, 0, {Buffer::seq_lens_this_time_cpu});
  if (config.row(11) == RowMode::overlap) w.wait(EventName::output_token_num, 0);
  for (const OpKind kind : {OpKind::rebuild_padding, OpKind::lm_head, OpKind::build_sampling_params,
                            OpKind::verify_draft_tokens, OpKind::unified_update_model_status}) {
    w.kernel(kind);
  }
  w.copy(OpKind::copy_outputs, EventName::post_process, Symbol::one,
         {Buffer::accept_tokens_cpu, Buffer::accept_num_cpu, Buffer::seq_lens_decoder_cpu,
          Buffer::prompt_lens_cpu});
  w.kernel(OpKind::draft_model_preprocess);
  w.kernel(OpKind::eagle_get_hidden_states);
  for (w.substep = 0; w.substep < config.num_model_steps; ++w.substep) {
    if (blocking) w.blocking_read(OpKind::read_draft_sum, Symbol::draft_any);
    for (const OpKind kind : {OpKind::draft_pre_process, OpKind::draft_forward,
                              OpKind::eagle_gather_hidden_states, OpKind::draft_model_update}) {
      w.kernel(kind, Symbol::draft_rows);
    }
  }
  w.substep = -1;
  w.kernel(OpKind::draft_model_postprocess);
  w.kernel(OpKind::speculate_schedule_cache);
  if (config.row(2) == RowMode::sync) {
    send(w, 0);
  } else {
    w.host(OpKind::cache_output, 0, {});
  }
  return w.segment;
}

Segment without_back(SegmentKind kind) {
  Writer w(kind);
  w.add(OpKind::send_control, Lane::host, Symbol::marks);
  if (kind == SegmentKind::idle) w.host(OpKind::idle_sleep, 0, {});
  return w.segment;
}

}  // namespace

TinyPlan::TinyPlan(const RunConfig& config)
    : front_exact(front(config, true)),
      front_predicted(front(config, false)),
      save(test::save()),
      settle(test::settle()),
      back(test::back(config, false)),
      back_blocking(test::back(config, true)),
      empty(without_back(SegmentKind::empty)),
      idle(without_back(SegmentKind::idle)) {}

std::vector<Segment> TinyPlan::all() const {
  return {front_exact, front_predicted, save, settle, back, back_blocking, empty, idle};
}

std::vector<std::uint64_t> TinyPlan::chain_of(const StepRecord& r, bool saves) const {
  std::vector<std::uint64_t> chain;
  const auto add = [&chain](const Segment& s) { chain.push_back(plan::segment_hash(s)); };
  add(r.mode == LaunchMode::exact ? front_exact : front_predicted);
  if (saves) add(save);
  add(settle);
  if (r.kind == StepKind::back) add(r.substeps[0].blocking ? back_blocking : back);
  if (r.kind == StepKind::empty) add(empty);
  if (r.kind == StepKind::idle) add(idle);
  return chain;
}

}  // namespace tandem::test
