// Lanes and events of the deterministic executor.
#include "runtime/host/det_executor.hpp"

#include <utility>

#include "traces/base/check.hpp"

namespace tandem {

DetExecutor::DetExecutor(std::uint64_t seed, Execute execute)
    : Executor(std::move(execute)), order_(seed, "det-executor") {}

void DetExecutor::submit(std::size_t lane, Item item) {
  const bool is_op = item.op != nullptr;
  lanes_[lane].queue.push_back(std::move(item));
  if (is_op) run_some();
}

bool DetExecutor::finished(std::int64_t step) const {
  return lanes_[0].ended_step >= step && lanes_[1].ended_step >= step;
}

bool DetExecutor::runnable(const Lane& lane) const {
  if (lane.queue.empty()) return false;
  const Item& head = lane.queue.front();
  return !waits(head) || is_done(head.op->waits.name, head.serial);
}

void DetExecutor::run_one(Lane& lane) {
  const Item item = std::move(lane.queue.front());
  lane.queue.pop_front();
  compute(item);
  if (records(item)) done_[static_cast<std::size_t>(item.op->records.name)] = item.serial;
  if (item.ends_step >= 0) lane.ended_step = item.ends_step;
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

void DetExecutor::await_record(plan::EventName name, EventSerial serial) {
  while (!is_done(name, serial)) TANDEM_CHECK(run_any());
}

void DetExecutor::await_empty() {
  while (run_any()) {
  }
  TANDEM_CHECK(lanes_[0].queue.empty() && lanes_[1].queue.empty());
}

void DetExecutor::halt() {
  for (Lane& lane : lanes_) lane.queue.clear();
}

}  // namespace tandem
