// build_sampling_params: sampling parameters and seeds for every output row (law 5.4).
#pragma once

#include "kernels/conventions.hpp"

namespace tandem::kernels {

/// Slot i < n owns rows cu_seqlens_q_output[i] .. cu_seqlens_q_output[i + 1] - 1. Row j of the slot
/// gets the slot's top_p and top_k, and the seed (infer_seed_i + 4 j) mod kSeedModulus. Then
/// infer_seed_i becomes (infer_seed_i + increment_value) mod kSeedModulus, also for a slot without
/// rows. Sums do not overflow.
///
/// seq_lens_this_time only tells n in the peer's signature and is not here.
/// [REC] token_num_output_cpu may be a bound above R = cu_seqlens_q_output[n] (law 3.4, R11 bound):
/// the rows behind R get zeros, where the peer's kernel leaves them undefined.
/// Wants: R <= token_num_output_cpu, cumulative array not falling and starting at 0, infer_seed and
/// increment_value >= 0.
struct BuildSamplingParams {
  std::int32_t n = 0;
  std::int32_t token_num_output_cpu = 0;  ///< R, or a bound above it
  std::int64_t increment_value = 0;       ///< the runtime passes 4 W

  std::span<const float> top_p;                       ///< [n]
  std::span<const std::int64_t> top_k;                ///< [n]
  std::span<std::int64_t> infer_seed;                 ///< [n] io
  std::span<const std::int32_t> cu_seqlens_q_output;  ///< [n + 1]

  std::span<float> top_p_padding;         ///< [token_num_output_cpu] out
  std::span<std::int64_t> top_k_padding;  ///< [token_num_output_cpu] out
  std::span<std::int64_t> topp_seed;      ///< [token_num_output_cpu] out
};

[[nodiscard]] Status check_build_sampling_params(const BuildSamplingParams& io);
void build_sampling_params_reference(const BuildSamplingParams& io);

}  // namespace tandem::kernels
