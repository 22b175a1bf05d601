// ApiLog: what was really asked for in a step, lane by lane, and how it differs from the plan.
//
// The plan says what a step calls for; the log is written where operations are carried out: by the
// device in enqueue(), by the step loop in its host operations. Neither is derived from the other.
#pragma once

#include <array>
#include <vector>

#include "traces/plan/plan.hpp"
#include "traces/record.hpp"

namespace tandem {

class ApiLog {
 public:
  void note(plan::Lane lane, plan::OpKind kind) {
    lanes_[static_cast<std::size_t>(lane)].push_back(kind);
  }
  void clear() {
    for (std::vector<plan::OpKind>& lane : lanes_) lane.clear();
  }
  [[nodiscard]] const std::vector<plan::OpKind>& lane(plan::Lane lane) const {
    return lanes_[static_cast<std::size_t>(lane)];
  }
  /// Appends the entries of `other` behind those of this one, lane by lane.
  void append(const ApiLog& other);

 private:
  std::array<std::vector<plan::OpKind>, plan::kLaneCount> lanes_;
};

/// Appends to `out` where `found` departs from `expected`: one entry for an operation that is
/// missing (found -1), one that nobody called for (expected -1), or one in another's place. A
/// neighbour decides which; positions count in `found`. Nothing is appended for equal logs.
void find_deviations(const ApiLog& expected, const ApiLog& found, std::vector<PlanDeviation>& out);

}  // namespace tandem
