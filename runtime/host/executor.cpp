// What both executors share: times and bindings are settled here, in the order of the host's calls.
#include "runtime/host/executor.hpp"

#include <optional>
#include <utility>

namespace tandem {

Executor::Executor(Execute execute) : execute_(std::move(execute)) {}

void Executor::enqueue(const plan::Operation& op, const LaunchArgs& args, const OpCost& cost) {
  const std::optional<EventSerial> serial = time_.enqueue(op, args, cost);
  if (serial) submit(lane_index(op.lane), {&op, args, nullptr, -1, *serial});
}

void Executor::enqueue_snapshot(std::function<void()> take) {
  Item item;
  item.take = std::move(take);
  submit(lane_index(plan::Lane::compute), std::move(item));
}

void Executor::end_step(std::int64_t step) {
  for (std::size_t lane = 0; lane < kDeviceLanes; ++lane) {
    Item item;
    item.ends_step = step;
    submit(lane, std::move(item));
  }
}

void Executor::wait(plan::EventName name, std::int64_t step, const WaitCost& cost) {
  await_record(name, time_.wait(name, step, cost));
}

void Executor::drain() {
  await_empty();
  time_.drain();
}

void Executor::compute(const Item& item) const {
  if (item.op == nullptr) {
    if (item.take) item.take();
  } else if (!records(item) && !waits(item)) {
    execute_(*item.op, item.args);
  }
}

}  // namespace tandem
