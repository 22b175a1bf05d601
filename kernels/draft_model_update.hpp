// draft_model_update: takes one token a slot from an MTP sub-step (law 5.12).
#pragma once

#include "kernels/conventions.hpp"

namespace tandem::kernels {

/// The y-th slot i < n with qδ_i > 0 takes tok = inter_next_tokens[y] (compact); others are not
/// touched.
///  - not sδ, eδ > 0: dδ += eδ, eδ = 0, pre_ids[1] = tok, gδ += 1, Dδ[0] = tok; if gδ <
///    max_dec_len (after the increment): D_i[substep + 1] = tok; qδ = 1;
///  - not sδ, dδ > 0: if gδ >= max_dec_len - 1 the draft is frozen: D_i[substep + 1] = -1 and
///    the same position is computed again; else dδ += qδ, Dδ[0] = D_i[substep + 1] = tok, gδ +=
///    qδ, pre_ids[gδ] = tok; qδ = 1;
///  - not sδ, eδ <= 0, dδ <= 0: qδ = 1 only;
///  - sδ: Dδ[0] = D_i[substep + 1] = -1, qδ = eδ = 0.
/// There is no end token test: drafting goes on behind one, verify cuts there. sδ never changes.
///
/// not_need_stop = some slot had qδ > 0 and not sδ, i.e. slots without rows count as stopped.
/// (The law leaves that open and nothing reads the value.)
/// Wants: as many next tokens as slots with qδ > 0; for those 0 <= substep, substep + 1 < W, P >=
/// 2 in the encoder case, 0 <= gδ + qδ < P where pre_ids is written.
struct DraftModelUpdate {
  std::int32_t n = 0;
  std::int32_t substep = 0;
  std::int32_t draft_width = 0;    ///< W, columns of draft_tokens and base_model_draft_tokens
  std::int32_t pre_ids_width = 0;  ///< P

  std::span<const std::int64_t> inter_next_tokens;  ///< [X], compact; surplus is not read
  std::span<std::int64_t> draft_tokens;             ///< [n, W] Dδ, column 0 out
  std::span<std::int64_t> pre_ids;                  ///< [n, P] out in part
  std::span<std::int32_t> seq_lens_this_time;       ///< [n] qδ, io
  std::span<std::int32_t> seq_lens_encoder;         ///< [n] eδ, io
  std::span<std::int32_t> seq_lens_decoder;         ///< [n] dδ, io
  std::span<std::int64_t> step_idx;                 ///< [n] gδ, io
  std::span<const std::uint8_t> stop_flags;         ///< [n] sδ
  std::span<std::uint8_t> not_need_stop;            ///< [1] out
  std::span<const std::int64_t> max_dec_len;        ///< [n]
  std::span<std::int64_t> base_model_draft_tokens;  ///< [n, W] D, column substep + 1 out
};

[[nodiscard]] Status check_draft_model_update(const DraftModelUpdate& io);
void draft_model_update_reference(const DraftModelUpdate& io);

}  // namespace tandem::kernels
