// One slot of the three draft_model operations: the MTP head's state before, in and behind a round.
#pragma once

#include "kernels/detail/slots.cuh"
#include "kernels/draft_model_postprocess.hpp"
#include "kernels/draft_model_preprocess.hpp"
#include "kernels/draft_model_update.hpp"

namespace tandem::kernels::detail {

__device__ inline void skip_draft(const DraftModelPreprocess& io, std::int64_t i) {
  io.stop_flags.data()[i] = 1;
  io.seq_lens_this_time.data()[i] = io.seq_lens_decoder.data()[i] = 0;
  io.seq_lens_encoder.data()[i] = 0;
  io.step_idx.data()[i] = 0;
}

/// Whether the slot is drafted (was not skipped).
__device__ inline bool draft_preprocess_slot(const DraftModelPreprocess& io, std::int64_t i,
                                             const Lanes& lanes) {
  if (i >= io.n) return false;
  const int lane = static_cast<int>(lanes.thread_rank());
  const bool stopped = io.base_model_stop_flags.data()[i] != 0;
  const std::int64_t g = io.base_model_step_idx.data()[i];
  const std::int64_t max_dec_len = io.max_dec_len.data()[i];
  const std::int32_t e = io.seq_lens_encoder.data()[i];
  const std::int32_t a = io.accept_num.data()[i];
  const std::int32_t d = io.base_model_seq_lens_decoder.data()[i];
  const std::int64_t width = io.draft_width;
  const std::int64_t* const tokens = io.accept_tokens.data() + i * width;
  const std::int64_t held = lane < width ? tokens[lane] : kNoToken;  // read ahead
  for (std::int64_t x = 1 + lane; x < width; x += kLanes) {
    io.base_model_draft_tokens.data()[i * width + x] = kNoToken;
  }
  lanes.sync();  // every lane has read e
  const bool at_limit = !io.splitwise_prefill && g + io.num_model_step >= max_dec_len;
  if (stopped || at_limit) {
    if (lane == 0) skip_draft(io, i);
    return false;
  }
  std::int64_t* const pre_ids = io.pre_ids.data() + i * io.pre_ids_width;
  const std::int64_t generated = g - (e > 0 ? 1 : a);
  if (e > 0) {
    if (lane == 0) {
      pre_ids[0] = io.input_ids.data()[i * io.input_ids_width + e - 1] = held;
    }
  } else {
    for (int x = lane; x < a; x += kLanes) {
      const std::int64_t token = x == lane ? held : tokens[x];
      io.draft_tokens.data()[i * width + x] = pre_ids[generated + x] = token;
    }
  }
  if (lane == 0) {
    io.stop_flags.data()[i] = 0;
    io.seq_lens_this_time.data()[i] = e > 0 ? e : a;
    io.step_idx.data()[i] = generated;
    if (e <= 0) io.seq_lens_decoder.data()[i] = d - a;
  }
  return true;
}

/// The state of a slot before its update.
struct DraftedSlot {
  std::int64_t index = 0;
  std::int64_t generated = 0;
  std::int64_t max_dec_len = 0;
  std::int32_t q = 0;
  std::int32_t e = 0;
  std::int32_t d = 0;
  bool stopped = false;
};

__device__ inline DraftedSlot drafted_slot(const DraftModelUpdate& io, std::int64_t i) {
  return {i,
          io.step_idx.data()[i],
          io.max_dec_len.data()[i],
          io.seq_lens_this_time.data()[i],
          io.seq_lens_encoder.data()[i],
          io.seq_lens_decoder.data()[i],
          io.stop_flags.data()[i] != 0};
}

/// A slot with rows takes its next token. One lane does all: there is one token.
__device__ inline void draft_update_slot(const DraftModelUpdate& io, const DraftedSlot& slot,
                                         std::int64_t token) {
  const std::int64_t i = slot.index;
  std::int64_t& current = io.draft_tokens.data()[i * io.draft_width];
  std::int64_t& draft = io.base_model_draft_tokens.data()[i * io.draft_width + io.substep + 1];
  std::int64_t* const pre_ids = io.pre_ids.data() + i * io.pre_ids_width;
  const std::int64_t g = slot.generated;
  if (slot.stopped) {
    current = draft = kNoToken;
    io.seq_lens_this_time.data()[i] = io.seq_lens_encoder.data()[i] = 0;
    return;
  }
  if (slot.e > 0) {
    io.seq_lens_decoder.data()[i] = slot.d + slot.e;
    io.seq_lens_encoder.data()[i] = 0;
    pre_ids[1] = token;
    io.step_idx.data()[i] = g + 1;
    current = token;
    if (g + 1 < slot.max_dec_len) draft = token;
  } else if (slot.d > 0) {
    const bool frozen = g + 1 >= slot.max_dec_len;
    draft = frozen ? kNoToken : token;
    if (!frozen) {
      io.seq_lens_decoder.data()[i] = slot.d + slot.q;
      current = token;
      io.step_idx.data()[i] = g + slot.q;
      pre_ids[g + slot.q] = token;
    }
  }
  io.seq_lens_this_time.data()[i] = 1;
}

__device__ inline void draft_postprocess_slot(const DraftModelPostprocess& io, std::int64_t i,
                                              const Lanes& lanes) {
  if (i >= io.n) return;
  const int lane = static_cast<int>(lanes.thread_rank());
  const std::int64_t* const drafts = io.base_model_draft_tokens.data() + i * io.draft_width;
  const bool stopped = io.base_model_stop_flags.data()[i] != 0;
  const bool prefill = io.base_model_seq_lens_encoder.data()[i] != 0;
  int found = 0;
  for (int first = 0; first < io.draft_width; first += kLanes) {
    const int x = first + lane;
    found += __popc(lanes.ballot(x < io.draft_width && drafts[x] != kNoToken));
  }
  if (lane != 0) return;
  if (stopped) {
    io.base_model_seq_lens_this_time.data()[i] = 0;
  } else if (!prefill) {
    io.base_model_seq_lens_this_time.data()[i] = found;
  }
}

}  // namespace tandem::kernels::detail
