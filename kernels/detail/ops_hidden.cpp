// Registered operations on hidden rows. Here a row is `h` float32 values; the contracts take bytes.
#include "kernels/detail/op_call.hpp"
#include "kernels/detail/op_tables.hpp"
#include "kernels/eagle_gather_hidden_states.hpp"
#include "kernels/eagle_get_hidden_states.hpp"
#include "kernels/eagle_get_self_hidden_states.hpp"
#include "kernels/rebuild_padding.hpp"

namespace tandem::kernels::detail {
namespace {

using enum DataType;
using enum TensorRole;

std::int64_t row_bytes(const OpCall& call) {
  return std::int64_t{call.dim("h")} * static_cast<std::int64_t>(sizeof(float));
}

constexpr AttributeSpec kGetAttributes[] = {
    {.name = "actual_draft_token_num", .is_optional = true}};

constexpr TensorSpec kGetTensors[] = {
    {"seq_lens_this_time", kInt32, kIn, "n"},
    {"input", kFloat32, kIn, "N, h"},
    {"seq_lens_encoder", kInt32, kIn, ">=n"},
    {"accept_nums", kInt32, kIn, ">=n"},
    {"base_model_seq_lens_this_time", kInt32, kIn, ">=n"},
    {"seq_lens_decoder", kInt32, kUnused, "n"},
    {"stop_flags", kBool, kUnused, "n"},
    {"base_model_seq_lens_encoder", kInt32, kUnused, "n"},
    {"out", kFloat32, kOut, "N, h"},
    {"output_token_num", kInt32, kOut, "1"},
};

AnyOp make_get(OpCall& call) {
  return EagleGetHiddenStates{
      .n = call.dim("n"),
      .input_rows = call.dim("N"),
      .row_bytes = row_bytes(call),
      .input = call.rows_in("input"),
      .seq_lens_this_time = call.in<std::int32_t>("seq_lens_this_time"),
      .seq_lens_encoder = call.in<std::int32_t>("seq_lens_encoder"),
      .accept_nums = call.in<std::int32_t>("accept_nums"),
      .base_model_seq_lens_this_time = call.in<std::int32_t>("base_model_seq_lens_this_time"),
      .out = call.rows_out("out"),
      .output_token_num = call.out<std::int32_t>("output_token_num"),
  };
}

constexpr std::string_view kByLength = "last_seq_lens_encoder";
constexpr std::string_view kByStep = "step_idx";

constexpr AttributeSpec kSelfAttributes[] = {
    {.name = "encoder_test", .is_text = true, .is_optional = true}};

constexpr TensorSpec kSelfTensors[] = {
    {"seq_lens_this_time", kInt32, kIn, "n"}, {"last_seq_lens_this_time", kInt32, kIn, ">=n"},
    {"input", kFloat32, kIn, "N, h"},         {"last_seq_lens_encoder", kInt32, kIn, ">=n", true},
    {"step_idx", kInt64, kIn, ">=n", true},   {"out", kFloat32, kOut, "N, h"},
    {"output_token_num", kInt32, kOut, "1"},
};

/// The tensor that decides the encoder phase has the name of the test.
Status prepare_self(OpCall& call) {
  const std::string_view test = call.text("encoder_test", kByLength);
  if (test == kByLength || test == kByStep) return call.require(test);
  return Error::make("eagle_get_self_hidden_states: encoder_test",
                     "got \"" + std::string(test) + "\"", "last_seq_lens_encoder or step_idx");
}

AnyOp make_self(OpCall& call) {
  const bool by_step = call.text("encoder_test", kByLength) == kByStep;
  return EagleGetSelfHiddenStates{
      .n = call.dim("n"),
      .input_rows = call.dim("N"),
      .row_bytes = row_bytes(call),
      .encoder_test = by_step ? EncoderTest::kStepIdx : EncoderTest::kLastSeqLensEncoder,
      .input = call.rows_in("input"),
      .last_seq_lens_this_time = call.in<std::int32_t>("last_seq_lens_this_time"),
      .seq_lens_this_time = call.in<std::int32_t>("seq_lens_this_time"),
      .last_seq_lens_encoder = call.in<std::int32_t>("last_seq_lens_encoder"),
      .step_idx = call.in<std::int64_t>("step_idx"),
      .out = call.rows_out("out"),
      .output_token_num = call.out<std::int32_t>("output_token_num"),
  };
}

constexpr TensorSpec kGatherTensors[] = {
    {"seq_lens_this_time", kInt32, kIn, "n"},
    {"input", kFloat32, kIn, "N, h"},
    {"cu_seqlens_q", kInt32, kUnused, "n+1"},
    {"seq_lens_decoder", kInt32, kUnused, "n"},
    {"seq_lens_encoder", kInt32, kUnused, "n"},
    {"batch_id_per_token_output", kInt32, kUnused, "R"},
    {"cu_seqlens_q_output", kInt32, kUnused, "n+1"},
    {"real_output_token_num", kInt32, kUnused, "1"},
    {"out", kFloat32, kOut, "n, h"},
    {"output_token_num", kInt32, kOut, "1"},
};

AnyOp make_gather(OpCall& call) {
  return EagleGatherHiddenStates{
      .n = call.dim("n"),
      .input_rows = call.dim("N"),
      .row_bytes = row_bytes(call),
      .input = call.rows_in("input"),
      .seq_lens_this_time = call.in<std::int32_t>("seq_lens_this_time"),
      .out = call.rows_out("out"),
      .output_token_num = call.out<std::int32_t>("output_token_num"),
  };
}

constexpr TensorSpec kRebuildTensors[] = {
    {"seq_len_this_time", kInt32, kIn, "n"},
    {"tmp_out", kFloat32, kIn, "N, h"},
    {"cu_seqlens_q", kInt32, kIn, "n+1"},
    {"seq_lens_decoder", kInt32, kIn, ">=n"},
    {"seq_lens_encoder", kInt32, kIn, ">=n"},
    {"cu_seqlens_q_output", kInt32, kIn, "n+1", true},
    {"batch_id_per_token_output", kInt32, kIn, "R", true},
    {"out", kFloat32, kOut, "R, h"},
};

bool is_speculative(const OpCall& call) {
  return call.has("batch_id_per_token_output") || call.has("cu_seqlens_q_output");
}

/// Both tensors of the speculative form, or neither. out has a row for each batch id, or each slot.
Status prepare_rebuild(OpCall& call) {
  if (!is_speculative(call)) return call.bind_symbol("R", call.dim("n"), "seq_len_this_time");
  TANDEM_RETURN_IF_ERROR(call.require("batch_id_per_token_output"));
  return call.require("cu_seqlens_q_output");
}

AnyOp make_rebuild(OpCall& call) {
  return RebuildPadding{
      .form = is_speculative(call) ? RebuildForm::kSpeculative : RebuildForm::kPlain,
      .n = call.dim("n"),
      .input_rows = call.dim("N"),
      .output_rows = call.dim("R"),
      .row_bytes = row_bytes(call),
      .tmp_out = call.rows_in("tmp_out"),
      .cu_seqlens_q = call.in<std::int32_t>("cu_seqlens_q"),
      .seq_len_this_time = call.in<std::int32_t>("seq_len_this_time"),
      .seq_lens_decoder = call.in<std::int32_t>("seq_lens_decoder"),
      .seq_lens_encoder = call.in<std::int32_t>("seq_lens_encoder"),
      .batch_id_per_token_output = call.in<std::int32_t>("batch_id_per_token_output"),
      .cu_seqlens_q_output = call.in<std::int32_t>("cu_seqlens_q_output"),
      .out = call.rows_out("out"),
  };
}

constexpr OpSpec kHiddenOps[] = {
    {"eagle_get_hidden_states", "the target's rows that the MTP head reads first", kGetAttributes,
     kGetTensors, nullptr, make_get},
    {"eagle_get_self_hidden_states", "the MTP head's own last rows", kSelfAttributes, kSelfTensors,
     prepare_self, make_self},
    {"eagle_gather_hidden_states",
     "one row a running slot for the draft's LM head",
     {},
     kGatherTensors,
     nullptr,
     make_gather},
    {"rebuild_padding",
     "pick the hidden rows that need logits",
     {},
     kRebuildTensors,
     prepare_rebuild,
     make_rebuild},
};

}  // namespace

std::span<const OpSpec> hidden_ops() { return kHiddenOps; }

}  // namespace tandem::kernels::detail
