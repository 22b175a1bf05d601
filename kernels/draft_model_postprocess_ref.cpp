// Host reference of draft_model_postprocess.
#include "kernels/detail/reference.hpp"
#include "kernels/draft_model_postprocess.hpp"

namespace tandem::kernels {

using detail::at;
using detail::cell;

Status check_draft_model_postprocess(const DraftModelPostprocess& io) {
  detail::Checks checks("draft_model_postprocess");
  checks.attr("n", io.n, 0);
  checks.attr("draft_width", io.draft_width, 0);
  checks.entries("base_model_draft_tokens", io.base_model_draft_tokens, io.n, io.draft_width);
  checks.entries("base_model_seq_lens_this_time", io.base_model_seq_lens_this_time, io.n);
  checks.entries("base_model_seq_lens_encoder", io.base_model_seq_lens_encoder, io.n);
  checks.entries("base_model_stop_flags", io.base_model_stop_flags, io.n);
  return checks.status();
}

void draft_model_postprocess_reference(const DraftModelPostprocess& io) {
  detail::require(check_draft_model_postprocess(io));
  for (std::int32_t i = 0; i < io.n; ++i) {
    std::int32_t& q = at(io.base_model_seq_lens_this_time, i);
    if (at(io.base_model_stop_flags, i) != 0) {
      q = 0;
    } else if (at(io.base_model_seq_lens_encoder, i) == 0) {
      q = 0;
      for (std::int32_t x = 0; x < io.draft_width; ++x) {
        if (cell(io.base_model_draft_tokens, i, io.draft_width, x) != kNoToken) ++q;
      }
    }
  }
}

}  // namespace tandem::kernels
