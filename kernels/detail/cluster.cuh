// Results over all slots: one thread-block cluster holds them; its blocks meet in shared memory.
#pragma once

#include <cstdint>

#include <cooperative_groups.h>
#include <cooperative_groups/scan.h>

#include "kernels/detail/slots.cuh"

namespace tandem::kernels::detail {

constexpr int kClusterBlocks = 8;  ///< the portable maximum
constexpr int kClusterThreads = 512;

/// A grid of one cluster: as many blocks as the slots keep busy, then larger blocks; where even
/// that does not hold all slots, the kernel makes several passes.
inline Shape slot_cluster(std::int64_t slots) {
  constexpr std::int64_t kLeast = 64;
  const std::int64_t threads = std::max<std::int64_t>(slots * kLanes, 1);
  unsigned blocks = 1;
  while (blocks < kClusterBlocks && blocks * kLeast < threads) blocks *= 2;
  const std::int64_t each = std::clamp<std::int64_t>(ceil_div(threads, blocks), kLeast, 512);
  return {blocks, static_cast<unsigned>(ceil_div(each, 32) * 32), blocks};
}

struct ClusterMemory {
  std::uint64_t total;      ///< of this block
  std::uint64_t warps[32];  ///< totals of its warps
  unsigned any;
};

struct Sums {
  std::uint64_t before;  ///< of the threads in front
  std::uint64_t all;
};

/// Sums of `mine` over the threads of the cluster in order of rank. All threads call it.
__device__ inline Sums cluster_sums(std::uint64_t mine, ClusterMemory& memory) {
  const cg::cluster_group cluster = cg::this_cluster();
  const auto warp = cg::tiled_partition<32>(cg::this_thread_block());
  const unsigned warps = blockDim.x / 32;
  std::uint64_t before = cg::exclusive_scan(warp, mine);
  if (warp.thread_rank() == 31) memory.warps[warp.meta_group_rank()] = before + mine;
  __syncthreads();
  std::uint64_t block_total = 0;
  for (unsigned k = 0; k < warps; ++k) {
    if (k == warp.meta_group_rank()) before += block_total;
    block_total += memory.warps[k];
  }
  if (cluster.num_blocks() == 1) {
    __syncthreads();  // the next call writes memory.warps
    return {before, block_total};
  }
  if (threadIdx.x == 0) memory.total = block_total;
  cluster.sync();
  std::uint64_t all = 0;
  for (unsigned rank = 0; rank < cluster.num_blocks(); ++rank) {
    if (rank == cluster.block_rank()) before += all;
    all += *cluster.map_shared_rank(&memory.total, static_cast<int>(rank));
  }
  cluster.sync();
  return {before, all};
}

/// A bool tensor that says whether something holds for any slot. Without a target it is nothing.
struct AnyFlag {
  bool mine = false;  ///< holds for a slot of this thread
  std::uint8_t* target = nullptr;
};

/// Writes `first`, then `second`. All threads of the cluster call it.
__device__ inline void write_any(const AnyFlag& first, const AnyFlag& second,
                                 ClusterMemory& memory) {
  const cg::cluster_group cluster = cg::this_cluster();
  unsigned bits = __syncthreads_or(first.mine) != 0 ? 1U : 0U;
  if (second.target != nullptr && __syncthreads_or(second.mine) != 0) bits |= 2U;
  const bool is_writer = cluster.block_rank() == 0 && threadIdx.x == 0;
  if (cluster.num_blocks() > 1) {
    if (threadIdx.x == 0) memory.any = bits;
    cluster.sync();
    for (unsigned rank = 1; is_writer && rank < cluster.num_blocks(); ++rank) {
      bits |= *cluster.map_shared_rank(&memory.any, static_cast<int>(rank));
    }
  }
  if (is_writer) {
    *first.target = (bits & 1U) != 0;
    if (second.target != nullptr) *second.target = (bits & 2U) != 0;
  }
  if (cluster.num_blocks() > 1) cluster.sync();  // no block leaves while its memory is read
}

}  // namespace tandem::kernels::detail
