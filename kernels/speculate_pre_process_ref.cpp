// Host reference of speculate_pre_process.
#include "kernels/detail/reference.hpp"
#include "kernels/speculate_pre_process.hpp"

namespace tandem::kernels {
namespace {

using detail::at;
using detail::cell;

bool reads_drafts(const SpeculatePreProcess& io, std::int32_t i) {
  return io.draft_width > 0 && at(io.seq_lens_encoder, i) <= 0;
}

std::int32_t output_rows(const SpeculatePreProcess& io, std::int32_t i) {
  const std::int32_t q = at(io.seq_lens_this_time, i);
  if (q == 0) return 0;
  return q == 1 || at(io.seq_lens_encoder, i) != 0 ? 1 : q;
}

void check_sizes(const SpeculatePreProcess& io, detail::Checks& checks) {
  checks.attr("n", io.n, 0, detail::kInt32Max - 1);
  checks.attr("token_num", io.token_num, 0);
  checks.attr("input_ids_width", io.input_ids_width, 0);
  checks.attr("draft_width", io.draft_width, 0);
  checks.attr("padding_id", io.padding_id, 0);
  checks.entries("input_ids", io.input_ids, io.n, io.input_ids_width);
  checks.entries("seq_lens_this_time", io.seq_lens_this_time, io.n);
  checks.entries("draft_tokens", io.draft_tokens, io.n, io.draft_width);
  checks.entries("seq_lens_encoder", io.seq_lens_encoder, io.n);
  checks.entries("ids_remove_padding", io.ids_remove_padding, io.token_num);
  checks.entries("batch_id_per_token", io.batch_id_per_token, io.token_num);
  checks.entries("cu_seqlens_q", io.cu_seqlens_q, std::int64_t{io.n} + 1);
  checks.entries("cu_seqlens_k", io.cu_seqlens_k, std::int64_t{io.n} + 1);
  checks.entries("cu_seqlens_q_output", io.cu_seqlens_q_output, std::int64_t{io.n} + 1);
  checks.entries("real_output_token_num", io.real_output_token_num, 1);
}

}  // namespace

Status check_speculate_pre_process(const SpeculatePreProcess& io) {
  detail::Checks checks("speculate_pre_process");
  check_sizes(io, checks);
  std::int64_t input_rows = 0;
  std::int64_t rows_out = 0;
  for (std::int32_t i = 0; checks.ok() && i < io.n; ++i) {
    const std::int64_t width = reads_drafts(io, i) ? io.draft_width : io.input_ids_width;
    checks.value("seq_lens_this_time", i, at(io.seq_lens_this_time, i), 0, width);
    input_rows += at(io.seq_lens_this_time, i);
    rows_out += output_rows(io, i);
    checks.value("sum of seq_lens_this_time up to ", i, input_rows, 0, detail::kInt32Max);
  }
  if (checks.ok()) {
    checks.entries("batch_id_per_token_output", io.batch_id_per_token_output, rows_out);
  }
  return checks.status();
}

void speculate_pre_process_reference(const SpeculatePreProcess& io) {
  detail::require(check_speculate_pre_process(io));
  for (std::int32_t row = 0; row < io.token_num; ++row) {
    at(io.ids_remove_padding, row) = io.padding_id;
    at(io.batch_id_per_token, row) = kPaddingSlot;
  }
  at(io.cu_seqlens_q, 0) = 0;
  at(io.cu_seqlens_k, 0) = 0;
  at(io.cu_seqlens_q_output, 0) = 0;
  for (std::int32_t i = 0; i < io.n; ++i) {
    const std::int32_t first = at(io.cu_seqlens_q, i);
    const std::int32_t q = at(io.seq_lens_this_time, i);
    for (std::int32_t j = 0; j < q && first + j < io.token_num; ++j) {
      at(io.ids_remove_padding, first + j) = reads_drafts(io, i)
                                                 ? cell(io.draft_tokens, i, io.draft_width, j)
                                                 : cell(io.input_ids, i, io.input_ids_width, j);
      at(io.batch_id_per_token, first + j) = i;
    }
    const std::int32_t first_out = at(io.cu_seqlens_q_output, i);
    for (std::int32_t j = 0; j < output_rows(io, i); ++j) {
      at(io.batch_id_per_token_output, first_out + j) = i;
    }
    at(io.cu_seqlens_q, i + 1) = first + q;
    at(io.cu_seqlens_k, i + 1) = first + q;
    at(io.cu_seqlens_q_output, i + 1) = first_out + output_rows(io, i);
  }
  at(io.real_output_token_num, 0) = at(io.cu_seqlens_q_output, io.n);
}

}  // namespace tandem::kernels
