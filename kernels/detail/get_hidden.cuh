// Body of eagle_get_hidden_states: which source row each output row of a tile of slots has.
#pragma once

#include "kernels/detail/pack.cuh"
#include "kernels/detail/rows.cuh"
#include "kernels/detail/tiles.cuh"
#include "kernels/eagle_get_hidden_states.hpp"

namespace tandem::kernels::detail {

constexpr int kNoRow = -1;

/// (rows owned in input, rows owned in out) of a slot. `copies` is false in the illegal case that
/// a slot without input rows is given output rows: they are counted and left alone.
__device__ inline std::uint64_t hidden_rows(const EagleGetHiddenStates& io, std::int64_t i,
                                            bool& copies) {
  const std::int32_t draft_q = io.seq_lens_this_time.data()[i];
  const std::int32_t draft_e = io.seq_lens_encoder.data()[i];
  const std::int32_t base_q = io.base_model_seq_lens_this_time.data()[i];
  const std::int32_t accepted = io.accept_nums.data()[i];
  copies = draft_e > 0 || base_q != 0;
  if (draft_e > 0) return Counts::pair(draft_e, draft_e);
  return Counts::pair(base_q, draft_q == 0 ? 0 : accepted);
}

/// Copies out row `row`, if its source is there (guarded form). `first` is where its slot begins.
__device__ inline void copy_hidden_row(const EagleGetHiddenStates& io, const RowCopy& copy,
                                       std::int32_t first_source, std::int64_t number,
                                       std::int64_t row) {
  if (first_source == kNoRow || first_source + number >= io.input_rows) return;
  copy_row(copy, first_source + number, row);
}

__device__ inline void get_hidden_rows(const EagleGetHiddenStates& io, const RowCopy& copy,
                                       const Share& share) {
  using Scan = cub::BlockScan<std::uint64_t, kTileThreads, cub::BLOCK_SCAN_WARP_SCANS>;
  __shared__ typename Scan::TempStorage scan_memory;
  __shared__ std::int32_t first_sources[kTile];
  __shared__ std::int32_t first_rows[kTile];
  const std::int64_t workers = std::int64_t{share.blocks} * copy.rows_a_block();
  const std::int64_t worker =
      std::int64_t{share.block} * copy.rows_a_block() + threadIdx.x / copy.group;
  std::uint64_t before = 0;
  for (std::int64_t tile = 0; tile < io.n; tile += kTile) {
    std::uint64_t counts[kItems];
    std::uint64_t firsts[kItems];
    bool copies[kItems];
    std::uint64_t all = 0;
    for (int k = 0; k < kItems; ++k) {
      const std::int64_t i = tile + threadIdx.x * kItems + k;
      copies[k] = false;
      counts[k] = i < io.n ? hidden_rows(io, i, copies[k]) : 0;
    }
    Scan(scan_memory).ExclusiveSum(counts, firsts, all);
    for (int k = 0; k < kItems; ++k) {
      const std::uint64_t first = before + firsts[k];
      first_sources[threadIdx.x * kItems + k] = copies[k] ? Counts::first(first) : kNoRow;
      first_rows[threadIdx.x * kItems + k] = Counts::second(first);
    }
    __syncthreads();
    const std::int64_t rows_end =
        min(std::int64_t{Counts::second(before + all)}, std::int64_t{io.input_rows});
#pragma unroll 1
    for (std::int64_t row = first_of_worker(Counts::second(before), worker, workers);
         row < rows_end; row += workers) {
      const int slot = owner_of(first_rows, tile_slots(io.n, tile), row);
      copy_hidden_row(io, copy, first_sources[slot], row - first_rows[slot], row);
    }
    before += all;
    __syncthreads();  // the next tile writes first_rows
  }
  if (share.block == 0 && threadIdx.x == 0) {
    io.output_token_num.data()[0] = Counts::second(before);
  }
}

}  // namespace tandem::kernels::detail
