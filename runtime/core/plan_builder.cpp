// The order of a step, as data: semantics 3.2, 3.2.1 and 4.1 with the rows of 3.4 as switches.
#include "runtime/core/plan_builder.hpp"

#include <utility>

namespace tandem {
namespace {

using plan::Buffer;
using plan::BufferUse;
using plan::EventName;
using plan::Lane;
using plan::Operation;
using plan::OpKind;
using plan::Segment;
using plan::SegmentKind;
using plan::Symbol;
using Uses = std::vector<BufferUse>;

BufferUse pinned(Buffer buffer, int step_offset = 0) { return {buffer, true, step_offset}; }
BufferUse whole(Buffer buffer) { return {buffer, false, 0}; }

/// Appends operations to one segment; knows where copies run.
class Builder {
 public:
  Builder(const RunConfig& config, SegmentKind kind) : config_(config) { segment_.kind = kind; }

  [[nodiscard]] bool sync(int row) const { return config_.row(row) == RowMode::sync; }

  Operation& host(OpKind kind, Symbol gate = Symbol::one) { return add(kind, Lane::host, gate); }

  Operation& compute(OpKind kind, Symbol gate, Uses reads, Uses writes) {
    Operation& op = add(kind, Lane::compute, gate);
    op.reads = std::move(reads);
    op.writes = std::move(writes);
    return op;
  }

  /// A wait of the host thread. `row` is the row that could do without it, -1: every schedule has
  /// it.
  void host_wait(EventName name, int step_offset, int row, Symbol gate = Symbol::one) {
    Operation& op = add(OpKind::wait_event, Lane::host, gate);
    op.waits = {name, step_offset};
    op.row = row;
  }

  /// An asynchronous copy to a pinned buffer and the event that tells of it. On its own stream the
  /// copy waits for what it reads; whoever writes that next waits for the copy (guard_copies).
  void copy(OpKind kind, EventName done, Symbol gate, Uses reads, Uses writes) {
    const Lane lane = config_.copies_own_stream ? Lane::copy : Lane::compute;
    if (config_.copies_own_stream) {
      add(OpKind::record_event, Lane::compute, gate).records = {EventName::copies_may_start, 0};
      add(OpKind::wait_event, Lane::copy, gate).waits = {EventName::copies_may_start, 0};
    }
    Operation& op = add(kind, lane, gate);
    op.reads = std::move(reads);
    op.writes = std::move(writes);
    add(OpKind::record_event, lane, gate).records = {done, 0};
  }

  /// The compute stream goes on only when the copy has read its source.
  void guard_copies(EventName done, int step_offset, Symbol gate) {
    if (!config_.copies_own_stream) return;
    add(OpKind::wait_event, Lane::compute, gate).waits = {done, step_offset};
  }

  /// A blocking read of a few bytes: what a row in `sync` costs.
  void blocking_read(OpKind kind, int row, Symbol gate, Buffer source) {
    Operation& op = compute(kind, gate, {whole(source)}, {whole(Buffer::scratch_read_cpu)});
    op.row = row;
    Operation& done = add(OpKind::record_event, Lane::compute, gate);
    done.records = {EventName::read_done, 0};
    done.row = row;
    host_wait(EventName::read_done, 0, row, gate);
  }

  void enter_substep(int substep) { substep_ = substep; }
  [[nodiscard]] Segment take() { return std::move(segment_); }

 private:
  Operation& add(OpKind kind, Lane lane, Symbol gate) {
    Operation op;
    op.kind = kind;
    op.lane = lane;
    op.gate = gate;
    op.substep = substep_;
    segment_.ops.push_back(std::move(op));
    return segment_.ops.back();
  }

