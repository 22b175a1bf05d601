// Runs a scenario on the host device.
#include "runtime/host/run_host.hpp"

#include "runtime/core/step_loop.hpp"
#include "runtime/host/host_device.hpp"

namespace tandem {

Result<RunSummary> run_on_host(const Scenario& scenario, Workload& workload,
                               const RunOptions& options, RecordSink* sink) {
  HostDevice device(scenario);
  StepLoop loop(scenario, workload, options, device, sink);
  TraceHeader header;
  header.config = scenario.config;
  header.level = options.level;
  header.producer = options.producer;
  return loop.run(header);
}

}  // namespace tandem
