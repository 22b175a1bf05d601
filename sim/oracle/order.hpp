// The order of a step on the device: the transitions of the oracle as data.
#pragma once

#include <vector>

#include "traces/plan/plan.hpp"
#include "traces/run_config.hpp"

namespace tandem::sim {

/// A device operation at its place in a step.
struct Transition {
  plan::OpKind op = plan::OpKind::insert_tasks;
  int substep = -1;  ///< of the MTP head; -1: not part of one
  /// What the oracle does there: a stage of sim/oracle/device.hpp, or "": the operation moves
  /// nothing that the judge follows, or only hands on what others read.
  const char* stage = "";

  bool operator==(const Transition&) const = default;
};

/// Every device operation that computes or copies state in a step with postprocess, in the order of
/// semantics 3.2, 3.2.1 and 9.3; events and the blocking reads of `sync` rows order nothing here. A
/// step without postprocess ends behind target_forward.
[[nodiscard]] std::vector<Transition> device_order(const RunConfig& config);

}  // namespace tandem::sim
