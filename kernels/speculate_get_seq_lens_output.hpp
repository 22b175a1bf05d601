// speculate_get_seq_lens_output: how many rows of a slot need logits (law 2.4.3).
#pragma once

#include "kernels/conventions.hpp"

namespace tandem::kernels {

/// o_i = 0 if q_i = 0; 1 if q_i = 1 or e_i != 0; else q_i. For i < n. No input can lead outside a
/// row.
struct SpeculateGetSeqLensOutput {
  std::int32_t n = 0;

  std::span<const std::int32_t> seq_lens_this_time;  ///< [n] q
  std::span<const std::int32_t> seq_lens_encoder;    ///< [n] e
  std::span<const std::int32_t> seq_lens_decoder{};  ///< [n] d; not read, may be empty

  std::span<std::int32_t> seq_lens_output;  ///< [n] o, out
};

[[nodiscard]] Status check_speculate_get_seq_lens_output(const SpeculateGetSeqLensOutput& io);
void speculate_get_seq_lens_output_reference(const SpeculateGetSeqLensOutput& io);

}  // namespace tandem::kernels
