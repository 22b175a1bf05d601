// eagle_get_hidden_states: the target's hidden rows that the MTP head reads first (law 5.9).
#pragma once

#include "kernels/conventions.hpp"

namespace tandem::kernels {

/// Each slot i < n, in slot order, owns `in` rows of input and gets `out` rows of out, (in, out)
/// being (eδ, eδ) if eδ > 0; (q, 0) if q != 0 and qδ = 0; (0, 0) if both are 0; else (q, a):
/// its first a rows. q is base_model_seq_lens_this_time: what the main forward ran with.
/// output_token_num = sum of out.
/// [REC] q = 0 with qδ != 0 (illegal, law 9.2): the count advances by a and no row is written.
///
/// Rows are bytes: a row is row_bytes of anything. input has input_rows rows and so has out; rows
/// of out that no slot gets keep their value (undefined tail).
/// [REC] Guarded form: a row whose source or destination is at or beyond input_rows is not copied
/// (the peer reads out of bounds); the count keeps its true value.
/// Wants: eδ, q, a of slots with rows >= 0; sums below 2^31.
struct EagleGetHiddenStates {
  std::int32_t n = 0;
  std::int32_t input_rows = 0;  ///< N, rows of input and of out
  std::int64_t row_bytes = 0;   ///< >= 0

  std::span<const std::byte> input;                             ///< [N] rows
  std::span<const std::int32_t> seq_lens_this_time;             ///< [n] qδ
  std::span<const std::int32_t> seq_lens_encoder;               ///< [n] eδ
  std::span<const std::int32_t> accept_nums;                    ///< [n] a
  std::span<const std::int32_t> base_model_seq_lens_this_time;  ///< [n] q

  std::span<std::byte> out;                  ///< [N] rows, the first output_token_num out
  std::span<std::int32_t> output_token_num;  ///< [1] out
};

[[nodiscard]] Status check_eagle_get_hidden_states(const EagleGetHiddenStates& io);
void eagle_get_hidden_states_reference(const EagleGetHiddenStates& io);

}  // namespace tandem::kernels
