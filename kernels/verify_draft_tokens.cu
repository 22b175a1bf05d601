// CUDA form of verify_draft_tokens.
#include "kernels/detail/verify_slot.cuh"
#include "kernels/launch.hpp"

namespace tandem::kernels {
namespace {

__global__ void verify_draft_tokens_kernel(const VerifyDraftTokens io) {
  const detail::Lanes lanes = detail::slot_lanes();
  for (std::int64_t i = detail::lanes_index(); i < io.slot_count; i += detail::lanes_count()) {
    detail::verify_slot(io, i, lanes);
  }
}

}  // namespace

Status launch(const VerifyDraftTokens& io, Stream stream) {
  if (io.slot_count == 0) return {};
  return detail::launch_shaped("verify_draft_tokens", detail::slot_grid(io.slot_count), stream,
                               verify_draft_tokens_kernel, io);
}

}  // namespace tandem::kernels
