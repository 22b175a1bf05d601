// Measures steps: host calls in program order, then each stream's operations and what lay between.
#include "sim/report/usage.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace tandem::sim {
namespace {

using plan::EventName;
using plan::Lane;
using plan::OpKind;

std::size_t index_of(Lane lane) { return static_cast<std::size_t>(lane); }

void add_part(std::vector<CausePart>& parts, const Cause& cause, Nanos ns) {
  if (ns <= 0) return;
  for (CausePart& part : parts) {
    if (part.cause == cause) {
      part.ns += ns;
      return;
    }
  }
  parts.push_back({cause, ns});
}

/// The event edge that ended last; null where the node waited for no event.
const TimelineEdge* last_event(const StepTimeline& step, const TimelineNode& node) {
  const TimelineEdge* last = nullptr;
  for (const TimelineEdge* e = step.edges_begin(node); e != step.edges_end(node); ++e) {
    if (e->kind == EdgeKind::event && (last == nullptr || e->at_ns > last->at_ns)) last = e;
  }
  return last;
}

Cause wait_cause(const TimelineNode& node) {
  return {CauseKind::host_wait, node.op->row, node.op->waits.name, OpKind::wait_event};
}

}  // namespace

std::string to_text(const Cause& cause) {
  const std::string row = cause.row < 0 ? "" : row_name(cause.row) + " ";
  switch (cause.kind) {
    case CauseKind::host_wait:
      return "host wait " + row + plan::to_name(cause.event);
    case CauseKind::host_operation:
      return std::string("host late: ") + plan::to_name(cause.op);
    case CauseKind::launching:
      return "host late: launching";
    case CauseKind::host_other:
      return "host late: in no span";
    case CauseKind::stream_wait:
      return fmt::format("stream wait {} behind {}", plan::to_name(cause.event),
                         plan::to_name(cause.op));
    case CauseKind::gap:
      return "gap between operations";
    case CauseKind::no_work:
      return "no work";
  }
  return "";
}

void LaneUse::operator+=(const LaneUse& other) {
  window_ns += other.window_ns;
  compute_ns += other.compute_ns;
  copies_ns += other.copies_ns;
  waiting_ns += other.waiting_ns;
  idle_ns += other.idle_ns;
  gaps_ns += other.gaps_ns;
  gaps += other.gaps;
  no_work_ns += other.no_work_ns;
}

void HostUse::operator+=(const HostUse& other) {
  window_ns += other.window_ns;
  operations_ns += other.operations_ns;
  launches_ns += other.launches_ns;
  waiting_ns += other.waiting_ns;
  other_ns += other.other_ns;
  no_work_ns += other.no_work_ns;
}

void UseMeter::violate(const StepTimeline& step, const TimelineNode& node,
                       const std::string& what) {
  ++attribution_.violations;
  attribution_.first = fmt::format("step {}: {}{} in lane {} {}", step.facts.t,
                                   node.kind == NodeKind::launch ? "the launch of " : "",
                                   plan::to_name(node.op->kind), plan::to_name(node.lane), what);
}

void UseMeter::note_host(Nanos start_ns, Nanos end_ns, const Cause& cause) {
  if (end_ns > start_ns) host_.push_back({start_ns, end_ns, cause});
}

/// T2: what a span adds to its step, what it adds to the union of its lane, and whether it can be
/// of its step at all.
void UseMeter::attribute(const StepTimeline& step, const TimelineNode& node) {
  if (attribution_.violations > 0) return;  // one is enough, and sums may not grow past all bounds
  const std::size_t lane = index_of(node.lane);
  const Lane& before = lanes_[lane];
  attribution_.attributed_ns[lane] += node.duration();
  const Nanos from_ns = before.known ? std::max(before.end_ns, node.start_ns) : node.start_ns;
  attribution_.merged_ns[lane] += std::max<Nanos>(0, node.end_ns - from_ns);
  if (node.start_ns < step.facts.start_ns) {
    violate(step, node,
            fmt::format("starts {} ns before its step", step.facts.start_ns - node.start_ns));
  } else if (before.known && node.start_ns < before.end_ns) {
    violate(
        step, node,
        fmt::format("starts {} ns before the one before it ends", before.end_ns - node.start_ns));
  } else if (node.lane == plan::Lane::host && node.end_ns > step.facts.end_ns) {
    violate(step, node, fmt::format("ends {} ns behind its step", node.end_ns - step.facts.end_ns));
  }
}

