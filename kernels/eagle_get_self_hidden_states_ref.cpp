// Host reference of eagle_get_self_hidden_states.
#include "kernels/detail/reference.hpp"
#include "kernels/eagle_get_self_hidden_states.hpp"

namespace tandem::kernels {
namespace {

using detail::at;

bool in_encoder_phase(const EagleGetSelfHiddenStates& io, std::int32_t i) {
  if (io.encoder_test == EncoderTest::kStepIdx) return at(io.step_idx, i) == 1;
  return at(io.last_seq_lens_encoder, i) > 0;
}

std::int64_t input_rows_of_slot(const EagleGetSelfHiddenStates& io, std::int32_t i) {
  const std::int32_t last_q = at(io.last_seq_lens_this_time, i);
  if (!in_encoder_phase(io, i)) return last_q;
  return last_q == 0 && at(io.seq_lens_this_time, i) == 0 ? 0 : 1;
}

}  // namespace

Status check_eagle_get_self_hidden_states(const EagleGetSelfHiddenStates& io) {
  detail::Checks checks("eagle_get_self_hidden_states");
  checks.attr("n", io.n, 0);
  checks.attr("input_rows", io.input_rows, 0);
  checks.attr("row_bytes", io.row_bytes, 0, detail::kInt32Max);
  checks.attr("encoder_test", static_cast<std::int32_t>(io.encoder_test), 0, 1);
  checks.entries("input", io.input, io.input_rows, io.row_bytes);
  checks.entries("last_seq_lens_this_time", io.last_seq_lens_this_time, io.n);
  checks.entries("seq_lens_this_time", io.seq_lens_this_time, io.n);
  if (io.encoder_test == EncoderTest::kStepIdx) {
    checks.entries("step_idx", io.step_idx, io.n);
  } else {
    checks.entries("last_seq_lens_encoder", io.last_seq_lens_encoder, io.n);
  }
  checks.entries("out", io.out, io.input_rows, io.row_bytes);
  checks.entries("output_token_num", io.output_token_num, 1);
  for (std::int32_t i = 0; checks.ok() && i < io.n; ++i) {
    checks.value("last_seq_lens_this_time", i, at(io.last_seq_lens_this_time, i), 0,
                 detail::kInt32Max);
    checks.value("seq_lens_this_time", i, at(io.seq_lens_this_time, i), 0, detail::kInt32Max);
  }
  return checks.status();
}

void eagle_get_self_hidden_states_reference(const EagleGetSelfHiddenStates& io) {
  detail::require(check_eagle_get_self_hidden_states(io));
  std::int64_t in = 0;
  std::int32_t out = 0;
  for (std::int32_t i = 0; i < io.n; ++i) {
    const std::int64_t rows = input_rows_of_slot(io, i);
    in += rows;
    if (at(io.seq_lens_this_time, i) == 0) continue;
    const bool has_row = rows > 0 && in <= io.input_rows && out < io.input_rows;
    if (has_row) detail::copy_row(io.input, in - 1, io.out, out, io.row_bytes);
    ++out;
  }
  at(io.output_token_num, 0) = out;
}

}  // namespace tandem::kernels
