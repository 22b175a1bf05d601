// Times of operations as they are enqueued, and the records that waits are bound to.
#include "runtime/host/virtual_time.hpp"

#include <algorithm>

#include "traces/base/check.hpp"

namespace tandem {

std::optional<EventSerial> VirtualTime::enqueue(const plan::Operation& op, const LaunchArgs& args,
                                                Nanos duration_ns) {
  Nanos& ready_ns = ready_ns_[lane_index(op.lane)];
  if (op.kind == plan::OpKind::record_event) {
    const EventSerial serial = ++recorded_[static_cast<std::size_t>(op.records.name)];
    event(op.records.name, args.t) = {args.t, ready_ns, serial};
    return serial;
  }
  if (op.kind == plan::OpKind::wait_event) {
    const std::int64_t step = args.t + op.waits.step_offset;
    const Event& awaited = event(op.waits.name, step);
    if (awaited.step != step) return std::nullopt;
    ready_ns = std::max(ready_ns, awaited.at_ns);
    return awaited.serial;
  }
  now_ns_ += timing_.host_op_ns;
  const Nanos start_ns = std::max(now_ns_, ready_ns);
  ready_ns = start_ns + duration_ns;
  if (op.lane == plan::Lane::compute) compute_busy_ns_ += duration_ns;
  if (args.pending != nullptr && args.pending->level == RecordLevel::timeline) {
    args.pending->record.spans.push_back(
        {static_cast<std::int32_t>(op.lane), args.segment, args.op, start_ns, ready_ns});
  }
  return 0;
}

EventSerial VirtualTime::wait(plan::EventName name, std::int64_t step) {
  const Event& awaited = event(name, step);
  TANDEM_CHECK_EQ(awaited.step, step);
  now_ns_ = std::max(now_ns_, awaited.at_ns) + timing_.host_op_ns;
  return awaited.serial;
}

void VirtualTime::drain() {
  for (const Nanos ready_ns : ready_ns_) now_ns_ = std::max(now_ns_, ready_ns);
}

}  // namespace tandem
