// The table of checks: for each id its sentence, its section and the fields that it cannot do
// without.
#pragma once

#include <bitset>
#include <string>

#include "sim/checks/verify.hpp"
#include "traces/fields.hpp"

namespace tandem::sim {

using CheckSet = std::bitset<kCheckCount>;

constexpr std::size_t index_of(CheckId id) { return static_cast<std::size_t>(id); }

/// Fields without any one of which the check cannot run. Empty: it needs keyframes only (V0).
[[nodiscard]] const FieldSet& check_inputs(CheckId id);

/// True where the configuration leaves nothing to check (semantics 9.2, in parentheses).
[[nodiscard]] bool is_excluded(CheckId id, const RunConfig& config);

/// True where a trace of this level holds every input.
[[nodiscard]] bool is_checkable(CheckId id, const FieldSet& present);

/// The table check x record level of traces/FORMAT.md, as Markdown.
[[nodiscard]] std::string checks_by_level();

}  // namespace tandem::sim
