// BlockVerifier: judges the records of one block from its keyframe on, in the one order of checks.
#pragma once

#include <string>

#include "sim/checks/report.hpp"
#include "sim/checks/stages.hpp"

namespace tandem::sim {

/// What judging a trace needs to know before its first block.
struct Judge {
  TraceHeader header;
  Rules rules;
  FieldSet present;
  CheckSet enabled;       ///< implemented, not excluded, inputs present, state to be followed
  bool fills = false;     ///< records lack what the oracle feeds on
  bool has_full = false;  ///< records hold columns of P0 or P3

  PlanBook plans;  ///< every segment that a step to come names; grows while a run is judged live

  /// Without segments: who has them puts them into `plans`.
  [[nodiscard]] static Result<Judge> make(const TraceHeader& header);
};

/// The same calls give the same tally and divergences, whoever makes them. Not thread-safe; reused
/// for block after block it allocates nothing in steady state.
class BlockVerifier {
 public:
  /// `judge` outlives the verifier. At most `kept_max` divergences are kept.
  BlockVerifier(const Judge& judge, std::size_t kept_max);

  /// Starts from a keyframe; the state of an earlier block is forgotten.
  void begin(const Keyframe& keyframe);
  /// V0 for the very first keyframe: the header names its step, and a run of this project's runtime
  /// begins at step 0 with nothing. Call it before begin().
  void check_beginning(const Keyframe& keyframe);
  void step(const StepRecord& record);
  /// V0: the state after the last step against the keyframe that follows.
  void end(const Keyframe& next);

  Reporter report;

 private:
  /// `copy` is `record` where something must be filled in, else null.
  void judge_step(const StepRecord& record, StepRecord* copy);
  void judge_insert(StepContext& c);
  void judge_launch(StepContext& c, StepRecord* copy);
  void judge_back(StepContext& c);
  void finish_step(StepContext& c);
  void count(const StepRecord& record);
  [[nodiscard]] bool has_shape(const StepRecord& record) const;
  [[nodiscard]] const StepRecord& shaped(const StepRecord& record);

  const Judge& judge_;
  OracleState state_;
  Scratch scratch_;
  StepRecord repaired_;  ///< a copy with columns of B entries, or with absent fields filled in
};

/// Order-dependent over steps' contents, and additive over steps: architecture 4.1
/// "counter_digest".
[[nodiscard]] std::uint64_t counter_digest(const StepRecord& record);

}  // namespace tandem::sim
