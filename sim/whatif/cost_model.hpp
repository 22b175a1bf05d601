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

namespace tandem::sim {

enum class CostPart : std::uint8_t {
  /// The operation itself. On the host thread it begins where the span before it ended, so that
  /// what stands between two of them is in it.
  duration,
  launch,   ///< the host thread's, to enqueue it; from the span before it on
  first,    ///< its share of that, in a group that is met for the first time
  capture,  ///< its share of capturing a group as a graph, and of launching that
  gap,      ///< device: from the end of what it follows, where it had been launched before that
  latency,  ///< device: from the end of its launch, where the stream had nothing else to do
  call,     ///< a host wait for an event that had been reached; from the span before it on
  wake,     ///< a host wait: from the event to its end, where the host came first
  between,  ///< host: from the last span of a step to the start of the next
  extra     ///< a forward: what it takes beyond the time that the scenario gives it
};
/// Work grows with rows. Launches, gaps and waits do not: all that were seen count as one.
[[nodiscard]] inline bool depends_on_rows(CostPart part) {
  return part == CostPart::duration || part == CostPart::extra || part == CostPart::between;
}
[[nodiscard]] const char* to_name(CostPart part);
[[nodiscard]] bool from_name(const std::string& name, CostPart& out);

/// What has a cost. `op` of the part `between` is resolve.
struct CostKey {
  plan::OpKind op = plan::OpKind::resolve;
  plan::Lane lane = plan::Lane::host;  ///< where the time is spent
  CostPart part = CostPart::duration;
  bool graph =
      false;  ///< of a CUDA graph; a launch: that of the graph it is the first operation of

  friend bool operator==(const CostKey& a, const CostKey& b) = default;
  friend bool operator<(const CostKey& a, const CostKey& b) {
    if (a.op != b.op) return a.op < b.op;
    if (a.lane != b.lane) return a.lane < b.lane;
    if (a.part != b.part) return a.part < b.part;
    return a.graph < b.graph;
  }
};

/// Least, deciles 1 to 9, greatest: by nearest rank, so each is a duration that was seen.
constexpr std::size_t kCostQuantiles = 11;
constexpr std::size_t kCostMedian = 5;

/// The durations seen for one number of rows, or for a few that lie together.
struct CostKnot {
  std::int64_t rows =
      0;  ///< their mean, or of the host's own work slots; 0 of a part that does not depend on rows
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

/// Each inner knot against the line between its neighbours.
[[nodiscard]] InterpolationError leave_one_out(const std::vector<CostKnot>& knots);

struct CostCurve {
  std::vector<CostKnot> knots;  ///< by rows, each once; never empty in a model
  InterpolationError left_out;

  bool operator==(const CostCurve&) const = default;
};

struct CostEstimate {
  Nanos ns = 0;
  bool extrapolated = false;  ///< fewer or more rows than were ever seen
};

/// A quantile of the cost with `rows` in [0, 2^31). Beyond the seen numbers the outermost line goes
/// on, not below 0; where one number was seen it is constant.
[[nodiscard]] CostEstimate cost_on(const CostCurve& curve, std::int64_t rows, std::size_t quantile);

/// Corrections of a model whose spans were taken with a profiler beside the run: found by comparing
/// with the times of runs that had none.
struct CostCorrection {
  std::int64_t gap_millionths = 1'000'000;   ///< of latencies, and of gaps within a graph
  std::int64_t host_millionths = 1'000'000;  ///< of whatever the host thread does
  Nanos wake_ns = 0;                         ///< on every wake of the host

  friend bool operator==(const CostCorrection& a, const CostCorrection& b) = default;
};

struct CostModel {
  std::map<CostKey, CostCurve> curves;
  CostCorrection correction;
  std::string source;                  ///< what was measured on what, for people
  std::int64_t error_millionths = -1;  ///< of a step's time, over runs it was not fitted to; -1: -

  /// cost_on() its curve; nothing for a key that was not seen.
  [[nodiscard]] std::optional<CostEstimate> cost(const CostKey& key, std::int64_t rows,
                                                 std::size_t quantile = kCostMedian) const;
  /// Operations were launched as CUDA graphs where it was measured.
  [[nodiscard]] bool knows_graphs() const;
  friend bool operator==(const CostModel& a, const CostModel& b) = default;
};

/// The model as a JSON document: integers, names as in plans, one line a number of rows.
[[nodiscard]] std::string to_json(const CostModel& model);
/// The same model again. An Error names the place of what is not as to_json writes it.
[[nodiscard]] Result<CostModel> parse_cost_model(const std::string& place, const std::string& text);

}  // namespace tandem::sim
