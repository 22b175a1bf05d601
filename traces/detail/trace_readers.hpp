// The two readers behind open_trace().
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "traces/base/result.hpp"
#include "traces/detail/bytes.hpp"
#include "traces/tbt.hpp"

namespace tandem::detail {

[[nodiscard]] Result<std::unique_ptr<TraceReader>> open_tbt(ByteView file, const std::string& name,
                                                            BlockFetch fetch);
[[nodiscard]] Result<std::unique_ptr<TraceReader>> open_jsonl(ByteView file,
                                                              const std::string& name);

/// The header line of a JSONL trace: its format, its version, then what check_header() asks for.
[[nodiscard]] Status jsonl_first_line(std::string_view line, TraceHeader& out);

}  // namespace tandem::detail
