// A JSONL trace line by line into a RecordSink: for input that is not in memory as a whole.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "traces/sink.hpp"

namespace tandem {

/// Takes lines in file order and makes the calls of a RecordSink. Memory does not grow with the
/// trace. Errors name the JSON pointer, found and wanted; who knows the line's number puts it in
/// front. After a Status that failed only keep() may be called.
class JsonlStream {
 public:
  /// `sink` outlives it.
  explicit JsonlStream(RecordSink& sink);
  JsonlStream(const JsonlStream&) = delete;
  JsonlStream& operator=(const JsonlStream&) = delete;
  ~JsonlStream();

  /// One line without its end. An empty one is skipped.
  [[nodiscard]] Status line(std::string_view line);
  /// Behind the last line: an Error where the trace was cut off or is empty.
  [[nodiscard]] Status finish() const;
  /// Completes the open block, so that a writer keeps the steps it has, though the trace is not.
  [[nodiscard]] Status keep();

  [[nodiscard]] std::int64_t steps() const { return steps_; }  ///< `repeat` included
  [[nodiscard]] std::int64_t records() const { return records_; }

 private:
  struct Parsed;  // what lines are parsed into; it keeps its memory

  RecordSink& sink_;
  std::unique_ptr<Parsed> parsed_;
  bool in_block_ = false;
  bool ended_ = false;
  std::int64_t steps_ = 0;
  std::int64_t records_ = 0;

  [[nodiscard]] Status first(std::string_view line);
  [[nodiscard]] Status step(std::string_view line);
};

}  // namespace tandem
