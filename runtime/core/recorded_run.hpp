// A recorded run as it is handed to a replay: read through once, and known to be executable.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "traces/fields.hpp"
#include "traces/request_table.hpp"
#include "traces/tbt.hpp"

namespace tandem {

/// What a trace says about its run as a whole. `reader` is borrowed.
struct RecordedRun {
  const TraceReader* reader = nullptr;
  std::string name;  ///< of the trace, for errors
  std::int64_t first_step = 0;
  std::int64_t end_step = 0;      ///< one past the last iteration
  std::int64_t record_count = 0;  ///< records that can be read, from the first on
  Keyframe first;                 ///< the state in front of the first record
  bool starts_idle = true;  ///< nobody is there, nothing is owed: a fresh runtime is in that state
  FieldSet present;         ///< fields that the records hold
  bool by_commits = false;  ///< the header states no acceptance: recorded commits are the law
  RequestTable table;
  std::string damage;  ///< what ended the readable part early; "" when nothing did

  /// The row that the runtime is given for a recorded one.
  [[nodiscard]] RequestRow row_of(const RequestRow& recorded) const;
};

/// What is wanted of a trace that is read through.
struct RecordedRunNeeds {
  const RunConfig* config = nullptr;  ///< batch-exact: must be able to carry out each batch
  bool commits = false;               ///< counts are needed where the header states no acceptance
};

/// Reads every record once. Errors: no table (tasks are absent), no record, commits that are needed
/// and not told, a batch that cannot be carried out, or `stop`. `reader` outlives the result.
[[nodiscard]] Result<RecordedRun> read_recorded_run(const TraceReader& reader,
                                                    const std::string& name,
                                                    const RecordedRunNeeds& needs,
                                                    const std::atomic<bool>* stop);

/// The readable records one after the other, `t` filled in where it is absent.
class RecordCursor {
 public:
  /// `run` outlives the cursor.
  explicit RecordCursor(const RecordedRun& run) : run_(run), next_t_(run.first_step) {}

  /// Loads the next record; false behind the last.
  Result<bool> next();
  [[nodiscard]] const StepRecord& record() const { return record_; }
  /// The keyframe in front of the record where it opens a block, else null.
  [[nodiscard]] const Keyframe* opened() const {
    return opens_block_ ? &block_->keyframe() : nullptr;
  }

 private:
  const RecordedRun& run_;
  std::size_t index_ = 0;
  std::unique_ptr<BlockReader> block_;
  StepRecord record_;
  std::int64_t taken_ = 0;  ///< records handed out
  bool opens_block_ = false;
  std::int64_t next_t_ = 0;
};

}  // namespace tandem
