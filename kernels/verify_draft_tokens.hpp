// verify_draft_tokens: compares a slot's drafts with the target model's tokens (law 5.5).
#pragma once

#include "kernels/conventions.hpp"

namespace tandem::kernels {

enum class VerifyStrategy : std::int32_t {
  kTopP = 0,         ///< a draft must be one of the row's candidates, or pass the verify window
  kGreedy = 1,       ///< a draft must be the row's argmax (target_tokens)
  kTargetMatch = 2,  ///< a draft must be the token that was sampled for the row (target_tokens)
};

/// First a = 0 for all B slots. Then, for i < n with neither s_i nor b_i, scans D_i[1..q_i-1] at
/// the output rows base = cu_seqlens_q_output[i] onwards: matching drafts are emitted to A_i in
/// order; at the first one that does not match, or after the last, the target model's own token is
/// emitted. a_i = emitted.
///
/// The scan is left at once if reject_all, e_i != 0 or reasoning_status_i == 1: then one token is
/// emitted. accept_all takes every draft. A token that is an end token, or reaches the limit (g_i +
/// index + 1 >= max_dec_len_i), ends the slot: it becomes end_tokens[0] unless it is an end token.
/// When that token is a draft, a_i counts the bonus token that is not emitted (one too large;
/// unified_update cuts it, bug 10.13). Running slots always get a_i >= 1; cells of A beyond what is
/// emitted keep their value.
///
/// kTopP: candidate count of a row = min(candidate_lens, C). Verify window: if the draft is the
/// row's second candidate and the `verify_window` drafts behind it all are the first candidates of
/// their rows, the run is accepted and the scan goes on at the very next position (the peer's
/// kernel skips one; its unit test does not, and neither do we). With C < 2 there is no window.
/// [REC] The final kTopP token is a random draw in the peer. Here it is an input:
/// sampled_tokens[row], or, if that span is empty, the row's first candidate.
///
/// Wants, of running slots: q_i >= 0, base >= 0; for a slot that is scanned, q_i <= W and base +
/// q_i <= R; base < R for all; W >= 1; at least one end token; kTopP: C >= 1 and candidate_lens >=
/// 0.
struct VerifyDraftTokens {
  std::int32_t n = 0;
  std::int32_t slot_count = 0;       ///< B
  std::int32_t draft_width = 0;      ///< W, columns of step_output_ids and step_input_ids
  std::int32_t row_count = 0;        ///< R, rows of target_tokens and of the candidate tensors
  std::int32_t candidate_width = 0;  ///< C, kTopP only
  VerifyStrategy verify_strategy = VerifyStrategy::kGreedy;
  std::int32_t verify_window = 0;  ///< >= 0; kTopP only
  bool reject_all = false;
  bool accept_all = false;

  std::span<std::int64_t> step_output_ids;            ///< [B, W] A, out where emitted
  std::span<std::int32_t> step_output_len;            ///< [B] a, out
  std::span<const std::int64_t> step_input_ids;       ///< [n, W] D
  std::span<const std::int64_t> target_tokens{};      ///< [R]; kGreedy and kTargetMatch
  std::span<const std::int64_t> candidate_ids{};      ///< [R, C]; kTopP
  std::span<const float> candidate_scores{};          ///< [R, C]; not read, may be empty
  std::span<const std::int32_t> candidate_lens{};     ///< [R]; kTopP
  std::span<const std::int64_t> sampled_tokens{};     ///< [R] or empty; kTopP
  std::span<const float> topp{};                      ///< [B]; not read, may be empty
  std::span<const std::uint8_t> stop_flags;           ///< [n] s
  std::span<const std::int32_t> seq_lens_encoder;     ///< [n] e
  std::span<const std::int32_t> seq_lens_this_time;   ///< [n] q
  std::span<const std::int64_t> end_tokens;           ///< [E], all of it is read
  std::span<const std::uint8_t> is_block_step;        ///< [n] b
  std::span<const std::int32_t> cu_seqlens_q_output;  ///< [n], the vectors give n + 1
  std::span<const std::int32_t> reasoning_status;     ///< [n]
  std::span<const std::int64_t> max_dec_len;          ///< [n]
  std::span<const std::int64_t> step_idx;             ///< [n] g
};

[[nodiscard]] Status check_verify_draft_tokens(const VerifyDraftTokens& io);
void verify_draft_tokens_reference(const VerifyDraftTokens& io);

}  // namespace tandem::kernels
