// A pull scanner over one JSON value: tokens with their columns, nothing built, nothing held.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "traces/base/result.hpp"

namespace tandem {

enum class JsonTokenKind : std::uint8_t {
  begin_object,
  end_object,
  begin_array,
  end_array,
  key,
  text,
  number,
  boolean,
  null,
  end  ///< behind the value: nothing but blanks is left
};

struct JsonToken {
  JsonTokenKind kind = JsonTokenKind::end;
  std::string_view text;   ///< key, text: between the quotes, escapes as they stand; else literal
  std::size_t column = 0;  ///< 1-based byte of its first character
};

/// What is wrong with a text, and where.
struct JsonFault {
  std::size_t column = 0;
  std::string found;
  std::string wanted;
};

/// Walks one value of JSON's grammar without recursion; containers nest at most kDepthMax deep. A
/// text cut off in the middle gives its whole tokens first. After a fault or `end` nothing follows.
class JsonScanner {
 public:
  static constexpr std::size_t kDepthMax = 64;

  explicit JsonScanner(std::string_view text) : text_(text) {}

  /// The next token; nullopt where the text breaks the grammar: fault() says how.
  [[nodiscard]] std::optional<JsonToken> next();

  /// Passes over the rest of the value that `first` opened; false on a fault.
  [[nodiscard]] bool skip(const JsonToken& first);

  [[nodiscard]] const JsonFault& fault() const { return fault_; }

 private:
  enum class Expect : std::uint8_t { value, value_or_end, key, key_or_end, comma_or_end, done };

  std::optional<JsonToken> broken(std::size_t at, std::string wanted);
  std::optional<JsonToken> open(JsonTokenKind kind);
  std::optional<JsonToken> close();
  std::optional<JsonToken> value();
  std::optional<JsonToken> word(std::string_view word, JsonTokenKind kind);
  std::optional<JsonToken> number();
  std::optional<JsonToken> key();
  /// The text between quotes that starts at offset_; nullopt on a fault.
  std::optional<std::string_view> quoted();
  void skip_blanks();
  void value_done();

  std::string_view text_;
  std::size_t offset_ = 0;
  Expect expect_ = Expect::value;
  std::vector<bool> in_object_;  ///< of each open container
  JsonFault fault_;
};

}  // namespace tandem
