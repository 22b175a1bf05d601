// speculate_get_output_padding_offset: the legacy index of output rows (law 5.2).
#pragma once

#include "kernels/conventions.hpp"

namespace tandem::kernels {

/// The older encoding of what speculate_pre_process gives as batch ids and cumulative lengths.
///
/// output_cum_offsets_tmp[i] = sum over j <= i of (max_seq_len - o_j). output_cum_offsets is the
/// same sum over j < i. Output row x, the j-th of slot i, gets output_padding_offset[x] =
/// output_cum_offsets[i]; so its slot is (x + output_padding_offset[x]) div max_seq_len. A slot's
/// rows start at i * max_seq_len - output_cum_offsets[i].
///
/// Wants: o_i >= 0; every row of a slot lies in [0, R), R = out_token_num.
struct SpeculateGetOutputPaddingOffset {
  std::int32_t n = 0;
  std::int32_t max_seq_len = 0;

  std::span<const std::int32_t> output_cum_offsets_tmp;  ///< [n]
  std::span<const std::int32_t> out_token_num;           ///< [1] R
  std::span<const std::int32_t> seq_lens_output;         ///< [n] o

  std::span<std::int32_t> output_padding_offset;  ///< [R] out
  std::span<std::int32_t> output_cum_offsets;     ///< [n] out
};

[[nodiscard]] Status check_speculate_get_output_padding_offset(
    const SpeculateGetOutputPaddingOffset& io);
void speculate_get_output_padding_offset_reference(const SpeculateGetOutputPaddingOffset& io);

}  // namespace tandem::kernels
