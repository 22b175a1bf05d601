// Host reference of speculate_schedule_cache.
#include "kernels/detail/reference.hpp"
#include "kernels/speculate_schedule_cache.hpp"

namespace tandem::kernels {
namespace {

using detail::at;
using detail::cell;

bool prefill_is_finished(const SpeculateScheduleCache& io, std::int32_t i) {
  return at(io.seq_lens_decoder, i) >= at(io.prompt_lens, i);
}

bool lacks_block(const SpeculateScheduleCache& io, std::int32_t i) {
  const std::int64_t look_ahead = 2 * std::int64_t{io.max_draft_tokens} + 2;
  const std::int64_t entry = (at(io.seq_lens_decoder, i) + look_ahead) / io.block_size;
  return entry < io.block_tables_width &&
         cell(io.block_tables, i, io.block_tables_width, entry) == -1;
}

void stop(const SpeculateScheduleCache& io, std::int32_t i) {
  at(io.stop_flags, i) = 1;
  at(io.seq_lens_this_time, i) = 0;
  at(io.seq_lens_decoder, i) = 0;
  at(io.seq_lens_encoder, i) = 0;
  at(io.accept_num, i) = 0;
}

void park(const SpeculateScheduleCache& io, std::int32_t i) {
  at(io.is_block_step, i) = 1;
  at(io.step_seq_lens_this_time, i) = at(io.seq_lens_this_time, i);
  at(io.seq_lens_this_time, i) = 0;
  at(io.stop_flags, i) = 1;
  at(io.step_seq_lens_decoder, i) = at(io.seq_lens_decoder, i);
  at(io.seq_lens_decoder, i) = 0;
  at(io.accept_num, i) = 0;
  for (std::int32_t x = 0; x < io.accept_width; ++x) {
    cell(io.accept_tokens, i, io.accept_width, x) = kNoToken;
  }
  for (std::int32_t x = 0; x < io.draft_width; ++x) {
    cell(io.step_draft_tokens, i, io.draft_width, x) = cell(io.draft_tokens, i, io.draft_width, x);
  }
}

}  // namespace

Status check_speculate_schedule_cache(const SpeculateScheduleCache& io) {
  detail::Checks checks("speculate_schedule_cache");
  checks.attr("n", io.n, 0);
  checks.attr("block_size", io.block_size, 1);
  checks.attr("max_draft_tokens", io.max_draft_tokens, 0);
  checks.attr("draft_width", io.draft_width, 0);
  checks.attr("accept_width", io.accept_width, 1);
  checks.attr("block_tables_width", io.block_tables_width, 0);
  checks.entries("draft_tokens", io.draft_tokens, io.n, io.draft_width);
  checks.entries("block_tables", io.block_tables, io.n, io.block_tables_width);
  checks.entries("stop_flags", io.stop_flags, io.n);
  checks.entries("prompt_lens", io.prompt_lens, io.n);
  checks.entries("seq_lens_this_time", io.seq_lens_this_time, io.n);
  checks.entries("seq_lens_encoder", io.seq_lens_encoder, io.n);
  checks.entries("seq_lens_decoder", io.seq_lens_decoder, io.n);
  checks.entries("step_seq_lens_decoder", io.step_seq_lens_decoder, io.n);
  checks.entries("step_draft_tokens", io.step_draft_tokens, io.n, io.draft_width);
  checks.entries("step_seq_lens_this_time", io.step_seq_lens_this_time, io.n);
  checks.entries("accept_num", io.accept_num, io.n);
  checks.entries("accept_tokens", io.accept_tokens, io.n, io.accept_width);
  checks.entries("is_block_step", io.is_block_step, io.n);
  checks.entries("not_need_stop", io.not_need_stop, 1);
  for (std::int32_t i = 0; checks.ok() && i < io.n; ++i) {
    const bool tested = at(io.stop_flags, i) == 0 && prefill_is_finished(io, i);
    if (!tested || io.prefill_one_step_stop) continue;
    checks.value("seq_lens_decoder", i, at(io.seq_lens_decoder, i), 0, detail::kInt32Max);
  }
  return checks.status();
}

void speculate_schedule_cache_reference(const SpeculateScheduleCache& io) {
  detail::require(check_speculate_schedule_cache(io));
  bool any_running = false;
  for (std::int32_t i = 0; i < io.n; ++i) {
    if (at(io.stop_flags, i) != 0) continue;
    if (!prefill_is_finished(io, i) || io.prefill_one_step_stop) {
      stop(io, i);
    } else if (lacks_block(io, i)) {
      park(io, i);
    } else {
      any_running = true;
    }
  }
  at(io.not_need_stop, 0) = any_running ? 1 : 0;
}

}  // namespace tandem::kernels
