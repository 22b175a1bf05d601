// Host reference of verify_draft_tokens.
#include <algorithm>

#include "kernels/detail/reference.hpp"
#include "kernels/verify_draft_tokens.hpp"

namespace tandem::kernels {
namespace {

using detail::at;
using detail::cell;

bool runs(const VerifyDraftTokens& io, std::int32_t i) {
  return at(io.stop_flags, i) == 0 && at(io.is_block_step, i) == 0;
}

bool is_scanned(const VerifyDraftTokens& io, std::int32_t i) {
  return !io.reject_all && at(io.seq_lens_encoder, i) == 0 && at(io.reasoning_status, i) != 1;
}

void check_sizes(const VerifyDraftTokens& io, detail::Checks& checks) {
  checks.attr("n", io.n, 0);
  checks.attr("slot_count", io.slot_count, io.n);
  checks.attr("draft_width", io.draft_width, 0);
  checks.attr("row_count", io.row_count, 0);
  checks.attr("verify_window", io.verify_window, 0);
  checks.attr("verify_strategy", static_cast<std::int32_t>(io.verify_strategy), 0, 2);
  checks.entries("step_output_ids", io.step_output_ids, io.slot_count, io.draft_width);
  checks.entries("step_output_len", io.step_output_len, io.slot_count);
  checks.entries("step_input_ids", io.step_input_ids, io.n, io.draft_width);
  if (io.verify_strategy == VerifyStrategy::kTopP) {
    checks.attr("candidate_width", io.candidate_width, 0);
    checks.entries("candidate_ids", io.candidate_ids, io.row_count, io.candidate_width);
    checks.entries("candidate_lens", io.candidate_lens, io.row_count);
    if (!io.sampled_tokens.empty()) {
      checks.entries("sampled_tokens", io.sampled_tokens, io.row_count);
    }
  } else {
    checks.entries("target_tokens", io.target_tokens, io.row_count);
  }
  checks.entries("stop_flags", io.stop_flags, io.n);
  checks.entries("seq_lens_encoder", io.seq_lens_encoder, io.n);
  checks.entries("seq_lens_this_time", io.seq_lens_this_time, io.n);
  checks.entries("is_block_step", io.is_block_step, io.n);
  checks.entries("cu_seqlens_q_output", io.cu_seqlens_q_output, io.n);
  checks.entries("reasoning_status", io.reasoning_status, io.n);
  checks.entries("max_dec_len", io.max_dec_len, io.n);
  checks.entries("step_idx", io.step_idx, io.n);
}

/// How many drafts are accepted at once from position x on: 0, 1 or a whole window run.
std::int32_t accepted_at(const VerifyDraftTokens& io, std::int32_t i, std::int32_t x) {
  const std::int64_t row = std::int64_t{at(io.cu_seqlens_q_output, i)} + x;
  const std::int64_t draft = cell(io.step_input_ids, i, io.draft_width, x + 1);
  if (io.accept_all) return 1;
  if (io.verify_strategy != VerifyStrategy::kTopP) return at(io.target_tokens, row) == draft;

  const auto candidates = detail::row_of(io.candidate_ids, row, io.candidate_width);
  const std::int32_t count = std::min(at(io.candidate_lens, row), io.candidate_width);
  if (detail::contains(candidates.first(static_cast<std::size_t>(count)), draft)) return 1;
  if (io.candidate_width < 2 || candidates[1] != draft) return 0;
  const std::int32_t drafts_behind = at(io.seq_lens_this_time, i) - 2 - x;
  if (drafts_behind < io.verify_window) return 0;
  for (std::int32_t k = 1; k <= io.verify_window; ++k) {
    const std::int64_t next = cell(io.step_input_ids, i, io.draft_width, x + k + 1);
    if (cell(io.candidate_ids, row + k, io.candidate_width, 0) != next) return 0;
  }
  return 1 + io.verify_window;
}

/// Writes token number x of the slot; whether it ends the slot.
bool emit(const VerifyDraftTokens& io, std::int32_t i, std::int32_t x, std::int64_t token) {
  const bool is_end = detail::contains(io.end_tokens, token);
  const bool at_limit = at(io.step_idx, i) + x + 1 >= at(io.max_dec_len, i);
  cell(io.step_output_ids, i, io.draft_width, x) =
      at_limit && !is_end ? at(io.end_tokens, 0) : token;
  return is_end || at_limit;
}

std::int64_t own_token(const VerifyDraftTokens& io, std::int64_t row) {
  if (io.verify_strategy != VerifyStrategy::kTopP) return at(io.target_tokens, row);
  if (!io.sampled_tokens.empty()) return at(io.sampled_tokens, row);
  return cell(io.candidate_ids, row, io.candidate_width, 0);
}

/// a_i of a running slot.
std::int32_t verify_slot(const VerifyDraftTokens& io, std::int32_t i) {
  std::int32_t x = 0;
  if (is_scanned(io, i)) {
    while (x < at(io.seq_lens_this_time, i) - 1) {
      const std::int32_t accepted = accepted_at(io, i, x);
      if (accepted == 0) break;
      for (const std::int32_t end = x + accepted; x < end; ++x) {
        const bool ended = emit(io, i, x, cell(io.step_input_ids, i, io.draft_width, x + 1));
        if (ended) return x + 2;  // with the bonus token that is not emitted
      }
    }
  }
  emit(io, i, x, own_token(io, std::int64_t{at(io.cu_seqlens_q_output, i)} + x));
  return x + 1;
}

}  // namespace

Status check_verify_draft_tokens(const VerifyDraftTokens& io) {
  detail::Checks checks("verify_draft_tokens");
  check_sizes(io, checks);
  for (std::int32_t i = 0; checks.ok() && i < io.n; ++i) {
    if (!runs(io, i)) continue;
    const bool top_p = io.verify_strategy == VerifyStrategy::kTopP;
    checks.attr("draft_width", io.draft_width, 1);
    if (top_p) checks.attr("candidate_width", io.candidate_width, 1);
    checks.attr("entries of end_tokens", static_cast<std::int64_t>(io.end_tokens.size()), 1);
    checks.value("step_idx", i, at(io.step_idx, i), -detail::kCounterMax, detail::kCounterMax);
    const std::int32_t q = at(io.seq_lens_this_time, i);
    const bool scanned = is_scanned(io, i);
    checks.value("seq_lens_this_time", i, q, 0, scanned ? io.draft_width : detail::kInt32Max);
    const std::int64_t rows = scanned ? std::max(q, 1) : 1;
    const std::int64_t first = at(io.cu_seqlens_q_output, i);
    if (first < 0 || first + rows > io.row_count) {
      checks.fail("cu_seqlens_q_output[" + std::to_string(i) + "]",
                  "got rows " + std::to_string(first) + ".." + std::to_string(first + rows - 1),
                  "rows in [0, " + std::to_string(io.row_count) + ")");
    }
    for (std::int64_t row = first; top_p && checks.ok() && row < first + rows; ++row) {
      checks.value("candidate_lens", row, at(io.candidate_lens, row), 0, detail::kInt32Max);
    }
  }
  return checks.status();
}

void verify_draft_tokens_reference(const VerifyDraftTokens& io) {
  detail::require(check_verify_draft_tokens(io));
  for (std::int32_t i = 0; i < io.slot_count; ++i) at(io.step_output_len, i) = 0;
  for (std::int32_t i = 0; i < io.n; ++i) {
    if (runs(io, i)) at(io.step_output_len, i) = verify_slot(io, i);
  }
}

}  // namespace tandem::kernels
