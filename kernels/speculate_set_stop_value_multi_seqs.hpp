// speculate_set_stop_value_multi_seqs: stop sequences inside a step's tokens (law 5.6).
#pragma once

#include "kernels/conventions.hpp"

namespace tandem::kernels {

/// For each slot that is not stopped and each of its stop sequences of length L > 0, in index order
/// [REC], if g_i + a_i >= min_tokens_i: for x = -1 .. a_i - 2 (only -1 when a_i = 0), does the
/// sequence end at the token before index x + 1 of A_i? That needs g_i + x + 1 >= L; tokens with an
/// index < 0 are history: the token at index y < 0 is token_ids_all[i, p_i + g_i + y]. On the first
/// match a_i = x + 2 and A_i[x + 1] = end_ids[0], and the slot's next sequence sees the new a_i and
/// A_i (the peer's kernel races there). s_i is left to unified_update, which runs next; g_i is
/// still the value before the step.
///
/// Wants, of slots with a sequence that is tried: 0 <= a_i <= W, W >= 1, p_i >= 0, g_i >= 0,
/// p_i + g_i <= max_model_len, L <= stop_seqs_width; at least one end id.
struct SpeculateSetStopValueMultiSeqs {
  std::int32_t slot_count = 0;       ///< B; all are looked at
  std::int32_t draft_width = 0;      ///< W, columns of accept_tokens
  std::int32_t max_model_len = 0;    ///< columns of token_ids_all
  std::int32_t stop_seqs_count = 0;  ///< S, sequences a slot
  std::int32_t stop_seqs_width = 0;  ///< longest sequence that fits

  std::span<std::int64_t> accept_tokens;        ///< [B, W] A, out at a match
  std::span<std::int32_t> accept_num;           ///< [B] a, io
  std::span<const std::int64_t> token_ids_all;  ///< [B, max_model_len]
  std::span<const std::int64_t> prompt_lens;    ///< [B] p
  std::span<const std::int64_t> step_idx;       ///< [B] g
  std::span<const std::uint8_t> stop_flags;     ///< [B] s
  std::span<const std::int64_t> stop_seqs;      ///< [B, S, stop_seqs_width]
  std::span<const std::int32_t> stop_seqs_len;  ///< [B, S], <= 0 = off
  std::span<const std::int64_t> end_ids;        ///< [E], the first is used
  std::span<const std::int64_t> min_tokens;     ///< [B]
};

[[nodiscard]] Status check_speculate_set_stop_value_multi_seqs(
    const SpeculateSetStopValueMultiSeqs& io);
void speculate_set_stop_value_multi_seqs_reference(const SpeculateSetStopValueMultiSeqs& io);

}  // namespace tandem::kernels
