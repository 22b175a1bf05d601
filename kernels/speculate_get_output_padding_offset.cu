// CUDA form of speculate_get_output_padding_offset.
#include "kernels/detail/slots.cuh"
#include "kernels/speculate_get_output_padding_offset.hpp"

namespace tandem::kernels {
namespace {

__global__ void output_padding_offset_kernel(const SpeculateGetOutputPaddingOffset io) {
  const detail::Lanes lanes = detail::slot_lanes();
  const auto lane = static_cast<int>(lanes.thread_rank());
  for (std::int64_t i = detail::lanes_index(); i < io.n; i += detail::lanes_count()) {
    const std::int32_t offset = i == 0 ? 0 : io.output_cum_offsets_tmp.data()[i - 1];
    const std::int32_t count = io.seq_lens_output.data()[i];
    const std::int64_t first = i * io.max_seq_len - offset;
    if (lane == 0) io.output_cum_offsets.data()[i] = offset;
    for (int j = lane; j < count; j += detail::kLanes) {
      io.output_padding_offset.data()[first + j] = offset;
    }
  }
}

}  // namespace

Status launch(const SpeculateGetOutputPaddingOffset& io, Stream stream) {
  if (io.n == 0) return {};
  return detail::launch_shaped("speculate_get_output_padding_offset", detail::slot_grid(io.n),
                               stream, output_padding_offset_kernel, io);
}

}  // namespace tandem::kernels
