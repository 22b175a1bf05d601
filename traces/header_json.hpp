// A trace header as JSON text: the head of a `.tbt` file and the first line of a JSONL trace.
#pragma once

#include <string>
#include <string_view>

#include "traces/base/result.hpp"
#include "traces/run_config.hpp"

namespace tandem {

[[nodiscard]] std::string header_to_json(const TraceHeader& header);
/// Missing keys keep their defaults. Errors name the JSON pointer, found and wanted.
[[nodiscard]] Result<TraceHeader> header_from_json(std::string_view text);
/// Whether a trace can be written or read with it: slots, drafts and sub-steps in range, a level
/// that records, absent fields that exist.
[[nodiscard]] Status check_header(const TraceHeader& header);

}  // namespace tandem
