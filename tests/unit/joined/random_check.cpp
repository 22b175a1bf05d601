// Runs a random case and its synchronous twin.
#include "tests/unit/joined/random_check.hpp"

#include "tests/support/run_helpers.hpp"

namespace tandem::test {
namespace {

JudgedRun run_case(const RandomCase& drawn, const HowJudged& how) {
  ListWorkload workload(drawn.requests);
  return run_judged(drawn.scenario, workload, how);
}

/// The same requests with every row sync under policy exact: the reference for tokens.
RandomCase in_sync(RandomCase drawn) {
  drawn.scenario.config.rows.fill(RowMode::sync);
  drawn.scenario.config.policy = PolicyKind::exact;
  return drawn;
}

}  // namespace

std::string wrong_with(const RandomCase& drawn, const HowJudged& how, std::int64_t* steps) {
  const JudgedRun run = run_case(drawn, how);
  if (steps != nullptr) *steps += run.summary.launched_steps;
  std::string complaint = run.complaint();
  if (!complaint.empty()) return complaint;
  if (run.verdict.requests != static_cast<std::int64_t>(drawn.requests.size())) {
    return "outcomes of " + std::to_string(run.verdict.requests) + " requests of " +
           std::to_string(drawn.requests.size());
  }
  const JudgedRun reference = run_case(in_sync(drawn), how);
  if (steps != nullptr) *steps += reference.summary.launched_steps;
  complaint = reference.complaint();
  if (!complaint.empty()) return "sync: " + complaint;
  complaint = difference(reference, run);
  return complaint.empty() ? "" : "sync / this: " + complaint;
}

std::int64_t block_steps_of(std::uint64_t seed) { return 1 + static_cast<std::int64_t>(seed % 40); }

}  // namespace tandem::test
