// Where the time of every lane went, step by step, and why the compute stream stood still.
//
// Device time belongs to the step of the operation that it leads to: a lane's time of step t runs
// from the end of its last operation before t to the end of its last operation of t. Host time
// belongs to the iteration. Every nanosecond of a lane has exactly one name, and merged intervals
// say the same total as the operations one by one: T2, checked here.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "sim/report/step_timeline.hpp"

namespace tandem::sim {

/// Why a stream stood still.
enum class CauseKind : std::uint8_t {
  host_wait,       ///< the host thread was in a wait
  host_operation,  ///< it worked
  launching,       ///< it enqueued
  host_other,      ///< it did something without a span
  stream_wait,     ///< the operation was enqueued and its stream waited for another lane
  gap,             ///< it was enqueued, nothing is known that it waited for
  no_work          ///< idle iterations: nothing to launch
};

/// Ordered, so that sums by cause have one order.
struct Cause {
  CauseKind kind = CauseKind::gap;
  int row = -1;
  plan::EventName event = plan::EventName::none;  ///< host_wait, stream_wait
  plan::OpKind op = plan::OpKind::resolve;        ///< host_operation; stream_wait: what ended last

  bool operator==(const Cause&) const = default;
  bool operator<(const Cause& other) const {
    return std::tie(kind, row, event, op) < std::tie(other.kind, other.row, other.event, other.op);
  }
};
/// "host wait R2 post_process", "host late: prepare_forward", "no work".
[[nodiscard]] std::string to_text(const Cause& cause);

struct CausePart {
  Cause cause;
  Nanos ns = 0;
};

/// An interval in which the compute stream stood still, no-work time aside.
struct Bubble {
  std::int64_t step = 0;  ///< of the operation behind it
  plan::OpKind before = plan::OpKind::resolve;
  Nanos start_ns = 0;
  Nanos end_ns = 0;
  Nanos idle_ns = 0;       ///< without no-work time
  std::int64_t alike = 1;  ///< bubbles in front of the same operation with the same root
  /// What let the stream run dry: the host wait that was under way when it did, else the greatest
  /// part.
  Cause root;
  std::vector<CausePart> parts;  ///< greatest first; they add up to idle_ns
};

struct LaneUse {
  Nanos window_ns = 0;   ///< all of the lane's time: the sum of what follows
  Nanos compute_ns = 0;  ///< kernels, and everything that is no copy
  Nanos copies_ns = 0;   ///< device-to-host copies
  Nanos waiting_ns = 0;  ///< for an event of another lane
  Nanos idle_ns = 0;     ///< nothing enqueued, or nothing known
  Nanos gaps_ns = 0;     ///< of idle_ns: enqueued, and nothing known that it waited for
  std::int64_t gaps = 0;
  Nanos no_work_ns = 0;

  [[nodiscard]] Nanos busy_ns() const { return compute_ns + copies_ns; }
  /// Nothing was enqueued although there was work (architecture 7).
  [[nodiscard]] Nanos starved_ns() const { return idle_ns - gaps_ns; }
  void operator+=(const LaneUse& other);
};

struct HostUse {
  Nanos window_ns = 0;      ///< the iterations: the sum of what follows
  Nanos operations_ns = 0;  ///< work, and what a wait costs beyond the wait
  Nanos launches_ns = 0;
  Nanos waiting_ns = 0;  ///< until the event had happened
  Nanos other_ns = 0;    ///< in no span
  Nanos no_work_ns = 0;

  [[nodiscard]] Nanos busy_ns() const { return operations_ns + launches_ns + other_ns; }
  void operator+=(const HostUse& other);
};

/// One record, measured.
struct StepUse {
  StepFacts facts;
  HostUse host;
  LaneUse compute;
  LaneUse copy;
  /// Launch lead of the target forward: the compute stream still had work for so long when the
  /// launch was done; negative: it had run dry. kUnknownNs without launch spans.
  Nanos lead_ns = kUnknownNs;
  std::int32_t launches = 0;  ///< operations of the compute stream whose launch has a span
  std::int32_t ahead = 0;     ///< of these, launched while the stream still had work
};

/// What a row of the sync table (3.4), or an event of the host's waits, took.
struct WaitUse {
  std::int64_t waits = 0;
  Nanos waited_ns = 0;
};

/// T2, over everything measured.
struct Attribution {
  std::array<Nanos, plan::kLaneCount> attributed_ns{};  ///< spans added up, step by step
  std::array<Nanos, plan::kLaneCount> merged_ns{};      ///< union of their intervals
  std::int64_t violations = 0;  ///< 0 or 1: nothing is added behind the first
  std::string first;            ///< in words

  [[nodiscard]] bool holds() const { return violations == 0 && attributed_ns == merged_ns; }
};

class UseMeter {
 public:
  /// Records in order. The result stays until the next call; `bubbles` holds those of its step.
  const StepUse& add(const StepTimeline& step);
  [[nodiscard]] const std::vector<Bubble>& bubbles() const { return bubbles_; }
  /// The step's host waits, by row and event.
  [[nodiscard]] const std::map<Cause, WaitUse>& waits() const { return waits_; }
  [[nodiscard]] const Attribution& attribution() const { return attribution_; }

 private:
  /// What the host thread did, kept as long as a stream may ask.
  struct HostInterval {
    Nanos start_ns = 0;
    Nanos end_ns = 0;
    Cause cause;
  };
  struct Lane {
    bool known = false;
    Nanos end_ns = 0;  ///< of its last operation
  };

  void measure_host(const StepTimeline& step);
  void measure_idle(const StepTimeline& step);
  void measure_call(const StepTimeline& step, const TimelineNode& node);
  void measure_operation(const StepTimeline& step, const TimelineNode& node);
  void explain_gap(const StepTimeline& step, const TimelineNode& node, LaneUse& use);
  /// Parts of [start, end) by what the host did.
  void add_host_parts(Nanos start_ns, Nanos end_ns, std::vector<CausePart>& parts) const;
  void note_lead(const TimelineNode& node);
  void note_host(Nanos start_ns, Nanos end_ns, const Cause& cause);
  void attribute(const StepTimeline& step, const TimelineNode& node);
  void violate(const StepTimeline& step, const TimelineNode& node, const std::string& what);

  StepUse use_;
  std::vector<Bubble> bubbles_;
  std::map<Cause, WaitUse> waits_;
  std::deque<HostInterval> host_;
  std::array<Lane, plan::kLaneCount> lanes_{};
  Attribution attribution_;
  bool began_ = false;
  bool idle_before_ = false;
  Nanos host_end_ns_ = 0;
};

}  // namespace tandem::sim
