// Completion scripts for shells, written from the commands themselves.
#pragma once

#include <string>

#include "tools/cli/command_tree.hpp"

namespace tandem::cli {

/// Each completes commands, options, their values, names of the catalogue and of files, and runs
/// nothing of ours while doing so: an alias or a wrapper of any kind completes as well.
[[nodiscard]] std::string bash_completion(const CommandTree& tree);  ///< bash 4.4 or newer
[[nodiscard]] std::string zsh_completion(const CommandTree& tree);
[[nodiscard]] std::string fish_completion(const CommandTree& tree);

}  // namespace tandem::cli
