// One slot of unified_update_model_status: a lane a token, the first one that ends the slot wins.
#pragma once

#include "kernels/detail/slots.cuh"
#include "kernels/unified_update_model_status.hpp"

namespace tandem::kernels::detail {

struct CommittedTokens {
  int count = 0;  ///< a, cut behind the token that ends the slot
  bool ended = false;
  std::int64_t held = 0;  ///< the token at the lane's number, if it is there
};

/// Finds the cut and puts an end token there. `held` is the token at the lane's number.
__device__ inline CommittedTokens cut_tokens(std::int64_t* row, std::int64_t held, int count,
                                             std::int64_t generated, std::int64_t max_dec_len,
                                             const EndTokens& ends, const Lanes& lanes) {
  CommittedTokens found{count, false, held};
  for (int first = 0; first < count && !found.ended; first += kLanes) {
    const int x = first + static_cast<int>(lanes.thread_rank());
    const bool inside = x < count;
    std::int64_t token = first == 0 ? held : inside ? row[x] : 0;
    const bool is_end = ends.contain(token);
    const std::int64_t end_token = ends.first();
    const bool at_limit = generated + x + 1 >= max_dec_len;
    const unsigned ended = lanes.ballot(inside && (is_end || at_limit));
    if (ended != 0) {
      found.count = first + lowest(ended) + 1;
      found.ended = true;
      if (x == found.count - 1 && !is_end) row[x] = token = end_token;
    }
    if (first == 0) found.held = token;
  }
  return found;
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
  const EndTokens ends(io.end_tokens, lanes);
  std::int64_t* const row = io.step_output_ids.data() + i * io.draft_width;
  const std::int64_t held = lane < io.draft_width ? row[lane] : kNoToken;  // read ahead
  lanes.sync();
  if (!runs) {
    if (lane == 0) {
      io.stop_flags.data()[i] = 1;
      io.seq_lens_encoder.data()[i] = io.seq_lens_decoder.data()[i] = 0;
      io.seq_lens_this_time.data()[i] = io.step_output_len.data()[i] = 0;
    }
    return false;
  }
  const CommittedTokens tokens = cut_tokens(row, held, a, g, max_dec_len, ends, lanes);
  lanes.sync();  // a token at the cut beyond the first eight is in memory
  const std::int64_t end = p + g + tokens.count;
  std::int64_t* const history = io.token_ids_all.data() + i * io.max_model_len + end - tokens.count;
  for (int x = lane; x < tokens.count; x += kLanes) {
    const std::int64_t token = x == lane ? tokens.held : row[x];
    if (end < io.max_model_len) history[x] = token;
    if (x == tokens.count - 1) io.step_input_ids.data()[i * io.draft_width] = token;
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
  }
  return !tokens.ended;
}

}  // namespace tandem::kernels::detail
