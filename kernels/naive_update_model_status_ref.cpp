// Host reference of naive_update_model_status.
#include "kernels/detail/reference.hpp"
#include "kernels/naive_update_model_status.hpp"

namespace tandem::kernels {

using detail::at;
using detail::cell;

Status check_naive_update_model_status(const NaiveUpdateModelStatus& io) {
  detail::Checks checks("naive_update_model_status");
  checks.attr("n", io.n, 0, detail::kInt32Max - 1);
  checks.attr("draft_width", io.draft_width, 0);
  checks.entries("accept_tokens", io.accept_tokens, io.n, io.draft_width);
  checks.entries("accept_num", io.accept_num, io.n);
  checks.entries("seq_lens_this_time", io.seq_lens_this_time, io.n);
  checks.entries("cu_seqlens_q_output", io.cu_seqlens_q_output, std::int64_t{io.n} + 1);
  for (std::int32_t i = 0; checks.ok() && i < io.n; ++i) {
    if (at(io.seq_lens_this_time, i) <= 0) continue;
    checks.attr("draft_width", io.draft_width, 1);
    checks.value("cu_seqlens_q_output", i + 1, at(io.cu_seqlens_q_output, i + 1), 1,
                 static_cast<std::int64_t>(io.next_tokens.size()));
  }
  return checks.status();
}

void naive_update_model_status_reference(const NaiveUpdateModelStatus& io) {
  detail::require(check_naive_update_model_status(io));
  for (std::int32_t i = 0; i < io.n; ++i) {
    const bool has_rows = at(io.seq_lens_this_time, i) > 0;
    if (has_rows) {
      const std::int32_t last_row = at(io.cu_seqlens_q_output, i + 1) - 1;
      cell(io.accept_tokens, i, io.draft_width, 0) = at(io.next_tokens, last_row);
    }
    at(io.accept_num, i) = has_rows ? 1 : 0;
    at(io.seq_lens_this_time, i) = has_rows ? 1 : 0;
  }
}

}  // namespace tandem::kernels
