// Runs a random case and its synchronous twin.
#include "tests/unit/joined/random_check.hpp"

#include "tests/support/run_helpers.hpp"

namespace tandem::test {
namespace {

JudgedRun run_case(const RandomCase& drawn, std::int64_t block_steps) {
  ListWorkload workload(drawn.requests);
  HowJudged how;
  how.block_steps = block_steps;
  how.level = drawn.level;
  how.may_be_cut = drawn.is_cut;
  return run_judged(drawn.scenario, workload, how);
}

/// The same requests with every row sync under policy exact, to their ends: the reference.
RandomCase in_sync(RandomCase drawn) {
  drawn.scenario.config.rows.fill(RowMode::sync);
  drawn.scenario.config.policy = PolicyKind::exact;
  drawn.scenario.steps_max = kFarSteps;
  drawn.is_cut = false;
  return drawn;
}

/// What a cut run and the reference both know: the requests that ended before the cut.
void keep_ended(const JudgedRun& cut, JudgedRun& reference) {
  std::erase_if(reference.outcomes,
                [&cut](const auto& entry) { return cut.outcomes.count(entry.first) == 0; });
  reference.summary.token_digest = cut.summary.token_digest;  // over what was delivered so far
}

}  // namespace

std::string wrong_with(const RandomCase& drawn, std::int64_t block_steps, std::int64_t* steps) {
  const JudgedRun run = run_case(drawn, block_steps);
  if (steps != nullptr) *steps += run.summary.launched_steps;
  std::string complaint = run.complaint();
  if (!complaint.empty()) return complaint;
  if (!drawn.is_cut && run.verdict.requests != static_cast<std::int64_t>(drawn.requests.size())) {
    return "outcomes of " + std::to_string(run.verdict.requests) + " requests of " +
           std::to_string(drawn.requests.size());
  }
  JudgedRun reference = run_case(in_sync(drawn), block_steps);
  complaint = reference.complaint();
  if (!complaint.empty()) return "sync: " + complaint;
  if (drawn.is_cut) keep_ended(run, reference);
  complaint = difference(reference, run);
  return complaint.empty() ? "" : "sync / this: " + complaint;
}

std::int64_t block_steps_of(std::uint64_t seed) { return 1 + static_cast<std::int64_t>(seed % 40); }

}  // namespace tandem::test
