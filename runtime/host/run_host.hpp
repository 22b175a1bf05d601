// Runs a scenario on the host device.
#pragma once

#include "runtime/core/run.hpp"
#include "scenarios/scenario.hpp"
#include "traces/sink.hpp"

namespace tandem {

/// Deterministic executor, virtual time: the same scenario gives the same records on every machine.
/// `sink` null: nothing is recorded. Errors: of the workload, of the sink, or a scenario that this
/// device does not run (named).
[[nodiscard]] Result<RunSummary> run_on_host(const Scenario& scenario, Workload& workload,
                                             const RunOptions& options, RecordSink* sink);

}  // namespace tandem
