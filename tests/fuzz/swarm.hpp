// The swarm: case after case until the time is up, resumed from its folder, failures shrunk.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/fuzz/child_call.hpp"
#include "tests/fuzz/swarm_case.hpp"
#include "traces/base/result.hpp"

namespace tandem::fuzz {

struct SwarmOptions {
  std::string folder;  ///< state.json and failure-SEED.json; made where it is absent
  /// Cases are first_seed, first_seed + 1, ..; 0: what began the folder, and 1 where nothing did.
  std::uint64_t first_seed = 0;
  int budget_s = 60;            ///< no case is begun later than that
  std::uint64_t cases_max = 0;  ///< of this call; 0: as many as the time allows
  int jobs = 1;
  int case_s = 600;    ///< a case that takes longer hangs
  int shrink_s = 600;  ///< a failure is shrunk no longer than that
  /// What is wrong with a case; tests put a broken one in its place.
  std::function<Answer(const SwarmCase&)> judge;
};

/// What all calls on a folder have done together.
struct SwarmState {
  std::uint64_t first_seed = 1;
  std::uint64_t next_seed = 1;       ///< all below are done, and those of `ahead`
  std::vector<std::uint64_t> ahead;  ///< rising
  std::int64_t cases = 0;
  std::int64_t steps = 0;               ///< launched by cases, not by their synchronous runs
  std::vector<std::uint64_t> failures;  ///< rising
  std::map<std::string, std::int64_t> features;  ///< cases that had them

  bool operator==(const SwarmState&) const = default;
};

/// judge of a real swarm: wrong_with().
[[nodiscard]] Answer judge_case(const SwarmCase& drawn);

/// Runs cases in child processes, those that failed in earlier calls first: what is clean by now is
/// no failure any more. `print` gets one line a failure. The Error of a folder that cannot be
/// written, or that another first seed began.
[[nodiscard]] Result<SwarmState> run_swarm(const SwarmOptions& options,
                                           const std::function<void(const std::string&)>& print);

/// The final table.
[[nodiscard]] std::string table_of(const SwarmState& state);

}  // namespace tandem::fuzz
