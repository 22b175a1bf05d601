// CUDA forms of eagle_get_hidden_states: blocks that scan for themselves, and the cooperative one.
#include <cooperative_groups.h>
#include <cub/block/block_reduce.cuh>

#include "kernels/detail/get_hidden.cuh"
#include "kernels/launch.hpp"

namespace tandem::kernels {
namespace {

__global__ void __launch_bounds__(detail::kRowThreads, detail::kRowBlocksAnSm)
    get_hidden_states_kernel(const EagleGetHiddenStates io, const detail::RowCopy copy) {
  detail::get_hidden_rows(io, copy, {blockIdx.x, gridDim.x});
}

/// Source rows of the out rows of one tile of slots, a slot a thread; the last tile also fills what
/// no slot owns.
__device__ void map_tile(const EagleGetHiddenStates& io, std::int32_t* row_map, std::int64_t tile) {
  using Reduce = cub::BlockReduce<std::uint64_t, detail::kTileThreads>;
  using Scan = cub::BlockScan<std::uint64_t, detail::kTileThreads>;
  __shared__ union {
    typename Reduce::TempStorage reduce;
    typename Scan::TempStorage scan;
  } memory;
  __shared__ std::uint64_t before;
  bool copies = false;
  std::uint64_t in_front = 0;
  for (std::int64_t i = threadIdx.x; i < tile; i += detail::kTileThreads) {
    in_front += detail::hidden_rows(io, i, copies);
  }
  const std::uint64_t sum = Reduce(memory.reduce).Sum(in_front);
  if (threadIdx.x == 0) before = sum;
  __syncthreads();
  copies = false;
  const std::int64_t i = tile + threadIdx.x;
  const std::uint64_t own = i < io.n ? detail::hidden_rows(io, i, copies) : 0;
  std::uint64_t first = 0;
  std::uint64_t all = 0;
  Scan(memory.scan).ExclusiveSum(own, first, all);
  first += before;
  const std::int64_t row = detail::Counts::second(first);
  const std::int64_t end = min(row + detail::Counts::second(own), std::int64_t{io.input_rows});
  for (std::int64_t out = row; out < end; ++out) {
    const std::int64_t source = detail::Counts::first(first) + (out - row);
    row_map[out] =
        copies && source < io.input_rows ? static_cast<std::int32_t>(source) : detail::kNoRow;
  }
  const std::int64_t count = detail::Counts::second(before + all);
  if (tile + detail::kTileThreads >= io.n) {
    for (std::int64_t out = count + threadIdx.x; out < io.input_rows; out += detail::kTileThreads) {
      row_map[out] = detail::kNoRow;
    }
    if (threadIdx.x == 0) io.output_token_num.data()[0] = static_cast<std::int32_t>(count);
  }
  __syncthreads();
}

/// Law 5.9: row map, grid barrier, rows.
__global__ void __launch_bounds__(detail::kRowThreads, detail::kRowBlocksAnSm)
    get_hidden_cooperative_kernel(const EagleGetHiddenStates io, const detail::RowCopy copy,
                                  std::int32_t* row_map) {
  const std::int64_t stride = std::int64_t{gridDim.x} * detail::kTileThreads;
  for (std::int64_t tile = std::int64_t{blockIdx.x} * detail::kTileThreads; tile < max(io.n, 1);
       tile += stride) {
    map_tile(io, row_map, tile);
  }
  cooperative_groups::this_grid().sync();
  const std::int64_t workers = std::int64_t{gridDim.x} * copy.rows_a_block();
  for (std::int64_t row = std::int64_t{blockIdx.x} * copy.rows_a_block() + threadIdx.x / copy.group;
       row < io.input_rows; row += workers) {
    if (row_map[row] != detail::kNoRow) detail::copy_row(copy, row_map[row], row);
  }
}

}  // namespace

Status launch(const EagleGetHiddenStates& io, Stream stream) {
  const detail::RowCopy copy(io.input, io.out, io.row_bytes);
  return detail::launch_shaped("eagle_get_hidden_states", detail::row_grid(copy, io.input_rows),
                               stream, get_hidden_states_kernel, io, copy);
}

Status launch_cooperative(const EagleGetHiddenStates& io, std::span<std::int32_t> row_map,
                          Stream stream) {
  constexpr std::string_view kOp = "eagle_get_hidden_states (cooperative)";
  if (row_map.size() < static_cast<std::size_t>(io.input_rows)) {
    return Error::make(kOp, "row_map of " + std::to_string(row_map.size()) + " entries",
                       "one a row: " + std::to_string(io.input_rows));
  }
  const detail::RowCopy copy(io.input, io.out, io.row_bytes);
  const std::int64_t wanted = detail::ceil_div(io.input_rows, copy.rows_a_block());
  TANDEM_TRY(const detail::Shape shape,
             detail::co_resident(kOp, get_hidden_cooperative_kernel, wanted, detail::kTileThreads));
  return detail::launch_shaped(kOp, shape, stream, get_hidden_cooperative_kernel, io, copy,
                               row_map.data());
}

}  // namespace tandem::kernels
