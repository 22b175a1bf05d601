// `tandem completion`: what a shell needs to complete tandem's command lines.
#include <CLI/CLI.hpp>

#include "tools/cli/command_tree.hpp"
#include "tools/cli/commands.hpp"
#include "tools/cli/completion.hpp"
#include "tools/cli/options.hpp"

namespace tandem::cli {
namespace {

std::string script(const std::string& shell, const CommandTree& tree) {
  if (shell == "zsh") return zsh_completion(tree);
  if (shell == "fish") return fish_completion(tree);
  return bash_completion(tree);
}

}  // namespace

void add_completion_command(CLI::App& app, Io& io, int& exit_code) {
  auto shell = std::make_shared<std::string>();
  CLI::App* sub = app.add_subcommand(
      "completion",
      "Print a completion script for a shell. In bash: source <(tandem completion bash); "
      "cmake --install puts all three where the shells look for them");
  sub->add_option("SHELL", *shell, "whose script")
      ->required()
      ->check(one_of({"bash", "zsh", "fish"}));
  set_help(*sub, "SHELL",
           {"source <(tandem completion bash)", "tandem completion zsh > _tandem",
            "tandem completion fish > tandem.fish"});
  sub->callback([shell, &app, &io, &exit_code] {
    io.out.write(script(*shell, read_commands(app)));
    exit_code = kExitClean;
  });
}

}  // namespace tandem::cli
