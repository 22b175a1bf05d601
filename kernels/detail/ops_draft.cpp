// Registered operations on the MTP head's shadow state.
#include "kernels/detail/op_call.hpp"
#include "kernels/detail/op_tables.hpp"
#include "kernels/draft_model_postprocess.hpp"
#include "kernels/draft_model_preprocess.hpp"
#include "kernels/draft_model_update.hpp"

namespace tandem::kernels::detail {
namespace {

using enum DataType;
using enum TensorRole;

constexpr AttributeSpec kPreprocessAttributes[] = {
    {.name = "num_model_step"},
    {.name = "splitwise_prefill", .high = 1},
};

constexpr TensorSpec kPreprocessTensors[] = {
    {"seq_lens_this_time", kInt32, kInOut, "n"},
    {"draft_tokens", kInt64, kInOut, "B>=n, W"},
    {"input_ids", kInt64, kInOut, "B, L"},
    {"stop_flags", kBool, kInOut, "B"},
    {"seq_lens_encoder", kInt32, kInOut, "B"},
    {"seq_lens_decoder", kInt32, kInOut, "B"},
    {"step_idx", kInt64, kInOut, "B"},
    {"not_need_stop", kBool, kInOut, "1"},
    {"pre_ids", kInt64, kInOut, "B, P"},
    {"accept_tokens", kInt64, kIn, "B, W"},
    {"accept_num", kInt32, kIn, "B"},
    {"base_model_seq_lens_decoder", kInt32, kIn, "B"},
    {"base_model_step_idx", kInt64, kIn, "B"},
    {"base_model_stop_flags", kBool, kIn, "B"},
    {"base_model_draft_tokens", kInt64, kInOut, "B, W"},
    {"max_dec_len", kInt64, kIn, "B"},
};

AnyOp make_preprocess(OpCall& call) {
  return DraftModelPreprocess{
      .n = call.dim("n"),
      .num_model_step = call.attr("num_model_step"),
      .splitwise_prefill = call.flag("splitwise_prefill"),
      .draft_width = call.dim("W"),
      .input_ids_width = call.dim("L"),
      .pre_ids_width = call.dim("P"),
      .draft_tokens = call.out<std::int64_t>("draft_tokens"),
      .input_ids = call.out<std::int64_t>("input_ids"),
      .stop_flags = call.out<std::uint8_t>("stop_flags"),
      .seq_lens_this_time = call.out<std::int32_t>("seq_lens_this_time"),
      .seq_lens_encoder = call.out<std::int32_t>("seq_lens_encoder"),
      .seq_lens_decoder = call.out<std::int32_t>("seq_lens_decoder"),
      .step_idx = call.out<std::int64_t>("step_idx"),
      .not_need_stop = call.out<std::uint8_t>("not_need_stop"),
      .pre_ids = call.out<std::int64_t>("pre_ids"),
      .accept_tokens = call.in<std::int64_t>("accept_tokens"),
      .accept_num = call.in<std::int32_t>("accept_num"),
      .base_model_seq_lens_decoder = call.in<std::int32_t>("base_model_seq_lens_decoder"),
      .base_model_step_idx = call.in<std::int64_t>("base_model_step_idx"),
      .base_model_stop_flags = call.in<std::uint8_t>("base_model_stop_flags"),
      .base_model_draft_tokens = call.out<std::int64_t>("base_model_draft_tokens"),
      .max_dec_len = call.in<std::int64_t>("max_dec_len"),
  };
}

constexpr AttributeSpec kUpdateAttributes[] = {{.name = "substep"}};

constexpr TensorSpec kUpdateTensors[] = {
    {"seq_lens_this_time", kInt32, kInOut, "n"},
    {"inter_next_tokens", kInt64, kIn, "X"},
    {"draft_tokens", kInt64, kInOut, "B>=n, W"},
    {"pre_ids", kInt64, kInOut, "B, P"},
    {"seq_lens_encoder", kInt32, kInOut, "B"},
    {"seq_lens_decoder", kInt32, kInOut, "B"},
    {"step_idx", kInt64, kInOut, "B"},
    {"stop_flags", kBool, kInOut, "B"},
    {"not_need_stop", kBool, kInOut, "1"},
    {"max_dec_len", kInt64, kIn, "B"},
    {"base_model_draft_tokens", kInt64, kInOut, "B, W"},
};

AnyOp make_update(OpCall& call) {
  return DraftModelUpdate{
      .n = call.dim("n"),
      .substep = call.attr("substep"),
      .draft_width = call.dim("W"),
      .pre_ids_width = call.dim("P"),
      .inter_next_tokens = call.in<std::int64_t>("inter_next_tokens"),
      .draft_tokens = call.out<std::int64_t>("draft_tokens"),
      .pre_ids = call.out<std::int64_t>("pre_ids"),
      .seq_lens_this_time = call.out<std::int32_t>("seq_lens_this_time"),
      .seq_lens_encoder = call.out<std::int32_t>("seq_lens_encoder"),
      .seq_lens_decoder = call.out<std::int32_t>("seq_lens_decoder"),
      .step_idx = call.out<std::int64_t>("step_idx"),
      .stop_flags = call.out<std::uint8_t>("stop_flags"),
      .not_need_stop = call.out<std::uint8_t>("not_need_stop"),
      .max_dec_len = call.in<std::int64_t>("max_dec_len"),
      .base_model_draft_tokens = call.out<std::int64_t>("base_model_draft_tokens"),
  };
}

constexpr TensorSpec kPostprocessTensors[] = {
    {"base_model_seq_lens_this_time", kInt32, kInOut, "n"},
    {"base_model_draft_tokens", kInt64, kIn, "B>=n, W"},
    {"base_model_seq_lens_encoder", kInt32, kIn, "B"},
    {"base_model_stop_flags", kBool, kIn, "B"},
};

AnyOp make_postprocess(OpCall& call) {
  return DraftModelPostprocess{
      .n = call.dim("n"),
      .draft_width = call.dim("W"),
      .base_model_draft_tokens = call.in<std::int64_t>("base_model_draft_tokens"),
      .base_model_seq_lens_this_time = call.out<std::int32_t>("base_model_seq_lens_this_time"),
      .base_model_seq_lens_encoder = call.in<std::int32_t>("base_model_seq_lens_encoder"),
      .base_model_stop_flags = call.in<std::uint8_t>("base_model_stop_flags"),
  };
}

constexpr OpSpec kDraftOps[] = {
    {"draft_model_preprocess", "rebuild the MTP head's state from the target's",
     kPreprocessAttributes, kPreprocessTensors, nullptr, make_preprocess},
    {"draft_model_update", "take one token a slot from an MTP sub-step", kUpdateAttributes,
     kUpdateTensors, nullptr, make_update},
    {"draft_model_postprocess",
     "let the drafts found decide the next q",
     {},
     kPostprocessTensors,
     nullptr,
     make_postprocess},
};

}  // namespace

std::span<const OpSpec> draft_ops() { return kDraftOps; }

}  // namespace tandem::kernels::detail
