// Validators that carry their words.
#include "tools/cli/option_values.hpp"

#include <array>
#include <sstream>

#include "tools/cli/options.hpp"

namespace tandem::cli {
namespace {

constexpr const char* kName = "words";
constexpr std::array<const char*, 4> kKinds{"closed", "open", "or_file", "list"};

/// CLI11 keeps copies of the base class, so the words travel in the description: kind, then words.
CLI::Validator words_validator(ValueWords::Kind kind, const std::vector<std::string_view>& words,
                               std::function<std::string(std::string&)> check) {
  std::string description = kKinds[static_cast<std::size_t>(kind)];
  for (const std::string_view word : words) description.append(" ").append(word);
  return CLI::Validator(std::move(check), description, kName);
}

std::string take_all(std::string& /*text*/) { return {}; }

}  // namespace

CLI::Validator one_of(const std::vector<std::string_view>& words) {
  const std::vector<std::string> names(words.begin(), words.end());
  return words_validator(ValueWords::Kind::closed, words, [names](std::string& text) {
    const std::vector<std::string_view> views(names.begin(), names.end());
    const Result<std::size_t> found = parse_choice("", text, views);
    return found.ok() ? std::string() : found.error().text.substr(2);  // behind ": "
  });
}

CLI::Validator suggest(const std::vector<std::string_view>& words) {
  return words_validator(ValueWords::Kind::open, words, take_all);
}

CLI::Validator suggest_or_file(const std::vector<std::string_view>& words) {
  return words_validator(ValueWords::Kind::or_file, words, take_all);
}

CLI::Validator suggest_list(const std::vector<std::string_view>& words) {
  return words_validator(ValueWords::Kind::list, words, take_all);
}

std::optional<ValueWords> value_words(CLI::Option& option) {
  std::string description;
  try {
    description = option.get_validator(kName)->get_description();
  } catch (const CLI::OptionNotFound&) {  // the only way CLI11 says that there is none
    return std::nullopt;
  }
  std::istringstream words(description);
  std::string word;
  words >> word;
  ValueWords out;
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (word == kKinds[i]) out.kind = static_cast<ValueWords::Kind>(i);
  }
  while (words >> word) out.words.push_back(word);
  return out;
}

}  // namespace tandem::cli
