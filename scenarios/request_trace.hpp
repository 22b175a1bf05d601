// Request traces of the world: one reader a format, rows in order of time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "scenarios/line_reader.hpp"
#include "scenarios/scenario.hpp"
#include "traces/base/ids.hpp"
#include "traces/base/result.hpp"

namespace tandem {

/// One row as its format has it, before slices, rates and limits.
struct TraceRow {
  Nanos arrival = 0;  ///< since the first row; 0 in a file without times
  std::int32_t prompt = 0;
  std::int32_t output = 0;
  /// Leading prompt tokens in blocks that an earlier request of the trace had, less than the
  /// prompt; -1 where the format names no blocks.
  std::int32_t cached = -1;
  std::int64_t line = 0;          ///< 1-based
  std::size_t prompt_column = 0;  ///< 1-based, where the prompt's length stands

  /// A row of zero tokens is no request.
  [[nodiscard]] bool is_empty() const { return prompt == 0 || output == 0; }
};

/// Hands out rows in order of time and holds nothing but what comes next. After an Error nothing
/// follows. Memory: one line (kLineBytesMax), and what the format's own comment says.
class RequestTrace {
 public:
  RequestTrace() = default;
  RequestTrace(const RequestTrace&) = delete;
  RequestTrace& operator=(const RequestTrace&) = delete;
  virtual ~RequestTrace() = default;

  /// The next row; nullopt at the end. Errors name path:line:column.
  [[nodiscard]] virtual Result<std::optional<TraceRow>> next() = 0;
  /// False where the file holds lengths only.
  [[nodiscard]] virtual bool has_times() const { return true; }
  /// For errors about a row.
  [[nodiscard]] virtual const LineReader& lines() const = 0;
};

/// Name of a kind in `workload.kind`, and the file it reads, for people.
struct TraceKind {
  WorkloadKind kind = WorkloadKind::azure_csv;
  std::string_view name;
  std::string_view file;
};

/// The kind of that name, or nullptr where it reads no file.
[[nodiscard]] const TraceKind* trace_kind(std::string_view name);
[[nodiscard]] const TraceKind* trace_kind(WorkloadKind kind);

/// Tells a request trace by the first bytes of its file: by the columns of a CSV, by the keys of
/// its first JSON object; never by name. nullptr where it is none. `head` should hold the first
/// line; a part of a JSON line is enough where its keys come before the cut.
[[nodiscard]] const TraceKind* detect_trace(std::string_view head);

/// "a, b, c": the files that can be told, for errors.
[[nodiscard]] std::string trace_files_text();

/// A reader of that kind; reads a CSV's header.
[[nodiscard]] Result<std::unique_ptr<RequestTrace>> open_trace(WorkloadKind kind, LineReader lines);

// One a format; open_trace() chooses.

/// Azure LLM inference trace 2023: TIMESTAMP, ContextTokens, GeneratedTokens; see azure_csv.hpp.
[[nodiscard]] Result<std::unique_ptr<RequestTrace>> open_azure_trace(LineReader lines);
/// BurstGPT 1, 2 and 3: Timestamp (s), "Request tokens", "Response tokens", found by name, since
/// version 3 inserts columns.
[[nodiscard]] Result<std::unique_ptr<RequestTrace>> open_burstgpt_trace(LineReader lines);
/// Vidur: arrived_at (s), num_prefill_tokens, num_decode_tokens; without arrived_at lengths only.
[[nodiscard]] Result<std::unique_ptr<RequestTrace>> open_vidur_trace(LineReader lines);
/// Mooncake: timestamp (ms), input_length, output_length, hash_ids of 512-token blocks. Memory
/// beyond a line: that of PrefixBlocks.
[[nodiscard]] Result<std::unique_ptr<RequestTrace>> open_mooncake_trace(LineReader lines);
/// Qwen-Bailian: timestamp (s), input_length, output_length, hash_ids of 16-token blocks. Memory as
/// Mooncake's.
[[nodiscard]] Result<std::unique_ptr<RequestTrace>> open_qwen_trace(LineReader lines);
/// LLMServingSim: input_toks, output_toks and arrival_time_ns or, in a measured run, arrival_time
/// (s); or a session: arrival_time_ns and sub_requests, of which each arrives tool_duration_ns
/// after the one before. (What the one before takes to run is in no file.) Both forms may mix.
/// Memory beyond a line: the sub-requests that lie ahead, 2^20 at most.
[[nodiscard]] Result<std::unique_ptr<RequestTrace>> open_llmservingsim_trace(LineReader lines);

/// Turns the times of a file into times since its first row.
class TraceClock {
 public:
  /// `time` is that of a row, not negative. An Error where it lies before that of the row above;
  /// `text` is the field as it stands at `column` of the last line.
  [[nodiscard]] Result<Nanos> since_first(const LineReader& lines, std::int64_t time,
                                          std::size_t column, std::string_view text);

 private:
  std::optional<std::int64_t> first_;
  std::int64_t last_ = 0;
};

/// A time literal in units of 10^-digits s as nanoseconds; an Error where it is none or negative.
[[nodiscard]] Result<std::int64_t> trace_time(const LineReader& lines, std::string_view literal,
                                              int digits, std::size_t column);

}  // namespace tandem
