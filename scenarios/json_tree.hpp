// A JSON document as a tree that keeps what a DOM drops: key order and the literals of numbers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "traces/base/result.hpp"

namespace tandem {

/// Limits of a document; a reader of untrusted text must not be made to allocate without bound.
constexpr std::size_t kJsonBytesMax = 16U << 20U;
constexpr std::size_t kJsonValuesMax = 1'000'000;
constexpr std::size_t kJsonKeysMax = 256;  ///< of one object
constexpr int kJsonDepthMax = 16;

enum class JsonKind : std::uint8_t { null, boolean, integer, decimal, text, array, object };

struct JsonMember;

/// One value. Numbers stay literals: a probability is read from its digits, not from a double.
struct JsonNode {
  JsonKind kind = JsonKind::null;
  int override_index = -1;          ///< which override set it; -1: the document
  std::string text;                 ///< the string; or the literal of a number; or "true" / "false"
  std::vector<JsonMember> members;  ///< object, in the order of the document
  std::vector<JsonNode> items;      ///< array

  /// The member of that name, or nullptr; also nullptr where this is no object.
  [[nodiscard]] const JsonNode* find(std::string_view key) const;
  [[nodiscard]] JsonNode* find(std::string_view key);
};

struct JsonMember {
  std::string key;
  JsonNode value;
};

/// Parses one document. Errors name `name:line:column`, a duplicate key its pointer.
[[nodiscard]] Result<JsonNode> parse_json(std::string_view text, const std::string& name);

/// The value as it is shown in an error: one line, at most about 60 characters.
[[nodiscard]] std::string shown(const JsonNode& node);
/// `text` in double quotes with control characters escaped, cut after about 60 characters.
[[nodiscard]] std::string shown_text(std::string_view text);

/// `base` extended by one step, with "~" and "/" escaped as RFC 6901 has it.
[[nodiscard]] std::string pointer_join(const std::string& base, std::string_view key);

/// A decimal literal in units of 10^-digits, rounded to nearest (halves away from zero).
struct FixedPoint {
  std::int64_t units = 0;
  int remainder = 0;      ///< -1, 0, 1: the exact value is below, at, above `units`
  bool overflow = false;  ///< beyond +-10^18 units; `units` is clamped to that
};
/// `literal` must be a number of JSON's grammar.
[[nodiscard]] FixedPoint fixed_point(std::string_view literal, int digits);

}  // namespace tandem
