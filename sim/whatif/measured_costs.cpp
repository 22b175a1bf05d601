// Looks costs up in a model: by key once, by rows where they change.
#include "sim/whatif/measured_costs.hpp"

#include <algorithm>

namespace tandem::sim {
namespace {

using plan::Lane;
using plan::OpKind;

constexpr std::size_t kOpKinds = 64;
static_assert(static_cast<std::size_t>(OpKind::sampling_mask) < kOpKinds);  // the last one
constexpr std::size_t kParts = static_cast<std::size_t>(CostPart::extra) + 1;

std::size_t index_of(const CostKey& key) {
  const std::size_t place =
      static_cast<std::size_t>(key.op) * plan::kLaneCount + static_cast<std::size_t>(key.lane);
  return (place * kParts + static_cast<std::size_t>(key.part)) * 2 + (key.graph ? 1 : 0);
}

/// Costs are below 2^53, shares below a thousand: the parts cannot overflow.
Nanos scaled(Nanos ns, std::int64_t millionths) {
  return ns / 1'000'000 * millionths + ns % 1'000'000 * millionths / 1'000'000;
}

CostPart launch_part(LaunchForm form) {
  if (form == LaunchForm::unseen) return CostPart::first;
  return form == LaunchForm::capture ? CostPart::capture : CostPart::launch;
}

bool is_forward(OpKind op) { return op == OpKind::target_forward || op == OpKind::draft_forward; }

}  // namespace

MeasuredCosts::MeasuredCosts(const CostModel& model, const TimingModel& timing, bool graphs)
    : model_(model),
      timing_(timing),
      graphs_(graphs),
      entries_(kOpKinds * plan::kLaneCount * kParts * 2) {}

/// The curve of the key; else that of the same operation launched the other way, if it works alike.
const CostCurve* MeasuredCosts::curve_of(const CostKey& key) const {
  auto found = model_.curves.find(key);
  if (found == model_.curves.end() && depends_on_rows(key.part)) {
    CostKey other = key;
    other.graph = !key.graph;
    found = model_.curves.find(other);
  }
  return found == model_.curves.end() ? nullptr : &found->second;
}

/// The median over the operations of that lane, part and form; 0 where there is none.
Nanos MeasuredCosts::usual(const CostKey& key) const {
  std::vector<Nanos> medians;
  for (const auto& [other, curve] : model_.curves) {
    if (other.lane == key.lane && other.part == key.part && other.graph == key.graph &&
        !is_forward(other.op)) {
      medians.push_back(curve.knots.front().quantile_ns[kCostMedian]);
    }
  }
  if (medians.empty()) return 0;
  const auto middle = medians.begin() + static_cast<std::ptrdiff_t>(medians.size() / 2);
  std::nth_element(medians.begin(), middle, medians.end());
  return *middle;
}

Nanos MeasuredCosts::cost(const CostKey& key, std::int64_t rows) const {
  Entry& entry = entries_[index_of(key)];
  if (!entry.looked_up) {
    entry.looked_up = true;
    entry.curve = curve_of(key);
    if (entry.curve == nullptr) {
      // Gaps and latencies are rare where launches are always late or never.
      const bool is_work = key.part != CostPart::gap && key.part != CostPart::latency;
      if (is_work) unseen_.insert(std::string(to_name(key.part)) + " of " + plan::to_name(key.op));
      entry.ns = usual(key);
    }
  }
  if (entry.curve == nullptr || entry.rows == rows) return entry.ns;
  entry.rows = rows;
  entry.ns = cost_on(*entry.curve, rows, kCostMedian).ns;
  return entry.ns;
}

Nanos MeasuredCosts::host(Nanos ns) const { return scaled(ns, model_.correction.host_millionths); }

OpCost MeasuredCosts::device_op(const plan::Operation& op, const LaunchArgs& args,
                                LaunchForm form) const {
  const std::int64_t rows = op.substep >= 0 ? args.rows : args.token_num;
  const bool graph =
      form == LaunchForm::capture || form == LaunchForm::replay || form == LaunchForm::rest;
  OpCost out;
  if (form != LaunchForm::rest) {
    const Nanos seen_ns = cost({op.kind, Lane::host, launch_part(form), graph}, rows);
    // Capturing launches nothing, so a profiler adds next to nothing to it.
    out.launch_ns = form == LaunchForm::capture ? seen_ns : host(seen_ns);
  }
  const auto part = [&](CostPart which) { return cost({op.kind, op.lane, which, graph}, rows); };
  out.latency_ns = scaled(part(CostPart::latency), model_.correction.gap_millionths);
  // Between nodes of a graph a profiler makes room that is not there without it.
  const Nanos gap_ns = part(CostPart::gap);
  out.gap_ns = graph ? scaled(gap_ns, model_.correction.gap_millionths) : gap_ns;
  const bool emulated =
      is_forward(op.kind) && curve_of({op.kind, op.lane, CostPart::extra, graph}) != nullptr;
  if (emulated) {
    out.duration_ns = scenario_duration(timing_, op, args) + part(CostPart::extra);
  } else {
    out.duration_ns = part(CostPart::duration);
  }
  return out;
}

Nanos MeasuredCosts::host_op(const plan::Operation& op, std::int32_t slots) const {
  return cost({op.kind, Lane::host, CostPart::duration, false}, slots);
}

WaitCost MeasuredCosts::wait(plan::EventName) const {
  const auto part = [&](CostPart which) {
    return cost({OpKind::wait_event, Lane::host, which, false}, 0);
  };
  return {host(part(CostPart::call)),
          std::max<Nanos>(0, part(CostPart::wake) + model_.correction.wake_ns)};
}

Nanos MeasuredCosts::between_steps(std::int32_t slots) const {
  return cost({OpKind::resolve, Lane::host, CostPart::between, false}, slots);
}

}  // namespace tandem::sim
