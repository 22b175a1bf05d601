// Host reference of speculate_get_seq_lens_output.
#include "kernels/detail/reference.hpp"
#include "kernels/speculate_get_seq_lens_output.hpp"

namespace tandem::kernels {

using detail::at;

Status check_speculate_get_seq_lens_output(const SpeculateGetSeqLensOutput& io) {
  detail::Checks checks("speculate_get_seq_lens_output");
  checks.attr("n", io.n, 0);
  checks.entries("seq_lens_this_time", io.seq_lens_this_time, io.n);
  checks.entries("seq_lens_encoder", io.seq_lens_encoder, io.n);
  checks.entries("seq_lens_output", io.seq_lens_output, io.n);
  return checks.status();
}

void speculate_get_seq_lens_output_reference(const SpeculateGetSeqLensOutput& io) {
  detail::require(check_speculate_get_seq_lens_output(io));
  for (std::int32_t i = 0; i < io.n; ++i) {
    const std::int32_t q = at(io.seq_lens_this_time, i);
    const bool one_row = q == 1 || (q != 0 && at(io.seq_lens_encoder, i) != 0);
    at(io.seq_lens_output, i) = one_row ? 1 : q;
  }
}

}  // namespace tandem::kernels
