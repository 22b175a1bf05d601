// The command line as a function: arguments in, exit code out. main.cpp only wires it.
#pragma once

#include <string>
#include <vector>

#include "tools/cli/io.hpp"

namespace tandem::cli {

/// `args` without the program's name. Flushes both streams. Nothing is thrown.
[[nodiscard]] int run_cli(const std::vector<std::string>& args, Io& io);

}  // namespace tandem::cli
