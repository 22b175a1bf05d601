// Registered operations between logits and status: sampling, verifying, stop sequences.
#include <limits>

#include "kernels/build_sampling_params.hpp"
#include "kernels/detail/op_call.hpp"
#include "kernels/detail/op_tables.hpp"
#include "kernels/speculate_set_stop_value_multi_seqs.hpp"
#include "kernels/verify_draft_tokens.hpp"

namespace tandem::kernels::detail {
namespace {

using enum DataType;
using enum TensorRole;

constexpr AttributeSpec kVerifyAttributes[] = {
    {.name = "verify_strategy", .high = 2},
    {.name = "verify_window"},
    {.name = "reject_all", .high = 1},
    {.name = "accept_all", .high = 1},
    {.name = "max_seq_len", .is_optional = true},
};

constexpr TensorSpec kVerifyTensors[] = {
    {"seq_lens_this_time", kInt32, kIn, "n"},
    {"step_output_ids", kInt64, kInOut, "B>=n, W"},
    {"step_output_len", kInt32, kInOut, "B"},
    {"step_input_ids", kInt64, kIn, ">=n, W"},
    {"target_tokens", kInt64, kIn, "R", true},
    {"candidate_ids", kInt64, kIn, "R, C", true},
    {"candidate_scores", kFloat32, kUnused, "R, C"},
    {"candidate_lens", kInt32, kIn, "R", true},
    {"sampled_tokens", kInt64, kIn, "R", true},
    {"topp", kFloat32, kUnused, "B"},
    {"stop_flags", kBool, kIn, ">=n"},
    {"seq_lens_encoder", kInt32, kIn, ">=n"},
    {"end_tokens", kInt64, kIn, "E"},
    {"is_block_step", kBool, kIn, ">=n"},
    {"cu_seqlens_q_output", kInt32, kIn, ">=n"},
    {"reasoning_status", kInt32, kIn, ">=n"},
    {"max_dec_len", kInt64, kIn, ">=n"},
    {"step_idx", kInt64, kIn, ">=n"},
};

bool is_top_p(const OpCall& call) {
  return call.attr("verify_strategy") == static_cast<std::int32_t>(VerifyStrategy::kTopP);
}

Status prepare_verify(OpCall& call) {
  if (!is_top_p(call)) return call.require("target_tokens");
  TANDEM_RETURN_IF_ERROR(call.require("candidate_ids"));
  return call.require("candidate_lens");
}

AnyOp make_verify(OpCall& call) {
  return VerifyDraftTokens{
      .n = call.dim("n"),
      .slot_count = call.dim("B"),
      .draft_width = call.dim("W"),
      .row_count = call.dim("R"),
      .candidate_width = is_top_p(call) ? call.dim("C") : 0,
      .verify_strategy = static_cast<VerifyStrategy>(call.attr("verify_strategy")),
      .verify_window = call.attr("verify_window"),
      .reject_all = call.flag("reject_all"),
      .accept_all = call.flag("accept_all"),
      .step_output_ids = call.out<std::int64_t>("step_output_ids"),
      .step_output_len = call.out<std::int32_t>("step_output_len"),
      .step_input_ids = call.in<std::int64_t>("step_input_ids"),
      .target_tokens = call.in<std::int64_t>("target_tokens"),
      .candidate_ids = call.in<std::int64_t>("candidate_ids"),
      .candidate_lens = call.in<std::int32_t>("candidate_lens"),
      .sampled_tokens = call.in<std::int64_t>("sampled_tokens"),
      .stop_flags = call.in<std::uint8_t>("stop_flags"),
      .seq_lens_encoder = call.in<std::int32_t>("seq_lens_encoder"),
      .seq_lens_this_time = call.in<std::int32_t>("seq_lens_this_time"),
      .end_tokens = call.in<std::int64_t>("end_tokens"),
      .is_block_step = call.in<std::uint8_t>("is_block_step"),
      .cu_seqlens_q_output = call.in<std::int32_t>("cu_seqlens_q_output"),
      .reasoning_status = call.in<std::int32_t>("reasoning_status"),
      .max_dec_len = call.in<std::int64_t>("max_dec_len"),
      .step_idx = call.in<std::int64_t>("step_idx"),
  };
}

constexpr AttributeSpec kSamplingAttributes[] = {
    {.name = "token_num_output_cpu", .symbol = "R"},
    {.name = "increment_value", .high = std::numeric_limits<std::int64_t>::max()},
};

constexpr TensorSpec kSamplingTensors[] = {
    {"seq_lens_this_time", kInt32, kIn, "n"},
    {"top_p", kFloat32, kIn, "B>=n"},
    {"top_k", kInt64, kIn, "B>=n"},
    {"infer_seed", kInt64, kInOut, "B>=n"},
    {"cu_seqlens_q_output", kInt32, kIn, "n+1"},
    {"top_p_padding", kFloat32, kOut, "R, 1"},
    {"top_k_padding", kInt64, kOut, "R, 1"},
    {"topp_seed", kInt64, kOut, "R, 1"},
};

AnyOp make_sampling(OpCall& call) {
  return BuildSamplingParams{
      .n = call.dim("n"),
      .token_num_output_cpu = call.dim("R"),
      .increment_value = call.attr64("increment_value"),
      .top_p = call.in<float>("top_p"),
      .top_k = call.in<std::int64_t>("top_k"),
      .infer_seed = call.out<std::int64_t>("infer_seed"),
      .cu_seqlens_q_output = call.in<std::int32_t>("cu_seqlens_q_output"),
      .top_p_padding = call.out<float>("top_p_padding"),
      .top_k_padding = call.out<std::int64_t>("top_k_padding"),
      .topp_seed = call.out<std::int64_t>("topp_seed"),
  };
}

constexpr TensorSpec kStopSequenceTensors[] = {
    {"accept_tokens", kInt64, kInOut, "B, W"},
    {"accept_num", kInt32, kInOut, "B"},
    {"token_ids_all", kInt64, kIn, "B, H"},
    {"prompt_lens", kInt64, kIn, "B"},
    {"step_idx", kInt64, kIn, "B"},
    {"stop_flags", kBool, kIn, "B"},
    {"stop_seqs", kInt64, kIn, "B, S, L"},
    {"stop_seqs_len", kInt32, kIn, "B, S"},
    {"end_ids", kInt64, kIn, "E"},
    {"min_tokens", kInt64, kIn, "B"},
};

AnyOp make_stop_sequences(OpCall& call) {
  return SpeculateSetStopValueMultiSeqs{
      .slot_count = call.dim("B"),
      .draft_width = call.dim("W"),
      .max_model_len = call.dim("H"),
      .stop_seqs_count = call.dim("S"),
      .stop_seqs_width = call.dim("L"),
      .accept_tokens = call.out<std::int64_t>("accept_tokens"),
      .accept_num = call.out<std::int32_t>("accept_num"),
      .token_ids_all = call.in<std::int64_t>("token_ids_all"),
      .prompt_lens = call.in<std::int64_t>("prompt_lens"),
      .step_idx = call.in<std::int64_t>("step_idx"),
      .stop_flags = call.in<std::uint8_t>("stop_flags"),
      .stop_seqs = call.in<std::int64_t>("stop_seqs"),
      .stop_seqs_len = call.in<std::int32_t>("stop_seqs_len"),
      .end_ids = call.in<std::int64_t>("end_ids"),
      .min_tokens = call.in<std::int64_t>("min_tokens"),
  };
}

constexpr OpSpec kVerifyOps[] = {
    {"verify_draft_tokens", "compare drafts with the target model's tokens", kVerifyAttributes,
     kVerifyTensors, prepare_verify, make_verify},
    {"build_sampling_params", "sampling parameters and seeds for every output row",
     kSamplingAttributes, kSamplingTensors, nullptr, make_sampling},
    {"speculate_set_stop_value_multi_seqs",
     "find stop sequences in a step's tokens",
     {},
     kStopSequenceTensors,
     nullptr,
     make_stop_sequences},
};

}  // namespace

std::span<const OpSpec> verify_ops() { return kVerifyOps; }

}  // namespace tandem::kernels::detail
