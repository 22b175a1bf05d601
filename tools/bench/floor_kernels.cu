// Kernels that do nothing, for the floor of a benchmark.
#include "tools/bench/floor_kernels.hpp"

namespace tandem::bench {
namespace {

__global__ void empty_kernel() {}

__global__ void delay_kernel(long long cycles) {
  const long long start = clock64();
  while (clock64() - start < cycles) {
  }
}

}  // namespace

void launch_empty(unsigned blocks, cudaStream_t stream) {
  cudaLaunchAttribute attribute = {};
  attribute.id = cudaLaunchAttributeClusterDimension;
  attribute.val.clusterDim = {blocks, 1, 1};
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(blocks);
  config.blockDim = dim3(64);
  config.stream = stream;
  config.attrs = &attribute;
  config.numAttrs = blocks > 1 ? 1 : 0;
  cudaLaunchKernelEx(&config, empty_kernel);
}

void launch_delay(long long cycles, cudaStream_t stream) {
  delay_kernel<<<1, 1, 0, stream>>>(cycles);
}

}  // namespace tandem::bench
