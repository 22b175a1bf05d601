// CUDA form of speculate_set_stop_value_multi_seqs.
#include "kernels/detail/stop_value_slot.cuh"
#include "kernels/launch.hpp"

namespace tandem::kernels {
namespace {

__global__ void stop_value_kernel(const SpeculateSetStopValueMultiSeqs io) {
  const detail::Lanes lanes = detail::slot_lanes();
  for (std::int64_t i = detail::lanes_index(); i < io.slot_count; i += detail::lanes_count()) {
    detail::stop_value_slot(io, i, lanes);
  }
}

}  // namespace

Status launch(const SpeculateSetStopValueMultiSeqs& io, Stream stream) {
  if (io.slot_count == 0 || io.stop_seqs_count == 0) return {};
  return detail::launch_shaped("speculate_set_stop_value_multi_seqs",
                               detail::slot_grid(io.slot_count), stream, stop_value_kernel, io);
}

}  // namespace tandem::kernels
