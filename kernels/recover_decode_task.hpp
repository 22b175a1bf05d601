// recover_decode_task: revives parked slots whose next KV blocks have arrived (law 5.1).
#pragma once

#include "kernels/conventions.hpp"

namespace tandem::kernels {

/// For each slot i < n with is_block_step: x = min((step_d_i + 2K + 1) div block_size, nblk - 1).
/// If block_tables[i, x] is not -1 the slot runs again with the state it was parked with: b and s
/// are cleared, e = 0, d = step_d, q = step_q, and D_i[0..q) = step_draft_i[0..q). Otherwise
/// nothing changes.
///
/// [REC] nblk - 1: the peer's kernel clamps to nblk, one past the row.
/// Wants, of parked slots: step_d >= 0, 0 <= step_q <= W. n = 0 does nothing.
struct RecoverDecodeTask {
  std::int32_t n = 0;
  std::int32_t block_size = 0;          ///< KV positions a block, > 0
  std::int32_t max_draft_tokens = 0;    ///< K
  std::int32_t draft_width = 0;         ///< W, columns of draft_tokens and step_draft_tokens
  std::int32_t block_tables_width = 0;  ///< nblk, > 0 if n > 0

  std::span<std::uint8_t> stop_flags;                     ///< [n] io
  std::span<std::int32_t> seq_lens_this_time;             ///< [n] out for revived slots
  std::span<std::int32_t> seq_lens_encoder;               ///< [n] out for revived slots
  std::span<std::int32_t> seq_lens_decoder;               ///< [n] out for revived slots
  std::span<const std::int32_t> step_seq_lens_decoder;    ///< [n]
  std::span<const std::int32_t> step_seq_lens_this_time;  ///< [n]
  std::span<const std::int64_t> step_draft_tokens;        ///< [n, W]
  std::span<std::int64_t> draft_tokens;                   ///< [n, W] out for revived slots
  std::span<const std::int32_t> block_tables;             ///< [n, nblk], -1 = no block
  std::span<std::uint8_t> is_block_step;                  ///< [n] io
};

[[nodiscard]] Status check_recover_decode_task(const RecoverDecodeTask& io);
void recover_decode_task_reference(const RecoverDecodeTask& io);

}  // namespace tandem::kernels
