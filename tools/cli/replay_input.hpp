// --replay and --replay-requests: what is run again, and what may be changed about it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/core/recorded_run.hpp"
#include "scenarios/recorded_requests.hpp"
#include "tools/cli/run_input.hpp"
#include "tools/cli/trace_input.hpp"

namespace tandem::cli {

struct ReplayOptions {
  std::string batches;         ///< --replay
  std::string requests;        ///< --replay-requests
  std::string accept_profile;  ///< --accept-profile

  [[nodiscard]] bool wanted() const { return !batches.empty() || !requests.empty(); }
  [[nodiscard]] const std::string& trace() const { return batches.empty() ? requests : batches; }
};

/// Declares --replay, --replay-requests and --accept-profile.
void add_replay_options(CLI::App& app, ReplayOptions& options);

/// Whether they go together.
[[nodiscard]] Status check_replay_options(const ReplayOptions& options);

/// A run that is made again.
struct Replay {
  OpenTrace trace;
  Scenario scenario;  ///< what is to run
  RecordedRun run;
  bool batch_exact = false;
  std::int64_t first_step = 0;       ///< t of the new run's first iteration
  std::vector<std::string> changed;  ///< batch-exact: keys that differ and leave batches alone
  RecordedWorkload requests;         ///< not batch-exact; its list is in the scenario
  bool extrapolated = false;         ///< asks for accepted counts that nobody observed
};

/// Reads the trace through and settles the scenario. Without SCENARIO the configuration is that of
/// the trace. Errors: a change that the kind of replay refuses, by key; a trace that holds too
/// little.
[[nodiscard]] Result<std::unique_ptr<Replay>> open_replay(Io& io, const ScenarioOptions& scenario,
                                                          const ReplayOptions& options);

}  // namespace tandem::cli
