// Follows the holders of slots from record to record.
#include "tools/cli/step_view.hpp"

#include <algorithm>

namespace tandem::cli {
namespace {

/// A slot that a foreign record names, or one behind the table.
std::size_t index_of(std::int32_t slot) {
  return slot < 0 ? SIZE_MAX : static_cast<std::size_t>(slot);
}

}  // namespace

std::int32_t value_at(const Column& column, std::size_t slot) {
  return slot < column.size() ? column[slot] : 0;
}

SlotTable::SlotTable(const Keyframe& keyframe, std::size_t slots)
    : rows(slots), holder(slots, kNoRequest) {
  std::size_t next = 0;
  for (std::size_t i = 0; i < std::min(slots, keyframe.request.size()); ++i) {
    holder[i] = keyframe.request[i];
    if (holder[i] != kNoRequest && next < keyframe.rows.size()) rows[i] = keyframe.rows[next++];
  }
}

void SlotTable::admit(const StepRecord& record) {
  for (const Task& task : record.tasks) {
    const std::size_t slot = index_of(task.slot);
    if (!task.admits || slot >= rows.size()) continue;
    rows[slot] = task.row;
    holder[slot] = task.request;
  }
}

void SlotTable::release(const StepRecord& record) {
  for (const SlotFree& free : record.frees) {
    const std::size_t slot = index_of(free.slot);
    if (slot < holder.size()) holder[slot] = kNoRequest;
  }
}

std::int32_t StepView::q_before(std::size_t slot) const {
  return value_at(has_before ? before.q_cpu : keyframe.q_cpu, slot);
}

std::int32_t StepView::b_before(std::size_t slot) const {
  return value_at(has_before ? before.b_cpu : keyframe.b_cpu, slot);
}

const Task* task_for(const StepRecord& record, TaskKind kind, std::size_t slot) {
  const auto found = std::find_if(record.tasks.begin(), record.tasks.end(), [&](const Task& task) {
    return task.kind == kind && index_of(task.slot) == slot;
  });
  return found == record.tasks.end() ? nullptr : &*found;
}

}  // namespace tandem::cli
