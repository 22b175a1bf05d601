// Host reference of build_sampling_params.
#include "kernels/build_sampling_params.hpp"
#include "kernels/detail/reference.hpp"

namespace tandem::kernels {
namespace {

using detail::at;

/// (seed + step) mod kSeedModulus; the sum of two int64 >= 0 fits into 64 bits without sign.
std::int64_t advanced(std::int64_t seed, std::int64_t step) {
  const std::uint64_t sum = static_cast<std::uint64_t>(seed) + static_cast<std::uint64_t>(step);
  return static_cast<std::int64_t>(sum % static_cast<std::uint64_t>(kSeedModulus));
}

}  // namespace

Status check_build_sampling_params(const BuildSamplingParams& io) {
  constexpr std::int64_t kSeedMax = std::numeric_limits<std::int64_t>::max();
  detail::Checks checks("build_sampling_params");
  checks.attr("n", io.n, 0, detail::kInt32Max - 1);
  checks.attr("token_num_output_cpu", io.token_num_output_cpu, 0);
  checks.attr("increment_value", io.increment_value, 0);
  checks.entries("top_p", io.top_p, io.n);
  checks.entries("top_k", io.top_k, io.n);
  checks.entries("infer_seed", io.infer_seed, io.n);
  checks.entries("cu_seqlens_q_output", io.cu_seqlens_q_output, std::int64_t{io.n} + 1);
  checks.entries("top_p_padding", io.top_p_padding, io.token_num_output_cpu);
  checks.entries("top_k_padding", io.top_k_padding, io.token_num_output_cpu);
  checks.entries("topp_seed", io.topp_seed, io.token_num_output_cpu);
  if (!checks.ok()) return checks.status();
  const std::int64_t rows = io.token_num_output_cpu;
  checks.value("cu_seqlens_q_output", 0, at(io.cu_seqlens_q_output, 0), 0, 0);
  for (std::int32_t i = 0; checks.ok() && i < io.n; ++i) {
    checks.value("cu_seqlens_q_output", i + 1, at(io.cu_seqlens_q_output, i + 1),
                 at(io.cu_seqlens_q_output, i), rows);
    checks.value("infer_seed", i, at(io.infer_seed, i), 0, kSeedMax);
  }
  return checks.status();
}

void build_sampling_params_reference(const BuildSamplingParams& io) {
  detail::require(check_build_sampling_params(io));
  for (std::int32_t i = 0; i < io.n; ++i) {
    const std::int32_t first = at(io.cu_seqlens_q_output, i);
    const std::int64_t seed = at(io.infer_seed, i);
    for (std::int32_t row = first; row < at(io.cu_seqlens_q_output, i + 1); ++row) {
      at(io.top_p_padding, row) = at(io.top_p, i);
      at(io.top_k_padding, row) = at(io.top_k, i);
      at(io.topp_seed, row) = advanced(seed, 4 * (std::int64_t{row} - first));
    }
    at(io.infer_seed, i) = advanced(seed, io.increment_value);
  }
  for (std::int64_t row = at(io.cu_seqlens_q_output, io.n); row < io.token_num_output_cpu; ++row) {
    at(io.top_p_padding, row) = 0.0F;
    at(io.top_k_padding, row) = at(io.topp_seed, row) = 0;
  }
}

}  // namespace tandem::kernels
