// Compares two records field by field, in the names of traces/fields.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "traces/fields.hpp"
#include "traces/plan/plan.hpp"

namespace tandem::cli {

/// Where two records part first, and what each of them holds there.
struct FieldDifference {
  std::string path;        ///< "p1.q", "substeps[1].qd", "tasks[0].start", "cu_seqlens_q[2]"
  std::int64_t slot = -1;  ///< of a per-slot column, else -1
  std::string a;
  std::string b;
};

/// What the records of a trace need to be read: names of segments, slots of token tables.
struct RecordContext {
  const std::vector<plan::Segment>* segments = nullptr;
  std::int32_t row_width = 1;
};

class RecordComparer {
 public:
  /// Fields outside `compared` are not looked at.
  RecordComparer(RecordContext a, RecordContext b, const FieldSet& compared)
      : context_a_(a), context_b_(b), compared_(compared) {}

  /// The fields that differ, each once, in the order of the struct; valid until the next call.
  /// Records that start at different steps are stretches of an idle run that was folded
  /// differently: then t, repeat and times do not count, and stamps count from t.
  const std::vector<Field>& compare(const StepRecord& a, const StepRecord& b);
  /// The first difference of the last compare(), which found one. Both records still exist.
  [[nodiscard]] FieldDifference first_difference() const;

  using Value = std::variant<
      const std::int64_t*, const std::int32_t*, const bool*, const StepKind*, const LaunchMode*,
      const CachedPair*, const Column*, const std::vector<std::int64_t>*,
      const std::vector<std::uint64_t>*, const std::vector<PlanDeviation>*,
      const std::vector<Task>*, const std::vector<RequestOutcome>*, const std::vector<SlotFree>*,
      const std::vector<RowRun>*, const std::vector<Message>*, const std::vector<PinnedCopy>*,
      const std::vector<CountUse>*, const std::vector<Span>*, std::size_t>;
  struct Entry {
    Field field;
    int substep;  ///< -1: not a member of a sub-step
    Value value;
  };

 private:
  [[nodiscard]] bool counts(const Entry& a, const Entry& b, const StepRecord& of_a,
                            const StepRecord& of_b) const;

  RecordContext context_a_;
  RecordContext context_b_;
  FieldSet compared_;
  std::vector<Entry> entries_a_;
  std::vector<Entry> entries_b_;
  std::size_t first_ = 0;  ///< index of the first entry that differs
  std::vector<Field> differing_;
};

}  // namespace tandem::cli
