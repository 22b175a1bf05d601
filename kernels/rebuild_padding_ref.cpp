// Host reference of rebuild_padding.
#include <algorithm>

#include "kernels/detail/reference.hpp"
#include "kernels/rebuild_padding.hpp"

namespace tandem::kernels {
namespace {

using detail::at;

bool is_idle(const RebuildPadding& io, std::int32_t i) {
  const bool has_no_tokens = at(io.seq_lens_decoder, i) == 0 && at(io.seq_lens_encoder, i) == 0;
  return at(io.seq_len_this_time, i) == 0 || has_no_tokens;
}

/// Source row of the slot's output row number `number`. A prefill slot has one: its last.
std::int64_t source_row(const RebuildPadding& io, std::int32_t i, std::int64_t number) {
  const std::int64_t e = at(io.seq_lens_encoder, i);
  return at(io.cu_seqlens_q, i) + (e > 0 ? e - 1 : number);
}

void copy_if_there(const RebuildPadding& io, std::int64_t from, std::int64_t to) {
  if (from < 0 || from >= io.input_rows) return;
  detail::copy_row(io.tmp_out, from, io.out, to, io.row_bytes);
}

void rebuild_speculative(const RebuildPadding& io) {
  for (std::int32_t x = 0; x < io.output_rows; ++x) {
    const std::int32_t i = at(io.batch_id_per_token_output, x);
    if (i < 0 || is_idle(io, i)) continue;
    const std::int64_t number = std::int64_t{x} - at(io.cu_seqlens_q_output, i);
    copy_if_there(io, source_row(io, i, number), x);
  }
}

void rebuild_plain(const RebuildPadding& io) {
  for (std::int32_t i = 0; i < io.n; ++i) {
    const auto cleared = detail::row_of(io.out, i, io.row_bytes);
    std::fill(cleared.begin(), cleared.end(), std::byte{0});
    if (!is_idle(io, i)) copy_if_there(io, source_row(io, i, 0), i);
  }
}

}  // namespace

Status check_rebuild_padding(const RebuildPadding& io) {
  const bool speculative = io.form == RebuildForm::kSpeculative;
  detail::Checks checks("rebuild_padding");
  checks.attr("n", io.n, 0);
  checks.attr("input_rows", io.input_rows, 0);
  checks.attr("row_bytes", io.row_bytes, 0, detail::kInt32Max);
  checks.attr("form", static_cast<std::int32_t>(io.form), 0, 1);
  checks.entries("tmp_out", io.tmp_out, io.input_rows, io.row_bytes);
  checks.entries("cu_seqlens_q", io.cu_seqlens_q, io.n);
  checks.entries("seq_len_this_time", io.seq_len_this_time, io.n);
  checks.entries("seq_lens_decoder", io.seq_lens_decoder, io.n);
  checks.entries("seq_lens_encoder", io.seq_lens_encoder, io.n);
  if (speculative) {
    checks.attr("output_rows", io.output_rows, 0);
    checks.entries("batch_id_per_token_output", io.batch_id_per_token_output, io.output_rows);
    checks.entries("cu_seqlens_q_output", io.cu_seqlens_q_output, io.n);
  }
  checks.entries("out", io.out, speculative ? io.output_rows : io.n, io.row_bytes);
  for (std::int32_t x = 0; speculative && checks.ok() && x < io.output_rows; ++x) {
    checks.value("batch_id_per_token_output", x, at(io.batch_id_per_token_output, x),
                 std::numeric_limits<std::int32_t>::min(), std::int64_t{io.n} - 1);
  }
  return checks.status();
}

void rebuild_padding_reference(const RebuildPadding& io) {
  detail::require(check_rebuild_padding(io));
  if (io.form == RebuildForm::kSpeculative) {
    rebuild_speculative(io);
  } else {
    rebuild_plain(io);
  }
}

}  // namespace tandem::kernels
