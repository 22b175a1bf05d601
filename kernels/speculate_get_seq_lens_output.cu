// CUDA form of speculate_get_seq_lens_output: a thread a slot.
#include "kernels/detail/launching.cuh"
#include "kernels/speculate_get_seq_lens_output.hpp"

namespace tandem::kernels {
namespace {

__global__ void seq_lens_output_kernel(const SpeculateGetSeqLensOutput io) {
  const std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= io.n) return;
  const std::int32_t q = io.seq_lens_this_time.data()[i];
  const std::int32_t e = io.seq_lens_encoder.data()[i];
  io.seq_lens_output.data()[i] = q == 1 || (q != 0 && e != 0) ? 1 : q;
}

}  // namespace

Status launch(const SpeculateGetSeqLensOutput& io, Stream stream) {
  if (io.n == 0) return {};
  constexpr unsigned kThreads = 64;
  const auto blocks = static_cast<unsigned>(detail::ceil_div(io.n, kThreads));
  return detail::launch_shaped("speculate_get_seq_lens_output", {blocks, kThreads}, stream,
                               seq_lens_output_kernel, io);
}

}  // namespace tandem::kernels
