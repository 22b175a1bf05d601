// Slack by topological order of a Boost graph; the path by walking back from the last end.
#include "sim/report/critical_path.hpp"

#include <algorithm>
#include <iterator>

#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/topological_sort.hpp>

#include "traces/base/check.hpp"

namespace tandem::sim {
namespace {

using WindowGraph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS>;

}  // namespace

void CriticalPath::add(const StepTimeline& step) {
  bool first_call = true;
  for (const TimelineNode& node : step.nodes) {
    Node copy{node, step.facts.t, false, step.facts.kind == StepKind::idle, step.ready_ns(node)};
    copy.after_idle = idle_before_ && first_call && node.lane == plan::Lane::host;
    first_call = first_call && node.lane != plan::Lane::host;
    copy.node.first_edge = static_cast<std::uint32_t>(edges_.size());
    edges_.insert(edges_.end(), step.edges_begin(node), step.edges_end(node));
    nodes_.push_back(copy);
  }
  idle_before_ = step.facts.kind == StepKind::idle;
  if (++steps_ == window_steps_) solve();
}

const PathReport& CriticalPath::finish() {
  if (steps_ > 0) solve();
  return report_;
}

PathKey CriticalPath::key_of(const Node& node, bool gap) {
  PathKey key;
  key.lane = node.node.lane;
  key.gap = gap;
  key.no_work = gap ? node.after_idle : node.idle;
  if (key.no_work) return {plan::Lane::host, NodeKind::operation, false, true};
  key.kind = node.node.kind;
  key.op = node.node.op->kind;
  key.row = node.node.op->row;
  if (key.kind == NodeKind::wait) key.event = node.node.op->waits.name;
  return key;
}

const TimelineEdge* CriticalPath::latest_edge(const Node& node) const {
  const TimelineEdge* latest = nullptr;
  for (std::uint32_t e = 0; e < node.node.edge_count; ++e) {
    const TimelineEdge& edge = edges_[node.node.first_edge + e];
    if (latest == nullptr || edge.at_ns > latest->at_ns) latest = &edge;
  }
  return latest;
}

/// By node, how much later it may end: the least over its successors of what lies between its end
/// and the end of their latest predecessor, and of their own slack.
std::vector<Nanos> CriticalPath::slacks(Nanos end_ns) const {
  const std::int64_t base = nodes_.front().node.serial;
  WindowGraph graph(nodes_.size());
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    for (std::uint32_t e = 0; e < nodes_[i].node.edge_count; ++e) {
      const std::int64_t from = edges_[nodes_[i].node.first_edge + e].from - base;
      if (from >= 0) boost::add_edge(static_cast<std::size_t>(from), i, graph);
    }
  }
  std::vector<std::size_t> sinks_first;
  sinks_first.reserve(nodes_.size());
  boost::topological_sort(graph, std::back_inserter(sinks_first));
  std::vector<Nanos> slack(nodes_.size());
  for (const std::size_t v : sinks_first) {
    slack[v] = end_ns - nodes_[v].node.end_ns;
    const auto [begin, end] = boost::out_edges(v, graph);
    for (auto edge = begin; edge != end; ++edge) {
      const std::size_t next = boost::target(*edge, graph);
      const Nanos until_ns = nodes_[next].ready_ns - nodes_[v].node.end_ns;
      slack[v] = std::min(slack[v], until_ns + slack[next]);
    }
  }
  return slack;
}

void CriticalPath::charge(const Node& node, bool gap, Nanos start_ns, Nanos end_ns) {
  if (end_ns <= start_ns) return;
  const PathKey key = key_of(node, gap);
  PathShare& share = report_.shares[key];
  share.on_path_ns += end_ns - start_ns;
  if (!gap) ++share.on_path;
  report_.total_ns += end_ns - start_ns;
  report_.last_window.push_back({key, node.step, start_ns, end_ns});
}

void CriticalPath::walk(std::size_t last) {
  const std::int64_t base = nodes_.front().node.serial;
  Nanos cursor_ns = nodes_[last].node.end_ns;
  for (std::size_t v = last; cursor_ns > covered_ns_;) {
    const Node& node = nodes_[v];
    const TimelineEdge* before = latest_edge(node);
    // A wait is its own work only from when the event had happened.
    const bool blocked = node.node.kind == NodeKind::wait && before != nullptr;
    Nanos start_ns = blocked ? std::max(node.node.start_ns, node.ready_ns) : node.node.start_ns;
    start_ns = std::max(std::min(start_ns, cursor_ns), covered_ns_);
    charge(node, false, start_ns, cursor_ns);
    cursor_ns = start_ns;
    if (before == nullptr) return;
    const Nanos before_ns = std::max(std::min(before->at_ns, cursor_ns), covered_ns_);
    charge(node, true, before_ns, cursor_ns);
    cursor_ns = before_ns;
    if (before->from < base) return;
    v = static_cast<std::size_t>(before->from - base);
  }
}

void CriticalPath::solve() {
  steps_ = 0;
  if (nodes_.empty()) return;
  std::size_t last = 0;
  for (std::size_t i = 1; i < nodes_.size(); ++i) {
    if (nodes_[i].node.end_ns > nodes_[last].node.end_ns) last = i;
  }
  const Nanos end_ns = nodes_[last].node.end_ns;
  if (covered_ns_ == kUnknownNs) {
    covered_ns_ = nodes_.front().node.start_ns;
    for (const Node& node : nodes_) covered_ns_ = std::min(covered_ns_, node.node.start_ns);
  }
  const std::vector<Nanos> slack = slacks(end_ns);
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    PathShare& share = report_.shares[key_of(nodes_[i], false)];
    ++share.nodes;
    share.slack_min_ns = std::min(share.slack_min_ns, slack[i]);
    share.slack_sum_ns += static_cast<std::uint64_t>(slack[i]);
  }
  report_.last_window.clear();
  walk(last);
  std::reverse(report_.last_window.begin(), report_.last_window.end());
  ++report_.windows;
  covered_ns_ = std::max(covered_ns_, end_ns);
  nodes_.clear();
  edges_.clear();
}

}  // namespace tandem::sim
