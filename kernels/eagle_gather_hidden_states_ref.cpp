// Host reference of eagle_gather_hidden_states.
#include <algorithm>

#include "kernels/detail/reference.hpp"
#include "kernels/eagle_gather_hidden_states.hpp"

namespace tandem::kernels {

using detail::at;

Status check_eagle_gather_hidden_states(const EagleGatherHiddenStates& io) {
  detail::Checks checks("eagle_gather_hidden_states");
  checks.attr("n", io.n, 0);
  checks.attr("input_rows", io.input_rows, 0);
  checks.attr("row_bytes", io.row_bytes, 0, detail::kInt32Max);
  checks.entries("input", io.input, io.input_rows, io.row_bytes);
  checks.entries("seq_lens_this_time", io.seq_lens_this_time, io.n);
  checks.entries("out", io.out, io.n, io.row_bytes);
  checks.entries("output_token_num", io.output_token_num, 1);
  for (std::int32_t i = 0; checks.ok() && i < io.n; ++i) {
    checks.value("seq_lens_this_time", i, at(io.seq_lens_this_time, i), 0, detail::kInt32Max);
  }
  return checks.status();
}

void eagle_gather_hidden_states_reference(const EagleGatherHiddenStates& io) {
  detail::require(check_eagle_gather_hidden_states(io));
  std::int64_t in = 0;
  std::int32_t out = 0;
  for (std::int32_t i = 0; i < io.n; ++i) {
    const auto cleared = detail::row_of(io.out, i, io.row_bytes);
    std::fill(cleared.begin(), cleared.end(), std::byte{0});
  }
  for (std::int32_t i = 0; i < io.n; ++i) {
    const std::int32_t q = at(io.seq_lens_this_time, i);
    if (q == 0) continue;
    in += q;
    if (in <= io.input_rows) detail::copy_row(io.input, in - 1, io.out, out, io.row_bytes);
    ++out;
  }
  at(io.output_token_num, 0) = out;
}

}  // namespace tandem::kernels
