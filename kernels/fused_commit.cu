// One kernel behind sampling: verify, stop sequences, commit and the MTP head's new state.
#include "kernels/detail/cluster.cuh"
#include "kernels/detail/draft_slot.cuh"
#include "kernels/detail/stop_value_slot.cuh"
#include "kernels/detail/unified_update_slot.cuh"
#include "kernels/detail/verify_slot.cuh"
#include "kernels/launch.hpp"

namespace tandem::kernels {
namespace {

/// No member looks at another slot, so a slot passes through all of them on its own lanes.
__global__ void __launch_bounds__(detail::kClusterThreads, 1)
    fused_commit_kernel(const __grid_constant__ FusedCommit io, std::int64_t slots) {
  __shared__ detail::ClusterMemory memory;
  detail::ClusterMeeting meeting(memory);
  const detail::Lanes lanes = detail::slot_lanes();
  bool runs = false;
  bool drafted = false;
  for (std::int64_t i = detail::lanes_index(); i < slots; i += detail::lanes_count()) {
    detail::verify_slot(io.verify, i, lanes);
    lanes.sync();
    detail::stop_value_slot(io.stop_sequences, i, lanes);
    lanes.sync();
    runs |= detail::unified_update_slot(io.update, i, lanes);
    lanes.sync();
    drafted |= detail::draft_preprocess_slot(io.draft_preprocess, i, lanes);
  }
  meeting.write_any({runs, io.update.has_running_seqs.data()},
                    {drafted, io.draft_preprocess.not_need_stop.data()});
}

}  // namespace

Status launch(const FusedCommit& io, Stream stream) {
  const std::int64_t slots = std::max(
      {io.verify.slot_count, io.stop_sequences.slot_count, io.update.n, io.draft_preprocess.n});
  return detail::launch_shaped("fused_commit", detail::slot_cluster(slots), stream,
                               fused_commit_kernel, io, slots);
}

}  // namespace tandem::kernels
