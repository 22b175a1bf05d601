// Reads a CLI::App.
#include "tools/cli/command_tree.hpp"

#include <algorithm>

#include "tools/cli/help_text.hpp"
#include "tools/cli/options.hpp"

namespace tandem::cli {
namespace {

constexpr const char* kDefaultGroup = "Options";  ///< CLI11's
constexpr std::size_t kJoinedMax = 24;            ///< columns of a label made of words

/// What CLI11 has no place for, kept where it asks for help.
class HelpFormat final : public CLI::FormatterBase {
 public:
  HelpFormat(CLI::App& app, std::string usage, std::vector<std::string> examples)
      : app_(app), usage_(std::move(usage)), examples_(std::move(examples)) {}

  std::string make_help(const CLI::App* /*app*/, std::string /*name*/,
                        CLI::AppFormatMode /*mode*/) const override {
    return help_text(read_commands(app_));
  }
  [[nodiscard]] const std::string& usage() const { return usage_; }
  [[nodiscard]] const std::vector<std::string>& examples() const { return examples_; }

 private:
  CLI::App& app_;
  std::string usage_;
  std::vector<std::string> examples_;
};

bool label_tells_words(const OptionEntry& option) {
  return option.values.kind == ValueWords::Kind::closed &&
         option.label == joined(option.values.words, "|");
}

std::string label_of(CLI::Option& option, const ValueWords& values) {
  if (option.get_items_expected_max() == 0) return "";
  std::string words = joined(values.words, "|");
  const bool fits = !words.empty() && words.size() <= kJoinedMax;
  if (values.kind == ValueWords::Kind::closed && fits) return words;
  return option.get_option_text().empty() ? "VALUE" : option.get_option_text();
}

OptionEntry read_option(CLI::Option& option) {
  OptionEntry entry;
  const std::optional<ValueWords> values = value_words(option);
  if (values) entry.values = *values;
  entry.description = option.get_description();
  entry.group = option.get_group();
  entry.required = option.get_required();
  entry.repeats = option.get_items_expected_max() > 1;
  const bool is_argument = option.get_positional();
  if (is_argument) {
    entry.name = option.get_name(true, false);
    entry.label = entry.name;
    entry.files = !values || values->kind == ValueWords::Kind::or_file;
  } else {
    for (const std::string& name : option.get_snames()) entry.flags.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) entry.flags.push_back("--" + name);
    entry.name = entry.flags.back();
    entry.label = label_of(option, entry.values);
    entry.files = entry.label == "FILE";
    if (!entry.label.empty() && !entry.repeats) entry.default_value = option.get_default_str();
  }
  return entry;
}

const HelpFormat& format_of(const CLI::App& app) {
  const auto* format = dynamic_cast<const HelpFormat*>(app.get_formatter().get());
  TANDEM_CHECK(format != nullptr);  // every command calls set_help()
  return *format;
}

}  // namespace

std::vector<std::string> CommandEntry::groups() const {
  std::vector<std::string> names;
  for (const OptionEntry& option : options) {
    const bool known = std::find(names.begin(), names.end(), option.group) != names.end();
    if (!known && option.group != kDefaultGroup) names.push_back(option.group);
  }
  names.emplace_back(kDefaultGroup);
  return names;
}

std::string joined(const std::vector<std::string>& words, std::string_view between) {
  std::string text;
  for (const std::string& word : words) text.append(text.empty() ? "" : between).append(word);
  return text;
}

std::string first_sentence(std::string_view text) {
  return std::string(text.substr(0, text.find(". ")));
}

std::string full_description(const OptionEntry& option) {
  std::string text = option.description;
  if (option.values.kind == ValueWords::Kind::closed && !option.values.words.empty() &&
      !label_tells_words(option)) {
    text += ": " + joined(option.values.words, ", ");
  }
  if (!option.default_value.empty()) text += " (default: " + option.default_value + ")";
  return text;
}

std::string heading(const OptionEntry& option) {
  if (option.flags.empty()) return option.name;
  return joined(option.flags, ",") + (option.label.empty() ? "" : " " + option.label);
}

CommandEntry read_command(CLI::App& app) {
  CommandEntry entry;
  CLI::App* parent = app.get_parent();
  entry.name = app.get_name();
  entry.title = (parent == nullptr ? "" : parent->get_name() + " ") + entry.name;
  entry.usage = format_of(app).usage();
  entry.description = app.get_description();
  entry.examples = format_of(app).examples();
  for (CLI::Option* option : app.get_options([](CLI::Option*) { return true; })) {
    (option->get_positional() ? entry.arguments : entry.options).push_back(read_option(*option));
  }
  return entry;
}

CommandTree read_commands(CLI::App& app) {
  CommandTree tree;
  tree.program = read_command(app);
  for (CLI::App* sub : app.get_subcommands([](CLI::App*) { return true; })) {
    tree.commands.push_back(read_command(*sub));
  }
  return tree;
}

void set_help(CLI::App& app, const std::string& usage, const std::vector<std::string>& examples) {
  app.formatter(std::make_shared<HelpFormat>(app, usage, examples));
}

}  // namespace tandem::cli
