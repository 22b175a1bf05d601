// Parts of a StepRecord in words.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "traces/members.hpp"
#include "traces/plan/plan.hpp"
#include "traces/record.hpp"

namespace tandem::cli {

/// t + count, which wraps: both may come from a damaged file.
[[nodiscard]] constexpr std::int64_t step_after(std::int64_t t, std::int64_t count) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(t) +
                                   static_cast<std::uint64_t>(count));
}
/// Whether `step` is one of `count` steps from `first` on.
[[nodiscard]] constexpr bool is_among(std::int64_t step, std::int64_t first, std::int64_t count) {
  return step >= first && count > 0 &&
         static_cast<std::uint64_t>(step) - static_cast<std::uint64_t>(first) <
             static_cast<std::uint64_t>(count);
}

/// "back" of the segment with this hash, else the hash itself.
[[nodiscard]] std::string segment_word(std::uint64_t hash,
                                       const std::vector<plan::Segment>& segments);

/// "1 row", "2 rows".
template <class Number>
[[nodiscard]] std::string counted(Number count, const char* noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

/// "prompt 8, limit 40, EOS at 5": what an admitted request was told to be.
[[nodiscard]] std::string request_words(const RequestRow& row);

/// A record on one line of at most 80 columns: kind, sizes, mode, what came and went.
[[nodiscard]] std::string one_line(const StepRecord& record);

}  // namespace tandem::cli
