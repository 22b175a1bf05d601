// Arguments of the MTP head's bookkeeping operations, out of a device's tensors by name: as
// target_arguments.hpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "kernels/draft_model_postprocess.hpp"
#include "kernels/draft_model_preprocess.hpp"
#include "kernels/draft_model_update.hpp"
#include "kernels/eagle_gather_hidden_states.hpp"
#include "kernels/eagle_get_hidden_states.hpp"
#include "kernels/eagle_get_self_hidden_states.hpp"
#include "kernels/rebuild_padding.hpp"
#include "kernels/speculate_pre_process.hpp"
#include "runtime/core/device.hpp"
#include "runtime/ops/provenance.hpp"
#include "traces/run_config.hpp"

namespace tandem::ops {

/// 5.8. The proposer works on the full buffer (2.3).
template <class Memory>
kernels::DraftModelPreprocess draft_preprocess(const RunConfig& config, Memory& m) {
  kernels::DraftModelPreprocess io;
  io.n = config.max_num_seqs;
  io.num_model_step = config.num_model_steps;
  io.splitwise_prefill = config.splitwise_prefill;
  io.draft_width = config.row_width();
  io.input_ids_width = config.max_num_batched_tokens;
  io.pre_ids_width = config.max_model_len;
  io.draft_tokens = m.draft_state_tokens;
  io.input_ids = m.draft_input_ids;
  io.stop_flags = m.draft_stop;
  io.seq_lens_this_time = m.draft_q;
  io.seq_lens_encoder = m.draft_e;
  io.seq_lens_decoder = m.draft_d;
  io.step_idx = m.draft_step_idx;
  io.not_need_stop = m.draft_not_need_stop;
  io.pre_ids = m.pre_ids;
  io.accept_tokens = m.accept_tokens;
  io.accept_num = m.accept_num;
  io.base_model_seq_lens_decoder = m.seq_lens_decoder;
  io.base_model_step_idx = m.step_idx;
  io.base_model_stop_flags = m.stop_flags;
  io.base_model_draft_tokens = m.draft_tokens;
  io.max_dec_len = m.max_dec_len;
  return io;
}

/// 5.9
template <class Memory>
kernels::EagleGetHiddenStates get_hidden(const RunConfig& config, Memory& m,
                                         const LaunchArgs& args) {
  kernels::EagleGetHiddenStates io;
  io.n = config.max_num_seqs;
  io.input_rows = args.token_num;
  io.row_bytes = sizeof(ProvenanceRow);
  io.input = std::as_bytes(std::span(m.hidden_states));
  io.seq_lens_this_time = m.draft_q;
  io.seq_lens_encoder = m.draft_e;
  io.accept_nums = m.accept_num;
  io.base_model_seq_lens_this_time = m.seq_lens_this_time;
  io.out = std::as_writable_bytes(std::span(m.target_hidden));
  io.output_token_num = m.hidden_row_count;
  return io;
}

/// 5.2 on the head's rows: all slots, `args.rows` rows launched.
template <class Memory>
kernels::SpeculatePreProcess pack_head(const RunConfig& config, Memory& m, const LaunchArgs& args) {
  kernels::SpeculatePreProcess io;
  io.n = config.max_num_seqs;
  io.token_num = args.rows;
  io.input_ids_width = config.max_num_batched_tokens;
  io.draft_width = config.row_width();
  io.padding_id = config.padding_id;
  io.input_ids = m.draft_input_ids;
  io.seq_lens_this_time = m.draft_q;
  io.draft_tokens = m.draft_state_tokens;
  io.seq_lens_encoder = m.draft_e;
  io.seq_lens_decoder = m.draft_d;
  io.ids_remove_padding = m.draft_ids;
  io.batch_id_per_token = m.draft_batch_id;
  io.cu_seqlens_q = m.draft_cu_q;
  io.cu_seqlens_k = m.draft_cu_k;
  io.cu_seqlens_q_output = m.draft_cu_output;
  io.batch_id_per_token_output = m.draft_batch_id_output;
  io.real_output_token_num = m.draft_rows_out;
  return io;
}

/// Draft path `self`: rows that need logits. Without a read there are as many as the launch had,
/// but never more than batch ids exist (bug 10.2).
inline std::int32_t draft_output_rows(const RunConfig& config, const LaunchArgs& args) {
  const std::int32_t most = config.max_num_seqs * config.row_width();
  return args.draft_output_rows >= 0 ? args.draft_output_rows : std::min(args.rows, most);
}

/// 5.3 on the head's rows.
template <class Memory>
kernels::RebuildPadding pick_head_rows(const RunConfig& config, Memory& m, const LaunchArgs& args) {
  kernels::RebuildPadding io;
  io.form = kernels::RebuildForm::kSpeculative;
  io.n = config.max_num_seqs;
  io.input_rows = args.rows;
  io.output_rows = draft_output_rows(config, args);
  io.row_bytes = sizeof(ProvenanceRow);
  io.tmp_out = std::as_bytes(std::span(m.draft_hidden));
  io.cu_seqlens_q = m.draft_cu_q;
  io.seq_len_this_time = m.draft_q;
  io.seq_lens_decoder = m.draft_d;
  io.seq_lens_encoder = m.draft_e;
  io.batch_id_per_token_output = m.draft_batch_id_output;
  io.cu_seqlens_q_output = m.draft_cu_output;
  io.out = std::as_writable_bytes(std::span(m.draft_logits));
  return io;
}

/// 5.10
template <class Memory>
kernels::EagleGatherHiddenStates gather(const RunConfig& config, Memory& m,
                                        const LaunchArgs& args) {
  kernels::EagleGatherHiddenStates io;
  io.n = config.max_num_seqs;
  io.input_rows = args.rows;
  io.row_bytes = sizeof(ProvenanceRow);
  io.input = std::as_bytes(std::span(m.draft_hidden));
  io.seq_lens_this_time = m.draft_q;
  io.out = std::as_writable_bytes(std::span(m.gathered));
  io.output_token_num = m.hidden_row_count;
  return io;
}

/// 5.11. Its input are the rebuilt rows: one of a slot in its encoder phase, all of the others.
template <class Memory>
kernels::EagleGetSelfHiddenStates get_self_hidden(const RunConfig& config, Memory& m,
                                                  const LaunchArgs& args) {
  kernels::EagleGetSelfHiddenStates io;
  io.n = config.max_num_seqs;
  io.input_rows = draft_output_rows(config, args);
  io.row_bytes = sizeof(ProvenanceRow);
  io.encoder_test = config.encoder_test == EncoderTest::step_idx
                        ? kernels::EncoderTest::kStepIdx
                        : kernels::EncoderTest::kLastSeqLensEncoder;
  io.input = std::as_bytes(std::span(m.draft_logits));
  io.last_seq_lens_this_time = m.last_draft_q;
  io.seq_lens_this_time = m.draft_q;
  io.last_seq_lens_encoder = m.last_draft_e;
  io.step_idx = m.draft_step_idx;  // the caller before #7001 passed it as the update left it
  io.out = std::as_writable_bytes(std::span(m.target_hidden));
  io.output_token_num = m.hidden_row_count;
  return io;
}

/// 5.12
template <class Memory>
kernels::DraftModelUpdate draft_update(const RunConfig& config, Memory& m, int substep) {
  kernels::DraftModelUpdate io;
  io.n = config.max_num_seqs;
  io.substep = substep;
  io.draft_width = config.row_width();
  io.pre_ids_width = config.max_model_len;
  io.inter_next_tokens = m.next_tokens;
  io.draft_tokens = m.draft_state_tokens;
  io.pre_ids = m.pre_ids;
  io.seq_lens_this_time = m.draft_q;
  io.seq_lens_encoder = m.draft_e;
  io.seq_lens_decoder = m.draft_d;
  io.step_idx = m.draft_step_idx;
  io.stop_flags = m.draft_stop;
  io.not_need_stop = m.draft_not_need_stop;
  io.max_dec_len = m.max_dec_len;
  io.base_model_draft_tokens = m.draft_tokens;
  return io;
}

/// 5.12b
template <class Memory>
kernels::DraftModelPostprocess draft_postprocess(const RunConfig& config, Memory& m,
                                                 const LaunchArgs& args) {
  kernels::DraftModelPostprocess io;
  io.n = args.n;
  io.draft_width = config.row_width();
  io.base_model_draft_tokens = m.draft_tokens;
  io.base_model_seq_lens_this_time = m.seq_lens_this_time;
  io.base_model_seq_lens_encoder = m.seq_lens_encoder;
  io.base_model_stop_flags = m.stop_flags;
  return io;
}

}  // namespace tandem::ops
