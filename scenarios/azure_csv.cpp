// The Azure CSV reader: dates by exact arithmetic.
#include "scenarios/azure_csv.hpp"

#include <array>
#include <utility>

#include "scenarios/csv_table.hpp"
#include "scenarios/json_tree.hpp"
#include "scenarios/request_trace.hpp"

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

namespace {

class AzureTrace final : public RequestTrace {
 public:
  explicit AzureTrace(CsvTable table) : table_(std::move(table)) {}

  Status find_columns() {
    constexpr std::string_view kRemedy = "give a file of the Azure LLM inference trace 2023";
    TANDEM_TRY(time_index_, table_.required_column("TIMESTAMP", kRemedy));
    TANDEM_TRY(prompt_index_, table_.required_column("ContextTokens", kRemedy));
    TANDEM_TRY(output_index_, table_.required_column("GeneratedTokens", kRemedy));
    return {};
  }

  Result<std::optional<TraceRow>> next() override {
    TANDEM_TRY(const std::optional<std::string_view> line, table_.next());
    if (!line) return std::optional<TraceRow>{};
    TraceRow row;
    row.line = lines().line();
    TANDEM_TRY(row.arrival, arrival(csv_field(*line, time_index_)));
    const CsvField prompt = csv_field(*line, prompt_index_);
    row.prompt_column = prompt.column;
    TANDEM_TRY(row.prompt, table_.tokens(prompt));
    TANDEM_TRY(row.output, table_.tokens(csv_field(*line, output_index_)));
    return std::optional<TraceRow>{row};
  }
  [[nodiscard]] const LineReader& lines() const override { return table_.lines(); }

 private:
  Result<Nanos> arrival(const CsvField& field) {
    const auto ticks = ticks_of(field.text);
    if (!ticks) {
      return lines().fail(field.column, field.found ? shown_text(field.text) : "no such column",
                          "a time YYYY-MM-DD hh:mm:ss.fffffff", "correct or delete the line");
    }
    TANDEM_TRY(const std::int64_t since,
               clock_.since_first(lines(), *ticks, field.column, field.text));
    // Beyond 2^63 ns (292 years) there is no time of ours.
    constexpr std::int64_t kTicksMax = INT64_MAX / 100;
    if (since > kTicksMax) {
      return lines().fail(field.column, shown_text(field.text),
                          "a time within 290 years of the first", "correct or delete the line");
    }
    return since * 100;
  }

  CsvTable table_;
  TraceClock clock_;  // in ticks
  std::size_t time_index_ = 0;
  std::size_t prompt_index_ = 0;
  std::size_t output_index_ = 0;
};

}  // namespace

Result<std::unique_ptr<RequestTrace>> open_azure_trace(LineReader lines) {
  TANDEM_TRY(CsvTable table, CsvTable::open(std::move(lines)));
  auto reader = std::make_unique<AzureTrace>(std::move(table));
  TANDEM_RETURN_IF_ERROR(reader->find_columns());
  return std::unique_ptr<RequestTrace>(std::move(reader));
}

}  // namespace tandem
