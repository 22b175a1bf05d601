// Hands out the requests of a workload, as many as a fuzz target can wait for.
#pragma once

#include "scenarios/scenario.hpp"

namespace tandem::fuzz {

/// A generated workload may hold 10^12 requests: legal, and nothing that a reader reads.
constexpr int kDrainedMax = 1'000;

[[nodiscard]] inline Status drain(const Scenario& scenario, const FileLoader& load) {
  TANDEM_TRY(const std::unique_ptr<Workload> workload, make_workload(scenario, load));
  for (int i = 0; i < kDrainedMax; ++i) {
    TANDEM_TRY(const std::optional<RequestSpec> request, workload->next());
    if (!request) return {};
    TANDEM_CHECK(request->row.id == i);
  }
  return {};
}

}  // namespace tandem::fuzz
