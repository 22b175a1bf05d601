// naive_update_model_status: a step's outcome without drafts (law 5.15).
#pragma once

#include "kernels/conventions.hpp"

namespace tandem::kernels {

/// For each slot i < n: q_i > 0: A_i[0] = next_tokens[cu_seqlens_q_output[i + 1] - 1], a_i = 1, q_i
/// = 1; else a_i = q_i = 0. unified_update_model_status does the rest.
///
/// Wants, of slots with q_i > 0: the index lies in next_tokens; W >= 1.
struct NaiveUpdateModelStatus {
  std::int32_t n = 0;
  std::int32_t draft_width = 0;  ///< W, columns of accept_tokens

  std::span<std::int64_t> accept_tokens;              ///< [n, W] A, column 0 out
  std::span<std::int32_t> accept_num;                 ///< [n] a, out
  std::span<std::int32_t> seq_lens_this_time;         ///< [n] q, io
  std::span<const std::int64_t> next_tokens;          ///< [R]
  std::span<const std::int32_t> cu_seqlens_q_output;  ///< [n + 1]
};

[[nodiscard]] Status check_naive_update_model_status(const NaiveUpdateModelStatus& io);
void naive_update_model_status_reference(const NaiveUpdateModelStatus& io);

}  // namespace tandem::kernels
