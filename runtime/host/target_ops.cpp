// Operations of the target model: packing, scripted forward, verification, state update, cache.
#include <algorithm>

#include "kernels/build_sampling_params.hpp"
#include "kernels/recover_decode_task.hpp"
#include "kernels/speculate_schedule_cache.hpp"
#include "kernels/speculate_set_stop_value_multi_seqs.hpp"
#include "kernels/unified_update_model_status.hpp"
#include "kernels/verify_draft_tokens.hpp"
#include "runtime/host/host_device.hpp"
#include "runtime/host/packing.hpp"

namespace tandem {

namespace k = kernels;

void HostDevice::recover(const LaunchArgs& args) {
  if (args.pending->level == RecordLevel::full) take_p0(args.pending->record);
  k::RecoverDecodeTask io;
  io.n = args.n;
  io.block_size = config_.block_size;
  io.max_draft_tokens = config_.num_speculative_tokens;
  io.draft_width = config_.row_width();
  io.block_tables_width = config_.table_width();
  io.stop_flags = m_.stop_flags;
  io.seq_lens_this_time = m_.seq_lens_this_time;
  io.seq_lens_encoder = m_.seq_lens_encoder;
  io.seq_lens_decoder = m_.seq_lens_decoder;
  io.step_seq_lens_decoder = m_.step_seq_lens_decoder;
  io.step_seq_lens_this_time = m_.step_seq_lens_this_time;
  io.step_draft_tokens = m_.step_draft_tokens;
  io.draft_tokens = m_.draft_tokens;
  io.block_tables = m_.block_tables;
  io.is_block_step = m_.is_block_step;
  k::recover_decode_task_reference(io);
  if (args.pending->level != RecordLevel::off) take_p1(args.pending->record);
}

void HostDevice::pre_process(const LaunchArgs& args) {
  // Rows behind N of a replayed graph: batch id -1, ids as they were (4.7). The whole buffer, since
  // the graph is chosen behind this operation: its size is not known yet.
  std::fill(m_.batch_id_per_token.begin() + args.token_num, m_.batch_id_per_token.end(), -1);
  std::fill(m_.batch_id_per_token_output.begin(), m_.batch_id_per_token_output.end(), -1);
  pack_rows(config_, target_rows(m_), args.n, args.token_num);
}

void HostDevice::target_forward(const LaunchArgs& args) {
  const auto rows = static_cast<std::size_t>(std::max(args.token_num, args.captured));
  std::int64_t id_min = m_.ids_remove_padding[0];
  std::int64_t id_max = id_min;
  for (std::size_t x = 0; x < rows; ++x) {
    const std::int64_t id = m_.ids_remove_padding[x];
    id_min = std::min(id_min, id);
    id_max = std::max(id_max, id);
    const std::int32_t batch = m_.batch_id_per_token[x];
    ProvenanceRow& row = m_.hidden_states[x];
    if (batch < 0) {
      row = ProvenanceRow{};
      continue;
    }
    const auto slot = static_cast<std::size_t>(batch);
    const std::int32_t offset = static_cast<std::int32_t>(x) - m_.cu_seqlens_q[slot];
    const std::int32_t position = m_.seq_lens_decoder[slot] + offset;
    const bool sound = id == script::token(config_, scripts_[slot], position);
    row = {m_.slot_request[slot], position, 0, sound ? 1 : 0};
  }
  if (args.pending->level == RecordLevel::off) return;
  StepRecord& record = args.pending->record;
  record.id_min = static_cast<std::int32_t>(id_min);
  record.id_max = static_cast<std::int32_t>(id_max);
  take_packing(record, args);
  // As the forward sees its static buffers: batch ids up to the captured size, q of all slots.
  const auto valid = static_cast<std::size_t>(m_.cu_seqlens_q[static_cast<std::size_t>(args.n)]);
  record.live_tail = count_live(m_.batch_id_per_token, valid, rows);
  for (std::size_t i = static_cast<std::size_t>(args.n); i < slots(); ++i) {
    record.live_tail += m_.seq_lens_this_time[i] != 0 ? 1 : 0;
  }
}

void HostDevice::rebuild(const LaunchArgs& args) {
  if (args.pending->level == RecordLevel::full) poison(args);
  const auto rows = static_cast<std::size_t>(args.output_rows);
  std::fill_n(m_.logits.begin(), rows, ProvenanceRow{});
  pick_output_rows(target_rows(m_), args.n, args.token_num, args.output_rows);
}

/// The scripted argmax: the token behind the row's own, or a wrong one where the row is unsound.
void HostDevice::lm_head(const LaunchArgs& args) {
  for (std::size_t x = 0; x < static_cast<std::size_t>(args.output_rows); ++x) {
    const ProvenanceRow& row = m_.logits[x];
    const std::int32_t batch = m_.batch_id_per_token_output[x];
    if (row.request == kNoRequest || batch < 0) {
      m_.target_tokens[x] = config_.padding_id;
      continue;
    }
    const script::Request& request = scripts_[static_cast<std::size_t>(batch)];
    const std::int64_t next = row.position + std::int64_t{1};
    m_.target_tokens[x] = row.sound != 0 && row.request == request.id
                              ? script::token(config_, request, next)
                              : script::wrong_token(config_, request, next, 1);
  }
}

void HostDevice::sampling_params(const LaunchArgs& args) {
  if (args.pending->level != RecordLevel::off) take_seeds(args.pending->record, args);
  k::BuildSamplingParams io;
  io.n = args.n;
  io.token_num_output_cpu = args.output_rows;
  io.increment_value = 4 * std::int64_t{config_.row_width()};
  io.top_p = m_.top_p;
  io.top_k = m_.top_k;
  io.infer_seed = m_.infer_seed;
  io.cu_seqlens_q_output = m_.cu_seqlens_q_output;
  io.top_p_padding = m_.top_p_padding;
  io.top_k_padding = m_.top_k_padding;
  io.topp_seed = m_.topp_seed;
  k::build_sampling_params_reference(io);
}

void HostDevice::verify(const LaunchArgs& args) {
  k::VerifyDraftTokens io;
  io.n = args.n;
  io.slot_count = config_.max_num_seqs;
  io.draft_width = config_.row_width();
  io.row_count = args.output_rows;
  io.verify_strategy = k::VerifyStrategy::kGreedy;
  io.step_output_ids = m_.accept_tokens;
  io.step_output_len = m_.accept_num;
  io.step_input_ids = m_.draft_tokens;
  io.target_tokens = m_.target_tokens;
  io.stop_flags = m_.stop_flags;
  io.seq_lens_encoder = m_.seq_lens_encoder;
  io.seq_lens_this_time = m_.seq_lens_this_time;
  io.end_tokens = config_.eos_ids;
  io.is_block_step = m_.is_block_step;
  io.cu_seqlens_q_output = m_.cu_seqlens_q_output;
  io.reasoning_status = m_.reasoning_status;
  io.max_dec_len = m_.max_dec_len;
  io.step_idx = m_.step_idx;
  k::verify_draft_tokens_reference(io);
}

/// Positions in token_ids_all go by history_base where the law says p: after a recovery p + g
/// counts the generated part twice, and a sequence across the preemption would never match.
void HostDevice::set_stop_value(const LaunchArgs& args) {
  if (args.pending->level != RecordLevel::off) take_stop_counters(args.pending->record, args);
  k::SpeculateSetStopValueMultiSeqs io;
  io.slot_count = config_.max_num_seqs;
  io.draft_width = config_.row_width();
  io.max_model_len = config_.max_model_len;
  io.stop_seqs_count = 1;
  io.stop_seqs_width = kStopLenMax;
  io.accept_tokens = m_.accept_tokens;
  io.accept_num = m_.accept_num;
  io.token_ids_all = m_.token_ids_all;
  io.prompt_lens = m_.history_base;
  io.step_idx = m_.step_idx;
  io.stop_flags = m_.stop_flags;
  io.stop_seqs = m_.stop_seqs;
  io.stop_seqs_len = m_.stop_seqs_len;
  io.end_ids = config_.eos_ids;
  io.min_tokens = m_.min_tokens;
  k::speculate_set_stop_value_multi_seqs_reference(io);
}

void HostDevice::unified_update(const LaunchArgs& args) {
  k::UnifiedUpdateModelStatus io;
  io.n = args.n;
  io.draft_width = config_.row_width();
  io.max_model_len = config_.max_model_len;
  io.seq_lens_encoder = m_.seq_lens_encoder;
  io.seq_lens_decoder = m_.seq_lens_decoder;
  io.has_running_seqs = m_.not_need_stop;
  io.step_input_ids = m_.draft_tokens;
  io.step_output_ids = m_.accept_tokens;
  io.step_output_len = m_.accept_num;
  io.stop_flags = m_.stop_flags;
  io.seq_lens_this_time = m_.seq_lens_this_time;
  io.is_paused = m_.is_block_step;
  io.token_ids_all = m_.token_ids_all;
  io.prompt_lens = m_.history_base;
  io.step_idx = m_.step_idx;
  io.end_tokens = config_.eos_ids;
  io.max_dec_len = m_.max_dec_len;
  k::unified_update_model_status_reference(io);
  if (args.pending->level == RecordLevel::off) return;
  take_p2(args.pending->record, args.pending->level);
  take_write_owners(args.pending->record, args);
}

void HostDevice::schedule_cache(const LaunchArgs& args) {
  k::SpeculateScheduleCache io;
  io.n = args.n;
  io.block_size = config_.block_size;
  io.max_draft_tokens = config_.num_speculative_tokens;
  io.prefill_one_step_stop = config_.splitwise_prefill;
  io.draft_width = io.accept_width = config_.row_width();
  io.block_tables_width = config_.table_width();
  io.draft_tokens = m_.draft_tokens;
  io.block_tables = m_.block_tables;
  io.stop_flags = m_.stop_flags;
  io.prompt_lens = m_.prompt_lens;
  io.seq_lens_this_time = m_.seq_lens_this_time;
  io.seq_lens_encoder = m_.seq_lens_encoder;
  io.seq_lens_decoder = m_.seq_lens_decoder;
  io.step_seq_lens_decoder = m_.step_seq_lens_decoder;
  io.step_draft_tokens = m_.step_draft_tokens;
  io.step_seq_lens_this_time = m_.step_seq_lens_this_time;
  io.accept_num = m_.accept_num;
  io.accept_tokens = m_.accept_tokens;
  io.is_block_step = m_.is_block_step;
  io.not_need_stop = m_.not_need_stop;
  k::speculate_schedule_cache_reference(io);
  if (args.pending->level == RecordLevel::off) return;
  take_p4(args.pending->record, args.pending->level);
  if (args.pending->level == RecordLevel::full) count_damage(args.pending->record, args);
}

}  // namespace tandem
