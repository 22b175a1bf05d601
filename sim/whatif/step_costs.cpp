// Costs as a scenario states them.
#include "sim/whatif/step_costs.hpp"

namespace tandem::sim {

OpCost ScenarioCosts::device_op(const plan::Operation& op, const LaunchArgs& args,
                                LaunchForm) const {
  return scenario_cost(timing_, op, args);
}

Nanos ScenarioCosts::host_op(const plan::Operation&, std::int32_t) const {
  return timing_.host_op_ns;
}

WaitCost ScenarioCosts::wait(plan::EventName) const { return scenario_wait(timing_); }

}  // namespace tandem::sim
