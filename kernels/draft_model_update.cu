// CUDA form of draft_model_update.
#include "kernels/detail/draft_update_cluster.cuh"
#include "kernels/launch.hpp"

namespace tandem::kernels {
namespace {

__global__ void __launch_bounds__(detail::kClusterThreads)
    draft_update_kernel(const DraftModelUpdate io) {
  __shared__ detail::ClusterMemory memory;
  detail::ClusterMeeting meeting(memory);
  detail::draft_update_slots(io, detail::slot_lanes(), meeting);
}

}  // namespace

Status launch(const DraftModelUpdate& io, Stream stream) {
  return detail::launch_shaped("draft_model_update", detail::slot_cluster(io.n), stream,
                               draft_update_kernel, io);
}

}  // namespace tandem::kernels
