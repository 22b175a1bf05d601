// The request table of a trace as a workload that is scheduled anew.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scenarios/scenario.hpp"
#include "traces/base/result.hpp"
#include "traces/request_table.hpp"

namespace tandem {

/// Requests in order of arrival, and what became of those that the trace does not tell whole.
struct RecordedWorkload {
  std::vector<RequestSpec> requests;
  std::int64_t aborted = 0;   ///< aborted where the recording aborted them
  std::int64_t open_cut = 0;  ///< open at the end of the trace: they end where it ends
  std::int64_t resumed = 0;   ///< under way at its start: what they had is taken as prompt
  std::int64_t left_out = 0;  ///< not one of their tokens was observed
};

/// Where the header states the acceptance (scripted runs), rows tell each request whole: all are
/// taken, those that waited at the end included. Elsewhere only what was observed can be asked for
/// again: commits become accept lists, outcomes become ends. Ids and tokens stay the recorded ones.
/// Preemptions are the schedule's affair and are not repeated. `config` is that of the new run.
/// Errors name `name` and the request: a row that is missing, or one that can never fit.
[[nodiscard]] Result<RecordedWorkload> recorded_workload(const RequestTable& table,
                                                         const RunConfig& recorded,
                                                         const RunConfig& config,
                                                         const std::string& name);

}  // namespace tandem
