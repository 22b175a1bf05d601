// Host reference of draft_model_preprocess.
#include "kernels/detail/reference.hpp"
#include "kernels/draft_model_preprocess.hpp"

namespace tandem::kernels {
namespace {

using detail::at;
using detail::cell;
using detail::narrow;

bool is_skipped(const DraftModelPreprocess& io, std::int32_t i) {
  if (at(io.base_model_stop_flags, i) != 0) return true;
  if (io.splitwise_prefill) return false;
  return at(io.base_model_step_idx, i) + io.num_model_step >= at(io.max_dec_len, i);
}

void check_sizes(const DraftModelPreprocess& io, detail::Checks& checks) {
  checks.attr("n", io.n, 0);
  checks.attr("num_model_step", io.num_model_step, 0);
  checks.attr("draft_width", io.draft_width, 1);
  checks.attr("input_ids_width", io.input_ids_width, 0);
  checks.attr("pre_ids_width", io.pre_ids_width, 0);
  checks.entries("draft_tokens", io.draft_tokens, io.n, io.draft_width);
  checks.entries("input_ids", io.input_ids, io.n, io.input_ids_width);
  checks.entries("stop_flags", io.stop_flags, io.n);
  checks.entries("seq_lens_this_time", io.seq_lens_this_time, io.n);
  checks.entries("seq_lens_encoder", io.seq_lens_encoder, io.n);
  checks.entries("seq_lens_decoder", io.seq_lens_decoder, io.n);
  checks.entries("step_idx", io.step_idx, io.n);
  checks.entries("not_need_stop", io.not_need_stop, 1);
  checks.entries("pre_ids", io.pre_ids, io.n, io.pre_ids_width);
  checks.entries("accept_tokens", io.accept_tokens, io.n, io.draft_width);
  checks.entries("accept_num", io.accept_num, io.n);
  checks.entries("base_model_seq_lens_decoder", io.base_model_seq_lens_decoder, io.n);
  checks.entries("base_model_step_idx", io.base_model_step_idx, io.n);
  checks.entries("base_model_stop_flags", io.base_model_stop_flags, io.n);
  checks.entries("base_model_draft_tokens", io.base_model_draft_tokens, io.n, io.draft_width);
  checks.entries("max_dec_len", io.max_dec_len, io.n);
}

void check_drafted(const DraftModelPreprocess& io, std::int32_t i, detail::Checks& checks) {
  if (at(io.seq_lens_encoder, i) > 0) {
    checks.attr("pre_ids_width", io.pre_ids_width, 1);
    checks.value("seq_lens_encoder", i, at(io.seq_lens_encoder, i), 1, io.input_ids_width);
    return;
  }
  const std::int32_t a = at(io.accept_num, i);
  checks.value("accept_num", i, a, 0, io.draft_width);
  if (a == 0) return;
  checks.value("base_model_step_idx", i, at(io.base_model_step_idx, i), a, io.pre_ids_width);
}

void skip(const DraftModelPreprocess& io, std::int32_t i) {
  at(io.stop_flags, i) = 1;
  at(io.seq_lens_this_time, i) = 0;
  at(io.seq_lens_decoder, i) = 0;
  at(io.seq_lens_encoder, i) = 0;
  at(io.step_idx, i) = 0;
}

void start_prefill(const DraftModelPreprocess& io, std::int32_t i) {
  const std::int64_t first = cell(io.accept_tokens, i, io.draft_width, 0);
  const std::int32_t e = at(io.seq_lens_encoder, i);
  cell(io.pre_ids, i, io.pre_ids_width, 0) = first;
  cell(io.input_ids, i, io.input_ids_width, e - 1) = first;
  at(io.seq_lens_this_time, i) = e;
  at(io.step_idx, i) = at(io.base_model_step_idx, i) - 1;
}

void start_decode(const DraftModelPreprocess& io, std::int32_t i) {
  const std::int32_t a = at(io.accept_num, i);
  const std::int64_t generated = at(io.base_model_step_idx, i) - a;
  at(io.seq_lens_decoder, i) = narrow(std::int64_t{at(io.base_model_seq_lens_decoder, i)} - a);
  at(io.step_idx, i) = generated;
  at(io.seq_lens_this_time, i) = a;
  for (std::int32_t x = 0; x < a; ++x) {
    const std::int64_t token = cell(io.accept_tokens, i, io.draft_width, x);
    cell(io.draft_tokens, i, io.draft_width, x) = token;
    cell(io.pre_ids, i, io.pre_ids_width, generated + x) = token;
  }
}

}  // namespace

Status check_draft_model_preprocess(const DraftModelPreprocess& io) {
  detail::Checks checks("draft_model_preprocess");
  check_sizes(io, checks);
  for (std::int32_t i = 0; checks.ok() && i < io.n; ++i) {
    if (at(io.base_model_stop_flags, i) != 0) continue;
    checks.value("base_model_step_idx", i, at(io.base_model_step_idx, i), -detail::kCounterMax,
                 detail::kCounterMax);
    if (checks.ok() && !is_skipped(io, i)) check_drafted(io, i, checks);
  }
  return checks.status();
}

void draft_model_preprocess_reference(const DraftModelPreprocess& io) {
  detail::require(check_draft_model_preprocess(io));
  bool any_drafted = false;
  for (std::int32_t i = 0; i < io.n; ++i) {
    for (std::int32_t x = 1; x < io.draft_width; ++x) {
      cell(io.base_model_draft_tokens, i, io.draft_width, x) = kNoToken;
    }
    if (is_skipped(io, i)) {
      skip(io, i);
      continue;
    }
    any_drafted = true;
    at(io.stop_flags, i) = 0;
    if (at(io.seq_lens_encoder, i) > 0) {
      start_prefill(io, i);
    } else {
      start_decode(io, i);
    }
  }
  at(io.not_need_stop, 0) = any_drafted ? 1 : 0;
}

}  // namespace tandem::kernels
