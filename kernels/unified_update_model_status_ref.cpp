// Host reference of unified_update_model_status.
#include "kernels/detail/reference.hpp"
#include "kernels/unified_update_model_status.hpp"

namespace tandem::kernels {
namespace {

using detail::at;
using detail::cell;
using detail::narrow;

bool runs(const UnifiedUpdateModelStatus& io, std::int32_t i) {
  return at(io.stop_flags, i) == 0 && at(io.is_paused, i) == 0;
}

void check_sizes(const UnifiedUpdateModelStatus& io, detail::Checks& checks) {
  checks.attr("n", io.n, 0);
  checks.attr("draft_width", io.draft_width, 0);
  checks.attr("max_model_len", io.max_model_len, 0);
  checks.entries("seq_lens_encoder", io.seq_lens_encoder, io.n);
  checks.entries("seq_lens_decoder", io.seq_lens_decoder, io.n);
  checks.entries("has_running_seqs", io.has_running_seqs, 1);
  checks.entries("step_input_ids", io.step_input_ids, io.n, io.draft_width);
  checks.entries("step_output_ids", io.step_output_ids, io.n, io.draft_width);
  checks.entries("step_output_len", io.step_output_len, io.n);
  checks.entries("stop_flags", io.stop_flags, io.n);
  checks.entries("seq_lens_this_time", io.seq_lens_this_time, io.n);
  checks.entries("is_paused", io.is_paused, io.n);
  checks.entries("token_ids_all", io.token_ids_all, io.n, io.max_model_len);
  checks.entries("prompt_lens", io.prompt_lens, io.n);
  checks.entries("step_idx", io.step_idx, io.n);
  checks.entries("max_dec_len", io.max_dec_len, io.n);
}

/// Walks the emitted tokens, cuts them where the slot ends; whether it ended.
bool count_tokens(const UnifiedUpdateModelStatus& io, std::int32_t i) {
  const std::int32_t emitted = at(io.step_output_len, i);
  for (std::int32_t x = 0; x < emitted; ++x) {
    std::int64_t& token = cell(io.step_output_ids, i, io.draft_width, x);
    const bool is_end = detail::contains(io.end_tokens, token);
    const bool at_limit = ++at(io.step_idx, i) >= at(io.max_dec_len, i);
    if (!is_end && !at_limit) continue;
    if (!is_end) token = at(io.end_tokens, 0);
    at(io.step_output_len, i) = x + 1;
    return true;
  }
  return false;
}

void write_history(const UnifiedUpdateModelStatus& io, std::int32_t i) {
  const std::int32_t emitted = at(io.step_output_len, i);
  const std::int64_t last = at(io.prompt_lens, i) + at(io.step_idx, i);
  if (last >= io.max_model_len) return;
  for (std::int32_t x = 0; x < emitted; ++x) {
    cell(io.token_ids_all, i, io.max_model_len, last - emitted + x) =
        cell(io.step_output_ids, i, io.draft_width, x);
  }
}

void update_running(const UnifiedUpdateModelStatus& io, std::int32_t i) {
  const bool ended = count_tokens(io, i);
  const std::int32_t emitted = at(io.step_output_len, i);
  std::int32_t& e = at(io.seq_lens_encoder, i);
  std::int32_t& d = at(io.seq_lens_decoder, i);
  if (e > 0) {
    d = narrow(std::int64_t{d} + e);
    e = 0;
  } else if (d > 0) {
    d = narrow(std::int64_t{d} + emitted);
  }
  if (ended) at(io.stop_flags, i) = 1;
  if (emitted == 0) return;
  write_history(io, i);
  cell(io.step_input_ids, i, io.draft_width, 0) =
      cell(io.step_output_ids, i, io.draft_width, emitted - 1);
}

void clear_stopped(const UnifiedUpdateModelStatus& io, std::int32_t i) {
  at(io.stop_flags, i) = 1;
  at(io.seq_lens_encoder, i) = 0;
  at(io.seq_lens_decoder, i) = 0;
  at(io.seq_lens_this_time, i) = 0;
  at(io.step_output_len, i) = 0;
}

}  // namespace

Status check_unified_update_model_status(const UnifiedUpdateModelStatus& io) {
  detail::Checks checks("unified_update_model_status");
  check_sizes(io, checks);
  for (std::int32_t i = 0; checks.ok() && i < io.n; ++i) {
    if (!runs(io, i)) continue;
    const std::int32_t a = at(io.step_output_len, i);
    checks.value("step_output_len", i, a, 0, io.draft_width);
    if (a > 0) {
      checks.attr("entries of end_tokens", static_cast<std::int64_t>(io.end_tokens.size()), 1);
    }
    // p + g >= 0 before the step puts every history cell of the step behind the row's start.
    const std::int64_t g = at(io.step_idx, i);
    checks.value("step_idx", i, g, -detail::kCounterMax, detail::kCounterMax);
    if (checks.ok()) checks.value("prompt_lens", i, at(io.prompt_lens, i), -g, detail::kCounterMax);
  }
  return checks.status();
}

void unified_update_model_status_reference(const UnifiedUpdateModelStatus& io) {
  detail::require(check_unified_update_model_status(io));
  bool any_running = false;
  for (std::int32_t i = 0; i < io.n; ++i) {
    if (runs(io, i)) {
      update_running(io, i);
      any_running = any_running || at(io.stop_flags, i) == 0;
    } else {
      clear_stopped(io, i);
    }
  }
  at(io.has_running_seqs, 0) = any_running ? 1 : 0;
}

}  // namespace tandem::kernels
