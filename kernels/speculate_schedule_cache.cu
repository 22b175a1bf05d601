// CUDA form of speculate_schedule_cache.
#include "kernels/detail/cluster.cuh"
#include "kernels/detail/schedule_slot.cuh"
#include "kernels/launch.hpp"

namespace tandem::kernels {
namespace {

__global__ void __launch_bounds__(detail::kClusterThreads)
    schedule_cache_kernel(const SpeculateScheduleCache io) {
  __shared__ detail::ClusterMemory memory;
  detail::ClusterMeeting meeting(memory);
  const detail::Lanes lanes = detail::slot_lanes();
  bool runs = false;
  for (std::int64_t i = detail::lanes_index(); i < io.n; i += detail::lanes_count()) {
    runs |= detail::schedule_slot(io, i, lanes);
  }
  meeting.write_any({runs, io.not_need_stop.data()});
}

}  // namespace

Status launch(const SpeculateScheduleCache& io, Stream stream) {
  return detail::launch_shaped("speculate_schedule_cache", detail::slot_cluster(io.n), stream,
                               schedule_cache_kernel, io);
}

}  // namespace tandem::kernels
