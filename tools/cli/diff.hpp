// Two traces side by side: where they first part, and how much of them does.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/cli/diff_records.hpp"
#include "tools/cli/style.hpp"
#include "traces/tbt.hpp"

namespace tandem::cli {

/// A key of the header that differs; values as JSON text.
struct HeaderDifference {
  std::string key;  ///< "config.seed", "config.rows.R2"
  std::string a;
  std::string b;
  bool counts = true;        ///< false: who wrote the trace (producer, device, executor)
  bool is_schedule = false;  ///< a row or the policy
};

/// Steps that only one of the traces holds.
struct Surplus {
  std::uint64_t steps = 0;
  std::int64_t first = 0;
  std::int64_t last = 0;
};

/// A record of each trace on one line; "" where a trace has none there.
struct LinePair {
  std::int64_t step = 0;
  std::string a;
  std::string b;
};

struct FirstDifference {
  std::int64_t step = 0;
  FieldDifference field;
  LinePair at;
  std::optional<LinePair> before;
  std::optional<LinePair> after;
};

/// Keyframes that both traces hold before the same step, the final state included.
struct KeyframeTally {
  std::uint64_t compared = 0;
  std::uint64_t differing = 0;
  std::int64_t first_step = 0;  ///< of the first that differs
  std::string first_member;
};

struct TraceDiff {
  std::vector<HeaderDifference> header;
  std::vector<std::string> not_compared;  ///< fields that only one of the traces holds
  std::uint64_t compared = 0;             ///< steps that both hold
  std::uint64_t differing = 0;
  Surplus only_a;
  Surplus only_b;
  std::array<std::uint64_t, kFieldCount> per_field{};  ///< steps in which each field differs
  std::optional<FirstDifference> first;
  KeyframeTally keyframes;
  std::uint64_t segments_only_a = 0;  ///< plan segments that the other trace does not define
  std::uint64_t segments_only_b = 0;
  bool unadmitted_differ = false;
  std::uint64_t digest_a = 0;  ///< counter_digest
  std::uint64_t digest_b = 0;

  /// Rows and policy are equal: a difference is one of behaviour, not of the schedule.
  [[nodiscard]] bool is_same_schedule() const;
  [[nodiscard]] bool records_differ() const { return differing > 0 || keyframes.differing > 0; }
  /// False where who wrote the traces is all that differs.
  [[nodiscard]] bool differs() const;
};

[[nodiscard]] std::vector<HeaderDifference> header_differences(const TraceHeader& a,
                                                               const TraceHeader& b);

/// sim::counter_digest() of a record, or 0 where it lacks a column that the digest reads: a foreign
/// record may.
[[nodiscard]] std::uint64_t counter_digest_of(const StepRecord& record);

/// The first member in which two keyframes differ, or "".
[[nodiscard]] std::string keyframe_difference(const Keyframe& a, const Keyframe& b);

/// Reads both traces in step by t, a record of each in memory: cuts of blocks and of idle runs do
/// not matter. `ignored` fields are not compared. Errors: a block that cannot be decoded, or the
/// stop flag.
[[nodiscard]] Result<TraceDiff> diff_traces(const TraceReader& a, const TraceReader& b,
                                            const FieldSet& ignored, const std::atomic<bool>& stop);

/// The result for people, in 80 columns, and as a JSON document with a line end.
[[nodiscard]] std::string diff_text(const TraceDiff& diff, const std::string& name_a,
                                    const std::string& name_b, const Style& style = {});
[[nodiscard]] std::string diff_json(const TraceDiff& diff, const std::string& name_a,
                                    const std::string& name_b);

}  // namespace tandem::cli
