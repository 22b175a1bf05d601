// CUDA form of draft_model_preprocess.
#include "kernels/detail/cluster.cuh"
#include "kernels/detail/draft_slot.cuh"
#include "kernels/launch.hpp"

namespace tandem::kernels {
namespace {

__global__ void __launch_bounds__(detail::kClusterThreads)
    draft_preprocess_kernel(const DraftModelPreprocess io) {
  __shared__ detail::ClusterMemory memory;
  detail::ClusterMeeting meeting(memory);
  const detail::Lanes lanes = detail::slot_lanes();
  bool drafted = false;
  for (std::int64_t i = detail::lanes_index(); i < io.n; i += detail::lanes_count()) {
    drafted |= detail::draft_preprocess_slot(io, i, lanes);
  }
  meeting.write_any({drafted, io.not_need_stop.data()});
}

}  // namespace

Status launch(const DraftModelPreprocess& io, Stream stream) {
  return detail::launch_shaped("draft_model_preprocess", detail::slot_cluster(io.n), stream,
                               draft_preprocess_kernel, io);
}

}  // namespace tandem::kernels
