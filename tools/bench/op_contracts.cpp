// Binds the contracts of all operations to the tensors of an OpState.
#include <array>
#include <utility>

#include "tools/bench/op_state.hpp"
#include "traces/base/check.hpp"

namespace tandem::bench {
namespace {

using namespace kernels;  // NOLINT(google-build-using-namespace): eighteen contracts

SpeculatePreProcess pre_process(OpState& st, const Space& at) {
  return {.n = st.shape.view,
          .token_num = st.token_num,
          .input_ids_width = st.chunk,
          .draft_width = st.w,
          .input_ids = at(st.input_ids),
          .seq_lens_this_time = at(st.q),
          .draft_tokens = at(st.drafts),
          .seq_lens_encoder = at(st.e),
          .ids_remove_padding = at(st.ids),
          .batch_id_per_token = at(st.batch_ids),
          .cu_seqlens_q = at(st.cu_q),
          .cu_seqlens_k = at(st.cu_k),
          .cu_seqlens_q_output = at(st.cu_out),
          .batch_id_per_token_output = at(st.batch_out),
          .real_output_token_num = at(st.output_rows)};
}

SpeculatePreProcess draft_pre_process(OpState& st, const Space& at) {
  return {.n = st.shape.slots,
          .token_num = st.draft_rows,
          .input_ids_width = st.chunk,
          .draft_width = st.w,
          .input_ids = at(st.draft_input_ids),
          .seq_lens_this_time = at(st.draft_q),
          .draft_tokens = at(st.draft_row),
          .seq_lens_encoder = at(st.draft_e),
          .ids_remove_padding = at(st.draft_ids),
          .batch_id_per_token = at(st.draft_batch_ids),
          .cu_seqlens_q = at(st.draft_cu_q),
          .cu_seqlens_k = at(st.draft_cu_k),
          .cu_seqlens_q_output = at(st.draft_cu_out),
          .batch_id_per_token_output = at(st.draft_batch_out),
          .real_output_token_num = at(st.draft_output_rows)};
}

GetPaddingOffset padding_offset(OpState& st, const Space& at) {
  return {.n = st.shape.view,
          .token_num = st.token_num,
          .input_ids_width = st.chunk,
          .use_seq_lens_decoder = st.shape.seed % 2 == 0,
          .input_ids = at(st.input_ids),
          .seq_lens_this_time = at(st.q),
          .seq_lens_decoder = at(st.step_d),
          .x_remove_padding = at(st.ids),
          .batch_id_per_token = at(st.batch_ids),
          .cu_seqlens_q = at(st.cu_q),
          .cu_seqlens_k = at(st.cu_k)};
}

SpeculateGetSeqLensOutput seq_lens_output(OpState& st, const Space& at) {
  return {.n = st.shape.view,
          .seq_lens_this_time = at(st.q),
          .seq_lens_encoder = at(st.e),
          .seq_lens_output = at(st.seq_lens_output)};
}

SpeculateGetOutputPaddingOffset output_padding_offset(OpState& st, const Space& at) {
  return {.n = st.shape.view,
          .max_seq_len = 64,
          .output_cum_offsets_tmp = at(st.cum_offsets),
          .out_token_num = at(st.output_rows),
          .seq_lens_output = at(st.seq_lens_output),
          .output_padding_offset = at(st.padding_offset),
          .output_cum_offsets = at(st.cum_offsets_out)};
}

RebuildPadding rebuild_padding(OpState& st, const Space& at) {
  const bool plain = st.shape.seed % 4 == 3;
  return {.form = plain ? RebuildForm::kPlain : RebuildForm::kSpeculative,
          .n = st.shape.view,
          .input_rows = st.hidden_rows,
          .output_rows = static_cast<std::int32_t>(st.batch_out.size()),
          .row_bytes = st.shape.row_bytes,
          .tmp_out = at(st.hidden),
          .cu_seqlens_q = at(st.cu_q),
          .seq_len_this_time = at(st.q),
          .seq_lens_decoder = at(st.d),
          .seq_lens_encoder = at(st.e),
          .batch_id_per_token_output = at(st.batch_out),
          .cu_seqlens_q_output = at(st.cu_out),
          .out = at(st.hidden_out)};
}

BuildSamplingParams sampling_params(OpState& st, const Space& at) {
  return {.n = st.shape.view,
          .token_num_output_cpu = static_cast<std::int32_t>(st.top_p_rows.size()),
          .increment_value = 4 * std::int64_t{st.w},
          .top_p = at(st.top_p),
          .top_k = at(st.top_k),
          .infer_seed = at(st.seeds),
          .cu_seqlens_q_output = at(st.cu_out),
          .top_p_padding = at(st.top_p_rows),
          .top_k_padding = at(st.top_k_rows),
          .topp_seed = at(st.seed_rows)};
}

VerifyDraftTokens verify(OpState& st, const Space& at) {
  return {.n = st.shape.view,
          .slot_count = st.shape.slots,
          .draft_width = st.w,
          .row_count = static_cast<std::int32_t>(st.targets.size()),
          .candidate_width = st.candidates,
          .verify_strategy = st.strategy,
          .verify_window = st.window,
          .reject_all = st.reject_all,
          .accept_all = st.accept_all,
          .step_output_ids = at(st.accepted),
          .step_output_len = at(st.a),
          .step_input_ids = at(st.drafts),
          .target_tokens = at(st.targets),
          .candidate_ids = at(st.candidate_ids),
          .candidate_lens = at(st.candidate_lens),
          .sampled_tokens = at(st.sampled),
          .stop_flags = at(st.s),
          .seq_lens_encoder = at(st.e),
          .seq_lens_this_time = at(st.q),
          .end_tokens = at(st.end_tokens),
          .is_block_step = at(st.b),
          .cu_seqlens_q_output = at(st.cu_out),
          .reasoning_status = at(st.reasoning),
          .max_dec_len = at(st.max_dec_len),
          .step_idx = at(st.g)};
}

SpeculateSetStopValueMultiSeqs stop_value(OpState& st, const Space& at) {
  return {.slot_count = st.shape.slots,
          .draft_width = st.w,
          .max_model_len = st.max_model_len,
          .stop_seqs_count = st.stop_count,
          .stop_seqs_width = st.stop_width,
          .accept_tokens = at(st.accepted),
          .accept_num = at(st.a),
          .token_ids_all = at(st.history),
          .prompt_lens = at(st.p),
          .step_idx = at(st.g),
          .stop_flags = at(st.s),
          .stop_seqs = at(st.stop_seqs),
          .stop_seqs_len = at(st.stop_lens),
          .end_ids = at(st.end_tokens),
          .min_tokens = at(st.min_tokens)};
}

UnifiedUpdateModelStatus unified(OpState& st, const Space& at) {
  return {.n = st.shape.view,
          .draft_width = st.w,
          .max_model_len = st.max_model_len,
          .seq_lens_encoder = at(st.e),
          .seq_lens_decoder = at(st.d),
          .has_running_seqs = at(st.has_running),
          .step_input_ids = at(st.drafts),
          .step_output_ids = at(st.accepted),
          .step_output_len = at(st.a),
          .stop_flags = at(st.s),
          .seq_lens_this_time = at(st.q),
          .is_paused = at(st.b),
          .token_ids_all = at(st.history),
          .prompt_lens = at(st.p),
          .step_idx = at(st.g),
          .end_tokens = at(st.end_tokens),
          .max_dec_len = at(st.max_dec_len)};
}

NaiveUpdateModelStatus naive(OpState& st, const Space& at) {
  return {.n = st.shape.view,
          .draft_width = st.w,
          .accept_tokens = at(st.accepted),
          .accept_num = at(st.a),
          .seq_lens_this_time = at(st.q),
          .next_tokens = at(st.targets),
          .cu_seqlens_q_output = at(st.cu_out)};
}

RecoverDecodeTask recover(OpState& st, const Space& at) {
  return {.n = st.shape.view,
          .block_size = 16,
          .max_draft_tokens = st.w - 1,
          .draft_width = st.w,
          .block_tables_width = st.table_width,
          .stop_flags = at(st.s),
          .seq_lens_this_time = at(st.q),
          .seq_lens_encoder = at(st.e),
          .seq_lens_decoder = at(st.d),
          .step_seq_lens_decoder = at(st.step_d),
          .step_seq_lens_this_time = at(st.step_q),
          .step_draft_tokens = at(st.step_drafts),
          .draft_tokens = at(st.drafts),
          .block_tables = at(st.block_tables),
          .is_block_step = at(st.b)};
}

SpeculateScheduleCache schedule(OpState& st, const Space& at) {
  return {.n = st.shape.view,
          .block_size = 16,
          .max_draft_tokens = st.w - 1,
          .prefill_one_step_stop = st.one_step_stop,
          .draft_width = st.w,
          .accept_width = st.w,
          .block_tables_width = st.table_width,
          .draft_tokens = at(st.drafts),
          .block_tables = at(st.block_tables),
          .stop_flags = at(st.s),
          .prompt_lens = at(st.p),
          .seq_lens_this_time = at(st.q),
          .seq_lens_encoder = at(st.e),
          .seq_lens_decoder = at(st.d),
          .step_seq_lens_decoder = at(st.step_d),
          .step_draft_tokens = at(st.step_drafts),
          .step_seq_lens_this_time = at(st.step_q),
          .accept_num = at(st.a),
          .accept_tokens = at(st.accepted),
          .is_block_step = at(st.b),
          .not_need_stop = at(st.not_need_stop)};
}

DraftModelPreprocess draft_preprocess(OpState& st, const Space& at) {
  return {.n = st.shape.slots,
          .num_model_step = st.w - 1,
          .splitwise_prefill = st.shape.seed % 7 == 0,
          .draft_width = st.w,
          .input_ids_width = st.chunk,
          .pre_ids_width = st.pre_ids_width,
          .draft_tokens = at(st.draft_row),
          .input_ids = at(st.draft_input_ids),
          .stop_flags = at(st.draft_s),
          .seq_lens_this_time = at(st.draft_q),
          .seq_lens_encoder = at(st.draft_e),
          .seq_lens_decoder = at(st.draft_d),
          .step_idx = at(st.draft_g),
          .not_need_stop = at(st.draft_not_need_stop),
          .pre_ids = at(st.pre_ids),
          .accept_tokens = at(st.accepted),
          .accept_num = at(st.a),
          .base_model_seq_lens_decoder = at(st.d),
          .base_model_step_idx = at(st.g),
          .base_model_stop_flags = at(st.s),
          .base_model_draft_tokens = at(st.drafts),
          .max_dec_len = at(st.max_dec_len)};
}

DraftModelUpdate draft_update(OpState& st, const Space& at) {
  return {.n = st.shape.slots,
          .substep = st.substep,
          .draft_width = st.w,
          .pre_ids_width = st.pre_ids_width,
          .inter_next_tokens = at(st.next_tokens),
          .draft_tokens = at(st.draft_row),
          .pre_ids = at(st.pre_ids),
          .seq_lens_this_time = at(st.draft_q),
          .seq_lens_encoder = at(st.draft_e),
          .seq_lens_decoder = at(st.draft_d),
          .step_idx = at(st.draft_g),
          .stop_flags = at(st.draft_s),
          .not_need_stop = at(st.draft_not_need_stop),
          .max_dec_len = at(st.max_dec_len),
          .base_model_draft_tokens = at(st.drafts)};
}

DraftModelPostprocess draft_postprocess(OpState& st, const Space& at) {
  return {.n = st.shape.view,
          .draft_width = st.w,
          .base_model_draft_tokens = at(st.drafts),
          .base_model_seq_lens_this_time = at(st.q),
          .base_model_seq_lens_encoder = at(st.e),
          .base_model_stop_flags = at(st.s)};
}

EagleGetHiddenStates get_hidden(OpState& st, const Space& at) {
  return {.n = st.shape.slots,
          .input_rows = st.hidden_rows,
          .row_bytes = st.shape.row_bytes,
          .input = at(st.hidden),
          .seq_lens_this_time = at(st.draft_q),
          .seq_lens_encoder = at(st.draft_e),
          .accept_nums = at(st.a),
          .base_model_seq_lens_this_time = at(st.q),
          .out = at(st.hidden_out),
          .output_token_num = at(st.hidden_count)};
}

EagleGatherHiddenStates gather_hidden(OpState& st, const Space& at) {
  return {.n = st.shape.slots,
          .input_rows = st.hidden_rows,
          .row_bytes = st.shape.row_bytes,
          .input = at(st.hidden),
          .seq_lens_this_time = at(st.draft_q),
          .out = at(st.hidden_out),
          .output_token_num = at(st.hidden_count)};
}

EagleGetSelfHiddenStates get_self_hidden(OpState& st, const Space& at) {
  return {.n = st.shape.slots,
          .input_rows = st.hidden_rows,
          .row_bytes = st.shape.row_bytes,
          .encoder_test = st.encoder_test,
          .input = at(st.hidden),
          .last_seq_lens_this_time = at(st.last_q),
          .seq_lens_this_time = at(st.draft_q),
          .last_seq_lens_encoder = at(st.last_e),
          .step_idx = at(st.draft_g),
          .out = at(st.hidden_out),
          .output_token_num = at(st.hidden_count)};
}

template <auto make>
AnyOp any(OpState& st, const Space& at) {
  return make(st, at);
}

using Make = AnyOp (*)(OpState&, const Space&);

constexpr std::pair<std::string_view, Make> kMakers[] = {
    {"build_sampling_params", any<sampling_params>},
    {"draft_model_postprocess", any<draft_postprocess>},
    {"draft_model_preprocess", any<draft_preprocess>},
    {"draft_model_update", any<draft_update>},
    {"eagle_gather_hidden_states", any<gather_hidden>},
    {"eagle_get_hidden_states", any<get_hidden>},
    {"eagle_get_self_hidden_states", any<get_self_hidden>},
    {"get_padding_offset", any<padding_offset>},
    {"naive_update_model_status", any<naive>},
    {"rebuild_padding", any<rebuild_padding>},
    {"recover_decode_task", any<recover>},
    {"speculate_get_output_padding_offset", any<output_padding_offset>},
    {"speculate_get_seq_lens_output", any<seq_lens_output>},
    {"speculate_pre_process", any<pre_process>},
    {"speculate_schedule_cache", any<schedule>},
    {"speculate_set_stop_value_multi_seqs", any<stop_value>},
    {"unified_update_model_status", any<unified>},
    {"verify_draft_tokens", any<verify>},
};

}  // namespace

AnyOp make_op(std::string_view name, OpState& state, const Space& space) {
  for (const auto& [known, make] : kMakers) {
    if (known == name) return make(state, space);
  }
  TANDEM_CHECK(false);  // not a registered operation
  return {};
}

FusedCommit make_commit(OpState& state, const Space& space) {
  return {verify(state, space), stop_value(state, space), unified(state, space),
          draft_preprocess(state, space)};
}

FusedDraftStart make_draft_start(OpState& state, const Space& space) {
  return {get_hidden(state, space), draft_pre_process(state, space)};
}

FusedDraftNext make_draft_next(OpState& state, const Space& space) {
  return {draft_update(state, space), draft_pre_process(state, space)};
}

FusedDraftEnd make_draft_end(OpState& state, const Space& space) {
  return {draft_update(state, space), draft_postprocess(state, space), schedule(state, space)};
}

}  // namespace tandem::bench
