// Whether recorded batches can be carried out at all: what no device survives is refused by name.
//
// Not a judge: a batch that is wrong but can be executed is executed, and the checks of sim say so.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "traces/base/result.hpp"
#include "traces/fields.hpp"
#include "traces/keyframe.hpp"
#include "traces/record.hpp"
#include "traces/run_config.hpp"

namespace tandem {

/// Sees the records of one trace in order. Errors name `name`, the step and the task.
class BatchCheck {
 public:
  /// `config` outlives the check; it is the configuration that is to execute the batches.
  BatchCheck(const RunConfig& config, const FieldSet& present, std::string name);

  /// The state in front of the first record.
  Status start(const Keyframe& keyframe);
  /// `t`: the iteration of the record, where it tells none the next one.
  Status take(const StepRecord& record, std::int64_t t);

 private:
  struct Slot {
    RequestId request = kNoRequest;
    std::int32_t text_len = 0;
    std::int32_t chunk_end = 0;
    std::int32_t table_len = 0;  ///< blocks in its table, kept behind the occupant
    bool ending = false;         ///< a preempt or abort was inserted
  };

  Status check_task(const Task& task, const std::string& place);
  Status check_admission(const Task& task, const std::string& place) const;
  Status check_text(const Task& task, const std::string& place) const;
  Status check_row(const RequestRow& row, const std::string& place) const;
  Status check_blocks(const Task& task, const std::string& place);
  Status check_rows_launched(const StepRecord& record, std::int64_t t) const;
  Status check_view(const StepRecord& record, std::int64_t t) const;
  void apply(const Task& task);
  [[nodiscard]] Slot& slot_of(const Task& task) {
    return slots_[static_cast<std::size_t>(task.slot)];
  }
  [[nodiscard]] const Slot& slot_of(const Task& task) const {
    return slots_[static_cast<std::size_t>(task.slot)];
  }
  [[nodiscard]] std::string place(std::int64_t t) const;
  [[nodiscard]] bool has(Field field) const {
    return present_.test(static_cast<std::size_t>(field));
  }

  const RunConfig& config_;
  FieldSet present_;
  std::string name_;
  std::vector<Slot> slots_;
  std::int64_t next_ = 0;
};

}  // namespace tandem
