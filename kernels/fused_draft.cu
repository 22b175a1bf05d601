// The fused kernels of a draft round: its first inputs, between two sub-steps, and its end.
#include "kernels/detail/draft_update_cluster.cuh"
#include "kernels/detail/get_hidden.cuh"
#include "kernels/detail/schedule_slot.cuh"
#include "kernels/launch.hpp"

namespace tandem::kernels {
namespace {

/// Two kernels side by side: the first blocks pack, the others copy hidden rows.
__global__ void __launch_bounds__(detail::kRowThreads, detail::kRowBlocksAnSm)
    fused_draft_start_kernel(const __grid_constant__ FusedDraftStart io, const detail::RowCopy copy,
                             unsigned pack_blocks) {
  if (blockIdx.x < pack_blocks) {
    detail::pack_slots(detail::PackSpeculative{io.pack}, {blockIdx.x, pack_blocks});
  } else {
    detail::get_hidden_rows(io.hidden, copy, {blockIdx.x - pack_blocks, gridDim.x - pack_blocks});
  }
}

/// Packs on the lanes of the slots; a sub-step has one row a slot.
__device__ void pack_in_cluster(const SpeculatePreProcess& io, const detail::Lanes& lanes,
                                detail::ClusterMeeting& meeting) {
  const detail::PackSpeculative op{io};
  const auto lane = static_cast<int>(lanes.thread_rank());
  std::uint64_t before = 0;
  for (std::int64_t pass = 0; pass < io.n; pass += detail::lanes_count()) {
    const std::int64_t i = pass + detail::lanes_index();
    bool from_drafts = false;
    const std::uint64_t counts = i < io.n ? op.counts(i, from_drafts) : 0;
    const detail::Sums sums = meeting.sums(lane == 0 ? counts : 0);
    const std::uint64_t first = before + lanes.shfl(sums.before, 0);
    const std::int64_t row = detail::Counts::first(first);
    const std::int64_t end = min(row + detail::Counts::first(counts), std::int64_t{io.token_num});
    for (std::int64_t j = lane; row + j < end; j += detail::kLanes) {
      detail::pack_row(op, row + j, i, j, from_drafts);
    }
    for (int j = lane; j < detail::Counts::second(counts); j += detail::kLanes) {
      op.write_output_row(detail::Counts::second(first) + j, static_cast<std::int32_t>(i));
    }
    if (lane == 0 && i < io.n) op.write_sums(i + 1, first + counts);
    before += sums.all;
  }
  detail::pad_rows(op, detail::Counts::first(before), {blockIdx.x, gridDim.x});
  if (meeting.is_writer()) {
    op.write_sums(0, 0);
    op.write_total(before);
  }
}

__global__ void __launch_bounds__(detail::kClusterThreads)
    fused_draft_next_kernel(const __grid_constant__ FusedDraftNext io) {
  __shared__ detail::ClusterMemory memory;
  detail::ClusterMeeting meeting(memory);
  const detail::Lanes lanes = detail::slot_lanes();
  detail::draft_update_slots(io.update, lanes, meeting);
  lanes.sync();  // a slot's lanes see its new state
  pack_in_cluster(io.pack, lanes, meeting);
}

__global__ void __launch_bounds__(detail::kClusterThreads)
    fused_draft_end_kernel(const __grid_constant__ FusedDraftEnd io, std::int64_t slots) {
  __shared__ detail::ClusterMemory memory;
  detail::ClusterMeeting meeting(memory);
  const detail::Lanes lanes = detail::slot_lanes();
  detail::draft_update_slots(io.update, lanes, meeting);
  bool goes_on = false;
  for (std::int64_t i = detail::lanes_index(); i < slots; i += detail::lanes_count()) {
    lanes.sync();
    detail::draft_postprocess_slot(io.postprocess, i, lanes);
    lanes.sync();
    goes_on |= detail::schedule_slot(io.schedule, i, lanes);
  }
  meeting.write_any({goes_on, io.schedule.not_need_stop.data()});
}

}  // namespace

Status launch(const FusedDraftStart& io, Stream stream) {
  const detail::RowCopy copy(io.hidden.input, io.hidden.out, io.hidden.row_bytes);
  const detail::Shape rows = detail::row_grid(copy, io.hidden.input_rows);
  const unsigned pack_blocks =
      detail::clipped_blocks(detail::pack_blocks(io.pack.token_num, io.pack.n), 4);
  return detail::launch_shaped("fused_draft_start",
                               {pack_blocks + rows.blocks, detail::kTileThreads}, stream,
                               fused_draft_start_kernel, io, copy, pack_blocks);
}

Status launch(const FusedDraftNext& io, Stream stream) {
  return detail::launch_shaped("fused_draft_next",
                               detail::slot_cluster(std::max(io.update.n, io.pack.n)), stream,
                               fused_draft_next_kernel, io);
}

Status launch(const FusedDraftEnd& io, Stream stream) {
  const std::int64_t slots = std::max({io.update.n, io.postprocess.n, io.schedule.n});
  return detail::launch_shaped("fused_draft_end", detail::slot_cluster(slots), stream,
                               fused_draft_end_kernel, io, slots);
}

}  // namespace tandem::kernels
