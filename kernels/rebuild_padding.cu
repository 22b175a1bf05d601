// CUDA form of rebuild_padding: a group of threads an output row.
#include "kernels/detail/rows.cuh"
#include "kernels/rebuild_padding.hpp"

namespace tandem::kernels {
namespace {

/// Source row of output row x of the slot, or -1 where nothing is copied.
__device__ std::int64_t source_row(const RebuildPadding& io, std::int32_t i, std::int64_t number) {
  const std::int32_t e = io.seq_lens_encoder.data()[i];
  const std::int32_t d = io.seq_lens_decoder.data()[i];
  const std::int32_t q = io.seq_len_this_time.data()[i];
  const std::int64_t row = io.cu_seqlens_q.data()[i] + (e > 0 ? e - 1 : number);
  const bool is_idle = q == 0 || (d == 0 && e == 0);
  return is_idle || row < 0 || row >= io.input_rows ? -1 : row;
}

__global__ void __launch_bounds__(detail::kRowThreads)
    rebuild_padding_kernel(const RebuildPadding io, const detail::RowCopy copy, std::int64_t rows) {
  const bool speculative = io.form == RebuildForm::kSpeculative;
  const std::int64_t stride = std::int64_t{gridDim.x} * copy.rows_a_block();
  for (std::int64_t x = std::int64_t{blockIdx.x} * copy.rows_a_block() + threadIdx.x / copy.group;
       x < rows; x += stride) {
    const auto slot =
        speculative ? io.batch_id_per_token_output.data()[x] : static_cast<std::int32_t>(x);
    if (slot < 0) continue;
    const std::int64_t number = speculative ? x - io.cu_seqlens_q_output.data()[slot] : 0;
    const std::int64_t source = source_row(io, slot, number);
    if (source >= 0) {
      detail::copy_row(copy, source, x);
    } else if (!speculative) {
      detail::clear_row(copy, x);
    }
  }
}

}  // namespace

Status launch(const RebuildPadding& io, Stream stream) {
  const std::int64_t rows = io.form == RebuildForm::kSpeculative ? io.output_rows : io.n;
  if (rows == 0 || io.row_bytes == 0) return {};
  const detail::RowCopy copy(io.tmp_out, io.out, io.row_bytes);
  return detail::launch_shaped("rebuild_padding", detail::row_grid(copy, rows), stream,
                               rebuild_padding_kernel, io, copy, rows);
}

}  // namespace tandem::kernels
