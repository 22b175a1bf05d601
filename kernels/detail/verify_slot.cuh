// One slot of verify_draft_tokens on its lanes: a lane a draft, then a walk over what they found.
#pragma once

#include "kernels/detail/slots.cuh"
#include "kernels/verify_draft_tokens.hpp"

namespace tandem::kernels::detail {

struct VerifiedSlot {
  std::int64_t index;
  std::int64_t base;  ///< first output row
  std::int64_t generated;
  std::int64_t max_dec_len;
  std::int32_t q;
};

__device__ inline std::int64_t own_token(const VerifyDraftTokens& io, std::int64_t row) {
  if (io.verify_strategy != VerifyStrategy::kTopP) return io.target_tokens.data()[row];
  if (!io.sampled_tokens.empty()) return io.sampled_tokens.data()[row];
  return io.candidate_ids.data()[row * io.candidate_width];
}

/// How many drafts are accepted at once from position x on: 0, 1 or a whole window run. `draft` is
/// the one behind x, `own` the target's own token of the row.
__device__ inline int accepted_at(const VerifyDraftTokens& io, const VerifiedSlot& slot, int x,
                                  std::int64_t draft, std::int64_t own) {
  if (io.accept_all) return 1;
  if (io.verify_strategy != VerifyStrategy::kTopP) return own == draft ? 1 : 0;
  const std::int64_t* const drafts = io.step_input_ids.data() + slot.index * io.draft_width;
  const std::int64_t row = slot.base + x;
  const std::int64_t width = io.candidate_width;
  const std::int64_t* const candidates = io.candidate_ids.data() + row * width;
  const int count = min(io.candidate_lens.data()[row], io.candidate_width);
  if (is_among(candidates, static_cast<std::size_t>(count), draft)) return 1;
  if (width < 2 || candidates[1] != draft) return 0;
  if (slot.q - 2 - x < io.verify_window) return 0;
  for (int k = 1; k <= io.verify_window; ++k) {
    if (candidates[k * width] != drafts[x + k + 1]) return 0;
  }
  return 1 + io.verify_window;
}

/// a_i of a running slot. The lanes look at eight positions at once, the one behind the last draft
/// among them; `next` is how many drafts are accepted so far and is the same in all lanes. `draft`
/// is the lane's first, read ahead.
__device__ inline int verify_running(const VerifyDraftTokens& io, const VerifiedSlot& slot,
                                     int drafts, std::int64_t draft, const EndTokens& ends,
                                     const Lanes& lanes) {
  std::int64_t* const emitted = io.step_output_ids.data() + slot.index * io.draft_width;
  int next = 0;
  for (int first = 0;; first += kLanes) {
    const int x = first + static_cast<int>(lanes.thread_rank());
    const bool is_draft = x < drafts;
    const std::int64_t own = x <= drafts ? own_token(io, slot.base + x) : 0;
    if (first > 0 && is_draft) {
      draft = io.step_input_ids.data()[slot.index * io.draft_width + x + 1];
    }
    const int accepted = is_draft ? accepted_at(io, slot, x, draft, own) : 0;
    while (next < first + kLanes) {
      const int run = lanes.shfl(accepted, next - first);
      if (run == 0) break;
      next += run;
    }
    const bool is_accepted = x < next;
    const std::int64_t token = is_draft && is_accepted ? draft : own;
    const bool is_end = ends.contain(token);
    const std::int64_t end_token = ends.first();
    const bool at_limit = slot.generated + x + 1 >= slot.max_dec_len;
    const unsigned ended = lanes.ballot(is_accepted && (is_end || at_limit));
    const int emit_end = ended == 0 ? next + 1 : first + lowest(ended) + 1;
    if (x < emit_end && x <= drafts) emitted[x] = at_limit && !is_end ? end_token : token;
    if (ended != 0) return emit_end + 1;  // with the bonus token that is not emitted
    if (next < first + kLanes) return next + 1;
  }
}

__device__ inline void verify_slot(const VerifyDraftTokens& io, std::int64_t i,
                                   const Lanes& lanes) {
  if (i >= io.slot_count) return;
  const int lane = static_cast<int>(lanes.thread_rank());
  int count = 0;
  if (i < io.n) {
    const EndTokens ends(io.end_tokens, lanes);
    const bool has_draft = lane + 1 < io.draft_width;
    const std::int64_t draft =
        has_draft ? io.step_input_ids.data()[i * io.draft_width + lane + 1] : kNoToken;
    const bool stopped = io.stop_flags.data()[i] != 0;
    const bool parked = io.is_block_step.data()[i] != 0;
    const VerifiedSlot slot{i, io.cu_seqlens_q_output.data()[i], io.step_idx.data()[i],
                            io.max_dec_len.data()[i], io.seq_lens_this_time.data()[i]};
    const bool scanned =
        !io.reject_all && io.seq_lens_encoder.data()[i] == 0 && io.reasoning_status.data()[i] != 1;
    const int drafts = scanned ? max(slot.q - 1, 0) : 0;
    if (!stopped && !parked) count = verify_running(io, slot, drafts, draft, ends, lanes);
  }
  if (lane == 0) io.step_output_len.data()[i] = count;
}

}  // namespace tandem::kernels::detail
