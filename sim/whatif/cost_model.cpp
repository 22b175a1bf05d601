// Fits a CostModel: histograms by key and rows, quantiles by nearest rank, lines between them.
#include "sim/whatif/cost_model.hpp"

#include <algorithm>
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

}  // namespace

void CostFitter::add(const StepRecord& record, const StepTimeline& step) {
  if (record.repeat != 1) return;
  for (const TimelineNode& node : step.nodes) {
    if (node.kind == NodeKind::wait) continue;
    const std::int64_t rows = rows_of(record, *node.op);
    if (rows < 0) continue;
    const CostKey key{node.op->kind, node.lane, node.kind == NodeKind::launch};
    ++seen_[key][rows][node.duration()];
  }
}

CostModel CostFitter::fit() const {
  CostModel model;
  for (const auto& [key, by_rows] : seen_) {
    CostCurve& curve = model.curves[key];
    curve.knots.reserve(by_rows.size());
    for (const auto& [rows, durations] : by_rows) {
      CostKnot knot;
      knot.rows = rows;
      for (const auto& [ns, times] : durations) knot.count += times;
      for (const auto& [ns, times] : durations) {
        Nanos part = 0;
        if (__builtin_mul_overflow(ns, times, &part) ||
            __builtin_add_overflow(knot.sum_ns, part, &knot.sum_ns)) {
          knot.sum_ns = INT64_MAX;
          break;  // times that no run has
        }
      }
      knot.quantile_ns = quantiles_of(durations, knot.count);
      curve.knots.push_back(knot);
    }
    curve.left_out = leave_one_out(curve.knots);
  }
  return model;
}

std::optional<CostEstimate> CostModel::cost(const CostKey& key, std::int64_t rows,
                                            std::size_t quantile) const {
  TANDEM_CHECK(quantile < kCostQuantiles && rows >= 0 && rows <= INT32_MAX);
  const auto found = curves.find(key);
  if (found == curves.end()) return std::nullopt;
  const std::vector<CostKnot>& knots = found->second.knots;
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
