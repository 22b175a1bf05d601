// What a record says beside the state itself: who used its counts, copies, generations, seeds.
#pragma once

#include <string>
#include <vector>

#include "traces/record.hpp"

namespace tandem::cli {

/// A line each; none for what the record does not hold. Counts that others used and the step they
/// took them from (V31), pinned sources by buffer and those that changed before they were copied
/// (V39), rows behind the launch that are someone's (V30), generations that differ between enqueue
/// and write (V35), seeds, and stop counters that differ from g (V38), poisoned rows (V11).
[[nodiscard]] std::vector<std::string> stamp_words(const StepRecord& record);

}  // namespace tandem::cli
