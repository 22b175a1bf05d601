// CUDA form of draft_model_postprocess.
#include "kernels/detail/draft_slot.cuh"
#include "kernels/launch.hpp"

namespace tandem::kernels {
namespace {

__global__ void draft_postprocess_kernel(const DraftModelPostprocess io) {
  const detail::Lanes lanes = detail::slot_lanes();
  for (std::int64_t i = detail::lanes_index(); i < io.n; i += detail::lanes_count()) {
    detail::draft_postprocess_slot(io, i, lanes);
  }
}

}  // namespace

Status launch(const DraftModelPostprocess& io, Stream stream) {
  if (io.n == 0) return {};
  return detail::launch_shaped("draft_model_postprocess", detail::slot_grid(io.n), stream,
                               draft_postprocess_kernel, io);
}

}  // namespace tandem::kernels
