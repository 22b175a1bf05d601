// The plan of a TinyRun, written by hand from semantics 4.1: what V23 reads beside its records.
#pragma once

#include <cstdint>
#include <vector>

#include "traces/plan/plan.hpp"
#include "traces/record.hpp"
#include "traces/run_config.hpp"

namespace tandem::test {

/// Segments of one configuration, by what a step needs.
struct TinyPlan {
  plan::Segment front_exact, front_predicted, save, settle, back, back_blocking, empty, idle;

  explicit TinyPlan(const RunConfig& config);
  [[nodiscard]] std::vector<plan::Segment> all() const;
  /// Hashes of the chain that a finished record stands for; `saves`: an output was cached.
  [[nodiscard]] std::vector<std::uint64_t> chain_of(const StepRecord& r, bool saves) const;
};

}  // namespace tandem::test
