// Registered operations of the input and output side: which rows a step has and who owns them.
#include "kernels/detail/op_call.hpp"
#include "kernels/detail/op_tables.hpp"
#include "kernels/get_padding_offset.hpp"
#include "kernels/speculate_get_output_padding_offset.hpp"
#include "kernels/speculate_get_seq_lens_output.hpp"
#include "kernels/speculate_pre_process.hpp"

namespace tandem::kernels::detail {
namespace {

using enum DataType;
using enum TensorRole;

constexpr AttributeSpec kRowAttributes[] = {{.name = "token_num", .symbol = "N"}};

constexpr TensorSpec kPreProcessTensors[] = {
    {"seq_lens_this_time", kInt32, kIn, "n"},
    {"input_ids", kInt64, kIn, "B>=n, L"},
    {"draft_tokens", kInt64, kIn, "B>=n, W"},
    {"seq_lens_encoder", kInt32, kIn, "B>=n"},
    {"seq_lens_decoder", kInt32, kUnused, "B"},
    {"ids_remove_padding", kInt64, kOut, "N"},
    {"batch_id_per_token", kInt32, kOut, "N"},
    {"cu_seqlens_q", kInt32, kOut, "n+1"},
    {"cu_seqlens_k", kInt32, kOut, "n+1"},
    {"cu_seqlens_q_output", kInt32, kOut, "n+1"},
    {"batch_id_per_token_output", kInt32, kOut, "n*W"},
    {"real_output_token_num", kInt32, kOut, "1"},
};

AnyOp make_pre_process(OpCall& call) {
  return SpeculatePreProcess{
      .n = call.dim("n"),
      .token_num = call.dim("N"),
      .input_ids_width = call.dim("L"),
      .draft_width = call.dim("W"),
      .input_ids = call.in<std::int64_t>("input_ids"),
      .seq_lens_this_time = call.in<std::int32_t>("seq_lens_this_time"),
      .draft_tokens = call.in<std::int64_t>("draft_tokens"),
      .seq_lens_encoder = call.in<std::int32_t>("seq_lens_encoder"),
      .ids_remove_padding = call.out<std::int64_t>("ids_remove_padding"),
      .batch_id_per_token = call.out<std::int32_t>("batch_id_per_token"),
      .cu_seqlens_q = call.out<std::int32_t>("cu_seqlens_q"),
      .cu_seqlens_k = call.out<std::int32_t>("cu_seqlens_k"),
      .cu_seqlens_q_output = call.out<std::int32_t>("cu_seqlens_q_output"),
      .batch_id_per_token_output = call.out<std::int32_t>("batch_id_per_token_output"),
      .real_output_token_num = call.out<std::int32_t>("real_output_token_num"),
  };
}

constexpr TensorSpec kPaddingOffsetTensors[] = {
    {"seq_lens_this_time", kInt32, kIn, "n"},        {"input_ids", kInt64, kIn, "B>=n, L"},
    {"seq_lens_decoder", kInt32, kIn, "B>=n", true}, {"x_remove_padding", kInt64, kOut, "N"},
    {"batch_id_per_token", kInt32, kOut, "N"},       {"cu_seqlens_q", kInt32, kOut, "n+1"},
    {"cu_seqlens_k", kInt32, kOut, "n+1"},
};

AnyOp make_padding_offset(OpCall& call) {
  return GetPaddingOffset{
      .n = call.dim("n"),
      .token_num = call.dim("N"),
      .input_ids_width = call.dim("L"),
      .use_seq_lens_decoder = call.has("seq_lens_decoder"),
      .input_ids = call.in<std::int64_t>("input_ids"),
      .seq_lens_this_time = call.in<std::int32_t>("seq_lens_this_time"),
      .seq_lens_decoder = call.in<std::int32_t>("seq_lens_decoder"),
      .x_remove_padding = call.out<std::int64_t>("x_remove_padding"),
      .batch_id_per_token = call.out<std::int32_t>("batch_id_per_token"),
      .cu_seqlens_q = call.out<std::int32_t>("cu_seqlens_q"),
      .cu_seqlens_k = call.out<std::int32_t>("cu_seqlens_k"),
  };
}

constexpr TensorSpec kSeqLensOutputTensors[] = {
    {"seq_lens_this_time", kInt32, kIn, "n"},
    {"seq_lens_encoder", kInt32, kIn, "B>=n"},
    {"seq_lens_decoder", kInt32, kUnused, "B"},
    {"seq_lens_output", kInt32, kOut, "n"},
};

AnyOp make_seq_lens_output(OpCall& call) {
  return SpeculateGetSeqLensOutput{
      .n = call.dim("n"),
      .seq_lens_this_time = call.in<std::int32_t>("seq_lens_this_time"),
      .seq_lens_encoder = call.in<std::int32_t>("seq_lens_encoder"),
      .seq_lens_output = call.out<std::int32_t>("seq_lens_output"),
  };
}

constexpr AttributeSpec kOutputOffsetAttributes[] = {{.name = "max_seq_len"}};

constexpr TensorSpec kOutputOffsetTensors[] = {
    {"seq_lens_output", kInt32, kIn, "n"},     {"output_cum_offsets_tmp", kInt32, kIn, "n"},
    {"out_token_num", kInt32, kIn, "1"},       {"output_padding_offset", kInt32, kOut, "R"},
    {"output_cum_offsets", kInt32, kOut, "n"},
};

Status prepare_output_offset(OpCall& call) {
  return call.bind_symbol("R", call.in<std::int32_t>("out_token_num")[0], "out_token_num");
}

AnyOp make_output_offset(OpCall& call) {
  return SpeculateGetOutputPaddingOffset{
      .n = call.dim("n"),
      .max_seq_len = call.attr("max_seq_len"),
      .output_cum_offsets_tmp = call.in<std::int32_t>("output_cum_offsets_tmp"),
      .out_token_num = call.in<std::int32_t>("out_token_num"),
      .seq_lens_output = call.in<std::int32_t>("seq_lens_output"),
      .output_padding_offset = call.out<std::int32_t>("output_padding_offset"),
      .output_cum_offsets = call.out<std::int32_t>("output_cum_offsets"),
  };
}

constexpr OpSpec kInputOps[] = {
    {"speculate_pre_process", "pack a step's input rows and index its output rows", kRowAttributes,
     kPreProcessTensors, nullptr, make_pre_process},
    {"get_padding_offset", "pack prompt chunks into the row axis", kRowAttributes,
     kPaddingOffsetTensors, nullptr, make_padding_offset},
    {"speculate_get_seq_lens_output",
     "count the rows of a slot that need logits",
     {},
     kSeqLensOutputTensors,
     nullptr,
     make_seq_lens_output},
    {"speculate_get_output_padding_offset", "index output rows in the legacy encoding",
     kOutputOffsetAttributes, kOutputOffsetTensors, prepare_output_offset, make_output_offset},
};

}  // namespace

std::span<const OpSpec> input_ops() { return kInputOps; }

}  // namespace tandem::kernels::detail
