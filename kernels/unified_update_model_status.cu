// CUDA form of unified_update_model_status.
#include "kernels/detail/cluster.cuh"
#include "kernels/detail/unified_update_slot.cuh"
#include "kernels/launch.hpp"

namespace tandem::kernels {
namespace {

__global__ void __launch_bounds__(detail::kClusterThreads)
    unified_update_kernel(const UnifiedUpdateModelStatus io) {
  __shared__ detail::ClusterMemory memory;
  detail::ClusterMeeting meeting(memory);
  const detail::Lanes lanes = detail::slot_lanes();
  bool runs = false;
  for (std::int64_t i = detail::lanes_index(); i < io.n; i += detail::lanes_count()) {
    runs |= detail::unified_update_slot(io, i, lanes);
  }
  meeting.write_any({runs, io.has_running_seqs.data()});
}

}  // namespace

Status launch(const UnifiedUpdateModelStatus& io, Stream stream) {
  return detail::launch_shaped("unified_update_model_status", detail::slot_cluster(io.n), stream,
                               unified_update_kernel, io);
}

}  // namespace tandem::kernels
