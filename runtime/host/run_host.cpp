// Runs a scenario on the host device.
#include "runtime/host/run_host.hpp"

#include <memory>
#include <string>
#include <system_error>

#include "runtime/core/step_loop.hpp"
#include "runtime/host/host_device.hpp"

namespace tandem {

const char* to_name(ExecutorKind kind) { return kind == ExecutorKind::det ? "det" : "threads"; }

Result<RunSummary> run_on_host(const Scenario& scenario, Workload& workload,
                               const RunOptions& options, RecordSink* sink, ExecutorKind executor) {
  std::unique_ptr<HostDevice> device;
  try {
    device = std::make_unique<HostDevice>(scenario, executor);
  } catch (const std::system_error& error) {
    return Error{std::string("worker thread: cannot be started (") + error.what() +
                 "); run with --executor det"};
  }
  StepLoop loop(scenario, workload, options, *device, sink);
  TraceHeader header;
  header.config = scenario.config;
  header.executor = to_name(executor);
  header.level = options.level;
  header.producer = options.producer;
  return loop.run(header);
}

}  // namespace tandem
