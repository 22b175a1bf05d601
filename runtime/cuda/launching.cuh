// Launch shapes and small helpers that the kernels of this folder share.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "runtime/cuda/device_ops.hpp"
#include "runtime/cuda/failure.hpp"
#include "traces/base/hash.hpp"

namespace tandem::cuda {

constexpr unsigned kBlock = 256;       ///< threads of a kernel with one thread an item
constexpr unsigned kWideBlock = 1024;  ///< threads of a kernel of one block

inline unsigned blocks_for(std::size_t items) {
  return static_cast<unsigned>(std::max<std::size_t>(1, (items + kBlock - 1) / kBlock));
}

__device__ inline std::size_t global_index() {
  return std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
}

/// The device's clock in nanoseconds; its step is a microsecond or less.
__device__ inline std::uint64_t device_ns() {
  std::uint64_t ns = 0;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(ns));
  return ns;
}

/// Keyed digest of `count` tokens, `bits` of it.
__device__ inline std::int32_t digest_of(const ModelConfig& model, const std::int64_t* tokens,
                                         std::size_t count, unsigned bits) {
  return static_cast<std::int32_t>(
      token_row_digest(model.digest_key, std::span<const std::int64_t>(tokens, count), bits));
}

inline void expect_kernel() { TANDEM_CUDA_CALL(cudaGetLastError()); }

}  // namespace tandem::cuda
