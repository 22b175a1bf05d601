// CUDA form of eagle_get_self_hidden_states.
#include "kernels/detail/compact_rows.cuh"
#include "kernels/eagle_get_self_hidden_states.hpp"
#include "kernels/launch.hpp"

namespace tandem::kernels {
namespace {

struct SelfRows {
  const EagleGetSelfHiddenStates& io;
  static constexpr bool kClears = false;

  __device__ detail::RowSum rows(std::int64_t i) const {
    const std::int32_t last_q = io.last_seq_lens_this_time.data()[i];
    const std::int32_t q = io.seq_lens_this_time.data()[i];
    const bool in_encoder_phase = io.encoder_test == EncoderTest::kStepIdx
                                      ? io.step_idx.data()[i] == 1
                                      : io.last_seq_lens_encoder.data()[i] > 0;
    const std::uint32_t encoder_rows = last_q == 0 && q == 0 ? 0 : 1;
    return {in_encoder_phase ? encoder_rows : static_cast<std::uint32_t>(last_q), q == 0 ? 0U : 1U};
  }
  [[nodiscard]] __device__ std::int64_t out_rows() const { return io.input_rows; }
};

__global__ void __launch_bounds__(detail::kRowThreads, detail::kRowBlocksAnSm)
    get_self_hidden_states_kernel(const EagleGetSelfHiddenStates io, const detail::RowCopy copy) {
  detail::compact_rows(SelfRows{io}, copy, {blockIdx.x, gridDim.x});
}

}  // namespace

Status launch(const EagleGetSelfHiddenStates& io, Stream stream) {
  const detail::RowCopy copy(io.input, io.out, io.row_bytes);
  const std::int64_t rows = std::min(io.n, io.input_rows);
  return detail::launch_shaped("eagle_get_self_hidden_states", detail::row_grid(copy, rows), stream,
                               get_self_hidden_states_kernel, io, copy);
}

}  // namespace tandem::kernels
