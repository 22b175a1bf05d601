// Holds two steps back and draws the arrows between them.
#include "sim/report/timeline_export.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace tandem::sim {
namespace {

constexpr std::size_t kStepsHeld = 2;

}  // namespace

CounterPoint counter_point(const StepTimeline& step) {
  CounterPoint point{step.facts.start_ns, step.facts.start_ns};
  for (const TimelineNode& node : step.nodes) {
    if (node.kind != NodeKind::operation) continue;
    if (node.op->kind == plan::OpKind::resolve) point.host_ns = node.end_ns;
    if (node.op->kind == plan::OpKind::recover_decode_task) point.device_ns = node.end_ns;
  }
  return point;
}

std::string slice_name(const TimelineNode& node) {
  if (node.kind == NodeKind::wait) return std::string("wait ") + plan::to_name(node.op->waits.name);
  const std::string name = plan::to_name(node.op->kind);
  return node.kind == NodeKind::launch ? "launch " + name : name;
}

TimelineExporter::TimelineExporter(ByteSink& out, const TraceHeader& header,
                                   std::vector<Divergence> divergences)
    : out_(out), header_(header), divergences_(std::move(divergences)) {
  std::stable_sort(divergences_.begin(), divergences_.end(),
                   [](const Divergence& a, const Divergence& b) { return a.step < b.step; });
}

Status TimelineExporter::put(const std::string& bytes) {
  return out_.write(std::as_bytes(std::span(bytes.data(), bytes.size())));
}

std::vector<Divergence> TimelineExporter::take_divergences(const StepFacts& facts) {
  std::vector<Divergence> taken;
  for (; next_divergence_ < divergences_.size(); ++next_divergence_) {
    const Divergence& d = divergences_[next_divergence_];
    if (d.step >= facts.next_t()) break;
    if (d.step >= facts.t) taken.push_back(d);
  }
  return taken;
}

/// Draws what the new step waited for. A source that was written already has no arrow.
void TimelineExporter::join(FlowStep& target) {
  for (std::size_t i = 0; i < target.step.nodes.size(); ++i) {
    const TimelineNode& node = target.step.nodes[i];
    for (const TimelineEdge* e = target.step.edges_begin(node); e != target.step.edges_end(node);
         ++e) {
      const bool launched = e->kind == EdgeKind::launch && node.launched_ns != kUnknownNs;
      if (!launched && e->kind != EdgeKind::event) continue;
      for (FlowStep& held : held_) {
        if (held.step.nodes.empty()) continue;
        const std::int64_t index = e->from - held.step.nodes.front().serial;
        if (index < 0 || index >= static_cast<std::int64_t>(held.step.nodes.size())) continue;
        held.flows[static_cast<std::size_t>(index)].out.push_back(next_flow_);
        target.flows[i].in.push_back(next_flow_++);
      }
    }
  }
}

Status TimelineExporter::add(const StepTimeline& step) {
  held_.push_back({step, std::vector<NodeFlows>(step.nodes.size())});
  join(held_.back());
  if (held_.size() <= kStepsHeld) return {};
  Status status = write_step(held_.front());
  held_.pop_front();
  return status;
}

Status TimelineExporter::finish() {
  for (const FlowStep& step : held_) TANDEM_RETURN_IF_ERROR(write_step(step));
  held_.clear();
  return write_end();
}

}  // namespace tandem::sim
