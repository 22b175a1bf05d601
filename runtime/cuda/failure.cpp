// Text of failed CUDA calls.
#include "runtime/cuda/failure.hpp"

#include <cuda_runtime_api.h>

namespace tandem::cuda {

void expect_cuda(int error, const char* call) {
  if (error == 0) return;
  const auto code = static_cast<cudaError_t>(error);
  throw CudaFailure(std::string(call) + ": " + cudaGetErrorName(code) + ", " +
                    cudaGetErrorString(code));
}

void expect_launched(const Status& status) {
  if (!status) throw CudaFailure(status.error().text);
}

}  // namespace tandem::cuda
