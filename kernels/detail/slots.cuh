// Kernels that walk slots: eight lanes work on a slot, so that its tokens load side by side.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include <cooperative_groups.h>

#include "kernels/detail/launching.cuh"

namespace tandem::kernels::detail {

namespace cg = cooperative_groups;

constexpr int kLanes = 8;
/// The lanes of one slot. They meet (sync) between reading a cell and writing it.
using Lanes = cg::thread_block_tile<kLanes, cg::thread_block>;

__device__ inline Lanes slot_lanes() {
  return cg::tiled_partition<kLanes>(cg::this_thread_block());
}

/// Number of the thread's slot lanes in the grid, and how many there are.
__device__ inline std::int64_t lanes_index() {
  return (std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x) / kLanes;
}
__device__ inline std::int64_t lanes_count() {
  return std::int64_t{gridDim.x} * blockDim.x / kLanes;
}

/// The lowest set bit of a ballot, or -1.
__device__ inline int lowest(unsigned ballot) { return __ffs(static_cast<int>(ballot)) - 1; }

__device__ inline bool is_among(const std::int64_t* tokens, std::size_t count, std::int64_t token) {
  for (std::size_t k = 0; k < count; ++k) {
    if (tokens[k] == token) return true;
  }
  return false;
}

/// The end tokens, the first of them in the lanes: they are loaded before it is known whether one
/// is needed. All lanes of the slot call each member together.
class EndTokens {
 public:
  __device__ EndTokens(std::span<const std::int64_t> tokens, const Lanes& lanes)
      : tokens_(tokens.data()), count_(static_cast<int>(tokens.size())), lanes_(lanes) {
    const int lane = static_cast<int>(lanes.thread_rank());
    held_ = lane < count_ ? tokens_[lane] : 0;
  }

  [[nodiscard]] __device__ bool contain(std::int64_t token) const {
    bool found = false;
    for (int k = 0; k < min(count_, kLanes); ++k) found |= lanes_.shfl(held_, k) == token;
    for (int k = kLanes; k < count_; ++k) found |= tokens_[k] == token;
    return found;
  }
  [[nodiscard]] __device__ std::int64_t first() const { return lanes_.shfl(held_, 0); }

 private:
  const std::int64_t* tokens_;
  int count_;
  const Lanes& lanes_;
  std::int64_t held_;
};

/// Grid of a kernel whose slots do not meet: small blocks, so that they spread over the device.
inline Shape slot_grid(std::int64_t slots) {
  constexpr int kThreads = 128;
  return {clipped_blocks(ceil_div(slots * kLanes, kThreads), 16), kThreads};
}

}  // namespace tandem::kernels::detail
