// draft_model_update over all slots of a cluster: next tokens are compact, so slots are counted.
#pragma once

#include "kernels/detail/cluster.cuh"
#include "kernels/detail/draft_slot.cuh"

namespace tandem::kernels::detail {

/// All threads of the cluster call it. Whether one of the thread's slots runs.
__device__ inline bool draft_update_slots(const DraftModelUpdate& io, const Lanes& lanes,
                                          ClusterMemory& memory) {
  bool runs = false;
  std::uint64_t taken = 0;  // by slots of earlier passes
  for (std::int64_t pass = 0; pass < io.n; pass += lanes_count()) {
    const std::int64_t i = pass + lanes_index();
    const bool mine = lanes.thread_rank() == 0 && i < io.n;
    const std::int32_t q = mine ? io.seq_lens_this_time.data()[i] : 0;
    const Sums with_rows = cluster_sums(q > 0 ? 1 : 0, memory);
    if (q > 0) {
      const std::int64_t token = io.inter_next_tokens.data()[taken + with_rows.before];
      runs |= draft_update_slot(io, i, q, token);
    }
    taken += with_rows.all;
  }
  return runs;
}

}  // namespace tandem::kernels::detail
