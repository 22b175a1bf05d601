// Spans into costs: who launched what, what followed what, histograms by key and rows.
#include "sim/whatif/cost_fitter.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace tandem::sim {
namespace {

std::array<Nanos, kCostQuantiles> quantiles_of(const std::map<Nanos, std::int64_t>& durations,
                                               std::int64_t count) {
  std::array<Nanos, kCostQuantiles> out{};
  constexpr auto kParts = static_cast<std::int64_t>(kCostQuantiles - 1);
  std::size_t next = 0;
  std::int64_t passed = 0;
  for (const auto& [ns, times] : durations) {
    passed += times;
    while (next < kCostQuantiles) {
      const auto part = static_cast<std::int64_t>(next);
      const std::int64_t rank = std::max<std::int64_t>(1, (count * part + kParts - 1) / kParts);
      if (passed < rank) break;
      out[next++] = ns;
    }
  }
  return out;
}

std::int64_t rows_of(const StepRecord& record, const plan::Operation& op) {
  if (op.substep < 0) return record.token_num;
  const auto index = static_cast<std::size_t>(op.substep);
  return index < record.substeps.size() ? record.substeps[index].token_num : record.token_num;
}

std::int32_t captured_of(const StepRecord& record, const plan::Operation& op) {
  if (op.substep < 0) return record.captured_size;
  const auto index = static_cast<std::size_t>(op.substep);
  return index < record.substeps.size() ? record.substeps[index].captured_size : 0;
}

/// Eight bins an octave; below 8 rows each number has its own.
std::int64_t bin_of(std::int64_t rows) {
  const auto bits = static_cast<int>(std::bit_width(static_cast<std::uint64_t>(rows)));
  const int shift = std::max(0, bits - 4);
  return (std::int64_t{shift} << 32) + (rows >> shift);
}

/// The numbers of a launch that a record tells: enough to know one from another.
LaunchArgs args_of(const StepRecord& record, const plan::Operation& op) {
  LaunchArgs args;
  args.n = record.n;
  args.token_num = record.token_num;
  args.output_rows = record.output_rows_host;
  args.hidden_rows = record.token_num;
  args.captured = captured_of(record, op);
  const auto index = static_cast<std::size_t>(op.substep);
  if (op.substep >= 0 && index < record.substeps.size()) {
    args.rows = record.substeps[index].token_num;
    args.hidden_rows = record.substeps[index].hidden_rows;
  }
  return args;
}

/// When the last event ended that the node waited for; kUnknownNs without one.
Nanos event_end(const StepTimeline& step, const TimelineNode& node) {
  Nanos event_ns = kUnknownNs;
  for (const TimelineEdge* e = step.edges_begin(node); e != step.edges_end(node); ++e) {
    if (e->kind == EdgeKind::event) event_ns = std::max(event_ns, e->at_ns);
  }
  return event_ns;
}

/// When the stream was free for the node: the work before it and the events that it waited for.
Nanos stream_free(const StepTimeline& step, const TimelineNode& node) {
  Nanos free_ns = event_end(step, node);
  for (const TimelineEdge* e = step.edges_begin(node); e != step.edges_end(node); ++e) {
    if (e->kind == EdgeKind::stream) free_ns = std::max(free_ns, e->at_ns);
  }
  return free_ns;
}

}  // namespace

void CostFitter::begin_run() {
  book_ = GraphBook{};
  groups_ = LaunchGroups{};
  has_graphs_ = false;
  next_t_ = -1;
}

void CostFitter::note(const CostKey& key, std::int64_t rows, Nanos ns) {
  if (!counts_) return;
  ++seen_[key][depends_on_rows(key.part) ? rows : 0][std::max<Nanos>(0, ns)];
}

/// How the launch at nodes[launch] went out: the runtime's own decision, by the same numbers.
CostFitter::Launch CostFitter::launch_of(const StepRecord& record, const StepTimeline& step,
                                         std::size_t launch) {
  const plan::Operation& first = *step.nodes[launch].op;
  const int group = groups_.group_of(first, args_of(record, first));
  Launch out{CostPart::launch, false, {first.kind}};
  if (group == LaunchGroups::kAlone || !has_graphs_) return out;
  GraphKey key{group};
  append_key(first, args_of(record, first), key);
  for (std::size_t i = launch + 2; i < step.nodes.size() && step.nodes[i].shares_launch; ++i) {
    append_key(*step.nodes[i].op, args_of(record, *step.nodes[i].op), key);
    out.ops.push_back(step.nodes[i].op->kind);
  }
  const GraphBook::Found found = book_.ask(key);
  out.graph = found.answer != GraphBook::Answer::alone;
  switch (found.answer) {
    case GraphBook::Answer::alone:
      out.part = CostPart::first;
      break;
    case GraphBook::Answer::make:
      book_.made(key, found.graph);
      out.part = CostPart::capture;
      break;
    case GraphBook::Answer::replay:
      out.ops.resize(1);  // one launch, whatever is in it
      break;
  }
  return out;
}

