// Reads the structures of a trace from JSON text. Errors name the JSON pointer, found and wanted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "traces/base/result.hpp"
#include "traces/detail/json_emit.hpp"
#include "traces/plan/plan.hpp"

namespace tandem::detail {

[[nodiscard]] Status json_to_header(std::string_view text, TraceHeader& out);
/// An array of segments, appended to `out`.
[[nodiscard]] Status json_to_segments(std::string_view text, std::vector<plan::Segment>& out);

/// What kind of line of a JSONL trace this is, read without building a document.
struct JsonLine {
  std::string type;  ///< empty: none
  std::string format;
  std::int64_t version = 0;
  std::int64_t t = 0;
  std::int64_t repeat = 1;
};
/// Error where the line is no JSON object.
[[nodiscard]] Result<JsonLine> inspect_line(std::string_view line);

// Whole lines, by type. Missing members keep the value that `out` has or is given first.
[[nodiscard]] Status header_line(std::string_view line, TraceHeader& out);
[[nodiscard]] Status segment_line(std::string_view line, plan::Segment& out);
[[nodiscard]] Status keyframe_line(std::string_view line, std::int32_t slots, Keyframe& out);
[[nodiscard]] Status end_line(std::string_view line, std::int32_t slots, Keyframe& out);
[[nodiscard]] Status unadmitted_line(std::string_view line, RequestRow& out);
[[nodiscard]] Status step_line(std::string_view line, const StepDefaults& defaults,
                               StepRecord& out);

}  // namespace tandem::detail
