// Arguments of the target model's bookkeeping operations, out of a device's tensors by name.
//
// `Memory` is a device's tensors (names of semantics section 2): vectors on the host, spans of
// device memory on a GPU. One text for both, so that no device wires an operation differently.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/build_sampling_params.hpp"
#include "kernels/rebuild_padding.hpp"
#include "kernels/recover_decode_task.hpp"
#include "kernels/speculate_pre_process.hpp"
#include "kernels/speculate_schedule_cache.hpp"
#include "kernels/speculate_set_stop_value_multi_seqs.hpp"
#include "kernels/unified_update_model_status.hpp"
#include "kernels/verify_draft_tokens.hpp"
#include "runtime/core/device.hpp"
#include "runtime/ops/provenance.hpp"
#include "scenarios/scenario.hpp"
#include "traces/run_config.hpp"

namespace tandem::ops {

/// 5.1
template <class Memory>
kernels::RecoverDecodeTask recover(const RunConfig& config, Memory& m, const LaunchArgs& args) {
  kernels::RecoverDecodeTask io;
  io.n = args.n;
  io.block_size = config.block_size;
  io.max_draft_tokens = config.num_speculative_tokens;
  io.draft_width = config.row_width();
  io.block_tables_width = config.table_width();
  io.stop_flags = m.stop_flags;
  io.seq_lens_this_time = m.seq_lens_this_time;
  io.seq_lens_encoder = m.seq_lens_encoder;
  io.seq_lens_decoder = m.seq_lens_decoder;
  io.step_seq_lens_decoder = m.step_seq_lens_decoder;
  io.step_seq_lens_this_time = m.step_seq_lens_this_time;
  io.step_draft_tokens = m.step_draft_tokens;
  io.draft_tokens = m.draft_tokens;
  io.block_tables = m.block_tables;
  io.is_block_step = m.is_block_step;
  return io;
}

/// 5.2 on the target's rows: `args.n` slots, `args.token_num` rows launched.
template <class Memory>
kernels::SpeculatePreProcess pack_target(const RunConfig& config, Memory& m,
                                         const LaunchArgs& args) {
  kernels::SpeculatePreProcess io;
  io.n = args.n;
  io.token_num = args.token_num;
  io.input_ids_width = config.max_num_batched_tokens;
  io.draft_width = config.row_width();
  io.padding_id = config.padding_id;
  io.input_ids = m.input_ids;
  io.seq_lens_this_time = m.seq_lens_this_time;
  io.draft_tokens = m.draft_tokens;
  io.seq_lens_encoder = m.seq_lens_encoder;
  io.seq_lens_decoder = m.seq_lens_decoder;
  io.ids_remove_padding = m.ids_remove_padding;
  io.batch_id_per_token = m.batch_id_per_token;
  io.cu_seqlens_q = m.cu_seqlens_q;
  io.cu_seqlens_k = m.cu_seqlens_k;
  io.cu_seqlens_q_output = m.cu_seqlens_q_output;
  io.batch_id_per_token_output = m.batch_id_per_token_output;
  io.real_output_token_num = m.real_output_token_num;
  return io;
}

/// 5.3: the rows of hidden_states that need logits. Rows without a source keep their value.
template <class Memory>
kernels::RebuildPadding pick_target_rows(const RunConfig&, Memory& m, const LaunchArgs& args) {
  kernels::RebuildPadding io;
  io.form = kernels::RebuildForm::kSpeculative;
  io.n = args.n;
  io.input_rows = args.token_num;
  io.output_rows = args.output_rows;
  io.row_bytes = sizeof(ProvenanceRow);
  io.tmp_out = std::as_bytes(std::span(m.hidden_states));
  io.cu_seqlens_q = m.cu_seqlens_q;
  io.seq_len_this_time = m.seq_lens_this_time;
  io.seq_lens_decoder = m.seq_lens_decoder;
  io.seq_lens_encoder = m.seq_lens_encoder;
  io.batch_id_per_token_output = m.batch_id_per_token_output;
  io.cu_seqlens_q_output = m.cu_seqlens_q_output;
  io.out = std::as_writable_bytes(std::span(m.logits));
  return io;
}

/// 5.4
template <class Memory>
kernels::BuildSamplingParams sampling_params(const RunConfig& config, Memory& m,
                                             const LaunchArgs& args) {
  kernels::BuildSamplingParams io;
  io.n = args.n;
  io.token_num_output_cpu = args.output_rows;
  io.increment_value = 4 * std::int64_t{config.row_width()};
  io.top_p = m.top_p;
  io.top_k = m.top_k;
  io.infer_seed = m.infer_seed;
  io.cu_seqlens_q_output = m.cu_seqlens_q_output;
  io.top_p_padding = m.top_p_padding;
  io.top_k_padding = m.top_k_padding;
  io.topp_seed = m.topp_seed;
  return io;
}

/// 5.5. `end_tokens` are config.eos_ids where the operation can read them.
template <class Memory>
kernels::VerifyDraftTokens verify(const RunConfig& config, Memory& m, const LaunchArgs& args,
                                  std::span<const std::int64_t> end_tokens) {
  kernels::VerifyDraftTokens io;
  io.n = args.n;
  io.slot_count = config.max_num_seqs;
  io.draft_width = config.row_width();
  io.row_count = args.output_rows;
  io.verify_strategy = kernels::VerifyStrategy::kGreedy;
  io.step_output_ids = m.accept_tokens;
  io.step_output_len = m.accept_num;
  io.step_input_ids = m.draft_tokens;
  io.target_tokens = m.target_tokens;
  io.stop_flags = m.stop_flags;
  io.seq_lens_encoder = m.seq_lens_encoder;
  io.seq_lens_this_time = m.seq_lens_this_time;
  io.end_tokens = end_tokens;
  io.is_block_step = m.is_block_step;
  io.cu_seqlens_q_output = m.cu_seqlens_q_output;
  io.reasoning_status = m.reasoning_status;
  io.max_dec_len = m.max_dec_len;
  io.step_idx = m.step_idx;
  return io;
}

/// 5.6. Positions in token_ids_all go by history_base where the law says p: after a recovery p + g
/// counts the generated part twice, and a sequence across the preemption would never match.
template <class Memory>
kernels::SpeculateSetStopValueMultiSeqs stop_value(const RunConfig& config, Memory& m,
                                                   std::span<const std::int64_t> end_tokens) {
  kernels::SpeculateSetStopValueMultiSeqs io;
  io.slot_count = config.max_num_seqs;
  io.draft_width = config.row_width();
  io.max_model_len = config.max_model_len;
  io.stop_seqs_count = 1;
  io.stop_seqs_width = kStopLenMax;
  io.accept_tokens = m.accept_tokens;
  io.accept_num = m.accept_num;
  io.token_ids_all = m.token_ids_all;
  io.prompt_lens = m.history_base;
  io.step_idx = m.step_idx;
  io.stop_flags = m.stop_flags;
  io.stop_seqs = m.stop_seqs;
  io.stop_seqs_len = m.stop_seqs_len;
  io.end_ids = end_tokens;
  io.min_tokens = m.min_tokens;
  return io;
}

/// 5.7, positions as in stop_value().
template <class Memory>
kernels::UnifiedUpdateModelStatus unified_update(const RunConfig& config, Memory& m,
                                                 const LaunchArgs& args,
                                                 std::span<const std::int64_t> end_tokens) {
  kernels::UnifiedUpdateModelStatus io;
  io.n = args.n;
  io.draft_width = config.row_width();
  io.max_model_len = config.max_model_len;
  io.seq_lens_encoder = m.seq_lens_encoder;
  io.seq_lens_decoder = m.seq_lens_decoder;
  io.has_running_seqs = m.not_need_stop;
  io.step_input_ids = m.draft_tokens;
  io.step_output_ids = m.accept_tokens;
  io.step_output_len = m.accept_num;
  io.stop_flags = m.stop_flags;
  io.seq_lens_this_time = m.seq_lens_this_time;
  io.is_paused = m.is_block_step;
  io.token_ids_all = m.token_ids_all;
  io.prompt_lens = m.history_base;
  io.step_idx = m.step_idx;
  io.end_tokens = end_tokens;
  io.max_dec_len = m.max_dec_len;
  return io;
}

/// 5.13
template <class Memory>
kernels::SpeculateScheduleCache schedule_cache(const RunConfig& config, Memory& m,
                                               const LaunchArgs& args) {
  kernels::SpeculateScheduleCache io;
  io.n = args.n;
  io.block_size = config.block_size;
  io.max_draft_tokens = config.num_speculative_tokens;
  io.prefill_one_step_stop = config.splitwise_prefill;
  io.draft_width = io.accept_width = config.row_width();
  io.block_tables_width = config.table_width();
  io.draft_tokens = m.draft_tokens;
  io.block_tables = m.block_tables;
  io.stop_flags = m.stop_flags;
  io.prompt_lens = m.prompt_lens;
  io.seq_lens_this_time = m.seq_lens_this_time;
  io.seq_lens_encoder = m.seq_lens_encoder;
  io.seq_lens_decoder = m.seq_lens_decoder;
  io.step_seq_lens_decoder = m.step_seq_lens_decoder;
  io.step_draft_tokens = m.step_draft_tokens;
  io.step_seq_lens_this_time = m.step_seq_lens_this_time;
  io.accept_num = m.accept_num;
  io.accept_tokens = m.accept_tokens;
  io.is_block_step = m.is_block_step;
  io.not_need_stop = m.not_need_stop;
  return io;
}

}  // namespace tandem::ops
