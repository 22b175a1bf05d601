// get_padding_offset: packs prompt chunks into the row axis, without drafts (law 2.4.2, 4.7).
#pragma once

#include "kernels/conventions.hpp"

namespace tandem::kernels {

/// Row cu_seqlens_q[i] + j (j < q_i) belongs to slot i and holds input_ids_i[j]. Rows T..N-1 are
/// padding: batch id -1, id padding_id. cu_seqlens_k grows by q_i + d_i if use_seq_lens_decoder,
/// else by q_i.
///
/// Guarded as speculate_pre_process is: no row at or beyond N is written, the sums keep their true
/// values. A slot with q_i = 0 adds its d_i like any other (the law does not pin that case).
/// Wants: 0 <= q_i <= L, d_i >= 0, sums below 2^31. n = 0: cu_*[0] = 0.
struct GetPaddingOffset {
  std::int32_t n = 0;
  std::int32_t token_num = 0;                   ///< N, >= 0
  std::int32_t input_ids_width = 0;             ///< L
  std::int64_t padding_id = kDefaultPaddingId;  ///< >= 0
  bool use_seq_lens_decoder = false;            ///< whether seq_lens_decoder is given

  std::span<const std::int64_t> input_ids;           ///< [n, L]
  std::span<const std::int32_t> seq_lens_this_time;  ///< [n] q
  std::span<const std::int32_t> seq_lens_decoder{};  ///< [n] d, optional: see above

  std::span<std::int64_t> x_remove_padding;    ///< [N] out
  std::span<std::int32_t> batch_id_per_token;  ///< [N] out
  std::span<std::int32_t> cu_seqlens_q;        ///< [n + 1] out
  std::span<std::int32_t> cu_seqlens_k;        ///< [n + 1] out
};

[[nodiscard]] Status check_get_padding_offset(const GetPaddingOffset& io);
void get_padding_offset_reference(const GetPaddingOffset& io);

}  // namespace tandem::kernels
