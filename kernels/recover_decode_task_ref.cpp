// Host reference of recover_decode_task.
#include <algorithm>

#include "kernels/detail/reference.hpp"
#include "kernels/recover_decode_task.hpp"

namespace tandem::kernels {

using detail::at;
using detail::cell;

Status check_recover_decode_task(const RecoverDecodeTask& io) {
  detail::Checks checks("recover_decode_task");
  checks.attr("n", io.n, 0);
  checks.attr("block_size", io.block_size, 1);
  checks.attr("max_draft_tokens", io.max_draft_tokens, 0);
  checks.attr("draft_width", io.draft_width, 0);
  checks.attr("block_tables_width", io.block_tables_width, io.n > 0 ? 1 : 0);
  checks.entries("stop_flags", io.stop_flags, io.n);
  checks.entries("seq_lens_this_time", io.seq_lens_this_time, io.n);
  checks.entries("seq_lens_encoder", io.seq_lens_encoder, io.n);
  checks.entries("seq_lens_decoder", io.seq_lens_decoder, io.n);
  checks.entries("step_seq_lens_decoder", io.step_seq_lens_decoder, io.n);
  checks.entries("step_seq_lens_this_time", io.step_seq_lens_this_time, io.n);
  checks.entries("step_draft_tokens", io.step_draft_tokens, io.n, io.draft_width);
  checks.entries("draft_tokens", io.draft_tokens, io.n, io.draft_width);
  checks.entries("block_tables", io.block_tables, io.n, io.block_tables_width);
  checks.entries("is_block_step", io.is_block_step, io.n);
  for (std::int32_t i = 0; checks.ok() && i < io.n; ++i) {
    if (at(io.is_block_step, i) == 0) continue;
    checks.value("step_seq_lens_decoder", i, at(io.step_seq_lens_decoder, i), 0, detail::kInt32Max);
    checks.value("step_seq_lens_this_time", i, at(io.step_seq_lens_this_time, i), 0,
                 io.draft_width);
  }
  return checks.status();
}

void recover_decode_task_reference(const RecoverDecodeTask& io) {
  detail::require(check_recover_decode_task(io));
  const std::int64_t look_ahead = 2 * std::int64_t{io.max_draft_tokens} + 1;
  for (std::int32_t i = 0; i < io.n; ++i) {
    if (at(io.is_block_step, i) == 0) continue;
    const std::int64_t parked_d = at(io.step_seq_lens_decoder, i);
    const std::int64_t entry =
        std::min<std::int64_t>((parked_d + look_ahead) / io.block_size, io.block_tables_width - 1);
    if (cell(io.block_tables, i, io.block_tables_width, entry) == -1) continue;
    const std::int32_t q = at(io.step_seq_lens_this_time, i);
    at(io.is_block_step, i) = 0;
    at(io.stop_flags, i) = 0;
    at(io.seq_lens_this_time, i) = q;
    at(io.seq_lens_encoder, i) = 0;
    at(io.seq_lens_decoder, i) = at(io.step_seq_lens_decoder, i);
    for (std::int32_t x = 0; x < q; ++x) {
      cell(io.draft_tokens, i, io.draft_width, x) =
          cell(io.step_draft_tokens, i, io.draft_width, x);
    }
  }
}

}  // namespace tandem::kernels
