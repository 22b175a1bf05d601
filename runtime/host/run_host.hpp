// Runs a scenario on the host device.
#pragma once

#include "runtime/core/run.hpp"
#include "runtime/host/host_device.hpp"
#include "scenarios/scenario.hpp"
#include "traces/sink.hpp"

namespace tandem {

/// As on the command line and in the header of a trace.
[[nodiscard]] const char* to_name(ExecutorKind kind);

/// Virtual time: the same scenario gives the same records on every machine and with both executors,
/// which the header tells apart.
/// `sink` null: nothing is recorded. Errors: of the workload, of the sink, a thread that cannot be
/// started, or a scenario that this device does not run (named).
[[nodiscard]] Result<RunSummary> run_on_host(const Scenario& scenario, Workload& workload,
                                             const RunOptions& options, RecordSink* sink,
                                             ExecutorKind executor = ExecutorKind::det);

}  // namespace tandem
