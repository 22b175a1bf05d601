// The pass: an addition a task, a maximum and three stores a run of them.
#include "sim/engine/retime.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace tandem::sim {
namespace {

struct PassArrays {
  const Nanos* durations_ns;
  Nanos* lane_end_ns;
  Nanos* lane_busy_ns;
  Nanos* slots;
  Nanos* ends_ns;
};

/// Runs without a wait or a record need no branch: slot 0 is no wait, slot 1 is no record.
template <bool kOrdered, bool kEnds>
void pass(const TaskGraph& graph, const PassArrays& arrays) {
  const Nanos* __restrict durations_ns = arrays.durations_ns;
  const TaskId* __restrict order = graph.order.data();
  Nanos* __restrict slots = arrays.slots;
  Nanos* __restrict ends_ns = arrays.ends_ns;
  std::size_t position = 0;
  for (const TaskGraph::PassRun& run : graph.runs) {
    const Nanos start_ns = std::max(arrays.lane_end_ns[run.lane], slots[run.awaited_slot]);
    Nanos work_ns = 0;
    for (; position < run.stop; ++position) {
      const std::size_t task = kOrdered ? position : order[position];
      work_ns += durations_ns[task];
      if (kEnds) ends_ns[task] = start_ns + work_ns;
    }
    arrays.lane_end_ns[run.lane] = slots[run.recorded_slot] = start_ns + work_ns;
    arrays.lane_busy_ns[run.lane] += work_ns;
  }
}

}  // namespace

Status Retimer::step(const TaskGraph& graph, std::span<const Nanos> durations_ns,
                     std::span<Nanos> ends_ns) {
  TANDEM_TRY(const std::span<const Nanos> durations, durations_of({&graph, durations_ns}, steps_));
  if (!ends_ns.empty() && ends_ns.size() != graph.size()) {
    return Error::make(fmt::format("step {}", steps_),
                       fmt::format("room for {} end times", ends_ns.size()),
                       fmt::format("for none, or for each of {} tasks", graph.size()));
  }
  TANDEM_TRY(const Nanos work_ns, add_work(layout_, graph, durations, steps_, work_ns_));
  grow();
  TANDEM_RETURN_IF_ERROR(check_back_waits(graph));
  age_events();
  const PassArrays arrays{durations.data(), lane_end_ns_.data(), lane_busy_ns_.data(),
                          slots_.data(), ends_ns.data()};
  if (graph.order.empty()) {
    ends_ns.empty() ? pass<true, false>(graph, arrays) : pass<true, true>(graph, arrays);
  } else {
    ends_ns.empty() ? pass<false, false>(graph, arrays) : pass<false, true>(graph, arrays);
  }
  work_ns_ = work_ns;
  tasks_ += static_cast<std::int64_t>(graph.size());
  ++steps_;
  return {};
}

void Retimer::grow() {
  if (slots_.size() < layout_.slot_count()) slots_.resize(layout_.slot_count(), kNever);
  if (lane_end_ns_.size() < layout_.lane_count()) {
    lane_end_ns_.resize(layout_.lane_count(), 0);
    lane_busy_ns_.resize(layout_.lane_count(), 0);
  }
}

/// A new step begins: every kept event moves one step back and is not recorded yet.
void Retimer::age_events() {
  for (const EventId event : layout_.kept_events()) {
    Nanos* newest = slots_.data() + layout_.slot(event);
    for (int back = layout_.steps_kept(event); back > 0; --back) newest[back] = newest[back - 1];
    *newest = kNever;
  }
}

/// Seen before the events age: what will be k steps back is k - 1 steps back.
Status Retimer::check_back_waits(const TaskGraph& graph) const {
  for (const TaskGraph::BackWait& back : graph.required_back) {
    const std::int64_t recorded_in = steps_ - back.wait.steps_back;
    const std::uint32_t slot = layout_.slot(back.wait.event) + back.wait.steps_back - 1;
    if (recorded_in < 0 || slots_[slot] != kNever) continue;
    return unrecorded_error(layout_, graph, back, steps_);
  }
  return {};
}

RunTimes Retimer::times() const {
  RunTimes times;
  times.steps = steps_;
  times.tasks = tasks_;
  times.lanes.reserve(layout_.lane_count());
  for (std::size_t lane = 0; lane < layout_.lane_count(); ++lane) {
    const bool known = lane < lane_end_ns_.size();
    times.lanes.push_back({known ? lane_busy_ns_[lane] : 0, known ? lane_end_ns_[lane] : 0});
    times.makespan_ns = std::max(times.makespan_ns, times.lanes.back().end_ns);
  }
  times.resources.resize(layout_.resource_count());
  return times;
}

Result<RunTimes> retime(const Layout& layout, StepSource& source, StepSink* sink) {
  Retimer retimer(layout);
  std::vector<Nanos> ends_ns;
  for (std::int64_t step = 0;; ++step) {
    StepWork work;
    TANDEM_RETURN_IF_ERROR(source.next({step}, work));
    if (work.graph == nullptr) return retimer.times();
    ends_ns.resize(sink == nullptr ? 0 : work.graph->size());
    TANDEM_RETURN_IF_ERROR(retimer.step(*work.graph, work.durations_ns, ends_ns));
    if (sink != nullptr) sink->step_done(step, *work.graph, ends_ns);
  }
}

}  // namespace tandem::sim
