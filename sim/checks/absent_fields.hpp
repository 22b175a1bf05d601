// What a trace that lacks fields still tells: values to go on with, and checks that cannot be
// trusted.
//
// A check whose own inputs are missing is not checkable. The oracle's state, however, feeds on
// fields too. Most of what is missing follows from the rest of the record, and is filled in before
// it is used, so that the checks that do have their inputs still run; what follows from nothing
// takes away the checks that build on it (architecture 4, "foreign trace").
#pragma once

#include "sim/checks/check_table.hpp"
#include "sim/oracle/state.hpp"

namespace tandem::sim {

/// The fields of a trace as the judge may read them: without `substeps` there are no members of it.
[[nodiscard]] FieldSet readable_fields(const TraceHeader& header);

/// Checks whose state the oracle can follow with these fields.
[[nodiscard]] CheckSet followable_checks(const FieldSet& present, const Rules& rules);

/// True where a field is missing that the oracle's state feeds on: records are copied and filled.
[[nodiscard]] bool needs_filling(const FieldSet& present);

/// The iteration, before anything else is read.
void fill_clock(StepRecord& record, const OracleState& state, const FieldSet& present);

/// Behind recover, in front of the launch: how it was launched, the kind, the host's copies.
void fill_launch(StepRecord& record, const OracleState& state, const Rules& rules,
                 const FieldSet& present);

/// On P1's state, in front of P2: what was accepted, and digests (kUnknown where nothing tells).
void fill_accepted(StepRecord& record, const OracleState& state, const FieldSet& present);

}  // namespace tandem::sim
