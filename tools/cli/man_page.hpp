// The manual page of section 1, written from the commands themselves.
#pragma once

#include <string>

#include "tools/cli/command_tree.hpp"

namespace tandem::cli {

/// Roff with the macros of man(7). The page bears the version and no date: the same program prints
/// the same bytes.
[[nodiscard]] std::string man_page(const CommandTree& tree, const std::string& version);

}  // namespace tandem::cli
