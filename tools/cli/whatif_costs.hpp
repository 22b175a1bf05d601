// Where the durations of a what-if study come from: a scenario, a cost model, a trace's own spans.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "scenarios/scenario.hpp"
#include "sim/whatif/cost_model.hpp"
#include "sim/whatif/measured_costs.hpp"
#include "tools/cli/io.hpp"
#include "tools/cli/whatif.hpp"

namespace tandem::cli {

/// What every point of a study takes its costs from. Read only once it is made.
struct StudyCosts {
  CostSource source;
  std::optional<sim::CostModel> model;  ///< none: the scenario's timing
  bool fitted_to_trace = false;         ///< its forwards are as they were, whatever `timing` says

  /// The costs of one point; `model` is borrowed.
  [[nodiscard]] std::unique_ptr<sim::StepCosts> of(const Scenario& scenario) const;
};

/// `costs`: the value of --costs, "" where it was not given. `trace`: SOURCE where that is a trace,
/// else "". Errors: a name or file that is none, a trace that cannot be read.
[[nodiscard]] Result<StudyCosts> open_costs(Io& io, const std::string& costs,
                                            const std::string& trace);

/// Refuses what costs that were fitted to a trace cannot follow: other forwards.
[[nodiscard]] Status check_timing_keys(const StudyCosts& costs,
                                       const std::vector<std::string>& keys);

}  // namespace tandem::cli
