// Runs a scenario on the current CUDA device.
#pragma once

#include <cstdint>
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

/// How the operations of a run went out.
struct CudaRunCounts {
  std::int64_t alone = 0;           ///< operations launched one by one, copies included
  std::int64_t graph_launches = 0;  ///< groups of operations launched as a CUDA graph
  std::int64_t graph_nodes = 0;     ///< kernels and copies in these
  std::int64_t graph_captures = 0;  ///< graphs made, `graph_updates` of them in the place of others
  std::int64_t graph_updates = 0;
};

/// As run_on_host(), on the device that find_cuda_device() found. An Error of CUDA ends the run.
/// `counts` may be null.
[[nodiscard]] Result<RunSummary> run_on_cuda(const Scenario& scenario, Workload& workload,
                                             const RunOptions& options, RecordSink* sink,
                                             CudaRunCounts* counts = nullptr);

}  // namespace tandem
