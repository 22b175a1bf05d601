// draft_model_postprocess: the drafts found decide the target's next q (law 5.12b).
#pragma once

#include "kernels/conventions.hpp"

namespace tandem::kernels {

/// For each slot i < n: stopped: q_i = 0; else if e_i = 0: q_i = number of entries of D_i other
/// than -1 (wherever they stand); else q_i stays. No input can lead outside a row.
struct DraftModelPostprocess {
  std::int32_t n = 0;
  std::int32_t draft_width = 0;  ///< W

  std::span<const std::int64_t> base_model_draft_tokens;      ///< [n, W] D
  std::span<std::int32_t> base_model_seq_lens_this_time;      ///< [n] q, io
  std::span<const std::int32_t> base_model_seq_lens_encoder;  ///< [n] e
  std::span<const std::uint8_t> base_model_stop_flags;        ///< [n] s
};

[[nodiscard]] Status check_draft_model_postprocess(const DraftModelPostprocess& io);
void draft_model_postprocess_reference(const DraftModelPostprocess& io);

}  // namespace tandem::kernels
