// Results over all slots: one thread-block cluster holds them; its blocks meet in shared memory.
#pragma once

#include <cstdint>

#include <cooperative_groups.h>
#include <cooperative_groups/scan.h>

#include "kernels/detail/slots.cuh"

namespace tandem::kernels::detail {

constexpr int kClusterBlocks = 8;  ///< the portable maximum
constexpr int kClusterThreads = 512;

/// A grid of one cluster: one block while its threads hold all slots, for blocks meet slower than
/// warps; then blocks of few threads side by side, then larger ones. Where even that does not hold
/// all slots, the kernel makes several passes.
inline Shape slot_cluster(std::int64_t slots) {
  constexpr std::int64_t kLeast = 64;
  const std::int64_t threads = std::max<std::int64_t>(slots * kLanes, 1);
  const unsigned blocks = threads <= kClusterThreads ? 1 : kClusterBlocks;
  const std::int64_t each =
      std::clamp<std::int64_t>(ceil_div(threads, blocks), kLeast, kClusterThreads);
  return {blocks, static_cast<unsigned>(ceil_div(each, 32) * 32), blocks};
}

/// What blocks tell one another: each writes into the memory of those that read.
struct ClusterMemory {
  std::uint64_t warps[32];                  ///< totals of the block's warps
  std::uint64_t totals[2][kClusterBlocks];  ///< by parity of the pass and sender
  unsigned any[kClusterBlocks];             ///< by sender; used in block 0
};

struct Sums {
  std::uint64_t before;  ///< of the threads in front
  std::uint64_t all;
};

/// A bool tensor that says whether something holds for any slot. Without a target it is nothing.
struct AnyFlag {
  bool mine = false;  ///< holds for a slot of this thread
  std::uint8_t* target = nullptr;
};

/// The cluster's threads as one group. All threads call each member together.
class ClusterMeeting {
 public:
  /// A block may write to another one as soon as that runs; the wait comes with the first write,
  /// when it costs nothing any more.
  __device__ explicit ClusterMeeting(ClusterMemory& memory) : memory_(memory) {
    if (is_many()) cluster_.barrier_arrive();
  }

  /// The one thread that writes what belongs to no slot.
  [[nodiscard]] __device__ bool is_writer() const {
    return cluster_.block_rank() == 0 && threadIdx.x == 0;
  }

  /// Sums of `mine` over the threads in order of rank.
  __device__ Sums sums(std::uint64_t mine) {
    const auto warp = cg::tiled_partition<32>(cg::this_thread_block());
    std::uint64_t before = cg::exclusive_scan(warp, mine);
    if (warp.thread_rank() == 31) memory_.warps[warp.meta_group_rank()] = before + mine;
    __syncthreads();
    std::uint64_t block_total = 0;
    for (unsigned k = 0; k < blockDim.x / 32; ++k) {
      if (k == warp.meta_group_rank()) before += block_total;
      block_total += memory_.warps[k];
    }
    if (!is_many()) {
      __syncthreads();  // the next call writes memory_.warps
      return {before, block_total};
    }
    wait_started();
    const unsigned rank = cluster_.block_rank();
    std::uint64_t* const totals = memory_.totals[pass_++ % 2];
    if (threadIdx.x < cluster_.num_blocks()) {
      *cluster_.map_shared_rank(&totals[rank], static_cast<int>(threadIdx.x)) = block_total;
    }
    cluster_.sync();
    std::uint64_t all = 0;
    for (unsigned sender = 0; sender < cluster_.num_blocks(); ++sender) {
      if (sender == rank) before += all;
      all += totals[sender];
    }
    return {before, all};
  }

  /// Writes `first`, then `second`. Once a kernel.
  __device__ void write_any(const AnyFlag& first, const AnyFlag& second = {}) {
    unsigned bits = __syncthreads_or(first.mine) != 0 ? 1U : 0U;
    if (second.target != nullptr && __syncthreads_or(second.mine) != 0) bits |= 2U;
    if (is_many()) {
      wait_started();
      if (threadIdx.x == 0) {
        *cluster_.map_shared_rank(&memory_.any[cluster_.block_rank()], 0) = bits;
      }
      cluster_.sync();
    }
    if (!is_writer()) return;
    for (unsigned sender = 1; sender < cluster_.num_blocks(); ++sender) {
      bits |= memory_.any[sender];
    }
    *first.target = (bits & 1U) != 0;
    if (second.target != nullptr) *second.target = (bits & 2U) != 0;
  }

 private:
  [[nodiscard]] __device__ bool is_many() const { return cluster_.num_blocks() > 1; }

  __device__ void wait_started() {
    if (!has_started_) cluster_.barrier_wait();
    has_started_ = true;
  }

  ClusterMemory& memory_;
  cg::cluster_group cluster_ = cg::this_cluster();
  unsigned pass_ = 0;
  bool has_started_ = false;
};

}  // namespace tandem::kernels::detail
