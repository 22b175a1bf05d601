// CUDA form of naive_update_model_status: a thread a slot.
#include "kernels/detail/launching.cuh"
#include "kernels/naive_update_model_status.hpp"

namespace tandem::kernels {
namespace {

__global__ void naive_update_kernel(const NaiveUpdateModelStatus io) {
  const std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i >= io.n) return;
  const bool has_rows = io.seq_lens_this_time.data()[i] > 0;
  if (has_rows) {
    const std::int64_t last_row = io.cu_seqlens_q_output.data()[i + 1] - 1;
    io.accept_tokens.data()[i * io.draft_width] = io.next_tokens.data()[last_row];
  }
  io.accept_num.data()[i] = has_rows ? 1 : 0;
  io.seq_lens_this_time.data()[i] = has_rows ? 1 : 0;
}

}  // namespace

Status launch(const NaiveUpdateModelStatus& io, Stream stream) {
  if (io.n == 0) return {};
  constexpr unsigned kThreads = 64;
  const auto blocks = static_cast<unsigned>(detail::ceil_div(io.n, kThreads));
  return detail::launch_shaped("naive_update_model_status", {blocks, kThreads}, stream,
                               naive_update_kernel, io);
}

}  // namespace tandem::kernels
