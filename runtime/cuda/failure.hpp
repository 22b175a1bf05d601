// CudaFailure: what a CUDA call said, on its way to run_on_cuda().
#pragma once

#include <stdexcept>
#include <string>

#include "traces/base/result.hpp"

namespace tandem::cuda {

/// Thrown inside runtime/cuda only: a failed call leaves nothing to go on with, and every caller up
/// to run_on_cuda() would have to say so again.
class CudaFailure : public std::runtime_error {
 public:
  explicit CudaFailure(const std::string& what) : std::runtime_error(what) {}
};

/// `error` is a cudaError_t; 0 is success.
void expect_cuda(int error, const char* call);
/// The same for what a launch of kernels/launch.hpp answers.
void expect_launched(const Status& status);

}  // namespace tandem::cuda

#define TANDEM_CUDA_CALL(call) ::tandem::cuda::expect_cuda(static_cast<int>(call), #call)
