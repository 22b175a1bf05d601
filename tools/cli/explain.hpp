// One step of a trace explained: what was launched and why, who ran, who paid for rows unused.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/cli/step_view.hpp"
#include "traces/tbt.hpp"

namespace tandem::cli {

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

/// Running and parked slots.
[[nodiscard]] std::vector<SlotStory> slot_stories(const StepView& view);
/// What any slot was doing: "decoding: ...", "prefill chunk ...", "parked: ...", "free", ...
[[nodiscard]] std::string slot_activity(const StepView& view, std::size_t slot);
/// Why a slot has no rows in the step; "free" or "stopped ..." where nothing special is known.
[[nodiscard]] std::string why_not_running(const StepView& view, std::size_t slot);

/// Tasks and messages of the step, a sentence each.
[[nodiscard]] std::vector<std::string> task_stories(const StepView& view);
[[nodiscard]] std::vector<std::string> message_stories(const StepView& view);

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

/// Empty unless the step drafted.
[[nodiscard]] std::vector<SubstepStory> substep_stories(const StepView& view);

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
  std::vector<std::string> stamps;  ///< who else used counts, pinned copies, seeds, dead tails
  StepVerdict verdict;
};

/// Errors: a step that the trace does not hold (with the range), a block that cannot be decoded.
[[nodiscard]] Result<Explanation> explain_step(const TraceReader& trace, std::int64_t step);

/// Rows of a text: the first has the name, the others are below it; "none" where there is none.
[[nodiscard]] std::string rows_of(const char* name, const std::vector<std::string>& lines);
/// Lines of the step's padding and missing rows: "slot 3, 2 rows too few: why".
[[nodiscard]] std::string share_text(const PaddingShare& share);
/// The table of sub-steps, a line each behind a title.
[[nodiscard]] std::string substeps_table(const std::vector<SubstepStory>& substeps);

/// In 80 columns (divergence lines aside), and as a JSON document with a line end.
[[nodiscard]] std::string explain_text(const Explanation& e, const std::string& trace);
[[nodiscard]] std::string explain_json(const Explanation& e, const std::string& trace);

}  // namespace tandem::cli
