// Times of operations as they are enqueued, and the records that waits are bound to.
#include "runtime/core/virtual_time.hpp"

#include <algorithm>

#include "traces/base/check.hpp"

namespace tandem {

std::optional<EventSerial> VirtualTime::enqueue(const plan::Operation& op, const LaunchArgs& args,
                                                const OpCost& cost) {
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
  now_ns_ += cost.launch_ns;
  const Nanos arrived_ns = now_ns_ + cost.latency_ns;
  const Nanos start_ns = std::max(arrived_ns, ready_ns + cost.gap_ns);
  if (op.lane == plan::Lane::compute) {
    note_idle(ready_ns, arrived_ns, start_ns);
    compute_.busy_ns += cost.duration_ns;
  }
  ready_ns = start_ns + cost.duration_ns;
  if (args.pending != nullptr && args.pending->level == RecordLevel::timeline) {
    args.pending->record.spans.push_back(
        {static_cast<std::int32_t>(op.lane), args.segment, args.op, start_ns, ready_ns});
  }
  return 0;
}

void VirtualTime::note_idle(Nanos free_ns, Nanos arrived_ns, Nanos start_ns) {
  const Nanos from_ns = std::max(free_ns, idle_since_ns_);
  if (start_ns <= from_ns) return;
  const Nanos starved_ns = std::clamp<Nanos>(arrived_ns - from_ns, 0, start_ns - from_ns);
  compute_.starved_ns += starved_ns;
  compute_.gap_ns += start_ns - from_ns - starved_ns;
}

EventSerial VirtualTime::wait(plan::EventName name, std::int64_t step, const WaitCost& cost) {
  const Event& awaited = event(name, step);
  TANDEM_CHECK_EQ(awaited.step, step);
  now_ns_ = std::max(now_ns_ + cost.call_ns, awaited.at_ns + cost.wake_ns);
  return awaited.serial;
}

void VirtualTime::drain() {
  for (const Nanos ready_ns : ready_ns_) now_ns_ = std::max(now_ns_, ready_ns);
}

}  // namespace tandem
