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
  for (std::int64_t x = 1 + lane; x < width; x += kLanes) {
    io.base_model_draft_tokens.data()[i * width + x] = kNoToken;
  }
  lanes.sync();  // every lane has read e
  const bool at_limit = !io.splitwise_prefill && g + io.num_model_step >= max_dec_len;
  if (stopped || at_limit) {
    if (lane == 0) skip_draft(io, i);
    return false;
  }
  const std::int64_t* const tokens = io.accept_tokens.data() + i * width;
  std::int64_t* const pre_ids = io.pre_ids.data() + i * io.pre_ids_width;
  const std::int64_t generated = g - (e > 0 ? 1 : a);
  if (e > 0) {
    if (lane == 0) {
      pre_ids[0] = io.input_ids.data()[i * io.input_ids_width + e - 1] = tokens[0];
    }
  } else {
    for (int x = lane; x < a; x += kLanes) {
      io.draft_tokens.data()[i * width + x] = pre_ids[generated + x] = tokens[x];
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

/// A slot with q > 0, q being the value before; `token` is its next token. Lane 0 does all: there
/// is one token. Whether the slot runs.
__device__ inline bool draft_update_slot(const DraftModelUpdate& io, std::int64_t i, std::int32_t q,
                                         std::int64_t token) {
  std::int64_t& current = io.draft_tokens.data()[i * io.draft_width];
  std::int64_t& draft = io.base_model_draft_tokens.data()[i * io.draft_width + io.substep + 1];
  std::int64_t* const pre_ids = io.pre_ids.data() + i * io.pre_ids_width;
  const bool stopped = io.stop_flags.data()[i] != 0;
  const std::int32_t e = io.seq_lens_encoder.data()[i];
  const std::int32_t d = io.seq_lens_decoder.data()[i];
  const std::int64_t g = io.step_idx.data()[i];
  const std::int64_t max_dec_len = io.max_dec_len.data()[i];
  if (stopped) {
    current = draft = kNoToken;
    io.seq_lens_this_time.data()[i] = io.seq_lens_encoder.data()[i] = 0;
    return false;
  }
  if (e > 0) {
    io.seq_lens_decoder.data()[i] = d + e;
    io.seq_lens_encoder.data()[i] = 0;
    pre_ids[1] = token;
    io.step_idx.data()[i] = g + 1;
    current = token;
    if (g + 1 < max_dec_len) draft = token;
  } else if (d > 0) {
    const bool frozen = g + 1 >= max_dec_len;
    draft = frozen ? kNoToken : token;
    if (!frozen) {
      io.seq_lens_decoder.data()[i] = d + q;
      current = token;
      io.step_idx.data()[i] = g + q;
      pre_ids[g + q] = token;
    }
  }
  io.seq_lens_this_time.data()[i] = 1;
  return true;
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
