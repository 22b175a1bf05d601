// A step of a trace with what surrounds it, as the commands that tell of steps see it.
#pragma once

#include <cstdint>
#include <vector>

#include "traces/keyframe.hpp"
#include "traces/run_config.hpp"

namespace tandem::cli {

/// A value of a column, 0 behind its end: a foreign record may lack columns.
[[nodiscard]] std::int32_t value_at(const Column& column, std::size_t slot);

/// Who holds each slot, followed from a keyframe through tasks and frees.
class SlotTable {
 public:
  SlotTable() = default;
  SlotTable(const Keyframe& keyframe, std::size_t slots);

  /// Takes in a record's tasks: then the table is that of its launch.
  void admit(const StepRecord& record);
  /// Takes in the slots it freed: then the table is that of the next step.
  void release(const StepRecord& record);

  std::vector<RequestRow> rows;  ///< by slot, as last admitted; id kNoRequest where unknown
  Column holder;                 ///< request by slot; kNoRequest: free
};

/// A step with what came before it.
struct StepView {
  TraceHeader header;
  std::int64_t step = 0;
  StepRecord record;  ///< of the step, or of the idle run that holds it
  bool has_before = false;
  StepRecord before;  ///< of the step before, where the trace holds one
  Keyframe keyframe;  ///< stands for `before` in the first step of a trace
  SlotTable table;    ///< at the launch of the step

  // What the host had read one step earlier, and whether a slot was parked when that step ended.
  [[nodiscard]] std::int32_t q_before(std::size_t slot) const;
  [[nodiscard]] std::int32_t b_before(std::size_t slot) const;
  [[nodiscard]] std::size_t slot_count() const {
    return static_cast<std::size_t>(header.config.max_num_seqs);
  }
  /// Row of the request that holds the slot, or held it last; id kNoRequest where unknown.
  [[nodiscard]] const RequestRow& row(std::size_t slot) const { return table.rows[slot]; }
};

/// The first task of this kind for the slot, or null.
[[nodiscard]] const Task* task_for(const StepRecord& record, TaskKind kind, std::size_t slot);

}  // namespace tandem::cli
