// Help in 80 columns.
#pragma once

#include <string>
#include <string_view>

#include "tools/cli/command_tree.hpp"

namespace tandem::cli {

/// Usage, description, arguments, options by group, examples; of the program also its commands and
/// exit codes.
[[nodiscard]] std::string help_text(const CommandTree& tree);

}  // namespace tandem::cli
