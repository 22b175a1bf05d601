// Request traces in CSV whose times are seconds: BurstGPT and Vidur.
#include <utility>

#include "scenarios/csv_table.hpp"
#include "scenarios/request_trace.hpp"

namespace tandem {
namespace {

struct Columns {
  std::optional<std::size_t> time;
  std::size_t prompt = 0;
  std::size_t output = 0;
};

class SecondsCsv final : public RequestTrace {
 public:
  SecondsCsv(CsvTable table, Columns columns) : table_(std::move(table)), columns_(columns) {}

  Result<std::optional<TraceRow>> next() override {
    TANDEM_TRY(const std::optional<std::string_view> line, table_.next());
    if (!line) return std::optional<TraceRow>{};
    TraceRow row;
    row.line = lines().line();
    if (columns_.time) {
      const CsvField field = csv_field(*line, *columns_.time);
      TANDEM_TRY(const std::int64_t time, trace_time(lines(), field.text, 0, field.column));
      TANDEM_TRY(row.arrival, clock_.since_first(lines(), time, field.column, field.text));
    }
    const CsvField prompt = csv_field(*line, columns_.prompt);
    row.prompt_column = prompt.column;
    TANDEM_TRY(row.prompt, table_.tokens(prompt));
    TANDEM_TRY(row.output, table_.tokens(csv_field(*line, columns_.output)));
    return std::optional<TraceRow>{row};
  }
  [[nodiscard]] bool has_times() const override { return columns_.time.has_value(); }
  [[nodiscard]] const LineReader& lines() const override { return table_.lines(); }

 private:
  CsvTable table_;
  Columns columns_;
  TraceClock clock_;
};

}  // namespace

Result<std::unique_ptr<RequestTrace>> open_burstgpt_trace(LineReader lines) {
  constexpr std::string_view kRemedy = "give a file of BurstGPT, version 1, 2 or 3";
  TANDEM_TRY(CsvTable table, CsvTable::open(std::move(lines)));
  Columns columns;
  TANDEM_TRY(columns.time, table.required_column("Timestamp", kRemedy));
  TANDEM_TRY(columns.prompt, table.required_column("Request tokens", kRemedy));
  TANDEM_TRY(columns.output, table.required_column("Response tokens", kRemedy));
  return std::unique_ptr<RequestTrace>(std::make_unique<SecondsCsv>(std::move(table), columns));
}

Result<std::unique_ptr<RequestTrace>> open_vidur_trace(LineReader lines) {
  constexpr std::string_view kRemedy = "give a processed trace of Vidur";
  TANDEM_TRY(CsvTable table, CsvTable::open(std::move(lines)));
  Columns columns;
  TANDEM_TRY(columns.time, table.column("arrived_at"));
  TANDEM_TRY(columns.prompt, table.required_column("num_prefill_tokens", kRemedy));
  TANDEM_TRY(columns.output, table.required_column("num_decode_tokens", kRemedy));
  return std::unique_ptr<RequestTrace>(std::make_unique<SecondsCsv>(std::move(table), columns));
}

}  // namespace tandem
