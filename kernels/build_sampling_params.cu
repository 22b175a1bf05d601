// CUDA form of build_sampling_params: slots on their lanes, then the rows behind R.
#include "kernels/build_sampling_params.hpp"
#include "kernels/detail/slots.cuh"

namespace tandem::kernels {
namespace {

/// (seed + step) mod kSeedModulus; the sum of two int64 >= 0 fits into 64 bits without sign.
__device__ std::int64_t advanced(std::int64_t seed, std::int64_t step) {
  const std::uint64_t sum = static_cast<std::uint64_t>(seed) + static_cast<std::uint64_t>(step);
  return static_cast<std::int64_t>(sum % static_cast<std::uint64_t>(kSeedModulus));
}

__device__ void sampling_slot(const BuildSamplingParams& io, std::int64_t i,
                              const detail::Lanes& lanes) {
  const auto lane = static_cast<std::int64_t>(lanes.thread_rank());
  const std::int64_t first = io.cu_seqlens_q_output.data()[i];
  const std::int64_t end = io.cu_seqlens_q_output.data()[i + 1];
  const std::int64_t seed = io.infer_seed.data()[i];
  const float top_p = io.top_p.data()[i];
  const std::int64_t top_k = io.top_k.data()[i];
  for (std::int64_t row = first + lane; row < end; row += detail::kLanes) {
    io.top_p_padding.data()[row] = top_p;
    io.top_k_padding.data()[row] = top_k;
    io.topp_seed.data()[row] = advanced(seed, 4 * (row - first));
  }
  lanes.sync();  // every lane has read the seed
  if (lane == 0) io.infer_seed.data()[i] = advanced(seed, io.increment_value);
}

__global__ void build_sampling_params_kernel(const BuildSamplingParams io) {
  const detail::Lanes lanes = detail::slot_lanes();
  for (std::int64_t i = detail::lanes_index(); i < io.n; i += detail::lanes_count()) {
    sampling_slot(io, i, lanes);
  }
  const std::int64_t threads = std::int64_t{gridDim.x} * blockDim.x;
  const std::int64_t rows_end = io.cu_seqlens_q_output.data()[io.n];
  for (std::int64_t row = rows_end + std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
       row < io.token_num_output_cpu; row += threads) {
    io.top_p_padding.data()[row] = 0.0F;
    io.top_k_padding.data()[row] = io.topp_seed.data()[row] = 0;
  }
}

}  // namespace

Status launch(const BuildSamplingParams& io, Stream stream) {
  if (io.n == 0 && io.token_num_output_cpu == 0) return {};
  const std::int64_t lanes =
      std::max(std::int64_t{io.n}, detail::ceil_div(io.token_num_output_cpu, detail::kLanes));
  return detail::launch_shaped("build_sampling_params", detail::slot_grid(lanes), stream,
                               build_sampling_params_kernel, io);
}

}  // namespace tandem::kernels
