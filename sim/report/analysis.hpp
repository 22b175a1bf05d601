// TimelineAnalysis: from records to the numbers of a timeline report. Pure: no files, no clock.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sim/report/critical_path.hpp"
#include "sim/report/usage.hpp"
#include "traces/run_config.hpp"

namespace tandem::sim {

/// Nearest-rank percentiles of integers: the least value that at least that share does not exceed.
struct Spread {
  std::int64_t median = 0;
  std::int64_t p95 = 0;
  std::int64_t p99 = 0;

  bool operator==(const Spread&) const = default;
};
/// Zeros where `values` is empty. Reorders `values`.
[[nodiscard]] Spread spread_of(std::vector<std::int64_t>& values);

/// part / whole in millionths, towards zero; 0 where there is no whole.
[[nodiscard]] std::int64_t millionths(std::int64_t part, std::int64_t whole);

/// Steps [begin, end) by t.
struct CountedSteps {
  std::int64_t begin = 0;
  std::int64_t end = INT64_MAX;
  std::int64_t ramp_in = 0;   ///< records in front, left out
  std::int64_t ramp_out = 0;  ///< records behind, left out
  bool all = false;  ///< too short: without its ramp nothing would be left, so all of it counts
};

/// The ramp: records up to and including the first that sends a message (until then the pipeline
/// fills), and what follows the last one of kind back (the run-off).
class RampFinder {
 public:
  void add(const StepFacts& facts);
  [[nodiscard]] CountedSteps counted() const;

 private:
  bool sent_ = false;
  bool has_back_ = false;
  std::int64_t first_ = -1;
  std::int64_t begin_ = 0;
  std::int64_t end_ = 0;
  std::int64_t records_ = 0;
  std::int64_t in_ = 0;
  std::int64_t until_back_ = 0;
};

/// What one cause, or one row, cost over all counted steps.
struct CauseTotal {
  std::int64_t bubbles = 0;  ///< of which it is the root
  Nanos idle_ns = 0;         ///< of these bubbles
};

struct RowTotal {
  std::int64_t waits = 0;  ///< of the host
  Nanos waited_ns = 0;     ///< by the host
  Nanos starved_ns = 0;    ///< idle time of the compute stream whose root is a wait of this row
  Nanos path_ns = 0;  ///< on the critical path: its waits, and the operations that exist for it
};

enum class BoundSide : std::uint8_t { host, device };

/// max(host, device): no schedule of the same work is faster.
struct Bound {
  BoundSide side = BoundSide::device;
  Nanos host_ns = 0;    ///< work and launches, without waits
  Nanos device_ns = 0;  ///< of the busiest stream
  Nanos run_ns = 0;     ///< what the counted steps took on that side, no-work time aside
  [[nodiscard]] Nanos bound_ns() const { return host_ns > device_ns ? host_ns : device_ns; }
  /// How much longer the run is, in millionths of the bound.
  [[nodiscard]] std::int64_t above_millionths() const;
};

struct TimelineReport {
  SpanCoverage coverage;
  CountedSteps counted;
  std::int64_t records = 0;    ///< counted
  std::int64_t launched = 0;   ///< of these, not idle
  std::vector<StepUse> steps;  ///< of the counted records, in order
  HostUse host;
  LaneUse compute;
  LaneUse copy;
  Bound bound;
  /// The largest, then the earliest, first; one for all that are alike.
  std::vector<Bubble> bubbles;
  std::map<Cause, CauseTotal> causes;
  std::map<int, RowTotal> rows;  ///< by row; -1: waits that every schedule has
  std::map<Cause, WaitUse> waits;
  std::int64_t launches = 0;
  std::int64_t ahead = 0;
  std::int64_t predicted = 0;       ///< steps of mode predicted with a known lead
  std::int64_t predicted_late = 0;  ///< of these, with a negative lead (T1)
  std::int64_t deviations = 0;      ///< of the API log from the plan (T1)
  Attribution attribution;          ///< T2
  PathReport path;

  [[nodiscard]] bool has_spans() const;
};

constexpr std::size_t kBubblesKept = 20;

class TimelineAnalysis {
 public:
  explicit TimelineAnalysis(const CountedSteps& counted, std::size_t bubbles_kept = kBubblesKept)
      : bubbles_kept_(bubbles_kept) {
    report_.counted = counted;
  }
  /// Every step of the trace from a little before the first counted one on, in order.
  void add(const StepTimeline& step);
  [[nodiscard]] TimelineReport finish(const SpanCoverage& coverage);

 private:
  void keep_bubbles(const std::vector<Bubble>& bubbles);
  void keep(const Bubble& bubble);
  void finish_bound();
  void finish_rows();

  std::size_t bubbles_kept_;
  TimelineReport report_;
  UseMeter meter_;
  CriticalPath path_;
};

}  // namespace tandem::sim
