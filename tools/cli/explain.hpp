// One step of a trace explained: what was launched and why, who ran, who paid for rows unused.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "traces/tbt.hpp"

namespace tandem::cli {

/// A step with what came before it, read from a trace.
struct StepView {
  TraceHeader header;
  std::int64_t step = 0;
  StepRecord record;  ///< of the step, or of the idle run that holds it
  bool has_before = false;
  StepRecord before;  ///< of the step before, where the trace holds one
  Keyframe keyframe;  ///< opens the block; stands for `before` in the first step of a trace
  std::vector<RequestRow> rows;  ///< by slot, as admitted; id kNoRequest where unknown

  // What the host had read one step earlier, and whether a slot was parked when that step ended.
  [[nodiscard]] std::int32_t q_before(std::size_t slot) const;
  [[nodiscard]] std::int32_t b_before(std::size_t slot) const;
  [[nodiscard]] std::size_t slot_count() const {
    return static_cast<std::size_t>(header.config.max_num_seqs);
  }
};

/// A value of a column, 0 behind its end: a foreign record may lack columns.
[[nodiscard]] std::int32_t value_at(const Column& column, std::size_t slot);

/// Rows that the launch had for a slot beyond those it used; < 0: rows that were missing.
struct PaddingShare {
  std::int64_t slot = -1;  ///< -1: no slot explains them
  std::int64_t rows = 0;
  std::string reason;
};

struct LaunchStory {
  std::int64_t device_rows = 0;       ///< T
  std::int64_t device_slots = 0;      ///< slots with q > 0 on the device
  std::vector<std::int64_t> counted;  ///< by slot: rows that the host launched for it
  std::vector<std::string> why;       ///< sentences
  std::vector<PaddingShare> padding;
};
[[nodiscard]] LaunchStory explain_launch(const StepView& view);

/// What one running or parked slot did.
struct SlotStory {
  std::int32_t slot = 0;
  std::int32_t request = kNoRequest;
  std::int32_t generation = 0;
  std::int32_t rows = 0;
  std::int32_t accepted = 0;  ///< tokens committed
  std::int32_t next_rows = 0;
  std::string text;
  std::string stopped;  ///< why it does not run on; "" where it does
};

/// A row of the table of beliefs. What a side does not say is absent.
struct BeliefRow {
  std::string name;
  std::int64_t counted = -1;  ///< at launch; -1: none
  std::int64_t copied = -1;   ///< as the host read it afterwards
  std::int64_t device = -1;
  std::int64_t believed_len = -1;
  std::int64_t reserve = -1;
  std::int64_t device_len = -1;
};

struct SubstepStory {
  DraftSubstep sub;  ///< without its columns
  std::string how;
};

struct StepVerdict {
  std::string error;  ///< why the judge could not start; "" where it did
  std::int64_t from_step = 0;
  std::uint64_t checks_run = 0;
  std::vector<std::string> not_checkable;
  std::uint64_t divergence_count = 0;
  std::vector<std::string> divergences;  ///< lines, the first ones
  std::uint64_t earlier = 0;             ///< divergences of the block before the step
};

struct Explanation {
  StepView view;
  std::vector<std::string> segments;
  std::vector<std::string> tasks;
  LaunchStory launch;
  std::vector<SlotStory> slots;
  std::vector<std::string> messages;
  std::vector<std::string> ends;  ///< requests that ended, slots freed
  std::vector<BeliefRow> beliefs;
  std::vector<SubstepStory> substeps;
  StepVerdict verdict;
};

/// Errors: a step that the trace does not hold (with the range), a block that cannot be decoded.
[[nodiscard]] Result<Explanation> explain_step(const TraceReader& trace, std::int64_t step);

/// In 80 columns (divergence lines aside), and as a JSON document with a line end.
[[nodiscard]] std::string explain_text(const Explanation& e, const std::string& trace);
[[nodiscard]] std::string explain_json(const Explanation& e, const std::string& trace);

}  // namespace tandem::cli
