// Host reference of speculate_set_stop_value_multi_seqs.
#include <algorithm>

#include "kernels/detail/reference.hpp"
#include "kernels/speculate_set_stop_value_multi_seqs.hpp"

namespace tandem::kernels {
namespace {

using detail::at;
using detail::cell;
using Io = SpeculateSetStopValueMultiSeqs;

std::int64_t sequence_index(const Io& io, std::int32_t i, std::int32_t s) {
  return std::int64_t{i} * io.stop_seqs_count + s;
}

/// Length of a sequence that is looked at, else 0.
std::int32_t length_to_try(const Io& io, std::int32_t i, std::int32_t s) {
  if (at(io.stop_flags, i) != 0) return 0;
  if (at(io.step_idx, i) + at(io.accept_num, i) < at(io.min_tokens, i)) return 0;
  return std::max(at(io.stop_seqs_len, sequence_index(io, i, s)), 0);
}

/// The token at position `index` of this step's tokens; an index below 0 is history.
std::int64_t token_at(const Io& io, std::int32_t i, std::int64_t index) {
  if (index >= 0) return cell(io.accept_tokens, i, io.draft_width, index);
  const std::int64_t position = at(io.prompt_lens, i) + at(io.step_idx, i) + index;
  return cell(io.token_ids_all, i, io.max_model_len, position);
}

bool ends_at(const Io& io, std::int32_t i, std::int32_t s, std::int32_t length, std::int32_t x) {
  if (at(io.step_idx, i) + x + 1 < length) return false;  // would reach into the prompt
  const std::int64_t sequence = sequence_index(io, i, s);
  for (std::int32_t back = 0; back < length; ++back) {
    const std::int64_t wanted = cell(io.stop_seqs, sequence, io.stop_seqs_width, length - 1 - back);
    if (token_at(io, i, std::int64_t{x} - back) != wanted) return false;
  }
  return true;
}

void try_sequence(const Io& io, std::int32_t i, std::int32_t s) {
  const std::int32_t length = length_to_try(io, i, s);
  if (length == 0) return;
  std::int32_t& emitted = at(io.accept_num, i);
  for (std::int32_t x = -1; x == -1 || x <= emitted - 2; ++x) {
    if (!ends_at(io, i, s, length, x)) continue;
    emitted = x + 2;
    cell(io.accept_tokens, i, io.draft_width, x + 1) = at(io.end_ids, 0);
    return;
  }
}

void check_sizes(const Io& io, detail::Checks& checks) {
  checks.attr("slot_count", io.slot_count, 0);
  checks.attr("draft_width", io.draft_width, 0);
  checks.attr("max_model_len", io.max_model_len, 0);
  checks.attr("stop_seqs_count", io.stop_seqs_count, 0);
  checks.attr("stop_seqs_width", io.stop_seqs_width, 0);
  const std::int64_t b = io.slot_count;
  const std::int64_t sequences = b * io.stop_seqs_count;
  checks.value("stop_seqs_len", 0, sequences, 0, detail::kInt32Max);
  checks.entries("accept_tokens", io.accept_tokens, b, io.draft_width);
  checks.entries("accept_num", io.accept_num, b);
  checks.entries("token_ids_all", io.token_ids_all, b, io.max_model_len);
  checks.entries("prompt_lens", io.prompt_lens, b);
  checks.entries("step_idx", io.step_idx, b);
  checks.entries("stop_flags", io.stop_flags, b);
  checks.entries("stop_seqs", io.stop_seqs, sequences, io.stop_seqs_width);
  checks.entries("stop_seqs_len", io.stop_seqs_len, sequences);
  checks.entries("min_tokens", io.min_tokens, b);
}

void check_sequence(const Io& io, std::int32_t i, std::int32_t s, detail::Checks& checks) {
  const std::int32_t length = at(io.stop_seqs_len, sequence_index(io, i, s));
  const std::int64_t g = at(io.step_idx, i);
  // A match can raise a_i from 0 to 1, so that a later sequence passes the min_tokens test.
  const std::int64_t emitted = std::max(at(io.accept_num, i), 1);
  if (length <= 0 || g + emitted < at(io.min_tokens, i)) return;
  checks.attr("draft_width", io.draft_width, 1);
  checks.attr("entries of end_ids", static_cast<std::int64_t>(io.end_ids.size()), 1);
  checks.value("stop_seqs_len", sequence_index(io, i, s), length, 0, io.stop_seqs_width);
  checks.value("accept_num", i, at(io.accept_num, i), 0, io.draft_width);
  checks.value("step_idx", i, g, 0, io.max_model_len);
  checks.value("prompt_lens", i, at(io.prompt_lens, i), 0, io.max_model_len - g);
}

}  // namespace

Status check_speculate_set_stop_value_multi_seqs(const Io& io) {
  detail::Checks checks("speculate_set_stop_value_multi_seqs");
  check_sizes(io, checks);
  for (std::int32_t i = 0; checks.ok() && i < io.slot_count; ++i) {
    if (at(io.stop_flags, i) != 0) continue;
    checks.value("step_idx", i, at(io.step_idx, i), -detail::kCounterMax, detail::kCounterMax);
    for (std::int32_t s = 0; checks.ok() && s < io.stop_seqs_count; ++s) {
      check_sequence(io, i, s, checks);
    }
  }
  return checks.status();
}

void speculate_set_stop_value_multi_seqs_reference(const Io& io) {
  detail::require(check_speculate_set_stop_value_multi_seqs(io));
  for (std::int32_t i = 0; i < io.slot_count; ++i) {
    for (std::int32_t s = 0; s < io.stop_seqs_count; ++s) try_sequence(io, i, s);
  }
}

}  // namespace tandem::kernels
