// Completion for fish: a line for each option and argument.
#include <string_view>

#include <fmt/format.h>

#include "tools/cli/completion.hpp"

namespace tandem::cli {
namespace {

std::string fish_string(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string value_of(const OptionEntry& option) {
  const std::string words = joined(option.values.words, " ");
  if (option.values.kind == ValueWords::Kind::list) {
    return fmt::format(" -x -a '(__fish_append , {})'", words);
  }
  const std::string offered = words.empty() ? "" : " -a " + fish_string(words);
  return (option.files ? " -r -F" : " -x") + offered;
}

std::string option_line(const std::string& start, const OptionEntry& option) {
  std::string line = start;
  for (const std::string& flag : option.flags) {
    const bool is_long = flag.rfind("--", 0) == 0;
    line += (is_long ? " -l " : " -s ") + flag.substr(is_long ? 2 : 1);
  }
  if (!option.label.empty()) line += value_of(option);
  return line + " -d " + fish_string(first_sentence(option.description)) + "\n";
}

}  // namespace

std::string fish_completion(const CommandTree& tree) {
  std::string text =
      "# fish completion of tandem, printed by `tandem completion fish`.\n\n"
      "function __tandem_command_is\n"
      "  set -l words (commandline -opc)\n"
      "  test (count $words) -ge 2; and test $words[2] = $argv[1]\n"
      "end\n\n"
      "function __tandem_has_no_command\n"
      "  test (count (commandline -opc)) -lt 2\n"
      "end\n\n"
      "complete -c tandem -f\n";
  const std::string start = "complete -c tandem -n __tandem_has_no_command";
  for (const OptionEntry& option : tree.program.options) text += option_line(start, option);
  for (const CommandEntry& command : tree.commands) {
    text += fmt::format("{} -a {} -d {}\n", start, command.name,
                        fish_string(first_sentence(command.description)));
  }
  for (const CommandEntry& command : tree.commands) {
    const std::string here =
        fmt::format("complete -c tandem -n '__tandem_command_is {}'", command.name);
    text += "\n";
    for (const OptionEntry& option : command.options) text += option_line(here, option);
    for (const OptionEntry& argument : command.arguments) {
      const std::string words = joined(argument.values.words, " ");
      if (argument.files) text += here + " -F\n";
      if (!words.empty()) text += here + " -a " + fish_string(words) + "\n";
    }
  }
  return text;
}

}  // namespace tandem::cli
