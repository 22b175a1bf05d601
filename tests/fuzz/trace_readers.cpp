// Fuzzed: `.tbt` and JSONL traces, every block decoded and judged; a trace header alone.
#include <algorithm>
#include <utility>

#include "sim/checks/verify.hpp"
#include "tests/fuzz/readers.hpp"
#include "tests/fuzz/seed_traces.hpp"
#include "tests/support/random_records.hpp"
#include "traces/header_json.hpp"
#include "traces/jsonl_stream.hpp"
#include "traces/plan/plan.hpp"

namespace tandem::fuzz {
namespace {

/// Decodes what the judge did not get to: blocks behind one that is damaged.
void decode_all(const TraceReader& reader) {
  StepRecord record;
  for (std::size_t i = 0; i < reader.blocks().size(); ++i) {
    const auto block = reader.open_block(i);
    if (!block.ok()) {
      static_cast<void>(checked(block.error()));
      continue;
    }
    std::int64_t records = 0;
    Result<bool> more = block.value()->next(record);
    for (; more.ok() && more.value(); more = block.value()->next(record)) ++records;
    if (!more.ok()) static_cast<void>(checked(more.error()));
    TANDEM_CHECK(records <= reader.blocks()[i].record_count);
  }
}

Status judge(const TraceReader& reader) {
  sim::VerifyOptions options;
  options.divergences_max = 4;
  TANDEM_TRY(const sim::Verdict verdict, sim::verify_trace(reader, options));
  for (const sim::Divergence& divergence : verdict.divergences) {
    const std::string line = sim::to_line(divergence);
    TANDEM_CHECK(line.find('\n') == std::string::npos);
  }
  return {};
}

}  // namespace

Status run_trace(Input input) {
  const auto reader = open_trace(input, "fuzz.trace");
  if (!reader.ok()) return checked(reader.error());
  const Status judged = checked(judge(*reader.value()));
  if (!judged.ok()) decode_all(*reader.value());
  const TraceDamage* damage = reader.value()->damage();
  return damage != nullptr ? checked(Error{damage->what}) : judged;
}

std::vector<std::string> tbt_seeds() {
  std::vector<std::string> out;
  for (const test::SampleTrace& trace : seed_traces()) {
    out.push_back(tbt_text(trace, TbtOptions::Compression::none));
  }
  if (zstd_available()) {
    out.push_back(tbt_text(seed_traces().front(), TbtOptions::Compression::zstd));
  }
  return out;
}

std::vector<std::string> jsonl_seeds() {
  std::vector<std::string> out;
  for (const test::SampleTrace& trace : seed_traces()) out.push_back(jsonl_text(trace));
  return out;
}

/// As `tandem import jsonl` does it; what was written reads back.
Status run_import(Input input) {
  test::MemorySink out;
  TANDEM_TRY(const auto writer, make_tbt_writer(out, {}));
  JsonlStream stream(*writer);
  std::string_view text = text_of(input);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const Status status = stream.line(text.substr(0, end));
    if (!status.ok()) {
      static_cast<void>(checked(stream.keep()));
      return checked(status);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  TANDEM_RETURN_IF_ERROR(checked(stream.finish()));
  const auto reader = open_trace(out.bytes, "fuzz.tbt");
  TANDEM_CHECK(reader.ok() && reader.value()->damage() == nullptr);
  std::int64_t records = 0;
  StepRecord record;
  for (std::size_t i = 0; i < reader.value()->blocks().size(); ++i) {
    const auto block = reader.value()->open_block(i);
    TANDEM_CHECK(block.ok());
    for (;; ++records) {
      const Result<bool> more = block.value()->next(record);
      TANDEM_CHECK(more.ok());
      if (!more.value()) break;
    }
  }
  TANDEM_CHECK(records == stream.records());
  return {};
}

Status run_header(Input input) {
  const Result<TraceHeader> header = header_from_json(text_of(input));
  if (!header.ok()) return checked(header.error());
  // What was read can be written, and comes back.
  const Result<TraceHeader> again = header_from_json(header_to_json(header.value()));
  TANDEM_CHECK(again.ok() && again.value() == header.value());
  return {};
}

std::vector<std::string> header_seeds() {
  std::vector<std::string> out;
  for (const test::SampleTrace& trace : seed_traces()) out.push_back(header_to_json(trace.header));
  return out;
}

std::vector<std::string> trace_words() {
  std::vector<std::string> out{"\"type\":\"step\"",
                               "\"type\":\"keyframe\"",
                               "\"type\":\"end\"",
                               "2147483647",
                               "-2147483648",
                               "4294967296",
                               "9223372036854775807",
                               "\"0x0\"",
                               "1e9",
                               "TBLK",
                               "TTAI",
                               "TIDX"};
  for (int i = 0; i < static_cast<int>(Field::count); ++i) {
    out.push_back(field_path(static_cast<Field>(i)));
  }
  return out;
}

}  // namespace tandem::fuzz
