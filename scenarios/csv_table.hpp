// A CSV file with a header: columns by name, fields with their places.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "scenarios/line_reader.hpp"
#include "traces/base/result.hpp"

namespace tandem {

/// Longest header of a CSV we read, in columns.
constexpr std::size_t kCsvColumnsMax = 256;

struct CsvField {
  std::string_view text;   ///< without the quotes around it; doubled quotes inside stay doubled
  std::size_t column = 1;  ///< 1-based byte where the field starts; its end where it is absent
  bool found = false;
};

/// The field number `index` (from 0) of a line. Commas inside double quotes separate nothing.
[[nodiscard]] CsvField csv_field(std::string_view line, std::size_t index);

/// True where a header names all of these columns.
[[nodiscard]] bool has_columns(std::string_view header, std::span<const std::string_view> names);

/// Rows of a CSV. Columns that nobody asked for are passed over.
class CsvTable {
 public:
  /// Reads the header, the first line.
  [[nodiscard]] static Result<CsvTable> open(LineReader lines);

  /// The index of a column; nullopt where there is none; an Error where there are two.
  [[nodiscard]] Result<std::optional<std::size_t>> column(std::string_view name) const;
  /// The same, and an Error with `remedy` where there is none.
  [[nodiscard]] Result<std::size_t> required_column(std::string_view name,
                                                    std::string_view remedy) const;

  /// The next row, valid until the next call; nullopt at the end. Errors for an empty line that is
  /// not the last.
  [[nodiscard]] Result<std::optional<std::string_view>> next();

  /// A count of tokens in the row: an integer in [0, 2^31 - 1].
  [[nodiscard]] Result<std::int32_t> tokens(const CsvField& field) const;

  [[nodiscard]] const LineReader& lines() const { return lines_; }

 private:
  explicit CsvTable(LineReader lines) : lines_(std::move(lines)) {}

  LineReader lines_;
  std::string header_;
};

}  // namespace tandem
