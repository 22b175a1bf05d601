// eagle_get_self_hidden_states: the MTP head's own last rows, one a running slot (law 5.11).
#pragma once

#include "kernels/conventions.hpp"

namespace tandem::kernels {

/// What the third argument of eagle_get_self_hidden_states means; the two were confused once (bug
/// 10.1).
enum class EncoderTest : std::int32_t {
  kLastSeqLensEncoder = 0,  ///< encoder phase if last_seq_lens_encoder_i > 0 (current)
  kStepIdx = 1,             ///< encoder phase if step_idx_i == 1 (before #7001)
};

/// Slot i < n, in slot order, owns input rows: in the encoder phase 1, but 0 if qδ = 0 and
/// last_qδ = 0; else last_qδ. It contributes its last input row if qδ > 0. The rows stand packed
/// at the front of out. output_token_num = number of contributing slots. Rows are bytes; rows
/// behind keep their value.
///
/// [REC] Guarded: a slot with qδ > 0 that owns no input row, or whose row is at or beyond
/// input_rows, is counted but nothing is copied for it.
/// Wants: last_qδ >= 0, qδ >= 0.
struct EagleGetSelfHiddenStates {
  std::int32_t n = 0;
  std::int32_t input_rows = 0;  ///< N, rows of input and of out
  std::int64_t row_bytes = 0;   ///< >= 0
  EncoderTest encoder_test = EncoderTest::kLastSeqLensEncoder;

  std::span<const std::byte> input;                       ///< [N] rows
  std::span<const std::int32_t> last_seq_lens_this_time;  ///< [n] qδ before draft_model_update
  std::span<const std::int32_t> seq_lens_this_time;       ///< [n] qδ after it
  std::span<const std::int32_t> last_seq_lens_encoder{};  ///< [n], kLastSeqLensEncoder only
  std::span<const std::int64_t> step_idx{};               ///< [n], kStepIdx only

  std::span<std::byte> out;                  ///< [N] rows, the first output_token_num out
  std::span<std::int32_t> output_token_num;  ///< [1] out
};

[[nodiscard]] Status check_eagle_get_self_hidden_states(const EagleGetSelfHiddenStates& io);
void eagle_get_self_hidden_states_reference(const EagleGetSelfHiddenStates& io);

}  // namespace tandem::kernels
