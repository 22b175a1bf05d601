// CUDA form of eagle_gather_hidden_states.
#include "kernels/detail/compact_rows.cuh"
#include "kernels/eagle_gather_hidden_states.hpp"
#include "kernels/launch.hpp"

namespace tandem::kernels {
namespace {

struct Gather {
  const EagleGatherHiddenStates& io;
  static constexpr bool kClears = true;

  __device__ detail::RowSum rows(std::int64_t i) const {
    const auto q = static_cast<std::uint32_t>(io.seq_lens_this_time.data()[i]);
    return {q, q == 0 ? 0U : 1U};
  }
  [[nodiscard]] __device__ std::int64_t out_rows() const { return io.n; }
};

__global__ void __launch_bounds__(detail::kRowThreads, detail::kRowBlocksAnSm)
    gather_hidden_states_kernel(const EagleGatherHiddenStates io, const detail::RowCopy copy) {
  detail::compact_rows(Gather{io}, copy, {blockIdx.x, gridDim.x});
}

}  // namespace

Status launch(const EagleGatherHiddenStates& io, Stream stream) {
  const detail::RowCopy copy(io.input, io.out, io.row_bytes);
  return detail::launch_shaped("eagle_gather_hidden_states", detail::row_grid(copy, io.n), stream,
                               gather_hidden_states_kernel, io, copy);
}

}  // namespace tandem::kernels
