// CostFitter: makes a CostModel of the spans of recorded runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/core/graph_book.hpp"
#include "runtime/core/launch_groups.hpp"
#include "scenarios/scenario.hpp"
#include "sim/report/step_timeline.hpp"
#include "sim/whatif/cost_model.hpp"
#include "traces/record.hpp"

namespace tandem::sim {

/// Collects durations. Rows of a device operation are those the host launched: of its sub-step for
/// one of the draft head, of the main forward for all others. The host's own work goes by the slots
/// of the view. Numbers within an eighth of an octave make one
/// knot, and a knot with less than a fiftieth of its curve's spans is left out. So are records of
/// several steps. Memory: one counter a distinct duration.
class CostFitter {
 public:
  /// With `timing` the forwards are emulated as it says: then they cost `extra` beyond it, and no
  /// duration of their own. Steps in front of `first_step` count for the graphs they make alone.
  explicit CostFitter(std::optional<TimingModel> timing = {}, std::int64_t first_step = 0)
      : timing_(std::move(timing)), first_step_(first_step) {}

  /// Another run follows: no graph has been made in it.
  void begin_run();
  /// `step` is what TimelineBuilder made of `record`; in the order of steps, from the run's first.
  void add(const StepRecord& record, const StepTimeline& step);
  [[nodiscard]] CostModel fit() const;

 private:
  using Durations = std::map<Nanos, std::int64_t>;  ///< how often each was seen
  struct RowsSeen {
    std::int64_t rows = 0;
    const Durations* durations = nullptr;
  };
  /// How something was launched.
  struct Launch {
    CostPart part = CostPart::launch;
    bool graph = false;
    std::vector<plan::OpKind> ops;  ///< that share its cost
  };

  [[nodiscard]] static CostKnot knot_of(const std::vector<RowsSeen>& bin);
  void note(const CostKey& key, std::int64_t rows, Nanos ns);
  [[nodiscard]] Launch launch_of(const StepRecord& record, const StepTimeline& step,
                                 std::size_t launch);
  void add_host_node(const StepTimeline& step, const TimelineNode& node, const Launch& launch,
                     std::int64_t rows);
  void add_device_node(const StepTimeline& step, const TimelineNode& node, bool in_graph,
                       std::int64_t rows, std::int32_t captured);

  std::optional<TimingModel> timing_;
  std::int64_t first_step_;
  std::map<CostKey, std::map<std::int64_t, Durations>> seen_;
  GraphBook book_;  ///< of the run in hand, like the rest below
  LaunchGroups groups_;
  bool has_graphs_ = false;   ///< operations that share a launch have been met
  bool counts_ = false;       ///< the step in hand
  std::int64_t next_t_ = -1;  ///< the step behind the last one
  Nanos host_ns_ = 0;         ///< end of the last span of the host thread
};

}  // namespace tandem::sim
