// What the readers of JSON lines share: members of an object, numbers with their places.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "scenarios/json_scanner.hpp"
#include "scenarios/line_reader.hpp"
#include "traces/base/result.hpp"

namespace tandem {

/// A number of a row, once it was seen.
struct JsonField {
  std::string_view key;
  bool required = true;
  JsonToken token;  ///< column 0: absent
  [[nodiscard]] bool found() const { return token.column > 0; }
};

/// One object of a line, and the lists in it.
class JsonRow {
 public:
  /// Called in front of the value of a key that is no field: returns true where it read the value.
  using Other = std::function<Result<bool>(std::string_view key, JsonScanner& scanner)>;

  explicit JsonRow(const LineReader& lines) : lines_(lines) {}

  /// Reads the line's only value, an object.
  Status read_line(std::string_view line, std::span<JsonField> fields, const Other& other);
  /// Reads the members behind a `begin_object` at `column`, to its end. Values of keys that nobody
  /// wants are passed over; a field given twice, or absent though required, is refused.
  Status read_members(JsonScanner& scanner, std::size_t column, std::span<JsonField> fields,
                      const Other& other);
  /// Calls `item` for each value of the list that comes next.
  Status read_list(JsonScanner& scanner, std::string_view key,
                   const std::function<Status(const JsonToken&)>& item);

  [[nodiscard]] Result<std::int32_t> tokens(const JsonField& field) const;
  [[nodiscard]] Error fail(const JsonToken& token, std::string_view wanted) const;
  [[nodiscard]] Error broken(const JsonScanner& scanner) const;

 private:
  const LineReader& lines_;
};

}  // namespace tandem
