// Counts the waits of a plan by the gates of its records.
#include "sim/report/plan_tally.hpp"

#include <algorithm>

namespace tandem::sim {

bool gate_is_open(const StepRecord& record, const plan::Operation& op) {
  const auto substep = static_cast<std::size_t>(op.substep < 0 ? 0 : op.substep);
  const DraftSubstep none;
  const DraftSubstep& sub = substep < record.substeps.size() ? record.substeps[substep] : none;
  switch (op.gate) {
    case plan::Symbol::one:
      return true;
    case plan::Symbol::tasks:
      return !record.tasks.empty();
    case plan::Symbol::N:
      return record.token_num > 0;
    case plan::Symbol::R:
      return record.output_rows_host > 0;
    case plan::Symbol::n:
      return record.n > 0;
    case plan::Symbol::draft_rows:
      return sub.launched;
    case plan::Symbol::draft_any:
      return sub.launched || sub.blocking;
    case plan::Symbol::marks:
      return std::any_of(record.messages.begin(), record.messages.end(),
                         [](const Message& m) { return m.control; });
  }
  return false;
}

void PlanTally::add(const StepRecord& record, const PlanBook& book) {
  ++records;
  if (record.kind != StepKind::idle) {
    ++launched;
    predicted += record.mode == LaunchMode::predicted ? 1 : 0;
  }
  rows_launched += record.token_num;
  for (const std::int32_t q : record.p1.q) rows_used += q;
  bool all_known = true;
  for (const std::uint64_t hash : record.segments) {
    const plan::Segment* segment = book.find(hash);
    if (segment == nullptr) {
      all_known = false;
      continue;
    }
    for (const plan::Operation& op : segment->ops) {
      const bool is_wait = op.lane == plan::Lane::host && op.kind == plan::OpKind::wait_event;
      if (!is_wait || !gate_is_open(record, op)) continue;
      ++waits[{CauseKind::host_wait, op.row, op.waits.name, plan::OpKind::wait_event}];
    }
  }
  unknown_segments += all_known ? 0 : 1;
}

}  // namespace tandem::sim
