// Stands in for the CUDA operations in a build without a CUDA compiler.
#include "kernels/op_device.hpp"

namespace tandem::kernels {

Result<std::unique_ptr<OpDevice>> open_cuda_op_device() {
  return Error::make("CUDA device", "this build has no CUDA operations",
                     "a build with -DTANDEM_CUDA=ON", "run on the host");
}

}  // namespace tandem::kernels
