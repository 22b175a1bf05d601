// Recorded acceptance: files of JSON lines with the commits of each decode step.
#pragma once

#include <cstdint>
#include <vector>

#include "scenarios/line_reader.hpp"
#include "traces/base/result.hpp"

namespace tandem {

constexpr std::int32_t kCommitMax = 1'024;             ///< tokens of one step
constexpr std::size_t kAcceptEntriesMax = 16'000'000;  ///< steps of one file (64 MB)

/// One list a turn, in the order of the file. A line is either an object with `accept_lengths`, or
/// an answer of Spec-Bench: `choices` whose first entry holds one flat `accept_lengths` over all
/// turns and their `decoding_steps`, by which it is cut. Each entry counts the tokens of one step,
/// the target's own included. Turns of no steps and empty lines are passed over.
[[nodiscard]] Result<std::vector<std::vector<std::int32_t>>> read_accept_file(LineReader lines);

}  // namespace tandem
