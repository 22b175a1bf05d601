// AcceptScript: how many tokens a decode step commits, by the law that stands in
// traces/run_config.hpp.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/oracle/rules.hpp"
#include "traces/record.hpp"

namespace tandem::sim {

/// The law for one request. What does not depend on the step is worked out once, at admission.
class AcceptScript {
 public:
  /// `rules` outlives the script. A row of a recorded list without entries leaves it unknown.
  void assign(const Rules& rules, const RequestRow& row);

  [[nodiscard]] bool known() const { return known_; }

  /// Tokens that a step starting at committed length g commits, before it is clipped to q.
  /// Quickest where g only grows.
  [[nodiscard]] std::int32_t commits(std::int32_t g);

 private:
  [[nodiscard]] std::int32_t drawn_commits(std::int32_t g) const;
  [[nodiscard]] std::int32_t listed_commits(std::int32_t g);

  const Rules* rules_ = nullptr;
  bool known_ = false;
  std::uint64_t prefix_ = 0;        ///< the draw's hash up to and including the request
  std::vector<std::int64_t> sums_;  ///< S_{j+1} - 1 for one pass through the list
  // The entry that the last question fell into: [from_, to_) is its stretch of g.
  std::size_t entry_ = 0;
  std::int64_t from_ = 0;
  std::int64_t to_ = 0;
};

}  // namespace tandem::sim
