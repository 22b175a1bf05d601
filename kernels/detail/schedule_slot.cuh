// One slot of speculate_schedule_cache.
#pragma once

#include "kernels/detail/slots.cuh"
#include "kernels/speculate_schedule_cache.hpp"

namespace tandem::kernels::detail {

__device__ inline void stop_scheduled(const SpeculateScheduleCache& io, std::int64_t i) {
  io.stop_flags.data()[i] = 1;
  io.seq_lens_this_time.data()[i] = io.seq_lens_decoder.data()[i] = 0;
  io.seq_lens_encoder.data()[i] = io.accept_num.data()[i] = 0;
}

__device__ inline void park_slot(const SpeculateScheduleCache& io, std::int64_t i, std::int32_t d,
                                 std::int32_t q, const Lanes& lanes) {
  const int lane = static_cast<int>(lanes.thread_rank());
  for (int x = lane; x < io.accept_width; x += kLanes) {
    io.accept_tokens.data()[i * io.accept_width + x] = kNoToken;
  }
  for (int x = lane; x < io.draft_width; x += kLanes) {
    const std::int64_t cell = i * io.draft_width + x;
    io.step_draft_tokens.data()[cell] = io.draft_tokens.data()[cell];
  }
  if (lane != 0) return;
  io.is_block_step.data()[i] = 1;
  io.stop_flags.data()[i] = 1;
  io.step_seq_lens_this_time.data()[i] = q;
  io.step_seq_lens_decoder.data()[i] = d;
  io.seq_lens_this_time.data()[i] = io.seq_lens_decoder.data()[i] = io.accept_num.data()[i] = 0;
}

/// Whether the slot goes on.
__device__ inline bool schedule_slot(const SpeculateScheduleCache& io, std::int64_t i,
                                     const Lanes& lanes) {
  if (i >= io.n) return false;
  const bool stopped = io.stop_flags.data()[i] != 0;
  const std::int32_t d = io.seq_lens_decoder.data()[i];
  const std::int32_t q = io.seq_lens_this_time.data()[i];
  const std::int64_t p = io.prompt_lens.data()[i];
  lanes.sync();  // every lane has read the state
  if (stopped) return false;
  if (d < p || io.prefill_one_step_stop) {
    if (lanes.thread_rank() == 0) stop_scheduled(io, i);
    return false;
  }
  const std::int64_t width = io.block_tables_width;
  const std::int64_t entry = (d + 2 * std::int64_t{io.max_draft_tokens} + 2) / io.block_size;
  if (entry >= width || io.block_tables.data()[i * width + entry] != -1) return true;
  park_slot(io, i, d, q, lanes);
  return false;
}

}  // namespace tandem::kernels::detail
