// The schema of a scenario as one table: errors, defaults and SCHEMA.md all come from it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/json_tree.hpp"
#include "traces/base/result.hpp"

namespace tandem {

/// What a key may hold.
enum class KeyType : std::uint8_t {
  group,    ///< an object with keys of its own
  integer,  ///< in [min, max]
  seed,     ///< an integer in [0, 2^64 - 1]
  decimal,  ///< a number; min and max are in units of 10^-digits
  boolean,
  text,      ///< min to max bytes
  choice,    ///< one of `choices`
  integers,  ///< a list of 1 to size_max integers
  decimals,  ///< a list of 1 to size_max numbers
  lists,     ///< a list of 1 to size_max lists of 1 to size_max integers
  groups     ///< a list of 1 to size_max objects; their keys stand under `path.*`
};

/// One way to use one key. A key that may hold values of two types has two rows.
struct KeySpec {
  std::string_view path;  ///< as in an override; list indices are "*"
  KeyType type = KeyType::group;
  std::int64_t min = 0;
  std::int64_t max = 0;
  int digits = 0;             ///< decimal(s)
  std::int64_t size_max = 0;  ///< integers, decimals, lists, groups
  std::string_view choices;   ///< "a|b"
  std::string_view kinds;     ///< only where the key `kind` beside it has one of these; "": always
  std::string_view fallback;  ///< JSON of the default; "": none
  bool required = false;      ///< must be given (where `kinds` allows it)
  std::string_view help;
};

/// Every key, in the order of the documentation.
[[nodiscard]] const std::vector<KeySpec>& schema();

/// A scenario's tree with what an error needs to name a value.
struct Document {
  JsonNode root;
  std::string name;                    ///< file, for errors
  std::vector<std::string> overrides;  ///< those of JsonNode::override_index

  /// The value at a dotted path ("workload.requests.0.prompt"), or nullptr.
  [[nodiscard]] const JsonNode* at(std::string_view path) const;
  /// An error about the key at a dotted path; `found` goes behind "got ".
  [[nodiscard]] Error fail(std::string_view path, std::string_view found, std::string_view wanted,
                           std::string_view remedy = {}) const;
  /// The same with the value that stands there.
  [[nodiscard]] Error fail_value(std::string_view path, std::string_view wanted,
                                 std::string_view remedy = {}) const;
};

/// The row for `path` in an object whose `kind` is `kind`, or nullptr. Where two rows differ in
/// type only, the one that `value` fits is taken, else the first.
[[nodiscard]] const KeySpec* find_spec(std::string_view path, std::string_view kind,
                                       const JsonNode& value);
[[nodiscard]] bool applies(const KeySpec& spec, std::string_view kind);
[[nodiscard]] bool fits_type(const KeySpec& spec, const JsonNode& value);

/// Puts "key=value" overrides into the document; `null` takes a key away. A new `kind` drops those
/// of the file's keys beside it that it cannot use.
[[nodiscard]] Status apply_overrides(Document& document);

/// Gives every absent key its default, then checks every key, type and range against the table.
[[nodiscard]] Status check_against_schema(Document& document);

/// "an integer in [1, 512]"
[[nodiscard]] std::string wanted_text(const KeySpec& spec);
/// The content of scenarios/SCHEMA.md: the table, the rules beyond it, and the catalogue.
[[nodiscard]] std::string schema_markdown();

}  // namespace tandem
