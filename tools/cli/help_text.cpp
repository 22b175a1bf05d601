// The layout of help.
#include "tools/cli/help_text.hpp"

#include "tools/cli/exit_codes.hpp"
#include "tools/cli/options.hpp"

namespace tandem::cli {
namespace {

constexpr std::size_t kHelpIndent = 26;  ///< column at which descriptions start

/// "  name" padded to the column of descriptions, then the wrapped description.
std::string help_entry(const std::string& name, const std::string& description) {
  std::string line = "  " + name;
  if (line.size() + 1 < kHelpIndent) {
    line.append(kHelpIndent - line.size(), ' ');
  } else {
    line += "\n" + std::string(kHelpIndent, ' ');
  }
  return line + wrap(std::string(kHelpIndent, ' ') + description, kHelpIndent).substr(kHelpIndent) +
         "\n";
}

void section(std::string& text, const std::string& title, const std::string& lines) {
  if (!lines.empty()) text.append("\n").append(title).append(":\n").append(lines);
}

/// "Output" is "output options", CLI11's own "Options" stays one word.
std::string group_title(const std::string& group) {
  return group == "Options" ? "options" : group + " options";
}

/// Names that an argument may be, where they are too many for its description.
std::string names_of(const OptionEntry& argument) {
  const std::string names = joined(argument.values.words, ", ");
  return names.empty() ? "" : wrap("  " + names, 2) + "\n";
}

}  // namespace

std::string help_text(const CommandTree& tree) {
  const CommandEntry& entry = tree.program;
  std::string text = "usage: " + wrap(entry.title + " " + entry.usage, 2, 73) + "\n\n" +
                     wrap(entry.description, 0) + "\n";
  std::string commands;
  for (const CommandEntry& command : tree.commands) {
    commands += help_entry(command.name, first_sentence(command.description));
  }
  section(text, "commands", commands);
  std::string arguments;
  for (const OptionEntry& argument : entry.arguments) {
    arguments += help_entry(heading(argument), full_description(argument));
  }
  section(text, "arguments", arguments);
  for (const std::string& group : entry.groups()) {
    std::string options;
    for (const OptionEntry& option : entry.options) {
      if (option.group == group) options += help_entry(heading(option), full_description(option));
    }
    section(text, group_title(group), options);
  }
  std::string examples;
  for (const std::string& example : entry.examples) examples += "  " + example + "\n";
  section(text, "examples", examples);
  for (const OptionEntry& argument : entry.arguments) {
    if (argument.values.kind == ValueWords::Kind::closed) continue;
    section(text, "names that " + argument.name + " may be", names_of(argument));
  }
  if (tree.commands.empty()) return text;
  std::string codes;
  for (const ExitCode& code : kExitCodes) {
    codes += help_entry(std::to_string(code.code), code.meaning);
  }
  section(text, "exit codes", codes);
  return text;
}

}  // namespace tandem::cli
