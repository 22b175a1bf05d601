// Lines between the knots of a cost, and what they are worth.
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

constexpr std::array<const char*, 10> kPartNames{"duration", "launch", "first", "capture", "gap",
                                                 "latency",  "call",   "wake",  "between", "extra"};

}  // namespace

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

const char* to_name(CostPart part) { return kPartNames[static_cast<std::size_t>(part)]; }

bool from_name(const std::string& name, CostPart& out) {
  const auto found = std::find(kPartNames.begin(), kPartNames.end(), name);
  if (found == kPartNames.end()) return false;
  out = static_cast<CostPart>(found - kPartNames.begin());
  return true;
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
