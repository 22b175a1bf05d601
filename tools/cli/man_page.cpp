// Commands as roff.
#include "tools/cli/man_page.hpp"

#include <algorithm>
#include <map>
#include <string_view>

#include <fmt/format.h>

#include "tools/cli/exit_codes.hpp"
#include "tools/cli/options.hpp"

namespace tandem::cli {
namespace {

constexpr std::size_t kSourceColumns = 60;  // leaves room for escapes

/// One line as roff prints it unchanged.
std::string plain(std::string_view text) {
  std::string out;
  std::size_t word = 0;  // begins here in `out`
  for (const char c : text) {
    switch (c) {
      case '\\':
        out += "\\e";
        break;
      case '-':
        // A minus, which can be copied into a shell; the word is not broken into two by another.
        if (out.compare(word, 2, "\\%") != 0) out.insert(word, "\\%");
        out += "\\-";
        break;
      case '\'':
        out += "\\(aq";
        break;
      case '`':
        out += "\\(ga";
        break;
      case '^':
        out += "\\(ha";
        break;
      case '~':
        out += "\\(ti";
        break;
      default:
        out += c;
    }
    if (c == ' ') word = out.size();
  }
  if (!out.empty() && out.front() == '.') out.insert(0, "\\&");  // else it would be a request
  return out;
}

/// Text that roff fills, in source lines of 80 columns at most.
std::string paragraph(std::string_view text) {
  const std::string lines = wrap(text, 0, kSourceColumns);
  std::string out;
  std::size_t begin = 0;
  while (begin < lines.size()) {
    const std::size_t end = std::min(lines.find('\n', begin), lines.size());
    out += plain(std::string_view(lines).substr(begin, end - begin)) + "\n";
    begin = end + 1;
  }
  return out;
}

/// As the argument of a macro.
std::string macro_argument(std::string_view text) {
  std::string out;
  for (const char c : plain(text)) {
    if (c == '"') {
      out += "\\(dq";
    } else {
      out += c;
    }
  }
  return "\"" + out + "\"";
}

std::string bold(std::string_view text) { return "\\fB" + plain(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + plain(text) + "\\fR"; }

std::string option_heading(const OptionEntry& option) {
  std::string text;
  for (const std::string& flag : option.flags) text += (text.empty() ? "" : ", ") + bold(flag);
  if (option.flags.empty()) return italic(option.name);
  return option.label.empty() ? text : text + " " + italic(option.label);
}

std::string entry(const std::string& head, std::string_view text) {
  return fmt::format(".TP\n{}\n{}", head, paragraph(text));
}

std::string examples_of(const CommandEntry& command) {
  std::string text = ".PP\nExamples:\n.PP\n.in +2n\n.EX\n";
  for (const std::string& example : command.examples) text += plain(example) + "\n";
  return text + ".EE\n.in\n";
}

/// The part of a page that says the same once.
class Page {
 public:
  explicit Page(const CommandTree& tree) : tree_(tree) {}

  [[nodiscard]] std::string commands() {
    std::string text = ".SH COMMANDS\n" + paragraph("Every command has:");
    for (const OptionEntry& option : tree_.commands.front().options) {
      if (is_common(option)) text += entry(option_heading(option), full_description(option));
    }
    for (const CommandEntry& command : tree_.commands) text += command_text(command);
    return text;
  }

 private:
  [[nodiscard]] bool is_common(const OptionEntry& option) const {
    return std::all_of(
        tree_.commands.begin(), tree_.commands.end(), [&](const CommandEntry& command) {
          return std::any_of(command.options.begin(), command.options.end(),
                             [&](const OptionEntry& other) { return other.name == option.name; });
        });
  }

  [[nodiscard]] std::string options_of(const CommandEntry& command) const {
    std::string text;
    for (const OptionEntry& argument : command.arguments) {
      text += entry(option_heading(argument), full_description(argument));
    }
    for (const std::string& group : command.groups()) {
      for (const OptionEntry& option : command.options) {
        if (option.group != group || is_common(option)) continue;
        text += entry(option_heading(option), full_description(option));
      }
    }
    return text;
  }

  /// The names an argument may have, where its description does not list them.
  [[nodiscard]] std::string names_of(const CommandEntry& command) {
    std::string text;
    for (const OptionEntry& argument : command.arguments) {
      const std::string names = joined(argument.values.words, ", ");
      if (names.empty() || argument.values.kind == ValueWords::Kind::closed) continue;
      const auto [place, is_new] = told_.try_emplace(names, command.title);
      text += ".PP\n" + paragraph("Names that " + argument.name + " may be: " +
                                  (is_new ? names : "those of " + place->second) + ".");
    }
    return text;
  }

  [[nodiscard]] std::string command_text(const CommandEntry& command) {
    const std::string usage = command.usage.empty() ? "" : " " + command.usage;
    return fmt::format(".SS {}\n{}{}{}{}", macro_argument(command.title + usage),
                       paragraph(command.description + "."), options_of(command), names_of(command),
                       examples_of(command));
  }

  const CommandTree& tree_;
  std::map<std::string, std::string> told_;  ///< names, and the command they stand under
};

std::string exit_status() {
  std::string text = ".SH EXIT STATUS\n";
  for (const ExitCode& code : kExitCodes) {
    text += entry(bold(std::to_string(code.code)), fmt::format("{}.", code.meaning));
  }
  return text;
}

std::string lower_first(std::string text) {
  if (text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

}  // namespace

std::string man_page(const CommandTree& tree, const std::string& version) {
  const CommandEntry& program = tree.program;
  std::string text = fmt::format(".TH TANDEM 1 \"\" {} \"Tandem manual\"\n.ad l\n",
                                 macro_argument(program.name + " " + version));
  text +=
      fmt::format(".SH NAME\n{} \\- {}\n", program.name, plain(lower_first(program.description)));
  text += fmt::format(".SH SYNOPSIS\n{} {}\n", bold(program.name), plain(program.usage));
  text += ".SH DESCRIPTION\n" +
          paragraph(
              "Records what an overlapped, speculative (multi-token prediction) serving runtime "
              "does in each step, replays the records against an independent state machine and "
              "names the first step, slot and field where host and device part.");
  for (const OptionEntry& option : program.options) {
    text += entry(option_heading(option), full_description(option));
  }
  text += examples_of(program) + Page(tree).commands() + exit_status();
  text += ".SH ENVIRONMENT\n" +
          entry(bold("NO_COLOR"), "Set and not empty: no colour, unless --color asks for it.") +
          entry(bold("TERM"), "dumb: neither colour nor a progress bar.");
  text += ".SH FILES\n" +
          entry(italic("NAME") + bold(".part"),
                "An output that is not whole. It gets its name when it is; after a crash or on a "
                "full disk it keeps the steps up to the last complete block, and every command "
                "that reads a trace takes it.");
  return text;
}

}  // namespace tandem::cli
