// Compares the steps of a batch-exact replay with the recorded ones, as they are made.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/core/recorded_run.hpp"
#include "tools/cli/diff_records.hpp"
#include "traces/sink.hpp"

namespace tandem::cli {

/// Where a replay first differs from its recording.
struct ReplayDifference {
  std::int64_t step = 0;
  FieldDifference field;  ///< a: recorded, b: replayed
  std::string recorded;   ///< the record on one line
  std::string replayed;
};

struct ReplayComparison {
  std::int64_t compared = 0;  ///< iterations, idle ones included
  std::int64_t differing = 0;
  std::optional<ReplayDifference> first;
  std::array<std::int64_t, kFieldCount> per_field{};  ///< iterations in which each field differs
  std::int64_t keyframes_compared = 0;                ///< both opened a block there, or ended there
  std::int64_t keyframes_differing = 0;
  std::int64_t first_keyframe = 0;    ///< step of the first that differs
  std::string first_member;           ///< and what differs in it
  bool has_digests = false;           ///< the trace holds every field of counter_digest
  std::uint64_t recorded_digest = 0;  ///< over what was compared
  std::uint64_t replayed_digest = 0;
  std::vector<std::string> not_compared;  ///< fields that the trace holds

  [[nodiscard]] bool differs() const { return differing > 0 || keyframes_differing > 0; }
};

/// Gets every record of the replay. Not compared are times (they are the scenario's), fields that
/// one side lacks, what changed keys touch, and, where tokens are not the recorded ones, all that
/// is made of tokens.
class ReplaySink final : public RecordSink {
 public:
  /// `run` outlives the sink. `changed`: keys of the configuration that differ.
  ReplaySink(const RecordedRun& run, const std::vector<std::string>& changed);

  Status begin(const TraceHeader& header) override;
  Status segment(const plan::Segment& segment) override;
  Status keyframe(const Keyframe& keyframe) override;
  Status step(const StepRecord& record) override;
  Status unadmitted(const RequestRow& row) override;
  Status end(const Keyframe& last) override;

  [[nodiscard]] const ReplayComparison& result() const { return out_; }

 private:
  Status advance();
  void compare(const StepRecord& replayed, std::int64_t steps);
  void compare_keyframes(Keyframe recorded, Keyframe replayed);
  void make_alike(StepRecord& recorded, StepRecord& replayed) const;
  void make_alike(Keyframe& recorded, Keyframe& replayed) const;
  void forget_stale(const StepRecord& replayed);
  [[nodiscard]] bool copies() const { return run_.by_commits || any_stale_; }

  const RecordedRun& run_;
  std::vector<std::string> changed_;
  RecordCursor cursor_;
  bool live_ = false;       ///< the cursor holds a record
  std::int64_t begin_ = 0;  ///< its first iteration that was not compared yet
  std::optional<RecordComparer> comparer_;
  std::vector<plan::Segment> segments_;
  StepRecord recorded_, replayed_;  ///< copies that are made alike
  // A run that is taken up in the middle: rows of D and of what parking saved that belong to nobody
  // that goes on, until the slot writes them.
  std::vector<bool> stale_drafts_, stale_saved_;
  bool any_stale_ = false;
  ReplayComparison out_;
};

}  // namespace tandem::cli
