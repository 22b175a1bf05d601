// Packs slots' tokens into the row axis: the body of speculate_pre_process and get_padding_offset.
#pragma once

#include "kernels/detail/tiles.cuh"
#include "kernels/get_padding_offset.hpp"
#include "kernels/speculate_pre_process.hpp"

namespace tandem::kernels::detail {

/// Two counts of a slot in one word, and their sums: each stays below 2^31.
struct Counts {
  static __device__ std::uint64_t pair(std::int32_t first, std::int32_t second) {
    return static_cast<std::uint64_t>(first) << 32U | static_cast<std::uint32_t>(second);
  }
  static __device__ std::int32_t first(std::uint64_t sum) {
    return static_cast<std::int32_t>(sum >> 32U);
  }
  static __device__ std::int32_t second(std::uint64_t sum) {
    return static_cast<std::int32_t>(sum);
  }
};

/// What both operations differ in. First count: input rows; second: output rows, or keys.
struct PackSpeculative {
  const SpeculatePreProcess& io;
  static constexpr bool kHasOutputRows = true;

  __device__ std::uint64_t counts(std::int64_t i, bool& from_drafts) const {
    const std::int32_t q = io.seq_lens_this_time.data()[i];
    const std::int32_t e = io.seq_lens_encoder.data()[i];
    from_drafts = io.draft_width > 0 && e <= 0;
    return Counts::pair(q, q == 0 ? 0 : (q == 1 || e != 0 ? 1 : q));
  }
  __device__ std::int64_t token(std::int64_t i, std::int64_t j, bool from_drafts) const {
    return from_drafts ? io.draft_tokens.data()[i * io.draft_width + j]
                       : io.input_ids.data()[i * io.input_ids_width + j];
  }
  __device__ std::int64_t* ids() const { return io.ids_remove_padding.data(); }
  __device__ void write_sums(std::int64_t i, std::uint64_t sum) const {
    io.cu_seqlens_q.data()[i] = io.cu_seqlens_k.data()[i] = Counts::first(sum);
    io.cu_seqlens_q_output.data()[i] = Counts::second(sum);
  }
  __device__ void write_output_row(std::int64_t row, std::int32_t slot) const {
    io.batch_id_per_token_output.data()[row] = slot;
  }
  __device__ void write_total(std::uint64_t sum) const {
    io.real_output_token_num.data()[0] = Counts::second(sum);
  }
};

struct PackPrompt {
  const GetPaddingOffset& io;
  static constexpr bool kHasOutputRows = false;

  __device__ std::uint64_t counts(std::int64_t i, bool& /*from_drafts*/) const {
    const std::int32_t q = io.seq_lens_this_time.data()[i];
    return Counts::pair(q, io.use_seq_lens_decoder ? q + io.seq_lens_decoder.data()[i] : q);
  }
  __device__ std::int64_t token(std::int64_t i, std::int64_t j, bool /*from_drafts*/) const {
    return io.input_ids.data()[i * io.input_ids_width + j];
  }
  __device__ std::int64_t* ids() const { return io.x_remove_padding.data(); }
  __device__ void write_sums(std::int64_t i, std::uint64_t sum) const {
    io.cu_seqlens_q.data()[i] = Counts::first(sum);
    io.cu_seqlens_k.data()[i] = Counts::second(sum);
  }
  __device__ void write_output_row(std::int64_t, std::int32_t) const {}
  __device__ void write_total(std::uint64_t) const {}
};

/// Rows T..N-1: no slot, a harmless token (law 4.7 [REC]).
template <class Op>
__device__ void pad_rows(const Op& op, std::int64_t used, const Share& share) {
  const std::int64_t workers = std::int64_t{share.blocks} * blockDim.x;
  const std::int64_t worker = std::int64_t{share.block} * blockDim.x + threadIdx.x;
  for (std::int64_t row = first_of_worker(used, worker, workers); row < op.io.token_num;
       row += workers) {
    op.ids()[row] = op.io.padding_id;
    op.io.batch_id_per_token.data()[row] = kPaddingSlot;
  }
}

/// A row of a slot. Rows at or beyond N are not written: the launch had too few (guarded form).
template <class Op>
__device__ void pack_row(const Op& op, std::int64_t row, std::int64_t slot, std::int64_t j,
                         bool from_drafts) {
  op.ids()[row] = op.token(slot, j, from_drafts);
  op.io.batch_id_per_token.data()[row] = static_cast<std::int32_t>(slot);
}

template <class Op>
__device__ void pack_slots(const Op& op, const Share& share) {
  using Scan = cub::BlockScan<std::uint64_t, kTileThreads, cub::BLOCK_SCAN_WARP_SCANS>;
  __shared__ typename Scan::TempStorage scan_memory;
  __shared__ std::int32_t first_rows[kTile];
  __shared__ std::int32_t first_outputs[kTile];
  __shared__ bool from_drafts[kTile];
  const std::int64_t workers = std::int64_t{share.blocks} * kTileThreads;
  const std::int64_t worker = std::int64_t{share.block} * kTileThreads + threadIdx.x;
  std::uint64_t before = 0;  // of the tiles in front
  for (std::int64_t tile = 0; tile < op.io.n; tile += kTile) {
    std::uint64_t counts[kItems];
    std::uint64_t firsts[kItems];
    std::uint64_t all = 0;
    for (int k = 0; k < kItems; ++k) {
      const std::int64_t i = tile + threadIdx.x * kItems + k;
      bool drafted = false;
      counts[k] = i < op.io.n ? op.counts(i, drafted) : 0;
      from_drafts[threadIdx.x * kItems + k] = drafted;
    }
    Scan(scan_memory).ExclusiveSum(counts, firsts, all);
    for (int k = 0; k < kItems; ++k) {
      const int local = static_cast<int>(threadIdx.x) * kItems + k;
      const std::uint64_t first = before + firsts[k];
      first_rows[local] = Counts::first(first);
      first_outputs[local] = Counts::second(first);
      const bool writes = tile + local < op.io.n && local % share.blocks == share.block;
      if (writes) op.write_sums(tile + local + 1, first + counts[k]);
    }
    __syncthreads();
    const std::int64_t rows_end =
        min(std::int64_t{Counts::first(before + all)}, std::int64_t{op.io.token_num});
    for (std::int64_t row = first_of_worker(Counts::first(before), worker, workers); row < rows_end;
         row += workers) {
      const int local = owner_of(first_rows, tile_slots(op.io.n, tile), row);
      pack_row(op, row, tile + local, row - first_rows[local], from_drafts[local]);
    }
    if constexpr (Op::kHasOutputRows) {
      for (std::int64_t row = first_of_worker(Counts::second(before), worker, workers);
           row < Counts::second(before + all); row += workers) {
        const int local = owner_of(first_outputs, tile_slots(op.io.n, tile), row);
        op.write_output_row(row, static_cast<std::int32_t>(tile + local));
      }
    }
    before += all;
    __syncthreads();  // the next tile writes first_rows
  }
  pad_rows(op, Counts::first(before), share);
  if (worker == 0) {
    op.write_sums(0, 0);
    op.write_total(before);
  }
}

/// Blocks of a packing kernel: for its rows, and for one slot of W output rows a thread at least.
inline std::int64_t pack_blocks(std::int64_t rows, std::int64_t slots) {
  return ceil_div(std::max(rows, slots), kTileThreads);
}

}  // namespace tandem::kernels::detail
