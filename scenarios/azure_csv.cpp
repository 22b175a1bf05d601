// The Azure CSV reader: fields by column name, dates by exact arithmetic, errors by place.
#include "scenarios/azure_csv.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "scenarios/json_tree.hpp"

namespace tandem {
namespace {

constexpr std::int64_t kTicksPerSecond = 10'000'000;

/// Days since 1970-01-01 of a date of the Gregorian calendar; years are counted from March, so that
/// the day that leap years add is the last of its year.
std::int64_t days_of(std::int64_t year, std::int64_t month, std::int64_t day) {
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t from_march = (month + 9) % 12;
  return 365 * y + y / 4 - y / 100 + y / 400 + (153 * from_march + 2) / 5 + (day - 1) - 719'468;
}

std::int64_t days_in_month(std::int64_t year, std::int64_t month) {
  constexpr std::array<std::int64_t, 12> kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return kDays[static_cast<std::size_t>(month - 1)] + (month == 2 && leap ? 1 : 0);
}

}  // namespace

std::optional<std::int64_t> ticks_of(std::string_view timestamp) {
  constexpr std::string_view kForm = "dddd-dd-dd dd:dd:dd.ddddddd";
  if (timestamp.size() != kForm.size()) return std::nullopt;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    const bool digit = timestamp[i] >= '0' && timestamp[i] <= '9';
    if (kForm[i] == 'd' ? !digit : timestamp[i] != kForm[i]) return std::nullopt;
  }
  const auto number = [timestamp](std::size_t begin, std::size_t size) {
    std::int64_t value = 0;
    for (const char c : timestamp.substr(begin, size)) value = value * 10 + (c - '0');
    return value;
  };
  const std::int64_t year = number(0, 4);
  const std::int64_t month = number(5, 2);
  const std::int64_t day = number(8, 2);
  const std::int64_t hour = number(11, 2);
  const std::int64_t minute = number(14, 2);
  const std::int64_t second = number(17, 2);
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) ||
      hour > 23 || minute > 59 || second > 59) {
    return std::nullopt;
  }
  const std::int64_t seconds =
      ((days_of(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
  return seconds * kTicksPerSecond + number(20, 7);
}

Result<AzureCsv> AzureCsv::open(std::string path, std::string text) {
  AzureCsv csv(std::move(path), std::move(text));
  TANDEM_RETURN_IF_ERROR(csv.read_header());
  return csv;
}

Error AzureCsv::fail(std::int64_t line, std::size_t column, std::string_view found,
                     std::string_view wanted, std::string_view remedy) const {
  return Error::make(fmt::format("{}:{}:{}", path_, line, column), fmt::format("got {}", found),
                     wanted, remedy);
}

std::optional<std::string_view> AzureCsv::next_line() {
  if (offset_ >= text_.size()) return std::nullopt;
  const std::string_view rest = std::string_view(text_).substr(offset_);
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  offset_ += end + 1;
  ++line_;
  std::string_view line = rest.substr(0, end);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

AzureCsv::Field AzureCsv::field_at(std::string_view line, std::size_t index) {
  std::size_t begin = 0;
  for (; index > 0; --index) {
    const std::size_t comma = line.find(',', begin);
    if (comma == std::string_view::npos) return {line.size(), {}, false};
    begin = comma + 1;
  }
  const std::size_t end = std::min(line.find(',', begin), line.size());
  return {begin, line.substr(begin, end - begin), true};
}

Status AzureCsv::read_header() {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text_.compare(0, kByteOrderMark.size(), kByteOrderMark) == 0) {
    offset_ = kByteOrderMark.size();
  }
  const std::string_view line = next_line().value_or(std::string_view{});
  struct Wanted {
    std::string_view name;
    std::size_t* index;
  };
  for (const auto& [name, index] :
       {Wanted{"TIMESTAMP", &time_index_}, Wanted{"ContextTokens", &prompt_index_},
        Wanted{"GeneratedTokens", &output_index_}}) {
    int times = 0;
    for (std::size_t i = 0;; ++i) {
      const Field field = field_at(line, i);
      if (!field.found) break;
      if (field.text != name) continue;
      *index = i;
      if (++times > 1) {
        return fail(1, field.begin + 1, fmt::format("a second column {}", name), "one",
                    "delete or rename one of the two");
      }
    }
    if (times == 0) {
      return fail(1, 1, shown_text(line), fmt::format("a header with a column {}", name),
                  "give a file of the Azure LLM inference trace 2023");
    }
  }
  return {};
}

Result<std::int32_t> AzureCsv::tokens(const Field& field) const {
  std::int32_t value = 0;
  const char* end = field.text.data() + field.text.size();
  const auto read = std::from_chars(field.text.data(), end, value);
  if (!field.found || read.ec != std::errc{} || read.ptr != end || value < 0) {
    return fail(line_, field.begin + 1, field.found ? shown_text(field.text) : "no such column",
                "an integer in [0, 2147483647]", "correct or delete the line");
  }
  return value;
}

Result<std::optional<AzureRow>> AzureCsv::next() {
  const auto line = next_line();
  if (!line) return std::optional<AzureRow>{};
  if (line->empty()) {
    if (offset_ >= text_.size()) return std::optional<AzureRow>{};
    return fail(line_, 1, "an empty line", "a row", "delete the line");
  }
  const Field time = field_at(*line, time_index_);
  const auto ticks = ticks_of(time.text);
  if (!ticks) {
    return fail(line_, time.begin + 1, time.found ? shown_text(time.text) : "no such column",
                "a time YYYY-MM-DD hh:mm:ss.fffffff", "correct or delete the line");
  }
  if (!first_ticks_) first_ticks_ = last_ticks_ = *ticks;
  if (*ticks < last_ticks_) {
    return fail(line_, time.begin + 1, shown_text(time.text), "a time not before the row above",
                "sort the rows by time");
  }
  last_ticks_ = *ticks;
  // Beyond 2^63 ns (292 years) there is no time of ours.
  constexpr std::int64_t kTicksMax = INT64_MAX / 100;
  if (*ticks - *first_ticks_ > kTicksMax) {
    return fail(line_, time.begin + 1, shown_text(time.text),
                "a time within 290 years of the first", "correct or delete the line");
  }
  AzureRow row;
  row.arrival = (*ticks - *first_ticks_) * 100;
  row.line = line_;
  const Field prompt = field_at(*line, prompt_index_);
  row.prompt_column = prompt.begin + 1;
  TANDEM_TRY(row.prompt, tokens(prompt));
  TANDEM_TRY(row.output, tokens(field_at(*line, output_index_)));
  return std::optional<AzureRow>{row};
}

}  // namespace tandem