void UseMeter::measure_call(const StepTimeline& step, const TimelineNode& node) {
  attribute(step, node);
  const Lane& before = lanes_[index_of(plan::Lane::host)];
  if (node.start_ns > before.end_ns) {
    use_.host.other_ns += node.start_ns - before.end_ns;
    note_host(before.end_ns, node.start_ns, {CauseKind::host_other});
  }
  const Nanos start_ns = std::max(node.start_ns, before.end_ns);
  const Nanos ns = std::max<Nanos>(0, node.end_ns - start_ns);
  switch (node.kind) {
    case NodeKind::launch:
      use_.host.launches_ns += ns;
      note_host(start_ns, node.end_ns, {CauseKind::launching});
      break;
    case NodeKind::operation:
      use_.host.operations_ns += ns;
      note_host(start_ns, node.end_ns,
                {CauseKind::host_operation, -1, EventName::none, node.op->kind});
      break;
    case NodeKind::wait: {
      const TimelineEdge* event = last_event(step, node);
      const Nanos until_ns = event == nullptr ? node.end_ns : event->at_ns;
      const Nanos waited_ns = std::clamp<Nanos>(until_ns - start_ns, 0, ns);
      use_.host.waiting_ns += waited_ns;
      use_.host.operations_ns += ns - waited_ns;
      note_host(start_ns, node.end_ns, wait_cause(node));
      WaitUse& wait = waits_[wait_cause(node)];
      ++wait.waits;
      wait.waited_ns += waited_ns;
      break;
    }
  }
}

void UseMeter::measure_host(const StepTimeline& step) {
  const StepFacts& facts = step.facts;
  Lane& lane = lanes_[index_of(plan::Lane::host)];
  if (began_ && facts.start_ns > host_end_ns_) {
    const Nanos between_ns = facts.start_ns - host_end_ns_;
    (idle_before_ ? use_.host.no_work_ns : use_.host.other_ns) += between_ns;
    note_host(host_end_ns_, facts.start_ns,
              {idle_before_ ? CauseKind::no_work : CauseKind::host_other});
  }
  use_.host.window_ns = facts.end_ns - (began_ ? host_end_ns_ : facts.start_ns);
  if (!lane.known || lane.end_ns < facts.start_ns) lane = {true, facts.start_ns};
  if (facts.kind == StepKind::idle) {
    measure_idle(step);
  } else {
    for (const TimelineNode& node : step.nodes) {
      if (node.lane != plan::Lane::host) continue;
      measure_call(step, node);
      lane.end_ns = std::max(lane.end_ns, node.end_ns);
    }
    if (facts.end_ns > lane.end_ns) {
      use_.host.other_ns += facts.end_ns - lane.end_ns;
      note_host(lane.end_ns, facts.end_ns, {CauseKind::host_other});
    }
  }
  lane = {true, std::max(lane.end_ns, facts.end_ns)};
  began_ = true;
  idle_before_ = facts.kind == StepKind::idle;
  host_end_ns_ = facts.end_ns;
}

/// An idle iteration is no work as a whole, whatever calls it holds.
void UseMeter::measure_idle(const StepTimeline& step) {
  Lane& lane = lanes_[index_of(plan::Lane::host)];
  for (const TimelineNode& node : step.nodes) {
    if (node.lane != plan::Lane::host) continue;
    attribute(step, node);
    lane.end_ns = std::max(lane.end_ns, node.end_ns);
  }
  use_.host.no_work_ns += step.facts.end_ns - step.facts.start_ns;
  note_host(step.facts.start_ns, step.facts.end_ns, {CauseKind::no_work});
}

void UseMeter::add_host_parts(Nanos start_ns, Nanos end_ns, std::vector<CausePart>& parts) const {
  Nanos cursor_ns = start_ns;
  for (const HostInterval& host : host_) {
    if (host.end_ns <= cursor_ns) continue;
    if (host.start_ns >= end_ns) break;
    const Nanos from_ns = std::max(host.start_ns, cursor_ns);
    const Nanos to_ns = std::min(host.end_ns, end_ns);
    add_part(parts, {CauseKind::host_other}, from_ns - cursor_ns);
    add_part(parts, host.cause, to_ns - from_ns);
    cursor_ns = to_ns;
  }
  add_part(parts, {CauseKind::host_other}, end_ns - cursor_ns);
}

