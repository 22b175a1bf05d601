// Looks for a usable device and runs the step loop on it.
#include "runtime/cuda/run_cuda.hpp"

#include <cuda_runtime_api.h>

#include "runtime/core/step_loop.hpp"
#include "runtime/cuda/cuda_device.hpp"
#include "runtime/cuda/failure.hpp"

namespace tandem {
namespace {

constexpr int kCapabilityMin = 90;
constexpr std::size_t kHeadroomBytes = std::size_t{256} << 20U;  ///< for contexts, rings, images

std::string megabytes(std::size_t bytes) { return std::to_string(bytes >> 20U) + " MiB"; }

}  // namespace

Result<CudaDeviceInfo> find_cuda_device(const RunConfig& config) {
  int count = 0;
  const cudaError_t found = cudaGetDeviceCount(&count);
  if (found != cudaSuccess || count == 0) {
    const std::string said = found == cudaSuccess ? "no device" : cudaGetErrorString(found);
    return Error::make("--device", "got 'cuda', and CUDA says: " + said,
                       "an NVIDIA GPU and a driver for CUDA 13", "run with --device host");
  }
  int device = 0;
  cudaDeviceProp properties{};
  std::size_t free = 0;
  std::size_t total = 0;
  cudaError_t asked = cudaGetDevice(&device);
  if (asked == cudaSuccess) asked = cudaGetDeviceProperties(&properties, device);
  if (asked == cudaSuccess) asked = cudaMemGetInfo(&free, &total);
  if (asked != cudaSuccess) {
    return Error::make("--device",
                       std::string("got 'cuda', and CUDA says: ") + cudaGetErrorString(asked),
                       "a device that answers", "run with --device host");
  }
  const int capability = properties.major * 10 + properties.minor;
  if (capability < kCapabilityMin) {
    return Error::make("--device",
                       std::string("got 'cuda', a ") + properties.name + " of compute capability " +
                           std::to_string(properties.major) + "." +
                           std::to_string(properties.minor),
                       "9.0 or newer", "run with --device host");
  }
  const std::size_t wanted = cuda::device_bytes(config) + kHeadroomBytes;
  if (wanted > free) {
    return Error::make("--device",
                       "got 'cuda' with " + megabytes(free) + " free of " + megabytes(total),
                       megabytes(wanted) + " for this scenario",
                       "lower engine.max_num_seqs or engine.max_model_len");
  }
  return CudaDeviceInfo{properties.name, capability};
}

Result<RunSummary> run_on_cuda(const Scenario& scenario, Workload& workload,
                               const RunOptions& options, RecordSink* sink, CudaRunCounts* counts) {
  TANDEM_TRY(const CudaDeviceInfo info, find_cuda_device(scenario.config));
  if (options.level == RecordLevel::timeline && !cuda::ActivityLog::is_available()) {
    return Error::make("--record", "got 'timeline' with --device cuda in a build without CUPTI",
                       "off, state or full",
                       "build where the CUDA Toolkit has extras/CUPTI, or take --device host");
  }
  try {
    cuda::CudaDevice device(scenario, sink != nullptr ? options.level : RecordLevel::off);
    StepLoop loop(scenario, workload, options, device, sink);
    TraceHeader header;
    header.config = scenario.config;
    header.level = options.level;
    header.first_step = options.first_step;
    header.device = info.name;
    header.executor = "cuda";
    header.producer = options.producer;
    Result<RunSummary> summary = loop.run(header);
    if (counts != nullptr) *counts = device.counts();
    if (!summary) return summary;
    summary.value().recorder_stalls = device.stalls();
    if (device.lost_activity() > 0) {
      return Error::make(
          "--record",
          "CUPTI lost " + std::to_string(device.lost_activity()) + " activity records of this run",
          "a span for every operation", "record fewer steps at level timeline");
    }
    return summary;
  } catch (const cuda::CudaFailure& failure) {
    return Error{std::string("--device: CUDA failed: ") + failure.what() +
                 "; run with --device host, or under compute-sanitizer"};
  }
}

}  // namespace tandem
