// Host reference of get_padding_offset.
#include "kernels/detail/reference.hpp"
#include "kernels/get_padding_offset.hpp"

namespace tandem::kernels {

using detail::at;
using detail::cell;

Status check_get_padding_offset(const GetPaddingOffset& io) {
  detail::Checks checks("get_padding_offset");
  checks.attr("n", io.n, 0, detail::kInt32Max - 1);
  checks.attr("token_num", io.token_num, 0);
  checks.attr("input_ids_width", io.input_ids_width, 0);
  checks.attr("padding_id", io.padding_id, 0);
  checks.entries("input_ids", io.input_ids, io.n, io.input_ids_width);
  checks.entries("seq_lens_this_time", io.seq_lens_this_time, io.n);
  if (io.use_seq_lens_decoder) checks.entries("seq_lens_decoder", io.seq_lens_decoder, io.n);
  checks.entries("x_remove_padding", io.x_remove_padding, io.token_num);
  checks.entries("batch_id_per_token", io.batch_id_per_token, io.token_num);
  checks.entries("cu_seqlens_q", io.cu_seqlens_q, std::int64_t{io.n} + 1);
  checks.entries("cu_seqlens_k", io.cu_seqlens_k, std::int64_t{io.n} + 1);
  std::int64_t keys = 0;  // bounds the rows too
  for (std::int32_t i = 0; checks.ok() && i < io.n; ++i) {
    const std::int32_t q = at(io.seq_lens_this_time, i);
    const std::int32_t d = io.use_seq_lens_decoder ? at(io.seq_lens_decoder, i) : 0;
    checks.value("seq_lens_this_time", i, q, 0, io.input_ids_width);
    checks.value("seq_lens_decoder", i, d, 0, detail::kInt32Max);
    keys += std::int64_t{q} + d;
    checks.value("sum of lengths up to ", i, keys, 0, detail::kInt32Max);
  }
  return checks.status();
}

void get_padding_offset_reference(const GetPaddingOffset& io) {
  detail::require(check_get_padding_offset(io));
  for (std::int32_t row = 0; row < io.token_num; ++row) {
    at(io.x_remove_padding, row) = io.padding_id;
    at(io.batch_id_per_token, row) = kPaddingSlot;
  }
  at(io.cu_seqlens_q, 0) = 0;
  at(io.cu_seqlens_k, 0) = 0;
  for (std::int32_t i = 0; i < io.n; ++i) {
    const std::int32_t first = at(io.cu_seqlens_q, i);
    const std::int32_t q = at(io.seq_lens_this_time, i);
    const std::int32_t d = io.use_seq_lens_decoder ? at(io.seq_lens_decoder, i) : 0;
    for (std::int32_t j = 0; j < q && first + j < io.token_num; ++j) {
      at(io.x_remove_padding, first + j) = cell(io.input_ids, i, io.input_ids_width, j);
      at(io.batch_id_per_token, first + j) = i;
    }
    at(io.cu_seqlens_q, i + 1) = first + q;
    at(io.cu_seqlens_k, i + 1) = at(io.cu_seqlens_k, i) + q + d;
  }
}

}  // namespace tandem::kernels
