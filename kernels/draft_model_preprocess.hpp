// draft_model_preprocess: rebuilds the MTP head's shadow state from the target's (law 5.8).
#pragma once

#include "kernels/conventions.hpp"

namespace tandem::kernels {

/// For each slot i < n: D_i[1..W) = -1. The slot is skipped if the target stopped, or, unless
/// splitwise_prefill, if g_i + num_model_step >= max_dec_len_i. With xδ the draft's state:
///  - skipped: sδ = true, qδ = dδ = eδ = gδ = 0;
///  - else sδ = false and, if eδ > 0 (prefill of any kind): pre_ids[0] = input_ids[eδ - 1] =
///    A_i[0], qδ = eδ, gδ = g_i - 1, dδ as inserted (a middle chunk too: the law infers no
///    special case);
///  - else: dδ = d_i - a_i, gδ = g_i - a_i, qδ = a_i, and for x < a_i Dδ[x] = A_i[x],
///    pre_ids[g_i - a_i + x] = A_i[x].
/// not_need_stop = some slot was not skipped. The target's state is what unified_update left.
///
/// The proposer calls it over all its slots (n = B). Splitwise: no test of the limit, and decode
/// slots are drafted (the peer's comment says otherwise, its code does this).
/// Wants, of slots that are not skipped: eδ <= L and P >= 1 if eδ > 0; else 0 <= a_i <= W, 0 <=
/// g_i - a_i, g_i <= P; W >= 1.
struct DraftModelPreprocess {
  std::int32_t n = 0;
  std::int32_t num_model_step = 0;   ///< M
  bool splitwise_prefill = false;    ///< this is a P node
  std::int32_t draft_width = 0;      ///< W, columns of all three draft and accept tensors
  std::int32_t input_ids_width = 0;  ///< L
  std::int32_t pre_ids_width = 0;    ///< P

  std::span<std::int64_t> draft_tokens;        ///< [n, W] Dδ, out in part
  std::span<std::int64_t> input_ids;           ///< [n, L] out in part
  std::span<std::uint8_t> stop_flags;          ///< [n] sδ, out
  std::span<std::int32_t> seq_lens_this_time;  ///< [n] qδ, out
  std::span<std::int32_t> seq_lens_encoder;    ///< [n] eδ, io
  std::span<std::int32_t> seq_lens_decoder;    ///< [n] dδ, out but for prefill slots
  std::span<std::int64_t> step_idx;            ///< [n] gδ, out
  std::span<std::uint8_t> not_need_stop;       ///< [1] out
  std::span<std::int64_t> pre_ids;             ///< [n, P] out in part

  std::span<const std::int64_t> accept_tokens;                ///< [n, W] A
  std::span<const std::int32_t> accept_num;                   ///< [n] a
  std::span<const std::int32_t> base_model_seq_lens_decoder;  ///< [n] d
  std::span<const std::int64_t> base_model_step_idx;          ///< [n] g
  std::span<const std::uint8_t> base_model_stop_flags;        ///< [n] s
  std::span<std::int64_t> base_model_draft_tokens;            ///< [n, W] D, columns >= 1 out
  std::span<const std::int64_t> max_dec_len;                  ///< [n]
};

[[nodiscard]] Status check_draft_model_preprocess(const DraftModelPreprocess& io);
void draft_model_preprocess_reference(const DraftModelPreprocess& io);

}  // namespace tandem::kernels
