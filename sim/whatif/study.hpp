// One configuration of a what-if study: runs the real step loop on a ghost device and counts.
#pragma once

#include <atomic>
#include <cstdint>

#include "runtime/core/run.hpp"
#include "scenarios/scenario.hpp"
#include "sim/whatif/step_costs.hpp"
#include "traces/base/result.hpp"

namespace tandem::sim {

struct StudyResult {
  RunSummary run;        ///< token_digest is of no use: tokens have no identity here
  Nanos work_ns = 0;     ///< the run without steps in which nothing was launched
  Nanos busy_ns = 0;     ///< of the compute stream
  Nanos gap_ns = 0;      ///< between two operations that were both enqueued
  Nanos starved_ns = 0;  ///< nothing was enqueued although steps were launched
  std::int64_t rows_launched = 0;
  std::int64_t rows_used = 0;
  std::int64_t draft_rows_launched = 0;
  std::int64_t draft_rows_used = 0;
  std::int64_t preemptions = 0;
  std::int64_t parked = 0;
  std::int64_t decode_steps = 0;    ///< (request, step) pairs that brought tokens
  std::int64_t decode_tokens = 0;   ///< what they brought
  std::int64_t answered = 0;        ///< requests whose first token was sent
  Percentiles first_token_ns;       ///< TTFT: from arrival, or admission's own step where later
  std::int64_t timed_requests = 0;  ///< requests that ended with two tokens or more
  Percentiles token_gap_ns;         ///< TPOT of these: (last - first) / (tokens - 1)

  Nanos behind_ramp_ns = 0;  ///< all steps behind StudyOptions::ramp_steps
  std::int64_t behind_ramp_steps = 0;

  /// Tokens a second of work, in thousandths; 0 below a microsecond of work.
  [[nodiscard]] std::int64_t millitokens_per_s() const;
  /// Mean time of a launched step.
  [[nodiscard]] Nanos mean_step_ns() const;

  bool operator==(const StudyResult&) const = default;
};

struct StudyOptions {
  const std::atomic<bool>* stop = nullptr;  ///< set from outside: end at the next step boundary
  std::int64_t ramp_steps = 0;              ///< loop iterations in front of behind_ramp_ns
};

/// Runs `scenario` to its end. Errors: of the workload, of a configuration that the oracle refuses,
/// `unguarded` (what a device would hold behind a launch that is too small is not known here).
[[nodiscard]] Result<StudyResult> run_study(const Scenario& scenario, Workload& workload,
                                            const StepCosts& costs, const StudyOptions& options);

}  // namespace tandem::sim
