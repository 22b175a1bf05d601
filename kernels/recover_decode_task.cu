// CUDA form of recover_decode_task.
#include "kernels/detail/slots.cuh"
#include "kernels/recover_decode_task.hpp"

namespace tandem::kernels {
namespace {

__device__ void recover_slot(const RecoverDecodeTask& io, std::int64_t i,
                             const detail::Lanes& lanes) {
  if (io.is_block_step.data()[i] == 0) return;
  const std::int32_t d = io.step_seq_lens_decoder.data()[i];
  const std::int32_t q = io.step_seq_lens_this_time.data()[i];
  const std::int64_t behind = d + 2 * std::int64_t{io.max_draft_tokens} + 1;
  const std::int64_t width = io.block_tables_width;
  // Entry nblk - 1 at most: the next entry belongs to another slot.
  const std::int64_t entry = min(behind / io.block_size, width - 1);
  if (io.block_tables.data()[i * width + entry] == -1) return;
  const auto lane = static_cast<int>(lanes.thread_rank());
  const std::int64_t row = i * io.draft_width;
  for (int x = lane; x < q; x += detail::kLanes) {
    io.draft_tokens.data()[row + x] = io.step_draft_tokens.data()[row + x];
  }
  lanes.sync();  // every lane has seen is_block_step
  if (lane != 0) return;
  io.is_block_step.data()[i] = 0;
  io.stop_flags.data()[i] = 0;
  io.seq_lens_this_time.data()[i] = q;
  io.seq_lens_encoder.data()[i] = 0;
  io.seq_lens_decoder.data()[i] = d;
}

__global__ void recover_decode_task_kernel(const RecoverDecodeTask io) {
  const detail::Lanes lanes = detail::slot_lanes();
  for (std::int64_t i = detail::lanes_index(); i < io.n; i += detail::lanes_count()) {
    recover_slot(io, i, lanes);
  }
}

}  // namespace

Status launch(const RecoverDecodeTask& io, Stream stream) {
  if (io.n == 0) return {};
  return detail::launch_shaped("recover_decode_task", detail::slot_grid(io.n), stream,
                               recover_decode_task_kernel, io);
}

}  // namespace tandem::kernels
