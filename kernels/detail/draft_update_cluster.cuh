// draft_model_update over all slots of a cluster: next tokens are compact, so slots are counted.
#pragma once

#include "kernels/detail/cluster.cuh"
#include "kernels/detail/draft_slot.cuh"
#include "kernels/detail/pack.cuh"

namespace tandem::kernels::detail {

/// All threads of the cluster call it.
__device__ inline void draft_update_slots(const DraftModelUpdate& io, const Lanes& lanes,
                                          ClusterMeeting& meeting) {
  std::uint64_t before = 0;  // (slots with rows, slots that run) of earlier passes
  for (std::int64_t pass = 0; pass < io.n; pass += lanes_count()) {
    const std::int64_t i = pass + lanes_index();
    const bool mine = lanes.thread_rank() == 0 && i < io.n;
    const DraftedSlot slot = mine ? drafted_slot(io, i) : DraftedSlot();
    const bool has_rows = slot.q > 0;
    const Sums sums = meeting.sums(Counts::pair(has_rows, has_rows && !slot.stopped));
    if (has_rows) {
      const std::int64_t next = Counts::first(before + sums.before);
      draft_update_slot(io, slot, io.inter_next_tokens.data()[next]);
    }
    before += sums.all;
  }
  if (meeting.is_writer()) io.not_need_stop.data()[0] = Counts::second(before) > 0;
}

}  // namespace tandem::kernels::detail
