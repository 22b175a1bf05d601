// One step as readable text in 80 columns.
#pragma once

#include <string>

#include "traces/record.hpp"

namespace tandem::cli {

/// A summary line, lines for what happened in the iteration, and a table of the occupied slots.
[[nodiscard]] std::string step_text(const StepRecord& record);

/// What the columns of the tables mean.
[[nodiscard]] std::string dump_legend();

}  // namespace tandem::cli
