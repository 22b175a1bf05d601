// Kinds of request traces, how each is told from its first bytes, and what all readers share.
#include "scenarios/request_trace.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "scenarios/csv_table.hpp"
#include "scenarios/exact_number.hpp"
#include "scenarios/json_scanner.hpp"
#include "scenarios/json_tree.hpp"

namespace tandem {
namespace {

struct Format {
  TraceKind kind;
  bool is_csv = false;
  /// Columns, or keys, that a file of this format names; more specific formats come first.
  std::vector<std::string_view> names;
  Result<std::unique_ptr<RequestTrace>> (*open)(LineReader lines) = nullptr;
};

const std::vector<Format>& formats() {
  static const std::vector<Format> table{
      {{WorkloadKind::azure_csv, "azure-csv", "Azure LLM inference trace 2023 (CSV)"},
       true,
       {"TIMESTAMP", "ContextTokens", "GeneratedTokens"},
       open_azure_trace},
      {{WorkloadKind::burstgpt_csv, "burstgpt-csv", "BurstGPT (CSV)"},
       true,
       {"Timestamp", "Request tokens", "Response tokens"},
       open_burstgpt_trace},
      {{WorkloadKind::vidur_csv, "vidur-csv", "Vidur (CSV)"},
       true,
       {"num_prefill_tokens", "num_decode_tokens"},
       open_vidur_trace},
      {{WorkloadKind::qwen_jsonl, "qwen-jsonl", "Qwen-Bailian (JSON lines)"},
       false,
       {"chat_id", "timestamp", "input_length", "output_length"},
       open_qwen_trace},
      {{WorkloadKind::mooncake_jsonl, "mooncake-jsonl", "Mooncake (JSON lines)"},
       false,
       {"timestamp", "input_length", "output_length"},
       open_mooncake_trace},
      {{WorkloadKind::llmservingsim_jsonl, "llmservingsim-jsonl", "LLMServingSim (JSON lines)"},
       false,
       {"input_toks", "output_toks"},
       open_llmservingsim_trace},
      {{WorkloadKind::llmservingsim_jsonl, "llmservingsim-jsonl", "LLMServingSim (JSON lines)"},
       false,
       {"arrival_time_ns", "sub_requests"},
       open_llmservingsim_trace}};
  return table;
}

/// The keys of the first object, as far as `head` goes.
std::vector<std::string_view> first_keys(std::string_view head) {
  std::vector<std::string_view> keys;
  JsonScanner scanner(head);
  const auto first = scanner.next();
  if (!first || first->kind != JsonTokenKind::begin_object) return keys;
  while (keys.size() <= kJsonKeysMax) {
    const auto key = scanner.next();
    if (!key || key->kind != JsonTokenKind::key) break;
    keys.push_back(key->text);
    const auto value = scanner.next();
    if (!value || !scanner.skip(*value)) break;
  }
  return keys;
}

bool names_all(const std::vector<std::string_view>& keys, const Format& format) {
  return std::all_of(format.names.begin(), format.names.end(), [&keys](std::string_view name) {
    return std::find(keys.begin(), keys.end(), name) != keys.end();
  });
}

}  // namespace

const TraceKind* trace_kind(std::string_view name) {
  for (const Format& format : formats()) {
    if (format.kind.name == name) return &format.kind;
  }
  return nullptr;
}

const TraceKind* trace_kind(WorkloadKind kind) {
  for (const Format& format : formats()) {
    if (format.kind.kind == kind) return &format.kind;
  }
  return nullptr;
}

std::string trace_files_text() {
  std::string text;
  std::string_view last;  // a format may have more than one row
  for (const Format& format : formats()) {
    if (format.kind.file == last) continue;
    last = format.kind.file;
    text.append(text.empty() ? "" : ", ").append(last);
  }
  return text;
}

const TraceKind* detect_trace(std::string_view head) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (head.substr(0, kByteOrderMark.size()) == kByteOrderMark) {
    head.remove_prefix(kByteOrderMark.size());
  }
  std::string_view header = head.substr(0, std::min(head.find('\n'), head.size()));
  if (!header.empty() && header.back() == '\r') header.remove_suffix(1);
  const std::vector<std::string_view> keys = first_keys(head);
  for (const Format& format : formats()) {
    if (format.is_csv ? has_columns(header, format.names) : names_all(keys, format)) {
      return &format.kind;
    }
  }
  return nullptr;
}

Result<std::unique_ptr<RequestTrace>> open_trace(WorkloadKind kind, LineReader lines) {
  for (const Format& format : formats()) {
    if (format.kind.kind == kind) return format.open(std::move(lines));
  }
  TANDEM_CHECK(false);  // callers ask trace_kind() first
}

Result<Nanos> TraceClock::since_first(const LineReader& lines, std::int64_t time,
                                      std::size_t column, std::string_view text) {
  if (!first_) first_ = last_ = time;
  if (time < last_) {
    return lines.fail(column, shown_text(text), "a time not before the row above",
                      "sort the rows by time");
  }
  last_ = time;
  return time - *first_;
}

Result<std::int64_t> trace_time(const LineReader& lines, std::string_view literal, int digits,
                                std::size_t column) {
  const auto time = exact_units(literal, 9 - digits);
  if (time && *time >= 0) return *time;
  return lines.fail(column, literal.empty() ? "nothing" : shown_text(literal),
                    digits == 0   ? "a time in seconds, 0 or later"
                    : digits == 3 ? "a time in milliseconds, 0 or later"
                                  : "a time in nanoseconds, 0 or later",
                    "correct or delete the line");
}

}  // namespace tandem
