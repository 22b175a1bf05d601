// Times of the Azure LLM inference trace 2023, whose rows open_azure_trace() reads.
//
// Columns TIMESTAMP (YYYY-MM-DD hh:mm:ss with seven fractional digits), ContextTokens and
// GeneratedTokens are found by name in the header; others are passed over.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tandem {

/// 100 ns since 1970-01-01 of "YYYY-MM-DD hh:mm:ss.fffffff", or nullopt where it is no such time.
[[nodiscard]] std::optional<std::int64_t> ticks_of(std::string_view timestamp);

}  // namespace tandem
