// Comparison of two recorded runs: did the same work get slower, and what does the plan do anew?
//
// Steps are paired by t where both runs did the same work in them, by the counters of the record;
// so the noise of the workload cancels. Where they did not, runs are compared by time a token.
// Steps next to each other are alike, so the interval is a bootstrap over blocks of them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "sim/checks/plan_book.hpp"
#include "traces/base/ids.hpp"
#include "traces/record.hpp"

namespace tandem::sim {

/// What a comparison keeps of a run: 40 bytes a step that was launched.
class RunNotes {
 public:
  struct Step {
    std::int64_t t = 0;
    std::uint64_t counters = 0;  ///< counter_digest() of the record
    Nanos wall_ns = 0;           ///< the host's clock, from the start of the iteration to its end
    std::int64_t tokens = 0;     ///< that its messages brought
    StepKind kind = StepKind::back;
  };

  void add_segment(const plan::Segment& segment) { book_.add(segment); }
  void add(const StepRecord& record);

  [[nodiscard]] const std::vector<Step>& steps() const { return steps_; }
  /// The sum of all steps' digests, as `tandem verify` states it.
  [[nodiscard]] std::uint64_t counter_digest() const { return counter_digest_; }
  /// Records know when they began and ended.
  [[nodiscard]] bool has_clock() const { return has_clock_; }
  /// Operations of the plan that were executed, by what they are, in words.
  [[nodiscard]] const std::map<std::string, std::int64_t>& operations() const {
    return operations_;
  }
  [[nodiscard]] std::int64_t deviations() const { return deviations_; }

 private:
  PlanBook book_;
  std::vector<Step> steps_;
  std::uint64_t counter_digest_ = 0;
  bool has_clock_ = false;
  std::map<std::string, std::int64_t> operations_;
  std::int64_t deviations_ = 0;
};

enum class CompareVerdict : std::uint8_t {
  same,      ///< the interval lies within what is allowed, both ways
  faster,    ///< all of it lies below
  slower,    ///< all of it lies above
  ambiguous  ///< it reaches across a limit, or nothing can be told
};
[[nodiscard]] const char* to_name(CompareVerdict verdict);

struct CompareOptions {
  std::int64_t allowed_millionths = 20'000;  ///< a change this small is none
  std::uint64_t seed = 1;                    ///< of the bootstrap
};

/// A kind of operation that one plan executes and the other does not, or that their steps execute
/// unequally often (by more than a hundredth).
struct PlanChange {
  std::string operation;
  std::int64_t base_millionths = 0;  ///< times a launched step
  std::int64_t candidate_millionths = 0;
};

struct Comparison {
  CompareVerdict verdict = CompareVerdict::ambiguous;
  std::string reason;  ///< of ambiguous where no interval could be made, else ""
  bool paired = false;
  std::int64_t steps = 0;              ///< pairs, or launched steps of both where nothing is paired
  std::int64_t change_millionths = 0;  ///< (candidate - base) / base
  std::int64_t low_millionths = 0;     ///< 95 % interval of it
  std::int64_t high_millionths = 0;
  std::int64_t block_steps = 0;  ///< of the bootstrap
  std::uint64_t seed = 0;

  std::int64_t base_steps = 0;  ///< launched, without the first two and the last
  std::int64_t candidate_steps = 0;
  std::int64_t equal_steps = 0;       ///< of the same t, with equal counters
  std::int64_t first_unequal_t = -1;  ///< the first step that both have and that differs; -1: none
  std::vector<PlanChange> plan;       ///< what appeared, what vanished, the rest; each by operation

  /// Both runs launched the same steps and did the same in each.
  [[nodiscard]] bool same_work() const {
    return first_unequal_t < 0 && base_steps == candidate_steps && equal_steps == base_steps;
  }
};

constexpr int kBootstrapDraws = 2'000;

[[nodiscard]] Comparison compare_runs(const RunNotes& base, const RunNotes& candidate,
                                      const CompareOptions& options);

}  // namespace tandem::sim
