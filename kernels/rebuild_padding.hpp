// rebuild_padding: picks the hidden rows that need logits (law 5.3).
#pragma once

#include "kernels/conventions.hpp"

namespace tandem::kernels {

enum class RebuildForm : std::int32_t {
  kSpeculative = 0,  ///< one row of out for each output row
  kPlain = 1,        ///< one row of out for each slot
};

/// kSpeculative: for x < output_rows, i = batch_id_per_token_output[x]; out row x is input row
/// cu_seqlens_q[i] + (e_i > 0 ? e_i - 1 : x - cu_seqlens_q_output[i]). Left as it is if i < 0, q_i
/// = 0, or d_i = 0 and e_i = 0.
/// kPlain: for i < n, out row i is input row cu_seqlens_q[i] + (e_i > 0 ? e_i - 1 : 0); zero if q_i
/// = 0, or d_i = 0 and e_i = 0. Rows are bytes.
///
/// [REC] Guarded: a source row outside [0, input_rows) is not copied (kSpeculative: the row keeps
/// its value;
/// kPlain: zero), as happens when the step was launched with fewer rows than it needs.
/// Wants: batch ids below n.
struct RebuildPadding {
  RebuildForm form = RebuildForm::kSpeculative;
  std::int32_t n = 0;
  std::int32_t input_rows = 0;   ///< N, rows of tmp_out
  std::int32_t output_rows = 0;  ///< R or more, rows of out; kSpeculative only (kPlain: n)
  std::int64_t row_bytes = 0;    ///< >= 0

  std::span<const std::byte> tmp_out;                         ///< [N] rows: the hidden states
  std::span<const std::int32_t> cu_seqlens_q;                 ///< [n], the vectors give n + 1
  std::span<const std::int32_t> seq_len_this_time;            ///< [n] q
  std::span<const std::int32_t> seq_lens_decoder;             ///< [n] d
  std::span<const std::int32_t> seq_lens_encoder;             ///< [n] e
  std::span<const std::int32_t> batch_id_per_token_output{};  ///< [R]; kSpeculative only
  std::span<const std::int32_t> cu_seqlens_q_output{};        ///< [n]; kSpeculative only

  std::span<std::byte> out;  ///< [R] or [n] rows, out
};

[[nodiscard]] Status check_rebuild_padding(const RebuildPadding& io);
void rebuild_padding_reference(const RebuildPadding& io);

}  // namespace tandem::kernels
