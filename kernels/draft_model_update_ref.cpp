// Host reference of draft_model_update.
#include "kernels/detail/reference.hpp"
#include "kernels/draft_model_update.hpp"

namespace tandem::kernels {
namespace {

using detail::at;
using detail::cell;
using detail::narrow;

void check_sizes(const DraftModelUpdate& io, detail::Checks& checks) {
  checks.attr("n", io.n, 0);
  checks.attr("draft_width", io.draft_width, 0);
  checks.attr("substep", io.substep, 0);
  checks.attr("pre_ids_width", io.pre_ids_width, 0);
  checks.entries("draft_tokens", io.draft_tokens, io.n, io.draft_width);
  checks.entries("pre_ids", io.pre_ids, io.n, io.pre_ids_width);
  checks.entries("seq_lens_this_time", io.seq_lens_this_time, io.n);
  checks.entries("seq_lens_encoder", io.seq_lens_encoder, io.n);
  checks.entries("seq_lens_decoder", io.seq_lens_decoder, io.n);
  checks.entries("step_idx", io.step_idx, io.n);
  checks.entries("stop_flags", io.stop_flags, io.n);
  checks.entries("not_need_stop", io.not_need_stop, 1);
  checks.entries("max_dec_len", io.max_dec_len, io.n);
  checks.entries("base_model_draft_tokens", io.base_model_draft_tokens, io.n, io.draft_width);
}

/// No room for one more token behind this one: the slot stays where it is.
bool is_frozen(const DraftModelUpdate& io, std::int32_t i) {
  return at(io.step_idx, i) + 1 >= at(io.max_dec_len, i);
}

void after_prefill(const DraftModelUpdate& io, std::int32_t i, std::int64_t token) {
  std::int32_t& e = at(io.seq_lens_encoder, i);
  std::int32_t& d = at(io.seq_lens_decoder, i);
  d = narrow(std::int64_t{d} + e);
  e = 0;
  cell(io.pre_ids, i, io.pre_ids_width, 1) = token;
  at(io.step_idx, i) += 1;
  cell(io.draft_tokens, i, io.draft_width, 0) = token;
  if (at(io.step_idx, i) < at(io.max_dec_len, i)) {
    cell(io.base_model_draft_tokens, i, io.draft_width, io.substep + 1) = token;
  }
}

void after_decode(const DraftModelUpdate& io, std::int32_t i, std::int64_t token) {
  std::int64_t& draft = cell(io.base_model_draft_tokens, i, io.draft_width, io.substep + 1);
  if (is_frozen(io, i)) {
    draft = kNoToken;
    return;
  }
  const std::int32_t q = at(io.seq_lens_this_time, i);
  std::int32_t& d = at(io.seq_lens_decoder, i);
  d = narrow(std::int64_t{d} + q);
  cell(io.draft_tokens, i, io.draft_width, 0) = token;
  draft = token;
  at(io.step_idx, i) += q;
  cell(io.pre_ids, i, io.pre_ids_width, at(io.step_idx, i)) = token;
}

void drop_stopped(const DraftModelUpdate& io, std::int32_t i) {
  cell(io.draft_tokens, i, io.draft_width, 0) = kNoToken;
  cell(io.base_model_draft_tokens, i, io.draft_width, io.substep + 1) = kNoToken;
  at(io.seq_lens_this_time, i) = 0;
  at(io.seq_lens_encoder, i) = 0;
}

void check_slot(const DraftModelUpdate& io, std::int32_t i, detail::Checks& checks) {
  checks.attr("substep", io.substep, 0, io.draft_width - 2);
  if (at(io.stop_flags, i) != 0) return;
  const std::int64_t g = at(io.step_idx, i);
  checks.value("step_idx", i, g, -detail::kCounterMax, detail::kCounterMax);
  if (!checks.ok()) return;
  if (at(io.seq_lens_encoder, i) > 0) {
    checks.attr("pre_ids_width", io.pre_ids_width, 2);
  } else if (at(io.seq_lens_decoder, i) > 0 && !is_frozen(io, i)) {
    const std::int64_t q = at(io.seq_lens_this_time, i);
    checks.value("step_idx", i, g, -q, io.pre_ids_width - 1 - q);
  }
}

}  // namespace

Status check_draft_model_update(const DraftModelUpdate& io) {
  detail::Checks checks("draft_model_update");
  check_sizes(io, checks);
  std::int64_t slots_with_rows = 0;
  for (std::int32_t i = 0; checks.ok() && i < io.n; ++i) {
    if (at(io.seq_lens_this_time, i) <= 0) continue;
    ++slots_with_rows;
    check_slot(io, i, checks);
  }
  if (checks.ok()) checks.entries("inter_next_tokens", io.inter_next_tokens, slots_with_rows);
  return checks.status();
}

void draft_model_update_reference(const DraftModelUpdate& io) {
  detail::require(check_draft_model_update(io));
  std::int64_t next = 0;
  bool any_running = false;
  for (std::int32_t i = 0; i < io.n; ++i) {
    if (at(io.seq_lens_this_time, i) <= 0) continue;
    const std::int64_t token = at(io.inter_next_tokens, next++);
    if (at(io.stop_flags, i) != 0) {
      drop_stopped(io, i);
      continue;
    }
    any_running = true;
    if (at(io.seq_lens_encoder, i) > 0) {
      after_prefill(io, i, token);
    } else if (at(io.seq_lens_decoder, i) > 0) {
      after_decode(io, i, token);
    }
    at(io.seq_lens_this_time, i) = 1;
  }
  at(io.not_need_stop, 0) = any_running ? 1 : 0;
}

}  // namespace tandem::kernels
