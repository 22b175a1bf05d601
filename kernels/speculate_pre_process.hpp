// speculate_pre_process: packs the input rows of a step and indexes its output rows (law 5.2).
#pragma once

#include "kernels/conventions.hpp"

namespace tandem::kernels {

/// Packs the slots' input tokens into the row axis and counts the rows that need logits.
///
/// T = sum of q_i. Row cu_seqlens_q[i] + j (j < q_i) belongs to slot i and holds D_i[j] if e_i <= 0
/// and W > 0, else input_ids_i[j]. o_i = 0 if q_i = 0; 1 if q_i = 1 or e_i != 0; else q_i. R = sum
/// of o_i. cu_seqlens_k equals cu_seqlens_q (law 2.4.2: unlike get_padding_offset).
///
/// [REC] Padding: rows T..N-1 get batch id -1 and padding_id. The peer's kernel leaves them as they
/// are.
/// [REC] Guarded form: rows at or beyond N are not written, where the peer's kernel writes out of
/// bounds when N < T. The cumulative arrays, batch_id_per_token_output and R keep their true
/// values, so that cu_seqlens_q[n] > N tells the reader that rows are missing. N = 0: the
/// cumulative arrays and R are written as always; no row is. n = 0: cu_*[0] = R = 0.
/// Wants: q_i >= 0; q_i <= the width of the row it is taken from; sums below 2^31.
struct SpeculatePreProcess {
  std::int32_t n = 0;
  std::int32_t token_num = 0;        ///< N, rows launched, >= 0
  std::int32_t input_ids_width = 0;  ///< L
  std::int32_t draft_width = 0;      ///< W, columns of draft_tokens; 0: every slot reads input_ids
  std::int64_t padding_id = kDefaultPaddingId;  ///< >= 0, a valid embedding index

  std::span<const std::int64_t> input_ids;           ///< [n, L] current chunk
  std::span<const std::int32_t> seq_lens_this_time;  ///< [n] q
  std::span<const std::int64_t> draft_tokens;        ///< [n, W] D
  std::span<const std::int32_t> seq_lens_encoder;    ///< [n] e
  std::span<const std::int32_t> seq_lens_decoder{};  ///< [n] d; not read, may be empty

  std::span<std::int64_t> ids_remove_padding;         ///< [N] out
  std::span<std::int32_t> batch_id_per_token;         ///< [N] out
  std::span<std::int32_t> cu_seqlens_q;               ///< [n + 1] out
  std::span<std::int32_t> cu_seqlens_k;               ///< [n + 1] out
  std::span<std::int32_t> cu_seqlens_q_output;        ///< [n + 1] out
  std::span<std::int32_t> batch_id_per_token_output;  ///< [R], n * W always suffices; [0, R) out
  std::span<std::int32_t> real_output_token_num;      ///< [1] out, R
};

[[nodiscard]] Status check_speculate_pre_process(const SpeculatePreProcess& io);
void speculate_pre_process_reference(const SpeculatePreProcess& io);

}  // namespace tandem::kernels
