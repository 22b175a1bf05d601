// `tandem man`: the manual page.
#include <CLI/CLI.hpp>

#include "tools/cli/command_tree.hpp"
#include "tools/cli/commands.hpp"
#include "tools/cli/man_page.hpp"
#include "tools/cli/options.hpp"

namespace tandem::cli {

void add_man_command(CLI::App& app, Io& io, int& exit_code) {
  CLI::App* sub = app.add_subcommand(
      "man", "Print the manual page as roff. cmake --install puts it where man finds it");
  set_help(*sub, "", {"tandem man > tandem.1", "tandem man | head -n 5"});
  sub->callback([&app, &io, &exit_code] {
    io.out.write(man_page(read_commands(app), io.version));
    exit_code = kExitClean;
  });
}

}  // namespace tandem::cli
