// A scenario and its requests, drawn from a seed: any legal configuration, any legal requests.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scenarios/scenario.hpp"

namespace tandem::test {

struct RandomCase {
  Scenario scenario;
  std::vector<RequestSpec> requests;
};

/// The policies that are sound everywhere: all but predict-sum and predict-rows. Every request
/// fits, so that a run ends by itself.
[[nodiscard]] RandomCase random_case(std::uint64_t seed);

/// The case as a scenario file (kind requests), so that `tandem run` repeats it.
[[nodiscard]] std::string as_scenario_text(const RandomCase& drawn);

}  // namespace tandem::test
