// Virtual time of a device: when everything enqueued starts and ends, whoever computes it.
//
// Times follow from what is enqueued (lanes are FIFO, events bind lanes) and are known at once. So
// they, and every decision of the host that looks at its clock, are the same under each executor
// and where nothing is computed at all.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "runtime/core/device.hpp"
#include "runtime/core/op_costs.hpp"

namespace tandem {

/// One record of an event: the `serial`-th of its name in the run, from 1 on.
using EventSerial = std::uint64_t;

constexpr std::size_t kDeviceLanes = 2;
[[nodiscard]] constexpr std::size_t lane_index(plan::Lane lane) {
  return lane == plan::Lane::compute ? 0 : 1;
}
constexpr std::size_t kEventNames = 8;

/// What became of the compute lane's time.
struct ComputeUse {
  Nanos busy_ns = 0;     ///< given to operations so far, those under way or to come included
  Nanos gap_ns = 0;      ///< between two of them, the second being enqueued already
  Nanos starved_ns = 0;  ///< nothing was enqueued, since the last settle_idle()
};

/// The host thread's own; executors ask it what an event reference is bound to.
class VirtualTime {
 public:
  /// Times one operation of a device lane and notes its span at level `timeline`. Events cost
  /// nothing. The serial that it records or waits for, 0 for other operations; nothing for a wait
  /// that passes because its event was never recorded (the first step's wait for the one before),
  /// as a fresh CUDA event does.
  std::optional<EventSerial> enqueue(const plan::Operation& op, const LaunchArgs& args,
                                     const OpCost& cost);
  /// The host waits: the record it waits for. The event of that step has been recorded.
  EventSerial wait(plan::EventName name, std::int64_t step, const WaitCost& cost);
  /// The event of `step` was recorded and reached before this run began.
  void mark_passed(plan::EventName name, std::int64_t step) { event(name, step) = {step, 0, 0}; }
  /// The host waits until every lane is empty.
  void drain();

  void spend(Nanos ns) { now_ns_ += ns; }
  void sleep_until(Nanos ns) { now_ns_ = ns > now_ns_ ? ns : now_ns_; }
  [[nodiscard]] Nanos now() const { return now_ns_; }
  [[nodiscard]] const ComputeUse& compute() const { return compute_; }
  /// There was nothing to do: until now the compute lane does not count as starved.
  void settle_idle() { idle_since_ns_ = now_ns_; }

 private:
  static constexpr std::size_t kStepsKept = 4;  ///< an event of one name is remembered so long
  static constexpr std::int64_t kNever = INT64_MIN;

  /// The latest record of an event in a step. A wait binds to the record that is latest when it is
  /// enqueued, as on a real device; a later record of the same name does not move it.
  struct Event {
    std::int64_t step = kNever;
    Nanos at_ns = 0;
    EventSerial serial = 0;
  };
  Event& event(plan::EventName name, std::int64_t step) {
    return events_[static_cast<std::size_t>(name)][static_cast<std::size_t>(step) % kStepsKept];
  }
  /// What held an operation of the compute lane back from `free_ns`, when the one before ended.
  void note_idle(Nanos free_ns, Nanos arrived_ns, Nanos start_ns);

  std::array<Nanos, kDeviceLanes> ready_ns_{};
  std::array<std::array<Event, kStepsKept>, kEventNames> events_{};
  std::array<EventSerial, kEventNames> recorded_{};
  Nanos now_ns_ = 0;
  Nanos idle_since_ns_ = 0;
  ComputeUse compute_;
};

}  // namespace tandem
