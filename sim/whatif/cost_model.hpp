// CostModel: what operations cost by kind and rows, as the spans of recorded runs showed it.
//
// Of each number of rows that was seen it keeps the distribution; between two of them each quantile
// is linear in rows. How far that can be trusted is measured by leaving seen numbers out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/report/step_timeline.hpp"
#include "traces/base/ids.hpp"
#include "traces/base/result.hpp"
#include "traces/plan/plan.hpp"
#include "traces/record.hpp"

namespace tandem::sim {

/// What has a cost: an operation where it runs, host work included, or its launch by the host.
struct CostKey {
  plan::OpKind op = plan::OpKind::resolve;
  plan::Lane lane = plan::Lane::host;  ///< where the time is spent
  bool launch = false;                 ///< then the lane is host

  friend bool operator==(const CostKey& a, const CostKey& b) {
    return a.op == b.op && a.lane == b.lane && a.launch == b.launch;
  }
  friend bool operator<(const CostKey& a, const CostKey& b) {
    if (a.op != b.op) return a.op < b.op;
    if (a.lane != b.lane) return a.lane < b.lane;
    return a.launch < b.launch;
  }
};

/// Least, deciles 1 to 9, greatest: by nearest rank, so each is a duration that was seen.
constexpr std::size_t kCostQuantiles = 11;
constexpr std::size_t kCostMedian = 5;

/// The durations seen for one number of rows.
struct CostKnot {
  std::int64_t rows = 0;
  std::int64_t count = 0;  ///< spans
  Nanos sum_ns = 0;        ///< INT64_MAX where it is more
  std::array<Nanos, kCostQuantiles> quantile_ns{};

  bool operator==(const CostKnot&) const = default;
};

/// Medians of inner knots against the line between their neighbours. Millionths of the median.
struct InterpolationError {
  std::int64_t knots = 0;  ///< left out in turn; 0 where there is no inner one: nothing is known
  std::int64_t mean_millionths = 0;
  std::int64_t greatest_millionths = 0;

  bool operator==(const InterpolationError&) const = default;
};

struct CostCurve {
  std::vector<CostKnot> knots;  ///< by rows, each once; never empty in a model
  InterpolationError left_out;

  bool operator==(const CostCurve&) const = default;
};

struct CostEstimate {
  Nanos ns = 0;
  bool extrapolated = false;  ///< fewer or more rows than were ever seen
};

struct CostModel {
  std::map<CostKey, CostCurve> curves;

  /// A quantile in [0, kCostQuantiles) of the cost with `rows` in [0, 2^31). Beyond the seen
  /// numbers the outermost line goes on, not below 0; where one number was seen it is constant.
  /// Nothing for a key that was not seen.
  [[nodiscard]] std::optional<CostEstimate> cost(const CostKey& key, std::int64_t rows,
                                                 std::size_t quantile = kCostMedian) const;
  bool operator==(const CostModel& other) const { return curves == other.curves; }
};

/// Collects durations. Rows are those the host launched: of its sub-step for an operation of the
/// draft head, of the main forward for all others. Waits cost nothing by themselves and are left
/// out, and so are records of several steps. Memory: one counter a distinct duration.
class CostFitter {
 public:
  /// `step` is what TimelineBuilder made of `record`.
  void add(const StepRecord& record, const StepTimeline& step);
  [[nodiscard]] CostModel fit() const;

 private:
  using Durations = std::map<Nanos, std::int64_t>;  ///< how often each was seen
  std::map<CostKey, std::map<std::int64_t, Durations>> seen_;
};

/// The model as a JSON document: integers, names as in plans, one line a number of rows.
[[nodiscard]] std::string to_json(const CostModel& model);
/// The same model again. An Error names the place of what is not as to_json writes it.
[[nodiscard]] Result<CostModel> parse_cost_model(const std::string& place, const std::string& text);

}  // namespace tandem::sim
