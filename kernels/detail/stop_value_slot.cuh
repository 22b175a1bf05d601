// One slot of speculate_set_stop_value_multi_seqs: sequences in order, a lane an end position.
#pragma once

#include "kernels/detail/slots.cuh"
#include "kernels/speculate_set_stop_value_multi_seqs.hpp"

namespace tandem::kernels::detail {

struct StopSlot {
  std::int64_t index;
  std::int64_t generated;  ///< g
  std::int64_t position;   ///< p + g: where index 0 of A_i belongs in the history row
  int emitted;             ///< a
};

/// Whether the sequence ends at the token before index x + 1 of A_i.
__device__ inline bool ends_at(const SpeculateSetStopValueMultiSeqs& io, const StopSlot& slot,
                               const std::int64_t* sequence, int length, int x) {
  if (slot.generated + x + 1 < length) return false;  // would reach into the prompt
  const std::int64_t* const emitted = io.accept_tokens.data() + slot.index * io.draft_width;
  const std::int64_t* const history =
      io.token_ids_all.data() + slot.index * io.max_model_len + slot.position;
  for (int back = 0; back < length; ++back) {
    const int index = x - back;
    const std::int64_t token = index >= 0 ? emitted[index] : history[index];
    if (token != sequence[length - 1 - back]) return false;
  }
  return true;
}

constexpr int kNoEnd = -2;

/// The first x that the sequence ends at, or kNoEnd.
__device__ inline int first_end(const SpeculateSetStopValueMultiSeqs& io, const StopSlot& slot,
                                std::int64_t sequence, int length, const Lanes& lanes) {
  const std::int64_t* const tokens = io.stop_seqs.data() + sequence * io.stop_seqs_width;
  const int last = max(slot.emitted - 2, -1);
  for (int first = -1; first <= last; first += kLanes) {
    const int x = first + static_cast<int>(lanes.thread_rank());
    const unsigned ends = lanes.ballot(x <= last && ends_at(io, slot, tokens, length, x));
    if (ends != 0) return first + lowest(ends);
  }
  return kNoEnd;
}

__device__ inline void stop_value_slot(const SpeculateSetStopValueMultiSeqs& io, std::int64_t i,
                                       const Lanes& lanes) {
  if (i >= io.slot_count || io.stop_seqs_count == 0) return;
  const int lane = static_cast<int>(lanes.thread_rank());
  const std::int64_t g = io.step_idx.data()[i];
  const std::int64_t min_tokens = io.min_tokens.data()[i];
  const int before = io.accept_num.data()[i];
  StopSlot slot{i, g, io.prompt_lens.data()[i] + g, before};
  const bool stopped = io.stop_flags.data()[i] != 0;
  const std::int64_t row = i * io.stop_seqs_count;
  int length = lane < io.stop_seqs_count ? io.stop_seqs_len.data()[row + lane] : 0;  // read ahead
  if (stopped) return;
  for (int first = 0; first < io.stop_seqs_count; first += kLanes) {
    const int mine = first + lane;
    if (first > 0) length = mine < io.stop_seqs_count ? io.stop_seqs_len.data()[row + mine] : 0;
    for (unsigned left = lanes.ballot(length > 0); left != 0; left &= left - 1) {
      const int next = lowest(left);
      if (g + slot.emitted < min_tokens) continue;
      const int x = first_end(io, slot, row + first + next, lanes.shfl(length, next), lanes);
      if (x == kNoEnd) continue;
      lanes.sync();  // every lane has read the tokens
      slot.emitted = x + 2;
      if (lane == 0) {
        io.accept_tokens.data()[i * io.draft_width + x + 1] = io.end_ids.data()[0];
      }
      lanes.sync();  // the next sequence sees the new token
    }
  }
  lanes.sync();
  if (lane == 0 && slot.emitted != before) io.accept_num.data()[i] = slot.emitted;
}

}  // namespace tandem::kernels::detail
