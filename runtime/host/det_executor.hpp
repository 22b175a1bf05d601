// The deterministic executor: lanes as queues, virtual time, a seeded order among the legal ones.
//
// Times follow from what is enqueued (durations, FIFO lanes, events) and are exact at once. Values
// are computed later, when the seed says so or a wait demands it, so that a host value read too
// early, or a buffer reused too early, shows as a wrong value, and always in the same way.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>

#include "runtime/core/device.hpp"
#include "scenarios/scenario.hpp"
#include "traces/base/random.hpp"

namespace tandem {

class DetExecutor {
 public:
  /// `execute` computes one operation; called in lane order.
  using Execute = std::function<void(const plan::Operation&, const LaunchArgs&)>;

  DetExecutor(const TimingModel& timing, std::uint64_t seed, Execute execute);

  void enqueue(const plan::Operation& op, const LaunchArgs& args, Nanos duration_ns);
  /// Something of the recorder's, on the compute lane; takes no time.
  void enqueue_snapshot(std::function<void()> take);
  void wait(plan::EventName name, std::int64_t step);
  void end_step(std::int64_t step);
  [[nodiscard]] bool finished(std::int64_t step) const;
  void drain();

  void spend(Nanos ns) { now_ns_ += timing_.host_op_ns + ns; }
  void sleep_until(Nanos ns) { now_ns_ = ns > now_ns_ ? ns : now_ns_; }
  [[nodiscard]] Nanos now() const { return now_ns_; }
  [[nodiscard]] Nanos compute_busy() const { return compute_busy_ns_; }

 private:
  struct Item {
    const plan::Operation* op = nullptr;  ///< null: `take` or the end of a step
    LaunchArgs args;
    std::function<void()> take;
    std::int64_t ends_step = -1;
    std::uint64_t serial = 0;  ///< record_event: its record; wait_event: the record it waits for
  };
  struct Lane {
    std::deque<Item> queue;
    Nanos ready_ns = 0;
    std::int64_t ended_step = -1;
  };
  /// The latest record of an event in a step. A wait binds to the record that is latest when it is
  /// enqueued, as on a real device; a later record of the same name does not move it.
  struct Event {
    std::int64_t step = -1;
    Nanos at_ns = 0;
    std::uint64_t serial = 0;
  };

  Event& event(plan::EventName name, std::int64_t step);
  [[nodiscard]] bool runnable(const Lane& lane) const;
  [[nodiscard]] bool is_done(plan::EventName name, std::uint64_t serial) const {
    return done_serial_[static_cast<std::size_t>(name)] >= serial;
  }
  void run_one(Lane& lane);
  void run_some();
  bool run_any();
  Lane& lane_of(plan::Lane lane) { return lanes_[lane == plan::Lane::compute ? 0 : 1]; }

  TimingModel timing_;
  Execute execute_;
  RandomStream order_;
  std::array<Lane, 2> lanes_;
  static constexpr std::size_t kEventRing = 4;  ///< steps an event of one name is remembered
  static constexpr std::size_t kEventNames = 8;
  std::array<std::array<Event, kEventRing>, kEventNames> events_{};
  std::array<std::uint64_t, kEventNames> recorded_serial_{};
  std::array<std::uint64_t, kEventNames> done_serial_{};
  Nanos now_ns_ = 0;
  Nanos compute_busy_ns_ = 0;
};

}  // namespace tandem
