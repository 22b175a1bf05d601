// Launches, the activities they are complete with, spans of steps.
#include "runtime/cuda/activity_book.hpp"

#include <algorithm>
#include <utility>

namespace tandem::cuda {

void ActivityBook::open(std::int64_t step, const LaunchPart& part) {
  is_open_ = true;
  is_graph_ = false;
  step_ = step;
  parts_.assign(1, part);
}

void ActivityBook::open_graph(std::int64_t step, std::vector<LaunchPart> parts) {
  is_open_ = is_graph_ = true;
  step_ = step;
  parts_ = std::move(parts);
}

void ActivityBook::close() { is_open_ = false; }

void ActivityBook::launched(std::uint32_t correlation) {
  if (!is_open_) return;
  Launch launch{step_, parts_, 0, {}};
  for (const LaunchPart& part : parts_) launch.expected += is_graph_ ? part.activities : 1;
  if (launch.expected == 0) return;
  const std::lock_guard lock(mutex_);
  ++steps_[step_].open_launches;
  launches_[correlation] = std::move(launch);
}

void ActivityBook::executed(std::uint32_t correlation, Nanos start_ns, Nanos end_ns) {
  const std::lock_guard lock(mutex_);
  const auto found = launches_.find(correlation);
  if (found == launches_.end()) return;  // of a launch that is no operation's
  Launch& launch = found->second;
  launch.activities.emplace_back(start_ns, end_ns);
  if (launch.activities.size() < launch.expected) return;
  resolve(launch);
  launches_.erase(found);
}

void ActivityBook::resolve(Launch& launch) {
  // A graph's nodes are a chain, so their order in time is that of the launches captured.
  std::sort(launch.activities.begin(), launch.activities.end());
  StepActivity& step = steps_[launch.step];
  --step.open_launches;
  std::size_t next = 0;
  for (const LaunchPart& part : launch.parts) {
    const std::size_t count = launch.parts.size() == 1 ? launch.expected : part.activities;
    if (count == 0) continue;
    const Nanos start_ns = launch.activities[next].first;
    next += count;
    const Nanos end_ns = launch.activities[next - 1].second;
    const auto same = [&](const Span& span) {
      return span.lane == part.lane && span.segment == part.segment && span.op == part.op;
    };
    const auto known = std::find_if(step.spans.begin(), step.spans.end(), same);
    if (known == step.spans.end()) {
      step.spans.push_back({part.lane, part.segment, part.op, start_ns, end_ns});
    } else {
      known->start_ns = std::min(known->start_ns, start_ns);
      known->end_ns = std::max(known->end_ns, end_ns);
    }
  }
}

void ActivityBook::dropped(std::size_t records) {
  const std::lock_guard lock(mutex_);
  lost_ += static_cast<std::int64_t>(records);
}

void ActivityBook::give_up() {
  const std::lock_guard lock(mutex_);
  lost_ += static_cast<std::int64_t>(launches_.size());
  launches_.clear();
  for (auto& [step, activity] : steps_) activity.open_launches = 0;
}

std::int64_t ActivityBook::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

bool ActivityBook::is_complete(std::int64_t step) const {
  if (step > ended_) return false;
  const std::lock_guard lock(mutex_);
  const auto found = steps_.find(step);
  return found == steps_.end() || found->second.open_launches == 0;
}

std::vector<Span> ActivityBook::take(std::int64_t step) {
  const std::lock_guard lock(mutex_);
  const auto found = steps_.find(step);
  if (found == steps_.end()) return {};
  std::vector<Span> spans = std::move(found->second.spans);
  steps_.erase(found);
  std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) {
    return std::pair(a.segment, a.op) < std::pair(b.segment, b.op);
  });
  return spans;
}

}  // namespace tandem::cuda
