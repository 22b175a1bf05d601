// Fits a CostModel: histograms by key and rows, quantiles by nearest rank, lines between them.
#include "sim/whatif/cost_model.hpp"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <utility>

#include "traces/base/check.hpp"

namespace tandem::sim {
namespace {

struct Point {
  std::int64_t rows = 0;
  Nanos ns = 0;
};

/// `ns` of the line through `a` and `b` at `rows`; [0, kLastNs]. Rows are below 2^31 and `a` has
/// fewer than `b`, so only the product that is checked can overflow: far beyond both.
Nanos on_line(const Point& a, const Point& b, std::int64_t rows) {
  const std::int64_t span = b.rows - a.rows;
  const std::int64_t offset = rows - a.rows;
  const Nanos rise = b.ns - a.ns;
  Nanos whole = 0;
  if (__builtin_mul_overflow(rise / span, offset, &whole)) {
    return (rise < 0) == (offset < 0) ? kLastNs : 0;
  }
  const Nanos rest = rise % span * offset;  // below span * 2^31
  const Nanos half = rest < 0 ? -(span / 2) : span / 2;
  Nanos ns = 0;
  if (__builtin_add_overflow(a.ns + (rest + half) / span, whole, &ns)) {
    return whole > 0 ? kLastNs : 0;
  }
  return std::clamp<Nanos>(ns, 0, kLastNs);
}

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

InterpolationError leave_one_out(const std::vector<CostKnot>& knots) {
  InterpolationError error;
  std::int64_t sum = 0;
  for (std::size_t i = 1; i + 1 < knots.size(); ++i) {
    const Nanos seen = knots[i].quantile_ns[kCostMedian];
    const Nanos drawn =
        on_line({knots[i - 1].rows, knots[i - 1].quantile_ns[kCostMedian]},
                {knots[i + 1].rows, knots[i + 1].quantile_ns[kCostMedian]}, knots[i].rows);
    const Nanos off = std::abs(drawn - seen);
    // Ten times the median is as bad as any: sums and products stay far from overflow.
    constexpr std::int64_t kWorst = 10'000'000;
    const bool beyond = seen <= 0 ? off > 0 : off / seen >= 10;
    std::int64_t millionths = beyond ? kWorst : 0;
    if (!beyond && off > 0) {
      // Both are scaled down until a million times `off` fits.
      Nanos part = off;
      Nanos of = seen;
      while (part > INT64_MAX / 1'000'000) {
        part /= 2;
        of /= 2;
      }
      millionths = part * 1'000'000 / of;
    }
    ++error.knots;
    sum += millionths;
    error.greatest_millionths = std::max(error.greatest_millionths, millionths);
  }
  if (error.knots > 0) error.mean_millionths = sum / error.knots;
  return error;
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

constexpr std::array<const char*, 8> kPartNames{"duration", "launch", "gap",     "latency",
                                                "call",     "wake",   "between", "extra"};

}  // namespace

const char* to_name(CostPart part) { return kPartNames[static_cast<std::size_t>(part)]; }

bool from_name(const std::string& name, CostPart& out) {
  const auto found = std::find(kPartNames.begin(), kPartNames.end(), name);
  if (found == kPartNames.end()) return false;
  out = static_cast<CostPart>(found - kPartNames.begin());
  return true;
}

void CostFitter::note(const CostKey& key, std::int64_t rows, Nanos ns) {
  ++seen_[key][depends_on_rows(key.part) ? rows : 0][std::max<Nanos>(0, ns)];
}

void CostFitter::add_host_node(const TimelineNode& node, bool first_of_graph, std::int64_t rows,
                               Nanos event_ns) {
  const Nanos took_ns = node.end_ns - host_ns_;
  const plan::OpKind op = node.op->kind;
  if (node.kind == NodeKind::launch) {
    note({op, plan::Lane::host, CostPart::launch, first_of_graph}, rows, took_ns);
  } else if (node.kind == NodeKind::operation) {
    note({op, plan::Lane::host, CostPart::duration, false}, rows, took_ns);
  } else if (event_ns > host_ns_) {
    note({op, plan::Lane::host, CostPart::wake, false}, rows, node.end_ns - event_ns);
  } else {
    note({op, plan::Lane::host, CostPart::call, false}, rows, took_ns);
  }
}

void CostFitter::add_device_node(const StepTimeline& step, const TimelineNode& node, bool in_graph,
                                 std::int64_t rows, std::int32_t captured) {
  const plan::OpKind op = node.op->kind;
  const bool main = op == plan::OpKind::target_forward;
  if (timing_ && (main || op == plan::OpKind::draft_forward)) {
    const auto computed = static_cast<std::int32_t>(std::max<std::int64_t>(rows, captured));
    const Nanos given = main ? timing_->forward_ns(computed) : timing_->draft_ns(computed);
    note({op, node.lane, CostPart::extra, in_graph}, rows, node.duration() - given);
  } else {
    note({op, node.lane, CostPart::duration, in_graph}, rows, node.duration());
  }
  if (node.launched_ns == kUnknownNs) return;
  Nanos free_ns = kUnknownNs;  // the stream's work before it and the events it waited for
  for (const TimelineEdge* e = step.edges_begin(node); e != step.edges_end(node); ++e) {
    if (e->kind == EdgeKind::stream || e->kind == EdgeKind::event) {
      free_ns = std::max(free_ns, e->at_ns);
    }
  }
  if (free_ns == kUnknownNs) return;
  if (node.launched_ns > free_ns) {
    note({op, node.lane, CostPart::latency, in_graph}, rows, node.start_ns - node.launched_ns);
  } else {
    note({op, node.lane, CostPart::gap, in_graph}, rows, node.start_ns - free_ns);
  }
}

void CostFitter::add(const StepRecord& record, const StepTimeline& step) {
  const bool follows = record.t == next_t_;
  next_t_ = step.facts.next_t();
  if (record.repeat != 1) return;
  if (follows) {
    note({plan::OpKind::resolve, plan::Lane::host, CostPart::between, false}, record.token_num,
         record.start_ns - host_ns_);
  }
  host_ns_ = record.start_ns;
  for (std::size_t i = 0; i < step.nodes.size(); ++i) {
    const TimelineNode& node = step.nodes[i];
    const std::int64_t rows = rows_of(record, *node.op);
    // A graph's first operation has a launch, those behind it share that.
    const std::size_t behind = node.kind == NodeKind::launch ? i + 2 : i + 1;
    const bool first_of_graph = behind < step.nodes.size() && step.nodes[behind].shares_launch;
    if (node.lane != plan::Lane::host) {
      if (rows < 0) continue;
      add_device_node(step, node, node.shares_launch || first_of_graph, rows,
                      captured_of(record, *node.op));
      continue;
    }
    Nanos event_ns = kUnknownNs;
    for (const TimelineEdge* e = step.edges_begin(node); e != step.edges_end(node); ++e) {
      if (e->kind == EdgeKind::event) event_ns = std::max(event_ns, e->at_ns);
    }
    if (rows >= 0) add_host_node(node, first_of_graph, rows, event_ns);
    host_ns_ = node.end_ns;
  }
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

bool CostModel::knows_graphs() const {
  return std::any_of(curves.begin(), curves.end(),
                     [](const auto& curve) { return curve.first.graph; });
}

std::optional<CostEstimate> CostModel::cost(const CostKey& key, std::int64_t rows,
                                            std::size_t quantile) const {
  const auto found = curves.find(key);
  if (found == curves.end()) return std::nullopt;
  return cost_on(found->second, rows, quantile);
}

CostEstimate cost_on(const CostCurve& curve, std::int64_t rows, std::size_t quantile) {
  TANDEM_CHECK(quantile < kCostQuantiles && rows >= 0 && rows <= INT32_MAX);
  const std::vector<CostKnot>& knots = curve.knots;
  TANDEM_CHECK(!knots.empty());
  const bool extrapolated = rows < knots.front().rows || rows > knots.back().rows;
  if (knots.size() == 1) return CostEstimate{knots.front().quantile_ns[quantile], extrapolated};
  // The knot behind, or the outermost that has one before it.
  auto behind = std::find_if(knots.begin() + 1, knots.end() - 1,
                             [&](const CostKnot& knot) { return knot.rows >= rows; });
  const CostKnot& a = *(behind - 1);
  const CostKnot& b = *behind;
  return CostEstimate{
      on_line({a.rows, a.quantile_ns[quantile]}, {b.rows, b.quantile_ns[quantile]}, rows),
      extrapolated};
}

}  // namespace tandem::sim
