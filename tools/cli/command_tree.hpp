// The command line as data: what help, the man page and shell completion are written from.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tools/cli/option_values.hpp"

namespace tandem::cli {

/// One option, or one argument by its place.
struct OptionEntry {
  std::vector<std::string> flags;  ///< "-o", "--output"; none: an argument
  std::string name;                ///< an argument's "TRACE"; else the last of `flags`
  std::string label;               ///< of its value, "N" or "det|threads"; "": takes none
  std::string description;
  std::string default_value;  ///< "": none to show
  std::string group;          ///< heading in help
  ValueWords values;          ///< no words: none are known
  bool files = false;         ///< a file's name is a value
  bool required = false;
  bool repeats = false;  ///< may be given more than once
};

struct CommandEntry {
  std::string name;   ///< "run"; "tandem" of the program itself
  std::string title;  ///< "tandem run"
  std::string usage;  ///< what follows the title
  std::string description;
  std::vector<OptionEntry> arguments;  ///< in their order
  std::vector<OptionEntry> options;    ///< as declared
  std::vector<std::string> examples;   ///< "COMMAND" or "COMMAND  # exit code N"

  /// Headings of options in order; the one of CLI11's default group is last.
  [[nodiscard]] std::vector<std::string> groups() const;
};

struct CommandTree {
  CommandEntry program;
  std::vector<CommandEntry> commands;
};

/// "a, b, c" where `between` is ", ".
[[nodiscard]] std::string joined(const std::vector<std::string>& words, std::string_view between);
/// The first sentence of a description, without its full stop.
[[nodiscard]] std::string first_sentence(std::string_view text);

/// Description with the words and the default that are not in the label.
[[nodiscard]] std::string full_description(const OptionEntry& option);
/// "-o,--output FILE", or an argument's name.
[[nodiscard]] std::string heading(const OptionEntry& option);

/// `app` as data; `app` is the program or one of its subcommands, and was given to set_help().
[[nodiscard]] CommandEntry read_command(CLI::App& app);
[[nodiscard]] CommandTree read_commands(CLI::App& app);

}  // namespace tandem::cli
