// Kernels that walk rows: each block scans all slots in tiles and takes its share of rows.
//
// So blocks need not wait for one another: a scan of some hundred lengths that lie in L2 costs less
// than a grid barrier. Rows are dealt out in turn, whoever owns them, so that one long prompt among
// short slots keeps all blocks busy.
#pragma once

#include <cstdint>

#include <cub/block/block_scan.cuh>

#include "kernels/detail/launching.cuh"

namespace tandem::kernels::detail {

constexpr int kTileThreads = 256;
constexpr int kItems = 4;
constexpr int kTile = kTileThreads * kItems;  ///< slots of a tile

/// Slots in the tile that begins at `tile`.
__device__ inline int tile_slots(std::int32_t n, std::int64_t tile) {
  return static_cast<int>(min(std::int64_t{kTile}, n - tile));
}

/// A block and how many share the rows; not blockIdx where kernels are joined side by side.
struct Share {
  unsigned block;
  unsigned blocks;
};

/// The last k in [0, count) with firsts[k] <= row. firsts does not fall and firsts[0] <= row.
__device__ inline int owner_of(const std::int32_t* firsts, int count, std::int64_t row) {
  int low = 0;
  int high = count;
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    if (firsts[middle] <= row) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

/// The first row >= low that belongs to worker `worker` of `workers`, dealt out in turn. Rows are
/// below 2^31.
__device__ inline std::int64_t first_of_worker(std::int64_t low, std::int64_t worker,
                                               std::int64_t workers) {
  if (low <= worker) return worker;
  const auto missing = static_cast<std::uint32_t>(low - worker);
  const auto step = static_cast<std::uint32_t>(workers);
  return worker + std::int64_t{(missing + step - 1) / step} * workers;
}

}  // namespace tandem::kernels::detail
