// Rows of the Azure LLM inference trace 2023 (CSV), one after the other, with exact times.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "traces/base/ids.hpp"
#include "traces/base/result.hpp"

namespace tandem {

struct AzureRow {
  Nanos arrival = 0;  ///< since the first row
  std::int32_t prompt = 0;
  std::int32_t output = 0;
  std::int64_t line = 0;          ///< 1-based
  std::size_t prompt_column = 0;  ///< 1-based, where ContextTokens starts
};

/// Reads the columns TIMESTAMP (YYYY-MM-DD hh:mm:ss with seven fractional digits), ContextTokens
/// and GeneratedTokens, found by name in the header; others are passed over. A line may end in CR
/// LF, the last one in nothing. Errors name `path:line:column`.
class AzureCsv {
 public:
  /// Reads the header.
  [[nodiscard]] static Result<AzureCsv> open(std::string path, std::string text);

  /// The next row; nullopt at the end. Rows are in order of time; tokens may be 0.
  [[nodiscard]] Result<std::optional<AzureRow>> next();

  [[nodiscard]] Error fail(std::int64_t line, std::size_t column, std::string_view found,
                           std::string_view wanted, std::string_view remedy = {}) const;

 private:
  struct Field {
    std::size_t begin = 0;  ///< offset in the line
    std::string_view text;
    bool found = false;
  };

  AzureCsv(std::string path, std::string text) : path_(std::move(path)), text_(std::move(text)) {}
  [[nodiscard]] std::optional<std::string_view> next_line();
  [[nodiscard]] Status read_header();
  [[nodiscard]] Result<std::int32_t> tokens(const Field& field) const;
  [[nodiscard]] static Field field_at(std::string_view line, std::size_t index);

  std::string path_;
  std::string text_;
  std::size_t offset_ = 0;
  std::int64_t line_ = 0;
  std::size_t time_index_ = 0;
  std::size_t prompt_index_ = 0;
  std::size_t output_index_ = 0;
  std::optional<std::int64_t> first_ticks_;
  std::int64_t last_ticks_ = 0;
};

/// 100 ns since 1970-01-01 of "YYYY-MM-DD hh:mm:ss.fffffff", or nullopt where it is no such time.
[[nodiscard]] std::optional<std::int64_t> ticks_of(std::string_view timestamp);

}  // namespace tandem
