// One slot of unified_update_model_status: a lane a token, the first one that ends the slot wins.
#pragma once

#include "kernels/detail/slots.cuh"
#include "kernels/unified_update_model_status.hpp"

namespace tandem::kernels::detail {

struct CommittedTokens {
  int count = 0;  ///< a, cut behind the token that ends the slot
  bool ended = false;
};

/// Finds the cut and puts an end token there.
__device__ inline CommittedTokens cut_tokens(const UnifiedUpdateModelStatus& io, std::int64_t* row,
                                             int count, std::int64_t generated,
                                             std::int64_t max_dec_len, const Lanes& lanes) {
  for (int first = 0; first < count; first += kLanes) {
    const int x = first + static_cast<int>(lanes.thread_rank());
    const bool inside = x < count;
    const bool is_end = inside && is_among(io.end_tokens.data(), io.end_tokens.size(), row[x]);
    const bool at_limit = generated + x + 1 >= max_dec_len;
    const unsigned ends = lanes.ballot(inside && (is_end || at_limit));
    if (ends == 0) continue;
    const int last = first + lowest(ends);
    if (x == last && !is_end) row[x] = io.end_tokens.data()[0];
    return {last + 1, true};
  }
  return {count, false};
}

/// Whether the slot ran and was not ended.
__device__ inline bool unified_update_slot(const UnifiedUpdateModelStatus& io, std::int64_t i,
                                           const Lanes& lanes) {
  if (i >= io.n) return false;
  const int lane = static_cast<int>(lanes.thread_rank());
  const bool runs = io.stop_flags.data()[i] == 0 && io.is_paused.data()[i] == 0;
  const int a = io.step_output_len.data()[i];
  const std::int32_t e = io.seq_lens_encoder.data()[i];
  const std::int32_t d = io.seq_lens_decoder.data()[i];
  const std::int64_t g = io.step_idx.data()[i];
  const std::int64_t max_dec_len = io.max_dec_len.data()[i];
  const std::int64_t p = io.prompt_lens.data()[i];
  lanes.sync();
  if (!runs) {
    if (lane == 0) {
      io.stop_flags.data()[i] = 1;
      io.seq_lens_encoder.data()[i] = io.seq_lens_decoder.data()[i] = 0;
      io.seq_lens_this_time.data()[i] = io.step_output_len.data()[i] = 0;
    }
    return false;
  }
  std::int64_t* const row = io.step_output_ids.data() + i * io.draft_width;
  const CommittedTokens tokens = cut_tokens(io, row, a, g, max_dec_len, lanes);
  lanes.sync();
  const std::int64_t end = p + g + tokens.count;
  if (end < io.max_model_len) {
    std::int64_t* const history =
        io.token_ids_all.data() + i * io.max_model_len + end - tokens.count;
    for (int x = lane; x < tokens.count; x += kLanes) history[x] = row[x];
  }
  if (lane == 0) {
    if (e > 0) {
      io.seq_lens_decoder.data()[i] = d + e;
      io.seq_lens_encoder.data()[i] = 0;
    } else if (d > 0) {
      io.seq_lens_decoder.data()[i] = d + tokens.count;
    }
    io.step_idx.data()[i] = g + tokens.count;
    io.step_output_len.data()[i] = tokens.count;
    if (tokens.ended) io.stop_flags.data()[i] = 1;
    if (tokens.count > 0) io.step_input_ids.data()[i * io.draft_width] = row[tokens.count - 1];
  }
  return !tokens.ended;
}

}  // namespace tandem::kernels::detail
