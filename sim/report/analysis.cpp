// Sums up what the meter measures of each step.
#include "sim/report/analysis.hpp"

#include <algorithm>
#include <utility>

namespace tandem::sim {

Spread spread_of(std::vector<std::int64_t>& values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const auto rank = [&](std::size_t percent) {
    return values[(values.size() * percent + 99) / 100 - 1];
  };
  return {rank(50), rank(95), rank(99)};
}

void RampFinder::add(const StepFacts& facts) {
  if (first_ < 0) first_ = facts.t;
  ++records_;
  if (!sent_) {
    sent_ = facts.sends > 0;
    begin_ = facts.next_t();
    in_ = records_;
  }
  if (facts.kind == StepKind::back) {
    has_back_ = true;
    end_ = facts.next_t();
    until_back_ = records_;
  }
}

CountedSteps RampFinder::counted() const {
  if (!sent_ || !has_back_ || begin_ >= end_) {
    return {first_ < 0 ? 0 : first_, INT64_MAX, 0, 0, true};
  }
  return {begin_, end_, in_, records_ - until_back_, false};
}

std::int64_t millionths(std::int64_t part, std::int64_t whole) {
  if (whole <= 0) return 0;
  constexpr std::int64_t kExact = INT64_MAX / 1'000'000;
  if (part <= kExact && part >= -kExact) return part * 1'000'000 / whole;
  return part / std::max<std::int64_t>(1, whole / 1'000'000);
}

std::int64_t Bound::above_millionths() const { return millionths(run_ns - bound_ns(), bound_ns()); }

bool TimelineReport::has_spans() const {
  return coverage.launched > coverage.without_compute || coverage.launched > coverage.without_host;
}

void TimelineAnalysis::keep_bubbles(const std::vector<Bubble>& bubbles) {
  for (const Bubble& bubble : bubbles) {
    CauseTotal& total = report_.causes[bubble.root];
    ++total.bubbles;
    total.idle_ns += bubble.idle_ns;
    if (bubble.root.kind == CauseKind::host_wait) {
      report_.rows[bubble.root.row].starved_ns += bubble.idle_ns;
    }
    keep(bubble);
  }
}

/// Bubbles that are alike are one entry: the largest of them, and their number.
void TimelineAnalysis::keep(const Bubble& bubble) {
  const auto larger = [](const Bubble& a, const Bubble& b) {
    return a.idle_ns != b.idle_ns ? a.idle_ns > b.idle_ns : a.start_ns < b.start_ns;
  };
  std::vector<Bubble>& kept = report_.bubbles;
  Bubble entry = bubble;
  const auto alike = std::find_if(kept.begin(), kept.end(), [&](const Bubble& b) {
    return b.before == bubble.before && b.root == bubble.root;
  });
  if (alike != kept.end()) {
    const std::int64_t count = alike->alike + 1;
    if (!larger(bubble, *alike)) {
      alike->alike = count;
      return;
    }
    kept.erase(alike);
    entry.alike = count;
  }
  kept.insert(std::upper_bound(kept.begin(), kept.end(), entry, larger), entry);
}

void TimelineAnalysis::add(const StepTimeline& step) {
  const StepUse& use = meter_.add(step);
  if (step.facts.t < report_.counted.begin || step.facts.t >= report_.counted.end) return;
  path_.add(step);
  keep_bubbles(meter_.bubbles());
  for (const auto& [cause, wait] : meter_.waits()) {
    WaitUse& total = report_.waits[cause];
    total.waits += wait.waits;
    total.waited_ns += wait.waited_ns;
    RowTotal& row = report_.rows[cause.row];
    row.waits += wait.waits;
    row.waited_ns += wait.waited_ns;
  }
  ++report_.records;
  report_.launched += step.facts.kind == StepKind::idle ? 0 : 1;
  report_.deviations += step.facts.deviations;
  report_.host += use.host;
  report_.compute += use.compute;
  report_.copy += use.copy;
  report_.launches += use.launches;
  report_.ahead += use.ahead;
  if (step.facts.mode == LaunchMode::predicted && use.lead_ns != kUnknownNs) {
    ++report_.predicted;
    report_.predicted_late += use.lead_ns < 0 ? 1 : 0;
  }
  report_.steps.push_back(use);
}

void TimelineAnalysis::finish_bound() {
  Bound& bound = report_.bound;
  const LaneUse& stream =
      report_.copy.busy_ns() > report_.compute.busy_ns() ? report_.copy : report_.compute;
  bound.host_ns = report_.host.busy_ns();
  bound.device_ns = stream.busy_ns();
  bound.side = bound.host_ns > bound.device_ns ? BoundSide::host : BoundSide::device;
  bound.run_ns = bound.side == BoundSide::host ? report_.host.window_ns - report_.host.no_work_ns
                                               : stream.window_ns - stream.no_work_ns;
}

void TimelineAnalysis::finish_rows() {
  for (const auto& [key, share] : report_.path.shares) {
    if (key.row >= 0) report_.rows[key.row].path_ns += share.on_path_ns;
    if (key.row < 0 && key.kind == NodeKind::wait) report_.rows[-1].path_ns += share.on_path_ns;
  }
}

TimelineReport TimelineAnalysis::finish(const SpanCoverage& coverage) {
  report_.coverage = coverage;
  report_.attribution = meter_.attribution();
  report_.path = path_.finish();
  finish_bound();
  finish_rows();
  if (report_.bubbles.size() > bubbles_kept_) report_.bubbles.resize(bubbles_kept_);
  return std::move(report_);
}

}  // namespace tandem::sim
