// The critical path through operations, events and host waits, window by window of steps.
//
// A window is a directed acyclic graph of its nodes. Its path begins at the node that ends last and
// follows, backwards, the predecessor that ended last, down to where the path of the window before
// ended. So every nanosecond from the first window's start to the last one's end is charged once:
// to an operation, a host call, or the gap in front of one. Slack of a node: how much later it
// could have ended without moving the end of its window.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "sim/report/step_timeline.hpp"

namespace tandem::sim {

constexpr std::int64_t kPathWindowSteps = 32;

/// What time on the path is charged to. Ordered, so that tables have one order.
struct PathKey {
  plan::Lane lane = plan::Lane::host;
  NodeKind kind = NodeKind::operation;
  bool gap = false;      ///< the time in front of it that nothing accounts for
  bool no_work = false;  ///< the gap behind an idle iteration, or its sleep
  plan::OpKind op = plan::OpKind::resolve;
  int row = -1;
  plan::EventName event = plan::EventName::none;  ///< of a host wait

  bool operator<(const PathKey& other) const {
    return std::tie(lane, kind, gap, no_work, op, row, event) <
           std::tie(other.lane, other.kind, other.gap, other.no_work, other.op, other.row,
                    other.event);
  }
};

struct PathShare {
  Nanos on_path_ns = 0;
  std::int64_t on_path = 0;  ///< nodes on the path
  std::int64_t nodes = 0;    ///< all nodes of this key
  Nanos slack_min_ns = INT64_MAX;
  std::uint64_t slack_sum_ns = 0;
};

/// One stretch of a path, in time order.
struct PathPiece {
  PathKey key;
  std::int64_t step = 0;
  Nanos start_ns = 0;
  Nanos end_ns = 0;
};

struct PathReport {
  std::int64_t windows = 0;
  Nanos total_ns = 0;  ///< what all shares add up to
  std::map<PathKey, PathShare> shares;
  std::vector<PathPiece> last_window;  ///< the path of the last window
};

class CriticalPath {
 public:
  explicit CriticalPath(std::int64_t window_steps = kPathWindowSteps)
      : window_steps_(window_steps) {}
  /// Steps of one builder, in order and without a hole.
  void add(const StepTimeline& step);
  /// Ends the last window. Nothing may be added behind it.
  [[nodiscard]] const PathReport& finish();

 private:
  struct Node {
    TimelineNode node;
    std::int64_t step = 0;
    bool after_idle = false;  ///< the first call behind an idle iteration
    bool idle = false;        ///< of an idle iteration
    Nanos ready_ns = kUnknownNs;
  };

  void solve();
  void walk(std::size_t last);
  void charge(const Node& node, bool gap, Nanos start_ns, Nanos end_ns);
  [[nodiscard]] std::vector<Nanos> slacks(Nanos end_ns) const;
  [[nodiscard]] const TimelineEdge* latest_edge(const Node& node) const;
  [[nodiscard]] static PathKey key_of(const Node& node, bool gap);

  std::int64_t window_steps_;
  std::int64_t steps_ = 0;
  std::vector<Node> nodes_;
  std::vector<TimelineEdge> edges_;
  bool idle_before_ = false;
  Nanos covered_ns_ = kUnknownNs;  ///< the paths so far end here
  PathReport report_;
};

}  // namespace tandem::sim
