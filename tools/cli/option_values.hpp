// What an option's value may be: checked at parsing, listed by help, man page and completion.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

namespace tandem::cli {

/// The words that stand for an option's value.
struct ValueWords {
  enum class Kind : std::uint8_t {
    closed,   ///< one of them, everything else is refused
    open,     ///< offered; other values are taken too
    or_file,  ///< the same; a file's name is such a value
    list      ///< several, separated by commas; not checked here
  };
  Kind kind = Kind::open;
  std::vector<std::string> words;  ///< without blanks

  bool operator==(const ValueWords&) const = default;
};

/// For Option::check(), one of these an option. No word stands for a value that cannot be offered,
/// such as a number. `one_of` refuses other values in the words of
/// parse_choice().
[[nodiscard]] CLI::Validator one_of(const std::vector<std::string_view>& words);
[[nodiscard]] CLI::Validator suggest(const std::vector<std::string_view>& words);
[[nodiscard]] CLI::Validator suggest_or_file(const std::vector<std::string_view>& words);
[[nodiscard]] CLI::Validator suggest_list(const std::vector<std::string_view>& words);

/// What check() was given, or nothing.
[[nodiscard]] std::optional<ValueWords> value_words(CLI::Option& option);

}  // namespace tandem::cli