/// Names the time between two operations of a lane: the host's as long as the operation was not
/// enqueued, then that of the event that its stream waited for.
void UseMeter::explain_gap(const StepTimeline& step, const TimelineNode& node, LaneUse& use) {
  const Nanos start_ns = lanes_[index_of(node.lane)].end_ns;
  Bubble bubble;
  bubble.step = step.facts.t;
  bubble.before = node.op->kind;
  bubble.start_ns = start_ns;
  bubble.end_ns = node.start_ns;
  const TimelineEdge* event = last_event(step, node);
  const bool told = node.launched_ns != kUnknownNs;
  const Nanos event_ns =
      event == nullptr ? start_ns : std::clamp(event->at_ns, start_ns, node.start_ns);
  // Without its launch: the host's until the operation starts, what an event explains aside.
  const Nanos unlaunched_ns = event_ns > start_ns ? start_ns : node.start_ns;
  const Nanos host_ns =
      told ? std::clamp(node.launched_ns, start_ns, node.start_ns) : unlaunched_ns;
  add_host_parts(start_ns, host_ns, bubble.parts);
  if (event_ns > host_ns) {
    add_part(bubble.parts, {CauseKind::stream_wait, -1, event->event, event->behind},
             event_ns - host_ns);
    use.waiting_ns += event_ns - host_ns;
  }
  add_part(bubble.parts, {CauseKind::gap}, node.start_ns - std::max(host_ns, event_ns));
  std::stable_sort(bubble.parts.begin(), bubble.parts.end(),
                   [](const CausePart& a, const CausePart& b) { return a.ns > b.ns; });
  const auto no_work =
      std::find_if(bubble.parts.begin(), bubble.parts.end(),
                   [](const CausePart& part) { return part.cause.kind == CauseKind::no_work; });
  if (no_work != bubble.parts.end()) {
    use.no_work_ns += no_work->ns;
    bubble.parts.erase(no_work);
  }
  for (const CausePart& part : bubble.parts) {
    bubble.idle_ns += part.ns;
    if (part.cause.kind != CauseKind::stream_wait) use.idle_ns += part.ns;
    if (part.cause.kind != CauseKind::gap) continue;
    use.gaps_ns += part.ns;
    ++use.gaps;
  }
  if (node.lane != plan::Lane::compute || bubble.idle_ns == 0) return;
  bubble.root = bubble.parts.front().cause;
  for (const HostInterval& host : host_) {  // the last wait that was under way as it ran dry
    const bool during = host.end_ns > start_ns && host.start_ns <= start_ns;
    if (during && host.cause.kind == CauseKind::host_wait) bubble.root = host.cause;
  }
  bubbles_.push_back(std::move(bubble));
}

void UseMeter::note_lead(const TimelineNode& node) {
  const bool launched = node.launched_ns != kUnknownNs && !node.shares_launch;
  if (node.lane != plan::Lane::compute || !launched) return;
  const Lane& lane = lanes_[index_of(node.lane)];
  if (!lane.known) return;
  const Nanos lead_ns = lane.end_ns - node.launched_ns;
  ++use_.launches;
  if (lead_ns > 0) ++use_.ahead;
  if (node.op->kind == OpKind::target_forward) use_.lead_ns = lead_ns;
}

void UseMeter::measure_operation(const StepTimeline& step, const TimelineNode& node) {
  LaneUse& use = node.lane == plan::Lane::compute ? use_.compute : use_.copy;
  Lane& lane = lanes_[index_of(node.lane)];
  attribute(step, node);
  note_lead(node);
  if (lane.known && node.start_ns > lane.end_ns) explain_gap(step, node, use);
  const Nanos from_ns = lane.known ? std::max(lane.end_ns, node.start_ns) : node.start_ns;
  (is_copy(*node.op) ? use.copies_ns : use.compute_ns) += std::max<Nanos>(0, node.end_ns - from_ns);
  use.window_ns += std::max<Nanos>(0, node.end_ns - (lane.known ? lane.end_ns : node.start_ns));
  lane = {true, lane.known ? std::max(lane.end_ns, node.end_ns) : node.end_ns};
}

const StepUse& UseMeter::add(const StepTimeline& step) {
  use_ = StepUse{};
  use_.facts = step.facts;
  bubbles_.clear();
  waits_.clear();
  measure_host(step);
  for (const TimelineNode& node : step.nodes) {
    if (node.lane != plan::Lane::host) measure_operation(step, node);
  }
  Nanos oldest_ns = host_end_ns_;
  for (const plan::Lane lane : {plan::Lane::compute, plan::Lane::copy}) {
    const Lane& device = lanes_[index_of(lane)];
    if (device.known) oldest_ns = std::min(oldest_ns, device.end_ns);
  }
  while (!host_.empty() && host_.front().end_ns < oldest_ns) host_.pop_front();
  return use_;
}

}  // namespace tandem::sim
