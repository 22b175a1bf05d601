// Completion for zsh: a function of _arguments for each command.
#include <string_view>

#include <fmt/format.h>

#include "tools/cli/completion.hpp"

namespace tandem::cli {
namespace {

/// `text` with a backslash in front of each of `special`, inside single quotes of the shell.
std::string escaped(std::string_view text, std::string_view special) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
      continue;
    }
    if (special.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

/// "(a b)", "_files", both, or a blank: what stands behind the last colon of a specification.
std::string action(const OptionEntry& option) {
  const std::string words = escaped(joined(option.values.words, " "), ":");
  if (option.values.kind == ValueWords::Kind::list) {
    return fmt::format("_sequence compadd - {}", words);
  }
  if (words.empty()) return option.files ? "_files" : " ";
  if (!option.files) return "(" + words + ")";
  // The blank in front keeps _arguments from handing it options for compadd.
  return fmt::format(" _alternative \"names:name:({})\" \"files:file:_files\"", words);
}

std::string option_spec(const OptionEntry& option) {
  const bool takes_value = !option.label.empty();
  std::string flags;
  for (const std::string& flag : option.flags) {
    const bool is_long = flag.rfind("--", 0) == 0;
    flags += (flags.empty() ? "" : ",") + flag + (!takes_value ? "" : is_long ? "=" : "+");
  }
  const std::string before = option.repeats ? "'*'" : "'(" + joined(option.flags, " ") + ")'";
  const std::string value =
      takes_value ? fmt::format(":{}:{}", escaped(option.label, ":"), action(option)) : "";
  return fmt::format("{}{}'[{}]{}'", before, option.flags.size() > 1 ? "{" + flags + "}" : flags,
                     escaped(first_sentence(option.description), "[]\\"), value);
}

std::string argument_spec(const OptionEntry& argument) {
  const std::string place = argument.repeats ? "*" : argument.required ? "" : ":";
  return fmt::format("'{}:{}:{}'", place, escaped(argument.name, ":"), action(argument));
}

std::string command_function(const CommandEntry& command) {
  std::string text = fmt::format("\n_tandem_{}() {{\n  _arguments -s", command.name);
  for (const OptionEntry& option : command.options) text += " \\\n    " + option_spec(option);
  for (const OptionEntry& argument : command.arguments) {
    text += " \\\n    " + argument_spec(argument);
  }
  return text + "\n}\n";
}

}  // namespace

std::string zsh_completion(const CommandTree& tree) {
  std::string text =
      "#compdef tandem\n# zsh completion of tandem, printed by `tandem completion zsh`.\n";
  for (const CommandEntry& command : tree.commands) text += command_function(command);
  text += "\n_tandem_commands() {\n  local -a commands=(\n";
  for (const CommandEntry& command : tree.commands) {
    text += fmt::format("    '{}:{}'\n", command.name,
                        escaped(first_sentence(command.description), ""));
  }
  text +=
      "  )\n  _describe -t commands command commands\n}\n\n_tandem() {\n  local line state\n"
      "  local curcontext=$curcontext\n  typeset -A opt_args\n  _arguments -C";
  for (const OptionEntry& option : tree.program.options) text += " \\\n    " + option_spec(option);
  text +=
      " \\\n    '1:command:_tandem_commands' \\\n    '*:: :->rest'\n"
      "  if [[ $state == rest ]] && (( $+functions[_tandem_$words[1]] )); then\n"
      "    _tandem_$words[1]\n  fi\n}\n\n"
      // Sourced by hand it registers itself; found in fpath it is called.
      "if [[ $funcstack[1] == _tandem ]]; then\n  _tandem \"$@\"\nelse\n"
      "  compdef _tandem tandem\nfi\n";
  return text;
}

}  // namespace tandem::cli
