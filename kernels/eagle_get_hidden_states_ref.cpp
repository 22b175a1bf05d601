// Host reference of eagle_get_hidden_states.
#include "kernels/detail/reference.hpp"
#include "kernels/eagle_get_hidden_states.hpp"

namespace tandem::kernels {
namespace {

using detail::at;

/// Rows a slot owns on either side, and how many of them are copied.
struct Rows {
  std::int64_t in = 0;
  std::int64_t out = 0;
  std::int64_t copied = 0;
};

Rows rows_of_slot(const EagleGetHiddenStates& io, std::int32_t i) {
  const std::int64_t draft_q = at(io.seq_lens_this_time, i);
  const std::int64_t draft_e = at(io.seq_lens_encoder, i);
  const std::int64_t base_q = at(io.base_model_seq_lens_this_time, i);
  const std::int64_t accepted = at(io.accept_nums, i);
  if (draft_e > 0) return {draft_e, draft_e, draft_e};
  if (draft_q == 0) return {base_q, 0, 0};
  if (base_q == 0) return {0, accepted, 0};
  return {base_q, accepted, accepted};
}

}  // namespace

Status check_eagle_get_hidden_states(const EagleGetHiddenStates& io) {
  detail::Checks checks("eagle_get_hidden_states");
  checks.attr("n", io.n, 0);
  checks.attr("input_rows", io.input_rows, 0);
  checks.attr("row_bytes", io.row_bytes, 0, detail::kInt32Max);
  checks.entries("input", io.input, io.input_rows, io.row_bytes);
  checks.entries("seq_lens_this_time", io.seq_lens_this_time, io.n);
  checks.entries("seq_lens_encoder", io.seq_lens_encoder, io.n);
  checks.entries("accept_nums", io.accept_nums, io.n);
  checks.entries("base_model_seq_lens_this_time", io.base_model_seq_lens_this_time, io.n);
  checks.entries("out", io.out, io.input_rows, io.row_bytes);
  checks.entries("output_token_num", io.output_token_num, 1);
  std::int64_t in = 0;
  std::int64_t out = 0;
  for (std::int32_t i = 0; checks.ok() && i < io.n; ++i) {
    const Rows rows = rows_of_slot(io, i);
    checks.value("base_model_seq_lens_this_time", i, rows.in, 0, detail::kInt32Max - in);
    checks.value("accept_nums", i, rows.out, 0, detail::kInt32Max - out);
    in += rows.in;
    out += rows.out;
  }
  return checks.status();
}

void eagle_get_hidden_states_reference(const EagleGetHiddenStates& io) {
  detail::require(check_eagle_get_hidden_states(io));
  std::int64_t in = 0;
  std::int64_t out = 0;
  for (std::int32_t i = 0; i < io.n; ++i) {
    const Rows rows = rows_of_slot(io, i);
    for (std::int64_t x = 0; x < rows.copied; ++x) {
      if (in + x >= io.input_rows || out + x >= io.input_rows) break;
      detail::copy_row(io.input, in + x, io.out, out + x, io.row_bytes);
    }
    in += rows.in;
    out += rows.out;
  }
  at(io.output_token_num, 0) = detail::narrow(out);
}

}  // namespace tandem::kernels
