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
  RecordLevel level = RecordLevel::state;  ///< an option of the run, not a key of its file
  /// limits.steps may end the run with requests open. Elsewhere it is far above what a run needs
  /// and no key of the file.
  bool is_cut = false;
};

constexpr std::int64_t kFarSteps = 200'000;  ///< steps_max of a case that is not cut

/// What arrivals by time are multiples of: about a step.
constexpr Nanos kArrivalUnitNs = 9'000'000;

/// The policies that are sound everywhere: all but predict-sum and predict-rows. Every request
/// fits, so that a run ends by itself where it is not cut. What a request receives is the same in
/// every schedule.
[[nodiscard]] RandomCase random_case(std::uint64_t seed);

/// The case as a scenario file (kind requests), so that `tandem run` repeats it.
[[nodiscard]] std::string as_scenario_text(const RandomCase& drawn);

}  // namespace tandem::test
