// Spans to nodes, plan order and events to edges.
#include "sim/report/step_timeline.hpp"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

namespace tandem::sim {
namespace {

using plan::EventName;
using plan::EventRef;
using plan::Lane;
using plan::Operation;
using plan::OpKind;
using plan::Segment;
using plan::Symbol;

std::size_t at(Lane lane) { return static_cast<std::size_t>(lane); }

constexpr const char* kWantedTimes = "0 <= start <= end <= 2^53 ns";

bool is_interval(Nanos start_ns, Nanos end_ns) {
  return start_ns >= 0 && end_ns >= start_ns && end_ns <= kLastNs;
}

Error span_error(const StepRecord& record, std::size_t index, const std::string& found,
                 const char* wanted) {
  return Error::make(fmt::format("step {}: spans[{}]", record.t, index), found, wanted,
                     "record it again, or leave spans out");
}

}  // namespace

bool is_copy(const Operation& op) {
  constexpr std::string_view kHost = "_cpu";
  return op.lane != Lane::host &&
         std::any_of(op.writes.begin(), op.writes.end(), [&](const plan::BufferUse& use) {
           const std::string_view name = plan::to_name(use.buffer);
           return name.size() > kHost.size() && name.substr(name.size() - kHost.size()) == kHost;
         });
}

std::string row_name(int row) { return row < 0 ? std::string() : fmt::format("R{}", row); }

StepFacts facts_of(const StepRecord& record) {
  StepFacts facts;
  facts.t = record.t;
  facts.repeat = record.repeat;
  facts.kind = record.kind;
  facts.mode = record.mode;
  facts.start_ns = record.start_ns;
  facts.end_ns = record.end_ns;
  facts.token_num = record.token_num;
  facts.launch_bsz = record.launch_bsz;
  for (const std::int32_t q : record.p1.q) {
    facts.device_rows += q;
    facts.device_slots += q > 0 ? 1 : 0;
  }
  facts.sends = static_cast<std::int32_t>(record.messages.size());
  facts.deviations = static_cast<std::int32_t>(record.deviations.size());
  return facts;
}

Nanos StepTimeline::ready_ns(const TimelineNode& node) const {
  Nanos ready = kUnknownNs;
  for (const TimelineEdge* e = edges_begin(node); e != edges_end(node); ++e) {
    ready = std::max(ready, e->at_ns);
  }
  return ready;
}

Status TimelineBuilder::index_spans(const StepRecord& record) {
  if (!is_interval(record.start_ns, record.end_ns)) {
    return Error::make(fmt::format("step {}", record.t),
                       fmt::format("lasts from {} to {} ns", record.start_ns, record.end_ns),
                       kWantedTimes, "record it again, or leave spans out");
  }
  chain_.clear();
  offsets_.clear();
  std::size_t op_count = 0;
  for (const std::uint64_t hash : record.segments) {
    const Segment* segment = book_.find(hash);
    if (segment == nullptr) {
      return Error::make(fmt::format("step {}: segments", record.t),
                         fmt::format("{:#018x} is not defined", hash), "a segment of the trace");
    }
    chain_.push_back(segment);
    offsets_.push_back(op_count);
    op_count += segment->ops.size();
  }
  spans_.assign(op_count, OpSpans{});
  for (std::size_t i = 0; i < record.spans.size(); ++i) {
    const Span& span = record.spans[i];
    const bool in_chain =
        span.segment >= 0 && static_cast<std::size_t>(span.segment) < chain_.size() && span.op >= 0;
    const auto segment = static_cast<std::size_t>(in_chain ? span.segment : 0);
    const auto op = static_cast<std::size_t>(in_chain ? span.op : 0);
    if (!in_chain || op >= chain_[segment]->ops.size()) {
      return span_error(record, i,
                        fmt::format("names operation {} of segment {}", span.op, span.segment),
                        "one of the step's segments");
    }
    const Lane own = chain_[segment]->ops[op].lane;
    const bool launch = span.lane == static_cast<std::int32_t>(Lane::host) && own != Lane::host;
    if (!launch && span.lane != static_cast<std::int32_t>(own)) {
      return span_error(record, i, fmt::format("lies in lane {}", span.lane),
                        "the lane of its operation, or host for its launch");
    }
    if (!is_interval(span.start_ns, span.end_ns)) {
      return span_error(record, i,
                        fmt::format("lasts from {} to {} ns", span.start_ns, span.end_ns),
                        kWantedTimes);
    }
    OpSpans& found = spans_[offsets_[segment] + op];
    std::int32_t& place = launch ? found.launch : found.own;
    if (place >= 0) {
      return span_error(record, i, fmt::format("is of the operation of spans[{}]", place),
                        "one span an operation, and one for its launch");
    }
    place = static_cast<std::int32_t>(i);
  }
  return {};
}

bool TimelineBuilder::ran(const Segment& segment, std::size_t offset, const Operation& op) const {
  if (op.gate == Symbol::one) return true;
  for (std::size_t i = 0; i < segment.ops.size(); ++i) {
    const Operation& other = segment.ops[i];
    const bool same = other.gate == op.gate && other.substep == op.substep;
    if (same && spans_[offset + i].own >= 0) return true;
  }
  return false;
}

TimelineNode& TimelineBuilder::open_node(StepTimeline& out, const Operation& op, NodeKind kind,
                                         Lane lane, const Span& span) {
  TimelineNode node;
  node.serial = serial_++;
  node.kind = kind;
  node.lane = lane;
  node.op = &op;
  node.start_ns = span.start_ns;
  node.end_ns = span.end_ns;
  node.first_edge = static_cast<std::uint32_t>(out.edges.size());
  out.nodes.push_back(node);
  return out.nodes.back();
}

void TimelineBuilder::join(StepTimeline& out, EdgeKind kind, const End& end, EventName event) {
  if (end.serial == kNoNode) return;
  out.edges.push_back({kind, end.serial, end.at_ns, end.lane, end.op, event});
}

void TimelineBuilder::join_event(StepTimeline& out, const EventRef& event, std::int64_t t) {
  const auto found = events_.find({event.name, t + event.step_offset});
  if (found != events_.end()) join(out, EdgeKind::event, found->second, event.name);
}

void TimelineBuilder::close_node(StepTimeline& out) {
  TimelineNode& node = out.nodes.back();
  node.edge_count = static_cast<std::uint32_t>(out.edges.size()) - node.first_edge;
  last_[at(node.lane)] = {node.serial, node.end_ns, node.lane, node.op->kind};
}

void TimelineBuilder::visit_event(const StepRecord& record, const Operation& op) {
  if (op.kind == OpKind::record_event) {
    events_[{op.records.name, record.t}] = last_[at(op.lane)];
  } else {
    pending_waits_[at(op.lane)].push_back(op.waits);
  }
}

void TimelineBuilder::visit(const StepRecord& record, const Operation& op, const OpSpans& spans,
                            Nanos& group_launched_ns, StepTimeline& out) {
  const auto span_of = [&](std::int32_t index) -> const Span& {
    return record.spans[static_cast<std::size_t>(index)];
  };
  const End before = last_[at(Lane::host)];
  if (op.lane == Lane::host) {
    if (spans.own < 0) return;
    const bool waits = op.kind == OpKind::wait_event;
    open_node(out, op, waits ? NodeKind::wait : NodeKind::operation, op.lane, span_of(spans.own));
    join(out, EdgeKind::program, before);
    if (waits) join_event(out, op.waits, record.t);
    close_node(out);
    return;
  }
  if (spans.launch >= 0) {
    const TimelineNode& launch =
        open_node(out, op, NodeKind::launch, Lane::host, span_of(spans.launch));
    group_launched_ns = launch.end_ns;
    join(out, EdgeKind::program, before);
    close_node(out);
  }
  if (spans.own < 0) return;
  TimelineNode& node = open_node(out, op, NodeKind::operation, op.lane, span_of(spans.own));
  node.launched_ns = group_launched_ns;
  node.shares_launch = spans.launch < 0 && group_launched_ns != kUnknownNs;
  join(out, EdgeKind::launch, last_[at(Lane::host)]);
  join(out, EdgeKind::stream, last_[at(op.lane)]);
  for (const EventRef& event : pending_waits_[at(op.lane)]) join_event(out, event, record.t);
  pending_waits_[at(op.lane)].clear();
  close_node(out);
}

void TimelineBuilder::count_coverage(const StepRecord& record, const StepTimeline& out) {
  ++coverage_.records;
  coverage_.without_clock += record.end_ns == 0 ? 1 : 0;
  if (record.kind == StepKind::idle) return;
  ++coverage_.launched;
  const auto has = [&](auto wanted) {
    return std::any_of(out.nodes.begin(), out.nodes.end(), wanted);
  };
  const auto is_host_call = [](const TimelineNode& n) {
    return n.lane == Lane::host && n.kind != NodeKind::launch;
  };
  const auto on_compute = [](const TimelineNode& n) { return n.lane == Lane::compute; };
  const auto is_launch = [](const TimelineNode& n) { return n.kind == NodeKind::launch; };
  coverage_.without_host += has(is_host_call) ? 0 : 1;
  coverage_.without_compute += has(on_compute) ? 0 : 1;
  coverage_.without_launches += has(is_launch) ? 0 : 1;
}

Status TimelineBuilder::add(const StepRecord& record, StepTimeline& out) {
  out.facts = facts_of(record);
  out.nodes.clear();
  out.edges.clear();
  if (record.t != next_t_) {
    last_ = {};
    events_.clear();
    for (auto& waits : pending_waits_) waits.clear();
  }
  next_t_ = out.facts.next_t();
  TANDEM_RETURN_IF_ERROR(index_spans(record));
  for (std::size_t s = 0; s < chain_.size(); ++s) {
    const Segment& segment = *chain_[s];
    Nanos group_launched_ns = kUnknownNs;
    for (std::size_t i = 0; i < segment.ops.size(); ++i) {
      const Operation& op = segment.ops[i];
      const bool is_event = op.kind == OpKind::record_event || op.kind == OpKind::wait_event;
      if (op.lane != Lane::host && is_event) {
        if (ran(segment, offsets_[s], op)) visit_event(record, op);
      } else {
        visit(record, op, spans_[offsets_[s] + i], group_launched_ns, out);
      }
    }
  }
  std::erase_if(events_, [&](const auto& entry) { return entry.first.second < record.t; });
  count_coverage(record, out);
  return {};
}

}  // namespace tandem::sim
