// speculate_schedule_cache: parks slots whose KV blocks run out (law 5.13).
#pragma once

#include "kernels/conventions.hpp"

namespace tandem::kernels {

/// For each slot i < n that is not stopped:
///  - d_i < p_i (more chunks to come): s = true, q = d = e = a = 0; the next insert revives the
///    slot;
///  - else if prefill_one_step_stop (P node): the same;
///  - else y = (d_i + 2K + 2) div block_size; if y < nblk and block_tables[i, y] = -1 the slot is
///    parked: b = s = true, step_q = q, q = 0, step_d = d, d = 0, a = 0, A_i[..] = -1, step_draft_i
///    = D_i (e stays).
/// Only entry y is tested; y >= nblk never parks. not_need_stop = some slot i < n is not stopped
/// afterwards.
///
/// 2K + 2 is W tokens of the next step and W of the one after: the host lags one step behind.
/// Wants, of slots that reach the test: d_i >= 0; block_size > 0.
struct SpeculateScheduleCache {
  std::int32_t n = 0;
  std::int32_t block_size = 0;        ///< KV positions a block, > 0
  std::int32_t max_draft_tokens = 0;  ///< K
  bool prefill_one_step_stop = false;
  std::int32_t draft_width = 0;         ///< W, columns of draft_tokens and step_draft_tokens
  std::int32_t accept_width = 0;        ///< columns of accept_tokens; W in the runtime, > 0
  std::int32_t block_tables_width = 0;  ///< nblk

  std::span<const std::int64_t> draft_tokens;       ///< [n, W] D
  std::span<const std::int32_t> block_tables;       ///< [n, nblk], -1 = no block
  std::span<std::uint8_t> stop_flags;               ///< [n] s, io
  std::span<const std::int64_t> prompt_lens;        ///< [n] p
  std::span<std::int32_t> seq_lens_this_time;       ///< [n] q, io
  std::span<std::int32_t> seq_lens_encoder;         ///< [n] e, io
  std::span<std::int32_t> seq_lens_decoder;         ///< [n] d, io
  std::span<std::int32_t> step_seq_lens_decoder;    ///< [n] out for parked slots
  std::span<std::int64_t> step_draft_tokens;        ///< [n, W] out for parked slots
  std::span<std::int32_t> step_seq_lens_this_time;  ///< [n] out for parked slots
  std::span<std::int32_t> accept_num;               ///< [n] a, io
  std::span<std::int64_t> accept_tokens;            ///< [n, accept_width] A, out for parked slots
  std::span<std::uint8_t> is_block_step;            ///< [n] b, out for parked slots
  std::span<std::uint8_t> not_need_stop;            ///< [1] out
};

[[nodiscard]] Status check_speculate_schedule_cache(const SpeculateScheduleCache& io);
void speculate_schedule_cache_reference(const SpeculateScheduleCache& io);

}  // namespace tandem::kernels
