// The kernels that benchmarks measure against: one that does nothing, one that only takes time.
#pragma once

#include <cuda_runtime.h>

namespace tandem::bench {

/// `blocks` blocks in one cluster.
void launch_empty(unsigned blocks, cudaStream_t stream);

void launch_delay(long long cycles, cudaStream_t stream);

}  // namespace tandem::bench
