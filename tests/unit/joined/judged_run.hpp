// Runs a scenario on a device with the judge beside it, and keeps how each request ended.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/host/run_host.hpp"
#include "scenarios/scenario.hpp"
#include "sim/checks/verify.hpp"

namespace tandem::test {

/// Sees every record of a run beside the judge.
class RecordWatcher {
 public:
  RecordWatcher() = default;
  RecordWatcher(const RecordWatcher&) = delete;
  RecordWatcher& operator=(const RecordWatcher&) = delete;
  virtual ~RecordWatcher() = default;
  virtual void begin(const TraceHeader& header) = 0;
  virtual void step(const StepRecord& record) = 0;
};

using Outcomes = std::map<RequestId, std::pair<std::int32_t, StopReason>>;

struct JudgedRun {
  sim::Verdict verdict;
  RunSummary summary;
  /// Output length and reason of every request that ended; the same in every schedule, as is the
  /// digest of the summary over all tokens.
  Outcomes outcomes;
  std::string error;  ///< a run that did not end by itself, or a request closed twice

  /// The first divergence, or the error, or nothing.
  [[nodiscard]] std::string complaint() const {
    if (!error.empty()) return error;
    return verdict.divergences.empty() ? "" : sim::to_line(verdict.divergences.front());
  }
};

struct HowJudged {
  std::int64_t block_steps = 7;  ///< records between keyframes: blocks open on all kinds of step
  RecordWatcher* watcher = nullptr;  ///< may be null
  RecordSink* copy = nullptr;        ///< is handed everything as well; may be null
  ExecutorKind executor = ExecutorKind::det;
  /// Runs it elsewhere than on the host device; `executor` is not looked at then.
  std::function<Result<RunSummary>(const Scenario&, Workload&, const RunOptions&, RecordSink*)>
      runner;
  RecordLevel level = RecordLevel::state;
  bool may_be_cut = false;  ///< that limits.steps ends the run with requests open is no error
};

[[nodiscard]] JudgedRun run_judged(const Scenario& scenario, Workload& workload,
                                   const HowJudged& how);

/// Where two runs of one workload differ in what requests received: "" where they do not.
[[nodiscard]] std::string difference(const JudgedRun& a, const JudgedRun& b);

/// An embedded scenario under overrides `key=value`. The production-sized ones are cut to their
/// first requests, never to a number of steps: so every request ends, and all of their tokens
/// compare.
[[nodiscard]] Scenario catalog_case(const std::string& name,
                                    std::vector<std::string> overrides = {});
[[nodiscard]] JudgedRun run_catalog(const std::string& name, std::vector<std::string> overrides,
                                    const HowJudged& how = {});
[[nodiscard]] JudgedRun run_catalog(const std::string& name, std::vector<std::string> overrides,
                                    RecordWatcher* watcher);

/// Names of the catalogue, and as names of tests.
[[nodiscard]] std::vector<std::string> catalog_list();
[[nodiscard]] std::string as_test_name(std::string name);

}  // namespace tandem::test
