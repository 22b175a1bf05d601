// What a build without CUDA says.
#include "runtime/cuda/run_cuda.hpp"

namespace tandem {
namespace {

Error absent() {
  return Error::make("--device", "got 'cuda'", "auto or host: this build has no CUDA device",
                     "run with --device host, or build with nvcc (preset gpu)");
}

}  // namespace

Result<CudaDeviceInfo> find_cuda_device(const RunConfig&) { return absent(); }

Result<RunSummary> run_on_cuda(const Scenario&, Workload&, const RunOptions&, RecordSink*,
                               CudaRunCounts*) {
  return absent();
}

}  // namespace tandem
