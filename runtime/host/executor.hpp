// Executor: orders the host device's operations by streams and events; what they do is not its
// affair.
//
// Operations of one lane run in the order in which they were enqueued, a wait in front of what
// follows it passes when the record it is bound to has been executed, and nothing else orders
// anything. Times are virtual (virtual_time.hpp) and the same under every executor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "runtime/core/device.hpp"
#include "runtime/core/virtual_time.hpp"

namespace tandem {

/// All calls come from the host thread.
class Executor {
 public:
  /// Computes one operation; called in lane order, on whatever thread the lane runs.
  using Execute = std::function<void(const plan::Operation&, const LaunchArgs&)>;

  explicit Executor(Execute execute);
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;
  virtual ~Executor() = default;

  /// `op` outlives the run.
  void enqueue(const plan::Operation& op, const LaunchArgs& args, const OpCost& cost);
  /// Something of the recorder's, on the compute lane; takes no time and orders nothing.
  void enqueue_snapshot(std::function<void()> take);
  /// The host waits for the event of `step`, which has been recorded. What an operation threw comes
  /// out here or in drain().
  void wait(plan::EventName name, std::int64_t step, const WaitCost& cost);
  void end_step(std::int64_t step);
  /// True when every lane has passed the end of `step`. Orders nothing: see Device::finished.
  [[nodiscard]] virtual bool finished(std::int64_t step) const = 0;
  void drain();
  /// Drops what has not been executed; returns when no lane touches anything any more. Nothing may
  /// be enqueued afterwards.
  virtual void halt() = 0;

  [[nodiscard]] VirtualTime& time() { return time_; }
  [[nodiscard]] const VirtualTime& time() const { return time_; }

 protected:
  /// An entry of a lane's queue.
  struct Item {
    const plan::Operation* op = nullptr;  ///< null: `take`, or the end of a step
    LaunchArgs args;
    std::function<void()> take;
    std::int64_t ends_step = -1;
    EventSerial serial = 0;  ///< record_event: its record; wait_event: the record it waits for
  };

  virtual void submit(std::size_t lane, Item item) = 0;
  /// Returns when record `serial` of the event has been executed.
  virtual void await_record(plan::EventName name, EventSerial serial) = 0;
  virtual void await_empty() = 0;

  [[nodiscard]] static bool records(const Item& item) {
    return item.op != nullptr && item.op->kind == plan::OpKind::record_event;
  }
  [[nodiscard]] static bool waits(const Item& item) {
    return item.op != nullptr && item.op->kind == plan::OpKind::wait_event;
  }
  /// What an item computes; nothing where it records, waits or ends a step.
  void compute(const Item& item) const;

 private:
  VirtualTime time_;
  Execute execute_;
};

}  // namespace tandem
