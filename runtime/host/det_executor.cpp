// Lanes, events and virtual time of the deterministic executor.
#include "runtime/host/det_executor.hpp"

#include <algorithm>
#include <utility>

#include "traces/base/check.hpp"

namespace tandem {

DetExecutor::DetExecutor(const TimingModel& timing, std::uint64_t seed, Execute execute)
    : timing_(timing), execute_(std::move(execute)), order_(seed, "det-executor") {}

DetExecutor::Event& DetExecutor::event(plan::EventName name, std::int64_t step) {
  return events_[static_cast<std::size_t>(name)][static_cast<std::size_t>(step) % kEventRing];
}

void DetExecutor::enqueue(const plan::Operation& op, const LaunchArgs& args, Nanos duration_ns) {
  Lane& lane = lane_of(op.lane);
  std::uint64_t serial = 0;
  if (op.kind == plan::OpKind::record_event) {
    serial = ++recorded_serial_[static_cast<std::size_t>(op.records.name)];
    event(op.records.name, args.t) = {args.t, lane.ready_ns, serial};
  } else if (op.kind == plan::OpKind::wait_event) {
    const Event& awaited = event(op.waits.name, args.t + op.waits.step_offset);
    // Never recorded (the first step's wait for the one before): passes, as a fresh CUDA event
    // does.
    if (awaited.step != args.t + op.waits.step_offset) return;
    lane.ready_ns = std::max(lane.ready_ns, awaited.at_ns);
    serial = awaited.serial;
  } else {
    now_ns_ += timing_.host_op_ns;
    const Nanos start = std::max(now_ns_, lane.ready_ns);
    lane.ready_ns = start + duration_ns;
    if (op.lane == plan::Lane::compute) compute_busy_ns_ += duration_ns;
    if (args.pending != nullptr && args.pending->level == RecordLevel::timeline) {
      args.pending->record.spans.push_back(
          {static_cast<std::int32_t>(op.lane), args.segment, args.op, start, lane.ready_ns});
    }
  }
  lane.queue.push_back({&op, args, nullptr, -1, serial});
  run_some();
}

void DetExecutor::enqueue_snapshot(std::function<void()> take) {
  Item item;
  item.take = std::move(take);
  lanes_[0].queue.push_back(std::move(item));
}

void DetExecutor::end_step(std::int64_t step) {
  for (Lane& lane : lanes_) {
    Item item;
    item.ends_step = step;
    lane.queue.push_back(std::move(item));
  }
}

bool DetExecutor::finished(std::int64_t step) const {
  return lanes_[0].ended_step >= step && lanes_[1].ended_step >= step;
}

bool DetExecutor::runnable(const Lane& lane) const {
  if (lane.queue.empty()) return false;
  const Item& head = lane.queue.front();
  const bool waits = head.op != nullptr && head.op->kind == plan::OpKind::wait_event;
  return !waits || is_done(head.op->waits.name, head.serial);
}

void DetExecutor::run_one(Lane& lane) {
  const Item item = std::move(lane.queue.front());
  lane.queue.pop_front();
  if (item.op == nullptr) {
    if (item.take) item.take();
    if (item.ends_step >= 0) lane.ended_step = item.ends_step;
    return;
  }
  if (item.op->kind == plan::OpKind::record_event) {
    done_serial_[static_cast<std::size_t>(item.op->records.name)] = item.serial;
  } else if (item.op->kind != plan::OpKind::wait_event) {
    execute_(*item.op, item.args);
  }
}

bool DetExecutor::run_any() {
  const std::size_t first = lanes_[1].queue.empty() ? 0 : order_.next() & 1U;
  for (const std::size_t i : {first, 1 - first}) {
    if (runnable(lanes_[i])) {
      run_one(lanes_[i]);
      return true;
    }
  }
  return false;
}

/// Lets the device advance a little: 0 to 7 operations one time in four.
void DetExecutor::run_some() {
  const std::uint64_t draw = order_.next();
  if ((draw & 3U) != 0) return;
  for (std::uint64_t left = (draw >> 2U) & 7U; left > 0; --left) {
    if (!run_any()) return;
  }
}

void DetExecutor::wait(plan::EventName name, std::int64_t step) {
  const Event awaited = event(name, step);
  TANDEM_CHECK_EQ(awaited.step, step);
  while (!is_done(name, awaited.serial)) TANDEM_CHECK(run_any());
  now_ns_ = std::max(now_ns_, awaited.at_ns) + timing_.host_op_ns;
}

void DetExecutor::drain() {
  while (run_any()) {
  }
  TANDEM_CHECK(lanes_[0].queue.empty() && lanes_[1].queue.empty());
  now_ns_ = std::max({now_ns_, lanes_[0].ready_ns, lanes_[1].ready_ns});
}

}  // namespace tandem
