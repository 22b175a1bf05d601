// StepTimeline: the spans of one record, named by its plan and joined by what each waited for.
//
// A node is a span. Its edges lead from what had to end first: the operation before it in its lane,
// its launch, the events that it or its stream waited for, and on the host thread the call before.
// Events take no time, so an edge starts at the operation that the record of the event follows.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sim/checks/plan_book.hpp"
#include "traces/base/ids.hpp"
#include "traces/base/result.hpp"
#include "traces/record.hpp"

namespace tandem::sim {

constexpr Nanos kUnknownNs = INT64_MIN;
/// Later times are refused: 104 days, so that no sum of a run's times overflows.
constexpr Nanos kLastNs = Nanos{1} << 53U;
constexpr std::int64_t kNoNode = -1;

enum class NodeKind : std::uint8_t {
  operation,  ///< a device operation on its stream, or work of the host thread
  launch,     ///< the host thread enqueues `op`, which belongs to another lane
  wait        ///< the host thread waits for an event
};

enum class EdgeKind : std::uint8_t {
  program,  ///< the call before, on the host thread
  launch,   ///< an operation follows its launch (or, where launches have no span, the call before)
  stream,   ///< the operation before in the same lane
  event     ///< what stands before the record of the event that is waited for
};

struct TimelineEdge {
  EdgeKind kind = EdgeKind::program;
  std::int64_t from = kNoNode;                    ///< serial
  Nanos at_ns = 0;                                ///< when `from` ended
  plan::Lane lane = plan::Lane::host;             ///< of `from`
  plan::OpKind behind = plan::OpKind::resolve;    ///< what `from` did
  plan::EventName event = plan::EventName::none;  ///< of kind event
};

struct TimelineNode {
  std::int64_t serial = 0;  ///< from 0 on, in program order through the whole run
  NodeKind kind = NodeKind::operation;
  plan::Lane lane = plan::Lane::host;   ///< where the time was spent
  const plan::Operation* op = nullptr;  ///< lives as long as the builder
  Nanos start_ns = 0;
  Nanos end_ns = 0;
  Nanos launched_ns = kUnknownNs;  ///< device operations: when the host was done launching them
  /// Launched together with the one before it in its segment, as a graph: no span of its own.
  bool shares_launch = false;
  std::uint32_t first_edge = 0;  ///< in StepTimeline::edges; up to the next node's first
  std::uint32_t edge_count = 0;

  [[nodiscard]] Nanos duration() const { return end_ns - start_ns; }
};

/// The numbers of a record that reports show beside its spans.
struct StepFacts {
  std::int64_t t = 0;
  std::int64_t repeat = 1;
  StepKind kind = StepKind::back;
  LaunchMode mode = LaunchMode::exact;
  Nanos start_ns = 0;
  Nanos end_ns = 0;
  std::int32_t token_num = 0;     ///< N
  std::int32_t launch_bsz = 0;    ///< rr
  std::int64_t device_rows = 0;   ///< T, the sum of q at P1
  std::int32_t device_slots = 0;  ///< slots with q > 0 at P1
  std::int32_t sends = 0;         ///< messages, control ones included
  std::int32_t deviations = 0;    ///< of the API log from the plan (T1)

  /// The step behind; wraps, as both numbers may come from a damaged file.
  [[nodiscard]] std::int64_t next_t() const {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(t) +
                                     static_cast<std::uint64_t>(repeat));
  }
};

struct StepTimeline {
  StepFacts facts;
  std::vector<TimelineNode> nodes;  ///< in program order: a launch stands before its operation
  std::vector<TimelineEdge> edges;  ///< of node 0, then of node 1, and so on

  [[nodiscard]] const TimelineEdge* edges_begin(const TimelineNode& node) const {
    return edges.data() + node.first_edge;
  }
  [[nodiscard]] const TimelineEdge* edges_end(const TimelineNode& node) const {
    return edges.data() + node.first_edge + node.edge_count;
  }
  /// Latest end of what the node is joined to; kUnknownNs where it is joined to nothing.
  [[nodiscard]] Nanos ready_ns(const TimelineNode& node) const;
};

/// How many records lack what, of `records` that hold something to be timed.
struct SpanCoverage {
  std::int64_t records = 0;           ///< all
  std::int64_t without_clock = 0;     ///< start_ns and end_ns both 0 behind step 0
  std::int64_t launched = 0;          ///< records that launched something
  std::int64_t without_host = 0;      ///< of these, without any span of a host operation
  std::int64_t without_compute = 0;   ///< without any span of the compute stream
  std::int64_t without_launches = 0;  ///< without the span of any launch
};

/// A device-to-host copy: it writes memory of the host.
[[nodiscard]] bool is_copy(const plan::Operation& op);
/// "R2", or "" where the operation exists in every schedule.
[[nodiscard]] std::string row_name(int row);

[[nodiscard]] StepFacts facts_of(const StepRecord& record);

/// Joins records, handed in by step order, into one graph. A jump in t forgets what was before.
class TimelineBuilder {
 public:
  void add_segment(const plan::Segment& segment) { book_.add(segment); }
  /// Fills `out`, whose memory is kept. An Error where a span names no operation of its record,
  /// ends before it starts or stands there twice, and where a time is not in [0, kLastNs].
  Status add(const StepRecord& record, StepTimeline& out);
  [[nodiscard]] const SpanCoverage& coverage() const { return coverage_; }

 private:
  struct End {
    std::int64_t serial = kNoNode;
    Nanos at_ns = 0;
    plan::Lane lane = plan::Lane::host;
    plan::OpKind op = plan::OpKind::resolve;
  };
  struct OpSpans {
    std::int32_t own = -1;  ///< index into StepRecord::spans
    std::int32_t launch = -1;
  };

  Status index_spans(const StepRecord& record);
  /// `group_launched_ns`: when the launch before, in the same segment, was done.
  void visit(const StepRecord& record, const plan::Operation& op, const OpSpans& spans,
             Nanos& group_launched_ns, StepTimeline& out);
  void visit_event(const StepRecord& record, const plan::Operation& op);
  TimelineNode& open_node(StepTimeline& out, const plan::Operation& op, NodeKind kind,
                          plan::Lane lane, const Span& span);
  void join(StepTimeline& out, EdgeKind kind, const End& end,
            plan::EventName event = plan::EventName::none);
  void join_event(StepTimeline& out, const plan::EventRef& event, std::int64_t t);
  void close_node(StepTimeline& out);
  /// An operation with this gate and sub-step ran in the segment.
  [[nodiscard]] bool ran(const plan::Segment& segment, std::size_t offset,
                         const plan::Operation& op) const;
  void count_coverage(const StepRecord& record, const StepTimeline& out);

  PlanBook book_;
  SpanCoverage coverage_;
  std::vector<const plan::Segment*> chain_;
  std::vector<std::size_t> offsets_;  ///< of each segment's operations in spans_
  std::vector<OpSpans> spans_;
  std::array<End, plan::kLaneCount> last_{};
  std::array<std::vector<plan::EventRef>, plan::kLaneCount> pending_waits_;
  std::map<std::pair<plan::EventName, std::int64_t>, End> events_;  ///< of the last steps
  std::int64_t serial_ = 0;
  std::int64_t next_t_ = kNoNode;  ///< the step that is expected
};

}  // namespace tandem::sim
