// JsonRow: one pass over a line that keeps the numbers it was asked for.
#include "scenarios/trace_jsonl.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "scenarios/exact_number.hpp"
#include "scenarios/json_tree.hpp"

namespace tandem {

namespace {

std::string_view kind_text(JsonTokenKind kind) {
  switch (kind) {
    case JsonTokenKind::begin_object:
      return "an object";
    case JsonTokenKind::begin_array:
      return "a list";
    case JsonTokenKind::end_array:
      return "the end of the list";
    default:
      return "something else";
  }
}

}  // namespace

Error JsonRow::broken(const JsonScanner& scanner) const {
  const JsonFault& fault = scanner.fault();
  return lines_.fail(fault.column, fault.found, fault.wanted, "correct or delete the line");
}

Error JsonRow::fail(const JsonToken& token, std::string_view wanted) const {
  const bool literal = token.kind == JsonTokenKind::number ||
                       token.kind == JsonTokenKind::boolean || token.kind == JsonTokenKind::null;
  std::string found;
  if (token.kind == JsonTokenKind::text) {
    found = "the text " + shown_text(token.text);
  } else if (literal) {
    found = token.text.substr(0, 60);
  } else {
    found = kind_text(token.kind);
  }
  return lines_.fail(token.column, found, wanted, "correct or delete the line");
}

Result<std::int32_t> JsonRow::tokens(const JsonField& field) const {
  const auto value = field.token.kind == JsonTokenKind::number ? exact_integer(field.token.text)
                                                               : std::optional<std::int64_t>{};
  if (!value || *value < 0 || *value > std::numeric_limits<std::int32_t>::max()) {
    return fail(field.token, fmt::format("an integer in [0, 2147483647] as {}", field.key));
  }
  return static_cast<std::int32_t>(*value);
}

Status JsonRow::read_members(JsonScanner& scanner, std::size_t column, std::span<JsonField> fields,
                             const Other& other) {
  for (;;) {
    const auto key = scanner.next();
    if (!key) return broken(scanner);
    if (key->kind == JsonTokenKind::end_object) break;
    const auto field = std::find_if(fields.begin(), fields.end(),
                                    [&key](const JsonField& f) { return f.key == key->text; });
    if (field == fields.end()) {
      TANDEM_TRY(const bool read, other(key->text, scanner));
      if (read) continue;
    } else if (field->found()) {
      return lines_.fail(key->column, fmt::format("a second {}", field->key), "one",
                         "delete one of the two");
    }
    const auto value = scanner.next();
    if (!value) return broken(scanner);
    if (field != fields.end()) field->token = *value;
    if (!scanner.skip(*value)) return broken(scanner);
  }
  for (const JsonField& field : fields) {
    if (field.required && !field.found()) {
      return lines_.fail(column, fmt::format("no {}", field.key),
                         fmt::format("an object with the key {}", field.key),
                         "correct or delete the line");
    }
  }
  return {};
}

Status JsonRow::read_line(std::string_view line, std::span<JsonField> fields, const Other& other) {
  JsonScanner scanner(line);
  const auto first = scanner.next();
  if (!first) return broken(scanner);
  if (first->kind != JsonTokenKind::begin_object) return fail(*first, "an object");
  TANDEM_RETURN_IF_ERROR(read_members(scanner, first->column, fields, other));
  if (!scanner.next()) return broken(scanner);  // the end, or more than one value
  return {};
}

Status JsonRow::read_list(JsonScanner& scanner, std::string_view key,
                          const std::function<Status(const JsonToken&)>& item) {
  const auto list = scanner.next();
  if (!list) return broken(scanner);
  if (list->kind != JsonTokenKind::begin_array)
    return fail(*list, fmt::format("a list as {}", key));
  for (;;) {
    const auto token = scanner.next();
    if (!token) return broken(scanner);
    if (token->kind == JsonTokenKind::end_array) return {};
    TANDEM_RETURN_IF_ERROR(item(*token));
  }
}

}  // namespace tandem
