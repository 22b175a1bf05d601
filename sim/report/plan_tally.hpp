// PlanTally: what records tell about a schedule without any time: modes, rows launched, host waits.
#pragma once

#include <cstdint>
#include <map>

#include "sim/report/usage.hpp"

namespace tandem::sim {

/// Whether the step executed an operation with this gate, as far as its numbers tell.
[[nodiscard]] bool gate_is_open(const StepRecord& record, const plan::Operation& op);

struct PlanTally {
  std::int64_t records = 0;
  std::int64_t launched = 0;  ///< records that are not idle
  std::int64_t predicted = 0;
  std::int64_t rows_launched = 0;       ///< N, summed
  std::int64_t rows_used = 0;           ///< T, summed
  std::map<Cause, std::int64_t> waits;  ///< host waits that the plan calls for
  std::int64_t unknown_segments = 0;    ///< records of segments that the trace does not define

  void add(const StepRecord& record, const PlanBook& book);
};

}  // namespace tandem::sim
