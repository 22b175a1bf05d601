// CUDA form of rebuild_padding: a group of threads an output row.
#include "kernels/detail/rows.cuh"
#include "kernels/rebuild_padding.hpp"

namespace tandem::kernels {
namespace {

constexpr std::int64_t kKept = -1;     ///< the out row keeps its value
constexpr std::int64_t kCleared = -2;  ///< the out row becomes zero

/// Source row of out row x, or what else happens to it.
__device__ std::int64_t source_row(const RebuildPadding& io, std::int64_t x) {
  const bool speculative = io.form == RebuildForm::kSpeculative;
  const std::int64_t otherwise = speculative ? kKept : kCleared;
  const std::int64_t i = speculative ? io.batch_id_per_token_output.data()[x] : x;
  if (i < 0) return otherwise;
  const std::int32_t e = io.seq_lens_encoder.data()[i];
  const std::int32_t d = io.seq_lens_decoder.data()[i];
  const std::int32_t q = io.seq_len_this_time.data()[i];
  const std::int64_t number = speculative ? x - io.cu_seqlens_q_output.data()[i] : 0;
  const std::int64_t row = io.cu_seqlens_q.data()[i] + (e > 0 ? e - 1 : number);
  const bool is_idle = q == 0 || (d == 0 && e == 0);
  return is_idle || row < 0 || row >= io.input_rows ? otherwise : row;
}

/// The next row's source is found while this row is copied.
__global__ void __launch_bounds__(detail::kRowThreads, detail::kRowBlocksAnSm)
    rebuild_padding_kernel(const RebuildPadding io, const detail::RowCopy copy, std::int64_t rows) {
  const std::int64_t stride = std::int64_t{gridDim.x} * copy.rows_a_block();
  std::int64_t x = std::int64_t{blockIdx.x} * copy.rows_a_block() + threadIdx.x / copy.group;
  std::int64_t next = x < rows ? source_row(io, x) : kKept;
  for (; x < rows; x += stride) {
    const std::int64_t source = next;
    if (x + stride < rows) next = source_row(io, x + stride);
    if (source >= 0) {
      detail::copy_row(copy, source, x);
    } else if (source == kCleared) {
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
