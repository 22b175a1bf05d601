// One row a running slot, packed: the body of eagle_gather and eagle_get_self_hidden_states.
#pragma once

#include "kernels/detail/rows.cuh"
#include "kernels/detail/tiles.cuh"

namespace tandem::kernels::detail {

/// What a slot adds to both axes. Nothing bounds the sum of input rows: it stays at kRowsMax once
/// it is there, beyond any row of a tensor.
struct RowSum {
  std::uint32_t in = 0;   ///< input rows owned
  std::uint32_t out = 0;  ///< 1 if the slot contributes a row
};

struct AddRowSums {
  static constexpr std::uint64_t kRowsMax = std::uint64_t{1} << 31U;

  __device__ RowSum operator()(const RowSum& a, const RowSum& b) const {
    const std::uint64_t in = std::uint64_t{a.in} + b.in;
    return {static_cast<std::uint32_t>(min(in, kRowsMax)), a.out + b.out};
  }
};

/// Op::rows(i) is the RowSum of slot i; Op::out_rows the rows of out; Op::kClears whether rows
/// behind the last contribution, and contributions without a source row, become zero.
template <class Op>
__device__ void compact_rows(const Op& op, const RowCopy& copy, const Share& share) {
  using Scan = cub::BlockScan<RowSum, kTileThreads, cub::BLOCK_SCAN_WARP_SCANS>;
  __shared__ typename Scan::TempStorage scan_memory;
  __shared__ std::int32_t sources[kTile];  // by contribution of the tile, -1: no such row
  const std::int64_t workers = std::int64_t{share.blocks} * copy.rows_a_block();
  const std::int64_t worker =
      std::int64_t{share.block} * copy.rows_a_block() + threadIdx.x / copy.group;
  RowSum before;
  for (std::int64_t tile = 0; tile < op.io.n; tile += kTile) {
    RowSum own[kItems];
    RowSum firsts[kItems];
    RowSum all;
    for (int k = 0; k < kItems; ++k) {
      const std::int64_t i = tile + threadIdx.x * kItems + k;
      own[k] = i < op.io.n ? op.rows(i) : RowSum{};
    }
    Scan(scan_memory).ExclusiveScan(own, firsts, RowSum{}, AddRowSums(), all);
    for (int k = 0; k < kItems; ++k) {
      if (own[k].out == 0) continue;
      const RowSum in_front = AddRowSums()(before, firsts[k]);
      const std::uint32_t end = AddRowSums()(in_front, own[k]).in;
      const bool is_there = own[k].in > 0 && end <= static_cast<std::uint32_t>(op.io.input_rows);
      sources[firsts[k].out] = is_there ? static_cast<std::int32_t>(end - 1) : -1;
    }
    __syncthreads();
    const std::int64_t rows_end = min(std::int64_t{before.out} + all.out, op.out_rows());
#pragma unroll 1
    for (std::int64_t row = first_of_worker(before.out, worker, workers); row < rows_end;
         row += workers) {
      const std::int32_t source = sources[row - before.out];
      if (source >= 0) {
        copy_row(copy, source, row);
      } else if (Op::kClears) {
        clear_row(copy, row);
      }
    }
    before = AddRowSums()(before, all);
    __syncthreads();  // the next tile writes sources
  }
  if (Op::kClears) {
#pragma unroll 1
    for (std::int64_t row = first_of_worker(before.out, worker, workers); row < op.out_rows();
         row += workers) {
      clear_row(copy, row);
    }
  }
  if (share.block == 0 && threadIdx.x == 0) {
    op.io.output_token_num.data()[0] = static_cast<std::int32_t>(before.out);
  }
}

}  // namespace tandem::kernels::detail
