// Builds the segments of a step (architecture 4.1 "Step") from what the next segment depends on.
#pragma once

#include <string>
#include <vector>

#include "traces/plan/plan.hpp"
#include "traces/run_config.hpp"

namespace tandem {

/// What decides which operations `front` holds: 4.2 resolve, and the rows.
struct FrontKey {
  bool waits = false;  ///< N comes from the device: token_num_event is waited for
};

/// What decides which operations `back` holds.
struct BackKey {
  bool draft_blocking = false;  ///< the proposer's flag is set: draft rows are read (4.2)
};

/// Pure functions of the configuration and the key: equal arguments, equal segments.
[[nodiscard]] plan::Segment build_front(const RunConfig& config, const FrontKey& key);
[[nodiscard]] plan::Segment build_save(const RunConfig& config);
[[nodiscard]] plan::Segment build_settle(const RunConfig& config);
[[nodiscard]] plan::Segment build_back(const RunConfig& config, const BackKey& key);
[[nodiscard]] plan::Segment build_empty(const RunConfig& config);
[[nodiscard]] plan::Segment build_idle(const RunConfig& config);

/// A segment and the situation in which a step executes it, in words.
struct NamedSegment {
  std::string when;
  plan::Segment segment;
};

/// Every segment a run of this configuration can execute, in the order of a step.
[[nodiscard]] std::vector<NamedSegment> all_segments(const RunConfig& config);

}  // namespace tandem
