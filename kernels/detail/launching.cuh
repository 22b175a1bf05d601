// How launchers put kernels on a stream: plain, in one cluster, or cooperative.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <cuda_runtime.h>

#include "kernels/launch.hpp"
#include "traces/base/result.hpp"

namespace tandem::kernels::detail {

// Contracts are kernel arguments: host and device compiler must lay them out alike.
static_assert(sizeof(std::span<int>) == 2 * sizeof(void*));

inline Status status_of(cudaError_t error, std::string_view op) {
  if (error == cudaSuccess) return {};
  return Error::make(op, std::string("CUDA says \"") + cudaGetErrorString(error) + "\"",
                     "a launch that succeeds");
}

struct Shape {
  unsigned blocks = 1;
  unsigned threads = 32;
  unsigned cluster = 1;  ///< blocks of a cluster
  bool cooperative = false;
};

template <class... Params, class... Arguments>
Status launch_shaped(std::string_view op, const Shape& shape, Stream stream,
                     void (*kernel)(Params...), const Arguments&... arguments) {
  cudaLaunchAttribute attributes[2] = {};
  unsigned count = 0;
  if (shape.cluster > 1) {
    attributes[count].id = cudaLaunchAttributeClusterDimension;
    attributes[count].val.clusterDim = {shape.cluster, 1, 1};
    ++count;
  }
  if (shape.cooperative) {
    attributes[count].id = cudaLaunchAttributeCooperative;
    attributes[count].val.cooperative = 1;
    ++count;
  }
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(shape.blocks);
  config.blockDim = dim3(shape.threads);
  config.stream = stream;
  config.attrs = attributes;
  config.numAttrs = count;
  return status_of(cudaLaunchKernelEx(&config, kernel, arguments...), op);
}

constexpr std::int64_t ceil_div(std::int64_t value, std::int64_t unit) {
  return (value + unit - 1) / unit;
}

/// The value of a device attribute of the current device, 0 if there is none.
inline int device_attribute(cudaDeviceAttr attribute) {
  int device = 0;
  int value = 0;
  if (cudaGetDevice(&device) != cudaSuccess) return 0;
  if (cudaDeviceGetAttribute(&value, attribute, device) != cudaSuccess) return 0;
  return value;
}

/// `wanted` blocks, at least 1, cut to `blocks_an_sm` on every multiprocessor.
inline unsigned clipped_blocks(std::int64_t wanted, int blocks_an_sm) {
  const int sms = std::max(device_attribute(cudaDevAttrMultiProcessorCount), 1);
  return static_cast<unsigned>(
      std::clamp<std::int64_t>(wanted, 1, std::int64_t{sms} * blocks_an_sm));
}

/// A cooperative grid: `wanted` blocks, cut to those that are resident together (law 5.2 [REC]).
template <class... Params>
Result<Shape> co_resident(std::string_view op, void (*kernel)(Params...), std::int64_t wanted,
                          int threads) {
  int blocks_an_sm = 0;
  TANDEM_RETURN_IF_ERROR(status_of(
      cudaOccupancyMaxActiveBlocksPerMultiprocessor(&blocks_an_sm, kernel, threads, 0), op));
  if (blocks_an_sm == 0 || device_attribute(cudaDevAttrCooperativeLaunch) == 0) {
    return Error::make(op, "no block is co-resident for a cooperative launch",
                       "a device that runs one", "use the form without grid barrier");
  }
  return Shape{clipped_blocks(wanted, blocks_an_sm), static_cast<unsigned>(threads), 1, true};
}

}  // namespace tandem::kernels::detail
