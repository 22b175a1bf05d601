// Copies hidden rows: a group of threads a row, in the widest pieces that the addresses allow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "kernels/detail/launching.cuh"

namespace tandem::kernels::detail {

constexpr int kRowThreads = 256;   ///< of a block
constexpr int kRowBlocksAnSm = 4;  ///< resident: registers are bounded for it

/// Two tensors of rows of equal size.
struct RowCopy {
  const std::byte* from = nullptr;
  std::byte* to = nullptr;
  std::int64_t row_bytes = 0;
  int piece = 1;            ///< bytes of a load: 16, 8, 4 or 1
  int group = kRowThreads;  ///< threads a row, a power of two from 8 to kRowThreads

  RowCopy(std::span<const std::byte> source, std::span<std::byte> target, std::int64_t bytes)
      : from(source.data()), to(target.data()), row_bytes(bytes) {
    const auto bits = reinterpret_cast<std::uintptr_t>(from) |
                      reinterpret_cast<std::uintptr_t>(to) | static_cast<std::uintptr_t>(bytes);
    piece = bits % 16 == 0 ? 16 : bits % 8 == 0 ? 8 : bits % 4 == 0 ? 4 : 1;
    constexpr int kPiecesInFlight = 4;  // of one thread
    group = 8;
    while (group < kRowThreads && std::int64_t{group} * piece * kPiecesInFlight < bytes) group *= 2;
  }

  [[nodiscard]] __host__ __device__ int rows_a_block() const { return kRowThreads / group; }
};

/// Grid for a copy of up to `rows` rows: no more blocks than run at once, each takes several rows.
inline Shape row_grid(const RowCopy& copy, std::int64_t rows) {
  return {clipped_blocks(ceil_div(rows, copy.rows_a_block()), kRowBlocksAnSm), kRowThreads};
}

template <class Piece>
__device__ void copy_pieces(const std::byte* from, std::byte* to, int bytes, int group) {
  const int lane = static_cast<int>(threadIdx.x) % group;
  const int pieces = bytes / static_cast<int>(sizeof(Piece));
  const auto* const source = reinterpret_cast<const Piece*>(from) + lane;
  auto* const target = reinterpret_cast<Piece*>(to) + lane;
  const int left = pieces - lane;
  // Four loads are in flight before the first store, at the row's end too.
#pragma unroll 1
  for (int first = 0; first < left; first += 4 * group) {
    Piece held[4];
#pragma unroll
    for (int m = 0; m < 4; ++m) {
      if (m * group < left - first) held[m] = source[first + m * group];
    }
#pragma unroll
    for (int m = 0; m < 4; ++m) {
      if (m * group < left - first) target[first + m * group] = held[m];
    }
  }
}

template <class Piece>
__device__ void clear_pieces(std::byte* to, int bytes, int group) {
  auto* const target = reinterpret_cast<Piece*>(to);
  const int pieces = bytes / static_cast<int>(sizeof(Piece));
#pragma unroll 1
  for (int k = static_cast<int>(threadIdx.x) % group; k < pieces; k += group) target[k] = Piece{};
}

/// The threads of one group call it together.
__device__ inline void copy_row(const RowCopy& copy, std::int64_t from, std::int64_t to) {
  const std::byte* const source = copy.from + from * copy.row_bytes;
  std::byte* const target = copy.to + to * copy.row_bytes;
  const int bytes = static_cast<int>(copy.row_bytes);
  switch (copy.piece) {
    case 16:
      return copy_pieces<uint4>(source, target, bytes, copy.group);
    case 8:
      return copy_pieces<uint2>(source, target, bytes, copy.group);
    case 4:
      return copy_pieces<unsigned>(source, target, bytes, copy.group);
    default:
      return copy_pieces<unsigned char>(source, target, bytes, copy.group);
  }
}

__device__ inline void clear_row(const RowCopy& copy, std::int64_t row) {
  std::byte* const target = copy.to + row * copy.row_bytes;
  const int bytes = static_cast<int>(copy.row_bytes);
  switch (copy.piece) {
    case 16:
      return clear_pieces<uint4>(target, bytes, copy.group);
    case 8:
      return clear_pieces<uint2>(target, bytes, copy.group);
    case 4:
      return clear_pieces<unsigned>(target, bytes, copy.group);
    default:
      return clear_pieces<unsigned char>(target, bytes, copy.group);
  }
}

}  // namespace tandem::kernels::detail