  const RunConfig& config_;
  Segment segment_;
  int substep_ = -1;
};

void add_verification(Builder& b) {
  const auto slots = whole(Buffer::slot_state);
  const auto drafts = whole(Buffer::draft_tokens);
  const auto tokens = whole(Buffer::accept_tokens);
  const auto counts = whole(Buffer::accept_num);
  b.compute(
      OpKind::rebuild_padding, Symbol::R,
      {whole(Buffer::hidden_states), whole(Buffer::packing), whole(Buffer::output_packing), slots},
      {whole(Buffer::logits)});
  b.compute(OpKind::lm_head, Symbol::R, {whole(Buffer::logits)}, {whole(Buffer::target_tokens)});
  b.compute(OpKind::build_sampling_params, Symbol::R,
            {whole(Buffer::output_packing), whole(Buffer::infer_seed)},
            {whole(Buffer::infer_seed)});
  b.compute(OpKind::verify_draft_tokens, Symbol::one,
            {drafts, whole(Buffer::target_tokens), whole(Buffer::output_packing), slots},
            {tokens, counts});
  b.compute(OpKind::set_stop_value, Symbol::one,
            {slots, tokens, counts, whole(Buffer::token_ids_all)}, {tokens, counts});
  b.guard_copies(EventName::token_num, 0, Symbol::one);  // unified_update writes q
  b.compute(
      OpKind::unified_update_model_status, Symbol::one, {slots, drafts, tokens, counts},
      {slots, drafts, tokens, counts, whole(Buffer::token_ids_all), whole(Buffer::not_need_stop)});
  if (b.sync(1)) {
    b.blocking_read(OpKind::read_not_need_stop, 1, Symbol::one, Buffer::not_need_stop);
  }
}

void add_output_copies(Builder& b) {
  b.host(OpKind::shift_preempted).writes = {whole(Buffer::preempted_idx_cpu)};
  b.copy(OpKind::copy_outputs, EventName::post_process, Symbol::one,
         {whole(Buffer::accept_tokens), whole(Buffer::accept_num), whole(Buffer::slot_state)},
         {pinned(Buffer::accept_tokens_cpu), pinned(Buffer::accept_num_cpu),
          pinned(Buffer::seq_lens_decoder_cpu), pinned(Buffer::prompt_lens_cpu)});
}

/// What follows the draft forward with draft path `gather` (5.10): one row for every running slot.
void add_gather(Builder& b) {
  const auto state = whole(Buffer::draft_state);
  const auto hidden = whole(Buffer::target_hidden_states);
  b.compute(OpKind::eagle_gather_hidden_states, Symbol::draft_rows,
            {whole(Buffer::draft_hidden_states), state}, {hidden});
  b.compute(OpKind::draft_lm_head, Symbol::draft_rows, {hidden},
            {whole(Buffer::draft_next_tokens)});
}

/// The same with draft path `self` (5.3 here, 5.11 behind the update).
void add_self_rebuild(Builder& b) {
  const auto packing = whole(Buffer::draft_packing);
  if (b.sync(8)) {
    b.blocking_read(OpKind::read_draft_output_rows, 8, Symbol::draft_rows, Buffer::draft_packing);
  }
  b.compute(OpKind::draft_rebuild_padding, Symbol::draft_rows,
            {whole(Buffer::draft_hidden_states), packing, whole(Buffer::draft_state)},
            {whole(Buffer::draft_logits)});
  b.compute(OpKind::draft_lm_head, Symbol::draft_rows, {whole(Buffer::draft_logits), packing},
            {whole(Buffer::draft_next_tokens)});
}

void add_self_hidden(Builder& b) {
  b.compute(OpKind::eagle_get_self_hidden_states, Symbol::draft_rows,
            {whole(Buffer::draft_logits), whole(Buffer::draft_state)},
            {whole(Buffer::target_hidden_states), whole(Buffer::hidden_row_count)});
  if (b.sync(5)) {
    b.blocking_read(OpKind::read_hidden_rows, 5, Symbol::draft_rows, Buffer::hidden_row_count);
  }
}

/// One autoregressive sub-step of the MTP head (3.2.1 c1 to c9).
void add_substep(Builder& b, const RunConfig& config, int substep, bool blocking) {
  const auto state = whole(Buffer::draft_state);
  const auto packing = whole(Buffer::draft_packing);
  const bool gather = config.draft_path == DraftPath::gather;
  const bool last = substep + 1 == config.num_model_steps;
  b.enter_substep(substep);
  if (blocking) {
    b.blocking_read(OpKind::read_draft_sum, 6, Symbol::draft_any, Buffer::draft_state);
  }
  b.compute(OpKind::draft_pre_process, Symbol::draft_rows, {state}, {packing});
  if (b.sync(7)) {
    b.blocking_read(OpKind::read_any_prefill, 7, Symbol::draft_rows, Buffer::draft_state);
  }
  b.compute(OpKind::draft_forward, Symbol::draft_rows,
            {packing, whole(Buffer::target_hidden_states), state, whole(Buffer::block_tables)},
            {whole(Buffer::draft_hidden_states), whole(Buffer::draft_kv_cache)});
  if (gather) {
    add_gather(b);
  } else {
    add_self_rebuild(b);
  }
  b.compute(OpKind::draft_model_update, Symbol::draft_rows,
            {whole(Buffer::draft_next_tokens), state},
            {state, whole(Buffer::draft_tokens), whole(Buffer::not_need_stop)});
  if (!gather && !last) add_self_hidden(b);
  if (b.sync(9) && !last) {
    // Also behind a sub-step without rows: the bool is then that of draft_model_preprocess.
    b.blocking_read(OpKind::read_not_need_stop, 9, Symbol::draft_any, Buffer::not_need_stop);
  }
  b.enter_substep(-1);
}

void add_propose(Builder& b, const RunConfig& config, bool draft_blocking) {
  const auto slots = whole(Buffer::slot_state);
  const auto state = whole(Buffer::draft_state);
  const auto drafts = whole(Buffer::draft_tokens);
  b.compute(OpKind::draft_model_preprocess, Symbol::one,
            {slots, drafts, whole(Buffer::accept_tokens), whole(Buffer::accept_num), state},
            {state, drafts, whole(Buffer::not_need_stop)});
  if (b.sync(3)) {
    b.blocking_read(OpKind::read_not_need_stop, 3, Symbol::one, Buffer::not_need_stop);
  }
  b.compute(OpKind::eagle_get_hidden_states, Symbol::one,
            {whole(Buffer::hidden_states), state, whole(Buffer::accept_num), slots},
            {whole(Buffer::target_hidden_states), whole(Buffer::hidden_row_count)});
  if (b.sync(4)) {
    b.blocking_read(OpKind::read_hidden_rows, 4, Symbol::one, Buffer::hidden_row_count);
  }
  const bool blocking = draft_blocking || b.sync(6) || config.policy == PolicyKind::exact;
  for (int substep = 0; substep < config.num_model_steps; ++substep) {
    add_substep(b, config, substep, blocking);
  }
  b.compute(OpKind::draft_model_postprocess, Symbol::one, {drafts, slots}, {slots});
  if (config.ngram_millionths > 0) {
    b.compute(OpKind::ngram_extend, Symbol::one, {drafts, slots, whole(Buffer::token_ids_all)},
              {drafts, slots});
  }
}

}  // namespace

Segment build_front(const RunConfig& config, const FrontKey& key) {
  Builder b(config, SegmentKind::front);
  const auto slots = whole(Buffer::slot_state);
  b.compute(OpKind::insert_tasks, Symbol::tasks, {pinned(Buffer::task_arrays_cpu)},
            {slots, whole(Buffer::draft_tokens), whole(Buffer::input_ids),
             whole(Buffer::block_tables), whole(Buffer::step_state), whole(Buffer::draft_state),
             whole(Buffer::token_ids_all), whole(Buffer::infer_seed)});
  b.compute(OpKind::recover_decode_task, Symbol::one,
            {whole(Buffer::step_state), whole(Buffer::block_tables)},
            {slots, whole(Buffer::draft_tokens)});
  b.copy(OpKind::copy_seq_lens, EventName::token_num, Symbol::one, {slots},
         {pinned(Buffer::seq_lens_this_time_cpu), pinned(Buffer::is_block_step_cpu)});
  if (key.waits) b.host_wait(EventName::token_num, 0, 0);
  Operation& resolve = b.host(OpKind::resolve);
  resolve.row = 0;
  if (key.waits) {
    resolve.reads = {pinned(Buffer::seq_lens_this_time_cpu)};
  }
  b.guard_copies(EventName::output_token_num, -1, Symbol::N);
  b.compute(
      OpKind::speculate_pre_process, Symbol::N,
      {slots, whole(Buffer::draft_tokens), whole(Buffer::input_ids)},
      {whole(Buffer::packing), whole(Buffer::output_packing), whole(Buffer::output_token_num)});
  if (config.row(11) == RowMode::overlap) {
    b.copy(OpKind::copy_output_rows, EventName::output_token_num, Symbol::N,
           {whole(Buffer::output_token_num)}, {pinned(Buffer::output_token_num_cpu)});
  }
  if (b.sync(13)) {
    b.blocking_read(OpKind::read_count, 13, Symbol::N, Buffer::slot_state);
  }
  b.host(OpKind::prepare_forward, Symbol::N).row = 13;
  b.compute(OpKind::target_forward, Symbol::N,
            {whole(Buffer::packing), slots, whole(Buffer::block_tables)},
            {whole(Buffer::hidden_states), whole(Buffer::kv_cache)});
  return b.take();
}

Segment build_save(const RunConfig& config) {
  Builder b(config, SegmentKind::save);
  b.host_wait(EventName::post_process, -1, 2);
  Operation& send = b.host(OpKind::send_message);
  send.row = 2;
  send.reads = {pinned(Buffer::accept_tokens_cpu, -1), pinned(Buffer::accept_num_cpu, -1),
                pinned(Buffer::seq_lens_decoder_cpu, -1), pinned(Buffer::prompt_lens_cpu, -1),
                whole(Buffer::preempted_idx_cpu)};
  b.host(OpKind::sampling_mask).reads = {pinned(Buffer::accept_num_cpu, -1)};
  return b.take();
}

Segment build_settle(const RunConfig& config) {
  Builder b(config, SegmentKind::settle);
  b.host_wait(EventName::token_num, 0, -1);
  b.host(OpKind::predict).reads = {pinned(Buffer::seq_lens_this_time_cpu),
                                   pinned(Buffer::is_block_step_cpu)};
  b.host(OpKind::count_running).reads = {pinned(Buffer::seq_lens_this_time_cpu)};
  return b.take();
}

Segment build_back(const RunConfig& config, const BackKey& key) {
  Builder b(config, SegmentKind::back);
  b.host(OpKind::routing_replay).reads = {pinned(Buffer::seq_lens_this_time_cpu)};
  if (config.row(11) == RowMode::overlap) b.host_wait(EventName::output_token_num, 0, -1);
  if (b.sync(11)) {
    b.blocking_read(OpKind::copy_output_rows, 11, Symbol::one, Buffer::output_token_num);
  }
  add_verification(b);
  add_output_copies(b);
  add_propose(b, config, key.draft_blocking);
  b.guard_copies(EventName::post_process, 0, Symbol::one);  // schedule_cache clears A, a and d
  b.compute(OpKind::speculate_schedule_cache, Symbol::one,
            {whole(Buffer::slot_state), whole(Buffer::draft_tokens), whole(Buffer::block_tables)},
            {whole(Buffer::slot_state), whole(Buffer::step_state), whole(Buffer::accept_tokens),
             whole(Buffer::accept_num), whole(Buffer::not_need_stop)});
  if (b.sync(10)) {
    b.blocking_read(OpKind::read_not_need_stop, 10, Symbol::one, Buffer::not_need_stop);
  }
  if (b.sync(2)) {
    b.host_wait(EventName::post_process, 0, 2);
    Operation& send = b.host(OpKind::send_message);
    send.row = 2;
    send.reads = {pinned(Buffer::accept_tokens_cpu), pinned(Buffer::accept_num_cpu),
                  pinned(Buffer::seq_lens_decoder_cpu), pinned(Buffer::prompt_lens_cpu),
                  whole(Buffer::preempted_idx_cpu)};
    b.host(OpKind::sampling_mask).reads = {pinned(Buffer::accept_num_cpu)};
  } else {
    b.host(OpKind::cache_output).row = 2;
  }
  return b.take();
}

Segment build_empty(const RunConfig& config) {
  Builder b(config, SegmentKind::empty);
  b.host(OpKind::send_control, Symbol::marks).writes = {whole(Buffer::preempted_idx_cpu)};
  return b.take();
}

Segment build_idle(const RunConfig& config) {
  Builder b(config, SegmentKind::idle);
  b.host(OpKind::send_control, Symbol::marks).writes = {whole(Buffer::preempted_idx_cpu)};
  b.host(OpKind::idle_sleep);
  return b.take();
}

std::vector<NamedSegment> all_segments(const RunConfig& config) {
  std::vector<NamedSegment> out;
  const bool predicts = config.row(0) == RowMode::overlap && config.policy != PolicyKind::exact;
  out.push_back({predicts ? "prefill, first step after it, or no usable prediction" : "every step",
                 build_front(config, {true})});
  if (predicts) out.push_back({"decode with a usable prediction", build_front(config, {false})});
  if (config.row(2) != RowMode::sync) {
    out.push_back({"an output of the step before is cached", build_save(config)});
  }
  out.push_back({"every step", build_settle(config)});
  if (config.row(6) == RowMode::sync || config.policy == PolicyKind::exact) {
    out.push_back({"slots run (r > 0)", build_back(config, {true})});
  } else {
    out.push_back({"slots run (r > 0), no prefill", build_back(config, {false})});
    out.push_back({"slots run (r > 0), a prefill was inserted", build_back(config, {true})});
  }
  out.push_back({"rows were launched, no slot runs (a ghost step)", build_empty(config)});
  out.push_back({"nothing to launch (N = 0)", build_idle(config)});
  return out;
}

}  // namespace tandem
