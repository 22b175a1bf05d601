// Checks the durations of a step.
#include "sim/engine/run_times.hpp"

#include <bit>

#include <fmt/format.h>

namespace tandem::sim {
namespace {

/// Finds the task that add_work's fast pass could not let through.
Error first_bad_duration(const Layout& layout, const TaskGraph& graph,
                         std::span<const Nanos> durations_ns, std::int64_t step, Nanos& work_ns) {
  for (TaskId task = 0; task < durations_ns.size(); ++task) {
    const Nanos duration_ns = durations_ns[task];
    const auto place = [&] {
      return fmt::format("step {}: {}", step, task_place(layout, graph, task));
    };
    if (duration_ns < 0) {
      return Error::make(place(), fmt::format("duration {} ns", duration_ns), "at least 0");
    }
    if (duration_ns > kWorkMaxNs - work_ns) {
      return Error::make(place(), fmt::format("duration {} ns behind {} ns", duration_ns, work_ns),
                         fmt::format("at most {} ns of work in a run", kWorkMaxNs));
    }
    work_ns += duration_ns;
  }
  return {};
}

}  // namespace

Result<Nanos> add_work(const Layout& layout, const TaskGraph& graph,
                       std::span<const Nanos> durations_ns, std::int64_t step, Nanos work_ns) {
  std::uint64_t sum = 0;
  std::uint64_t bits = 0;  // of all durations; the sign bit tells of one below 0
  for (const Nanos duration_ns : durations_ns) {
    sum += static_cast<std::uint64_t>(duration_ns);
    bits |= static_cast<std::uint64_t>(duration_ns);
  }
  constexpr int kSafeBits = 62;
  const bool exact = std::bit_width(bits) + std::bit_width(durations_ns.size()) <= kSafeBits;
  if (exact && sum <= static_cast<std::uint64_t>(kWorkMaxNs - work_ns)) {
    return work_ns + static_cast<Nanos>(sum);
  }
  Error error = first_bad_duration(layout, graph, durations_ns, step, work_ns);
  if (!error.text.empty()) return error;
  return work_ns;
}

Error unrecorded_error(const Layout& layout, const TaskGraph& graph,
                       const TaskGraph::BackWait& back, std::int64_t step) {
  const std::int64_t recorded_in = step - back.wait.steps_back;
  return Error::make(fmt::format("step {}: {}", step, task_place(layout, graph, back.task)),
                     fmt::format("waits for event '{}' of step {}, which did not record it",
                                 layout.event_name(back.wait.event), recorded_in),
                     "a record of it", "record it there, or let the wait pass where there is none");
}

Result<std::span<const Nanos>> durations_of(const StepWork& work, std::int64_t step) {
  if (work.durations_ns.empty()) return std::span<const Nanos>(work.graph->duration_ns);
  if (work.durations_ns.size() == work.graph->size()) return work.durations_ns;
  return Error::make(fmt::format("step {}", step),
                     fmt::format("{} durations", work.durations_ns.size()),
                     fmt::format("one for each of {} tasks", work.graph->size()));
}

}  // namespace tandem::sim
