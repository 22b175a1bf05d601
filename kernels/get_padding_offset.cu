// CUDA form of get_padding_offset.
#include "kernels/detail/pack.cuh"
#include "kernels/launch.hpp"

namespace tandem::kernels {
namespace {

__global__ void __launch_bounds__(detail::kTileThreads)
    get_padding_offset_kernel(const GetPaddingOffset io) {
  detail::pack_slots(detail::PackPrompt{io}, {blockIdx.x, gridDim.x});
}

}  // namespace

Status launch(const GetPaddingOffset& io, Stream stream) {
  const std::int64_t wanted = detail::pack_blocks(io.token_num, io.n);
  return detail::launch_shaped("get_padding_offset",
                               {detail::clipped_blocks(wanted, 4), detail::kTileThreads}, stream,
                               get_padding_offset_kernel, io);
}

}  // namespace tandem::kernels