void CostFitter::add_host_node(const StepTimeline& step, const TimelineNode& node,
                               const Launch& launch, std::int64_t rows) {
  const Nanos took_ns = node.end_ns - host_ns_;
  const Nanos event_ns = event_end(step, node);
  const auto key = [&](CostPart part, bool graph) {
    return CostKey{node.op->kind, plan::Lane::host, part, graph};
  };
  if (node.kind == NodeKind::launch) {
    const Nanos share_ns = took_ns / static_cast<Nanos>(launch.ops.size());
    for (const plan::OpKind op : launch.ops) {
      note({op, plan::Lane::host, launch.part, launch.graph}, rows, share_ns);
    }
  } else if (node.kind == NodeKind::operation) {
    note(key(CostPart::duration, false), rows, took_ns);
  } else if (event_ns > host_ns_) {
    note(key(CostPart::wake, false), rows, node.end_ns - event_ns);
  } else {
    note(key(CostPart::call, false), rows, took_ns);
  }
  host_ns_ = node.end_ns;
}

void CostFitter::add_device_node(const StepTimeline& step, const TimelineNode& node, bool in_graph,
                                 std::int64_t rows, std::int32_t captured) {
  const auto key = [&](CostPart part) { return CostKey{node.op->kind, node.lane, part, in_graph}; };
  const bool main = node.op->kind == plan::OpKind::target_forward;
  if (timing_ && (main || node.op->kind == plan::OpKind::draft_forward)) {
    const auto computed = static_cast<std::int32_t>(std::max<std::int64_t>(rows, captured));
    const Nanos given = main ? timing_->forward_ns(computed) : timing_->draft_ns(computed);
    note(key(CostPart::extra), rows, node.duration() - given);
  } else {
    note(key(CostPart::duration), rows, node.duration());
  }
  const Nanos free_ns = stream_free(step, node);
  if (node.launched_ns == kUnknownNs || free_ns == kUnknownNs) return;
  if (node.launched_ns > free_ns) {
    note(key(CostPart::latency), rows, node.start_ns - node.launched_ns);
  } else {
    note(key(CostPart::gap), rows, node.start_ns - free_ns);
  }
}

void CostFitter::add(const StepRecord& record, const StepTimeline& step) {
  counts_ = record.repeat == 1 && record.t >= first_step_;
  if (record.t == next_t_) {
    note({plan::OpKind::resolve, plan::Lane::host, CostPart::between, false}, record.n,
         record.start_ns - host_ns_);
  }
  next_t_ = step.facts.next_t();
  host_ns_ = record.start_ns;
  has_graphs_ = has_graphs_ || std::any_of(step.nodes.begin(), step.nodes.end(),
                                           [](const TimelineNode& n) { return n.shares_launch; });
  Launch launch;
  for (std::size_t i = 0; i < step.nodes.size(); ++i) {
    const TimelineNode& node = step.nodes[i];
    const bool on_host = node.lane == plan::Lane::host;
    const std::int64_t size = on_host ? record.n : rows_of(record, *node.op);
    const std::int64_t rows = std::max<std::int64_t>(0, size);
    if (node.kind == NodeKind::launch) launch = launch_of(record, step, i);
    if (on_host) {
      add_host_node(step, node, launch, rows);
    } else if (launch.part != CostPart::first) {
      // A group's operations that go out one by one wait for the host between their kernels.
      add_device_node(step, node, launch.graph, rows, captured_of(record, *node.op));
    }
  }
  groups_.end_step();
}

CostKnot CostFitter::knot_of(const std::vector<RowsSeen>& bin) {
  Durations all;
  CostKnot knot;
  std::int64_t rows = 0;  // sum over spans: below 2^31 each, so far from overflow
  for (const RowsSeen& seen : bin) {
    for (const auto& [ns, times] : *seen.durations) {
      all[ns] += times;
      knot.count += times;
      rows += seen.rows * times;
    }
  }
  knot.rows = rows / knot.count;
  for (const auto& [ns, times] : all) {
    Nanos part = 0;
    if (__builtin_mul_overflow(ns, times, &part) ||
        __builtin_add_overflow(knot.sum_ns, part, &knot.sum_ns)) {
      knot.sum_ns = INT64_MAX;
      break;  // times that no run has
    }
  }
  knot.quantile_ns = quantiles_of(all, knot.count);
  return knot;
}

CostModel CostFitter::fit() const {
  CostModel model;
  for (const auto& [key, by_rows] : seen_) {
    std::map<std::int64_t, std::vector<RowsSeen>> bins;
    for (const auto& [rows, durations] : by_rows) {
      bins[bin_of(rows)].push_back({rows, &durations});
    }
    std::vector<CostKnot> knots;
    knots.reserve(bins.size());
    std::int64_t spans = 0;
    for (const auto& [number, bin] : bins) {
      knots.push_back(knot_of(bin));
      spans += knots.back().count;
    }
    std::erase_if(knots, [spans](const CostKnot& knot) { return knot.count < spans / 50; });
    CostCurve& curve = model.curves[key];
    curve.left_out = leave_one_out(knots);
    curve.knots = std::move(knots);
  }
  return model;
}

}  // namespace tandem::sim
