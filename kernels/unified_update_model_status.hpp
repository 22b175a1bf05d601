// unified_update_model_status: commits the tokens of a step to the slots' state (law 5.7).
#pragma once

#include "kernels/conventions.hpp"

namespace tandem::kernels {

/// For each slot i < n that runs (neither s_i nor b_i):
///  - walks A_i[0..a_i): g_i grows by one a token; the first one that is an end token or brings g_i
///    to max_dec_len_i ends the slot: it becomes end_tokens[0] unless it is an end token, a_i is
///    cut behind it, s_i is set (d_i stays: the output needs it; the next step clears it);
///  - e_i > 0: d_i += e_i, e_i = 0 (a_i is not added); else if d_i > 0: d_i += a_i (after the cut);
///  - if a_i > 0 and p_i + g_i < max_model_len: token_ids_all[i, p_i + g_i - a_i + x] = A_i[x], x <
///    a_i (all or nothing at the row's end);
///  - if a_i > 0: D_i[0] = A_i[a_i - 1].
/// A slot i < n that does not run: s_i = true, e = d = q = a = 0. Slots n..B-1 are not modified. q
/// of a running slot is not written. has_running_seqs = some slot i < n ran and was not ended here.
/// A slot that is stopped and one that is parked are treated alike. A middle chunk commits its
/// meaningless token like any other (the next insert overwrites it).
///
/// Follows the newest stored kernel; the peer's unit test mirrors an older one and differs.
/// Wants, of running slots: 0 <= a_i <= W, at least one end token; p_i + g_i - a_i >= 0 where it
/// writes.
struct UnifiedUpdateModelStatus {
  std::int32_t n = 0;
  std::int32_t draft_width = 0;    ///< W, columns of step_input_ids and step_output_ids
  std::int32_t max_model_len = 0;  ///< columns of token_ids_all

  std::span<std::int32_t> seq_lens_encoder;    ///< [n] e, io
  std::span<std::int32_t> seq_lens_decoder;    ///< [n] d, io
  std::span<std::uint8_t> has_running_seqs;    ///< [1] out
  std::span<std::int64_t> step_input_ids;      ///< [n, W] D, column 0 out
  std::span<std::int64_t> step_output_ids;     ///< [n, W] A, io
  std::span<std::int32_t> step_output_len;     ///< [n] a, io
  std::span<std::uint8_t> stop_flags;          ///< [n] s, io
  std::span<std::int32_t> seq_lens_this_time;  ///< [n] q, out (0) for slots that do not run
  std::span<const std::uint8_t> is_paused;     ///< [n] b
  std::span<std::int64_t> token_ids_all;       ///< [n, max_model_len] out in part
  std::span<const std::int64_t> prompt_lens;   ///< [n] p
  std::span<std::int64_t> step_idx;            ///< [n] g, io
  std::span<const std::int64_t> end_tokens;    ///< [E], all of it is read
  std::span<const std::int64_t> max_dec_len;   ///< [n]
};

[[nodiscard]] Status check_unified_update_model_status(const UnifiedUpdateModelStatus& io);
void unified_update_model_status_reference(const UnifiedUpdateModelStatus& io);

}  // namespace tandem::kernels
