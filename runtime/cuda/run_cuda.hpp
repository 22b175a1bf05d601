// Runs a scenario on the current CUDA device.
#pragma once

#include <string>

#include "runtime/core/run.hpp"
#include "scenarios/scenario.hpp"
#include "traces/base/result.hpp"
#include "traces/sink.hpp"

namespace tandem {

struct CudaDeviceInfo {
  std::string name;
  int compute_capability = 0;  ///< 90 for Hopper
};

/// The current device, if it is there, is new enough and has memory for `config`. In a build
/// without CUDA an Error that says so.
[[nodiscard]] Result<CudaDeviceInfo> find_cuda_device(const RunConfig& config);

/// As run_on_host(), on the device that find_cuda_device() found. An Error of CUDA ends the run.
[[nodiscard]] Result<RunSummary> run_on_cuda(const Scenario& scenario, Workload& workload,
                                             const RunOptions& options, RecordSink* sink);

}  // namespace tandem
