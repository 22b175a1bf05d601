// CUDA forms of speculate_pre_process: blocks that scan for themselves, and the cooperative one.
#include <cooperative_groups.h>
#include <cub/block/block_reduce.cuh>

#include "kernels/detail/pack.cuh"
#include "kernels/launch.hpp"

namespace tandem::kernels {
namespace {

__global__ void __launch_bounds__(detail::kTileThreads)
    speculate_pre_process_kernel(const SpeculatePreProcess io) {
  detail::pack_slots(detail::PackSpeculative{io}, {blockIdx.x, gridDim.x});
}

/// The cumulative arrays of one tile of slots, a slot a thread.
__device__ void scan_tile(const SpeculatePreProcess& io, std::int64_t tile) {
  using Reduce = cub::BlockReduce<std::uint64_t, detail::kTileThreads>;
  using Scan = cub::BlockScan<std::uint64_t, detail::kTileThreads>;
  __shared__ union {
    typename Reduce::TempStorage reduce;
    typename Scan::TempStorage scan;
  } memory;
  __shared__ std::uint64_t before;
  const detail::PackSpeculative op{io};
  std::uint64_t in_front = 0;
  bool drafted = false;
  for (std::int64_t i = threadIdx.x; i < tile; i += detail::kTileThreads) {
    in_front += op.counts(i, drafted);
  }
  const std::uint64_t sum = Reduce(memory.reduce).Sum(in_front);
  if (threadIdx.x == 0) before = sum;
  __syncthreads();
  const std::int64_t i = tile + threadIdx.x;
  const std::uint64_t own = i < io.n ? op.counts(i, drafted) : 0;
  std::uint64_t through = 0;
  Scan(memory.scan).InclusiveSum(own, through);
  if (i < io.n) op.write_sums(i + 1, before + through);
  if (i == io.n - 1) op.write_total(before + through);
  __syncthreads();
}

/// Law 5.2: cumulative arrays, grid barrier, rows.
__global__ void __launch_bounds__(detail::kTileThreads)
    pre_process_cooperative_kernel(const SpeculatePreProcess io) {
  const detail::Share share{blockIdx.x, gridDim.x};
  const detail::PackSpeculative op{io};
  const std::int64_t stride = std::int64_t{share.blocks} * detail::kTileThreads;
  for (std::int64_t tile = std::int64_t{share.block} * detail::kTileThreads; tile < io.n;
       tile += stride) {
    scan_tile(io, tile);
  }
  if (share.block == 0 && threadIdx.x == 0) {
    op.write_sums(0, 0);
    if (io.n == 0) op.write_total(0);
  }
  cooperative_groups::this_grid().sync();
  const std::int64_t worker = std::int64_t{share.block} * detail::kTileThreads + threadIdx.x;
  const std::int32_t* const first_rows = io.cu_seqlens_q.data();
  const std::int32_t* const first_outputs = io.cu_seqlens_q_output.data();
  const std::int64_t used = first_rows[io.n];
  const std::int64_t rows_end = min(used, std::int64_t{io.token_num});
  for (std::int64_t row = worker; row < rows_end; row += stride) {
    const int slot = detail::owner_of(first_rows, io.n, row);
    bool drafted = false;
    op.counts(slot, drafted);
    detail::pack_row(op, row, slot, row - first_rows[slot], drafted);
  }
  for (std::int64_t row = worker; row < first_outputs[io.n]; row += stride) {
    op.write_output_row(row, detail::owner_of(first_outputs, io.n, row));
  }
  detail::pad_rows(op, used, share);
}

}  // namespace

Status launch(const SpeculatePreProcess& io, Stream stream) {
  const std::int64_t wanted = detail::pack_blocks(io.token_num, io.n);
  return detail::launch_shaped("speculate_pre_process",
                               {detail::clipped_blocks(wanted, 4), detail::kTileThreads}, stream,
                               speculate_pre_process_kernel, io);
}

Status launch_cooperative(const SpeculatePreProcess& io, Stream stream) {
  constexpr std::string_view kOp = "speculate_pre_process (cooperative)";
  TANDEM_TRY(const detail::Shape shape,
             detail::co_resident(kOp, pre_process_cooperative_kernel,
                                 detail::pack_blocks(io.token_num, io.n), detail::kTileThreads));
  return detail::launch_shaped(kOp, shape, stream, pre_process_cooperative_kernel, io);
}

}  // namespace tandem::kernels
