// CSV fields by one scan of a line; quotes as spreadsheets write them.
#include "scenarios/csv_table.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "scenarios/exact_number.hpp"
#include "scenarios/json_tree.hpp"

namespace tandem {
namespace {

/// One past the last byte of the field that starts at `begin`.
std::size_t field_end(std::string_view line, std::size_t begin) {
  if (begin < line.size() && line[begin] == '"') {
    std::size_t at = begin + 1;
    while (at < line.size()) {
      const std::size_t quote = std::min(line.find('"', at), line.size());
      at = quote + 1;
      if (quote + 1 >= line.size() || line[quote + 1] != '"') break;
      ++at;  // a doubled quote is part of the text
    }
    return std::min(line.find(',', std::min(at, line.size())), line.size());
  }
  return std::min(line.find(',', begin), line.size());
}

}  // namespace

CsvField csv_field(std::string_view line, std::size_t index) {
  std::size_t begin = 0;
  for (; index > 0; --index) {
    const std::size_t end = field_end(line, begin);
    if (end == line.size()) return {{}, line.size() + 1, false};
    begin = end + 1;
  }
  std::string_view text = line.substr(begin, field_end(line, begin) - begin);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    text = text.substr(1, text.size() - 2);
  }
  return {text, begin + 1, true};
}

bool has_columns(std::string_view header, std::span<const std::string_view> names) {
  std::size_t found = 0;
  for (std::size_t i = 0; i < kCsvColumnsMax; ++i) {
    const CsvField field = csv_field(header, i);
    if (!field.found) break;
    if (std::find(names.begin(), names.end(), field.text) != names.end()) ++found;
  }
  return found >= names.size();
}

Result<CsvTable> CsvTable::open(LineReader lines) {
  CsvTable table(std::move(lines));
  TANDEM_TRY(const std::optional<std::string_view> header, table.lines_.next());
  table.header_ = header.value_or(std::string_view{});
  if (csv_field(table.header_, kCsvColumnsMax).found) {
    return table.lines_.fail(1, "a header of more columns",
                             fmt::format("at most {} columns", kCsvColumnsMax),
                             "give a request trace");
  }
  return table;
}

Result<std::optional<std::size_t>> CsvTable::column(std::string_view name) const {
  std::optional<std::size_t> index;
  for (std::size_t i = 0;; ++i) {
    const CsvField field = csv_field(header_, i);
    if (!field.found) return index;
    if (field.text != name) continue;
    if (index) {
      return lines_.fail_at(1, field.column, fmt::format("a second column {}", name), "one",
                            "delete or rename one of the two");
    }
    index = i;
  }
}

Result<std::size_t> CsvTable::required_column(std::string_view name,
                                              std::string_view remedy) const {
  TANDEM_TRY(const std::optional<std::size_t> index, column(name));
  if (index) return *index;
  return lines_.fail_at(1, 1, shown_text(header_), fmt::format("a header with a column {}", name),
                        remedy);
}

Result<std::optional<std::string_view>> CsvTable::next() {
  TANDEM_TRY(const std::optional<std::string_view> line, lines_.next());
  if (!line || !line->empty()) return line;
  TANDEM_TRY(const bool ended, lines_.at_end());
  if (ended) return std::optional<std::string_view>{};
  return lines_.fail(1, "an empty line", "a row", "delete the line");
}

Result<std::int32_t> CsvTable::tokens(const CsvField& field) const {
  const auto value = exact_integer(field.text);
  if (!field.found || !value || *value < 0 || *value > std::numeric_limits<std::int32_t>::max()) {
    return lines_.fail(field.column, field.found ? shown_text(field.text) : "no such column",
                       "an integer in [0, 2147483647]", "correct or delete the line");
  }
  return static_cast<std::int32_t>(*value);
}

}  // namespace tandem
