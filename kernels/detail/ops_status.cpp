// Registered operations on the target's slot state: commit, park and revive.
#include "kernels/detail/op_call.hpp"
#include "kernels/detail/op_tables.hpp"
#include "kernels/naive_update_model_status.hpp"
#include "kernels/recover_decode_task.hpp"
#include "kernels/speculate_schedule_cache.hpp"
#include "kernels/unified_update_model_status.hpp"

namespace tandem::kernels::detail {
namespace {

using enum DataType;
using enum TensorRole;

constexpr AttributeSpec kRecoverAttributes[] = {
    {.name = "block_size", .low = 1},
    {.name = "max_draft_tokens"},
};

constexpr TensorSpec kRecoverTensors[] = {
    {"seq_lens_this_time", kInt32, kInOut, "n"}, {"stop_flags", kBool, kInOut, "B>=n"},
    {"seq_lens_encoder", kInt32, kInOut, "B"},   {"seq_lens_decoder", kInt32, kInOut, "B"},
    {"step_seq_lens_decoder", kInt32, kIn, "B"}, {"step_seq_lens_this_time", kInt32, kIn, "B"},
    {"step_draft_tokens", kInt64, kIn, "B, W"},  {"draft_tokens", kInt64, kInOut, "B, W"},
    {"block_tables", kInt32, kIn, "B, nblk"},    {"is_block_step", kBool, kInOut, "B"},
};

AnyOp make_recover(OpCall& call) {
  return RecoverDecodeTask{
      .n = call.dim("n"),
      .block_size = call.attr("block_size"),
      .max_draft_tokens = call.attr("max_draft_tokens"),
      .draft_width = call.dim("W"),
      .block_tables_width = call.dim("nblk"),
      .stop_flags = call.out<std::uint8_t>("stop_flags"),
      .seq_lens_this_time = call.out<std::int32_t>("seq_lens_this_time"),
      .seq_lens_encoder = call.out<std::int32_t>("seq_lens_encoder"),
      .seq_lens_decoder = call.out<std::int32_t>("seq_lens_decoder"),
      .step_seq_lens_decoder = call.in<std::int32_t>("step_seq_lens_decoder"),
      .step_seq_lens_this_time = call.in<std::int32_t>("step_seq_lens_this_time"),
      .step_draft_tokens = call.in<std::int64_t>("step_draft_tokens"),
      .draft_tokens = call.out<std::int64_t>("draft_tokens"),
      .block_tables = call.in<std::int32_t>("block_tables"),
      .is_block_step = call.out<std::uint8_t>("is_block_step"),
  };
}

constexpr AttributeSpec kScheduleAttributes[] = {
    {.name = "block_size", .low = 1},
    {.name = "max_draft_tokens"},
    {.name = "prefill_one_step_stop", .high = 1},
};

constexpr TensorSpec kScheduleTensors[] = {
    {"seq_lens_this_time", kInt32, kInOut, "n"},
    {"draft_tokens", kInt64, kIn, ">=n, W"},
    {"block_tables", kInt32, kIn, ">=n, nblk"},
    {"stop_flags", kBool, kInOut, ">=n"},
    {"prompt_lens", kInt64, kIn, ">=n"},
    {"seq_lens_encoder", kInt32, kInOut, ">=n"},
    {"seq_lens_decoder", kInt32, kInOut, ">=n"},
    {"step_seq_lens_decoder", kInt32, kInOut, ">=n"},
    {"step_draft_tokens", kInt64, kInOut, ">=n, W"},
    {"step_seq_lens_this_time", kInt32, kInOut, ">=n"},
    {"accept_num", kInt32, kInOut, ">=n"},
    {"accept_tokens", kInt64, kInOut, ">=n, A"},
    {"is_block_step", kBool, kInOut, ">=n"},
    {"not_need_stop", kBool, kInOut, "1"},
};

AnyOp make_schedule(OpCall& call) {
  return SpeculateScheduleCache{
      .n = call.dim("n"),
      .block_size = call.attr("block_size"),
      .max_draft_tokens = call.attr("max_draft_tokens"),
      .prefill_one_step_stop = call.flag("prefill_one_step_stop"),
      .draft_width = call.dim("W"),
      .accept_width = call.dim("A"),
      .block_tables_width = call.dim("nblk"),
      .draft_tokens = call.in<std::int64_t>("draft_tokens"),
      .block_tables = call.in<std::int32_t>("block_tables"),
      .stop_flags = call.out<std::uint8_t>("stop_flags"),
      .prompt_lens = call.in<std::int64_t>("prompt_lens"),
      .seq_lens_this_time = call.out<std::int32_t>("seq_lens_this_time"),
      .seq_lens_encoder = call.out<std::int32_t>("seq_lens_encoder"),
      .seq_lens_decoder = call.out<std::int32_t>("seq_lens_decoder"),
      .step_seq_lens_decoder = call.out<std::int32_t>("step_seq_lens_decoder"),
      .step_draft_tokens = call.out<std::int64_t>("step_draft_tokens"),
      .step_seq_lens_this_time = call.out<std::int32_t>("step_seq_lens_this_time"),
      .accept_num = call.out<std::int32_t>("accept_num"),
      .accept_tokens = call.out<std::int64_t>("accept_tokens"),
      .is_block_step = call.out<std::uint8_t>("is_block_step"),
      .not_need_stop = call.out<std::uint8_t>("not_need_stop"),
  };
}

constexpr TensorSpec kUnifiedTensors[] = {
    {"seq_lens_this_time", kInt32, kInOut, "n"},
    {"seq_lens_encoder", kInt32, kInOut, "B>=n"},
    {"seq_lens_decoder", kInt32, kInOut, "B"},
    {"has_running_seqs", kBool, kInOut, "1"},
    {"step_input_ids", kInt64, kInOut, "B, W"},
    {"step_output_ids", kInt64, kInOut, "B, W"},
    {"step_output_len", kInt32, kInOut, "B"},
    {"stop_flags", kBool, kInOut, "B"},
    {"is_paused", kBool, kIn, "B"},
    {"token_ids_all", kInt64, kInOut, "B, H"},
    {"prompt_lens", kInt64, kIn, "B"},
    {"step_idx", kInt64, kInOut, "B"},
    {"end_tokens", kInt64, kIn, "E"},
    {"max_dec_len", kInt64, kIn, "B"},
};

AnyOp make_unified(OpCall& call) {
  return UnifiedUpdateModelStatus{
      .n = call.dim("n"),
      .draft_width = call.dim("W"),
      .max_model_len = call.dim("H"),
      .seq_lens_encoder = call.out<std::int32_t>("seq_lens_encoder"),
      .seq_lens_decoder = call.out<std::int32_t>("seq_lens_decoder"),
      .has_running_seqs = call.out<std::uint8_t>("has_running_seqs"),
      .step_input_ids = call.out<std::int64_t>("step_input_ids"),
      .step_output_ids = call.out<std::int64_t>("step_output_ids"),
      .step_output_len = call.out<std::int32_t>("step_output_len"),
      .stop_flags = call.out<std::uint8_t>("stop_flags"),
      .seq_lens_this_time = call.out<std::int32_t>("seq_lens_this_time"),
      .is_paused = call.in<std::uint8_t>("is_paused"),
      .token_ids_all = call.out<std::int64_t>("token_ids_all"),
      .prompt_lens = call.in<std::int64_t>("prompt_lens"),
      .step_idx = call.out<std::int64_t>("step_idx"),
      .end_tokens = call.in<std::int64_t>("end_tokens"),
      .max_dec_len = call.in<std::int64_t>("max_dec_len"),
  };
}

constexpr TensorSpec kNaiveTensors[] = {
    {"seq_lens_this_time", kInt32, kInOut, "n"}, {"accept_tokens", kInt64, kInOut, "B>=n, W"},
    {"accept_num", kInt32, kInOut, "B"},         {"next_tokens", kInt64, kIn, "X"},
    {"cu_seqlens_q_output", kInt32, kIn, "n+1"},
};

AnyOp make_naive(OpCall& call) {
  return NaiveUpdateModelStatus{
      .n = call.dim("n"),
      .draft_width = call.dim("W"),
      .accept_tokens = call.out<std::int64_t>("accept_tokens"),
      .accept_num = call.out<std::int32_t>("accept_num"),
      .seq_lens_this_time = call.out<std::int32_t>("seq_lens_this_time"),
      .next_tokens = call.in<std::int64_t>("next_tokens"),
      .cu_seqlens_q_output = call.in<std::int32_t>("cu_seqlens_q_output"),
  };
}

constexpr OpSpec kStatusOps[] = {
    {"recover_decode_task", "revive parked slots whose blocks have arrived", kRecoverAttributes,
     kRecoverTensors, nullptr, make_recover},
    {"speculate_schedule_cache", "park slots whose blocks run out", kScheduleAttributes,
     kScheduleTensors, nullptr, make_schedule},
    {"unified_update_model_status",
     "commit the tokens of a step",
     {},
     kUnifiedTensors,
     nullptr,
     make_unified},
    {"naive_update_model_status",
     "a step's outcome without drafts",
     {},
     kNaiveTensors,
     nullptr,
     make_naive},
};

}  // namespace

std::span<const OpSpec> status_ops() { return kStatusOps; }

}  // namespace tandem::kernels::detail
