// What a replay has to say besides the run itself, as text and as JSON.
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "tools/cli/replay_compare.hpp"
#include "tools/cli/replay_input.hpp"

namespace tandem::cli {

struct ReplayReport {
  std::string trace;
  bool batch_exact = false;
  std::int64_t steps = 0;  ///< iterations that the readable part of the trace holds
  std::string damage;      ///< "" when the trace is whole
  /// recorded: the header states it; commits: p2.a; profile: --accept-profile.
  std::string acceptance;
  std::optional<ReplayComparison> comparison;  ///< batch-exact; none: nothing was recorded
  // --replay-requests
  std::int64_t requests = 0;
  RecordedWorkload tally;  ///< its list is empty
  bool extrapolated = false;

  [[nodiscard]] bool differs() const { return comparison && comparison->differs(); }
};

/// Before the run.
[[nodiscard]] ReplayReport replay_report(const Replay& replay, const std::string& trace);

/// Lines of a run's summary.
[[nodiscard]] std::string replay_text(const ReplayReport& report);
/// Adds `replay` or `replay_requests` and `extrapolated`.
void add_replay(nlohmann::ordered_json& out, const ReplayReport& report);

/// "replay difference step=12 slot=3 field=p2.a recorded=2 replayed=1".
[[nodiscard]] std::string to_line(const ReplayDifference& difference);

}  // namespace tandem::cli
