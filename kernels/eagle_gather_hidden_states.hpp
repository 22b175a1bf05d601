// eagle_gather_hidden_states: one row a running slot for the LM head of the draft (law 5.10).
#pragma once

#include "kernels/conventions.hpp"

namespace tandem::kernels {

/// The x-th slot i < n with q_i > 0 gives its last row (running sum of q including i, minus 1) to
/// row x of out. Rows of out behind them are zero. output_token_num = number of such slots. Rows
/// are bytes.
///
/// Only input and seq_lens_this_time are read; the peer's signature has more.
/// [REC] Guarded: a slot whose row is at or beyond input_rows is counted; its row of out is zero.
/// Wants: q_i >= 0.
struct EagleGatherHiddenStates {
  std::int32_t n = 0;           ///< also the number of rows of out
  std::int32_t input_rows = 0;  ///< rows of input
  std::int64_t row_bytes = 0;   ///< >= 0

  std::span<const std::byte> input;                  ///< [input_rows] rows
  std::span<const std::int32_t> seq_lens_this_time;  ///< [n] q (of the draft)

  std::span<std::byte> out;                  ///< [n] rows, out
  std::span<std::int32_t> output_token_num;  ///< [1] out
};

[[nodiscard]] Status check_eagle_gather_hidden_states(const EagleGatherHiddenStates& io);
void eagle_gather_hidden_states_reference(const EagleGatherHiddenStates& io);

}  // namespace tandem::kernels
