// Trace headers to and from JSON, and what makes one valid.
#include "traces/header_json.hpp"

#include <fmt/format.h>

#include "traces/detail/json_decode.hpp"
#include "traces/detail/json_emit.hpp"

namespace tandem {
namespace {

constexpr std::int32_t kSlotsMax = 512;
constexpr std::int32_t kDraftsMax = 16;

Status check_range(const char* key, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value >= low && value <= high) return {};
  return Error::make(fmt::format("/config/{}", key), fmt::format("got {}", value),
                     fmt::format("an integer in [{}, {}]", low, high));
}

}  // namespace

std::string header_to_json(const TraceHeader& header) {
  std::string text;
  detail::put_json(text, header);
  return text;
}

Result<TraceHeader> header_from_json(std::string_view text) {
  TraceHeader header;
  TANDEM_RETURN_IF_ERROR(detail::json_to_header(text, header));
  TANDEM_RETURN_IF_ERROR(check_header(header));
  return header;
}

Status check_header(const TraceHeader& header) {
  const RunConfig& config = header.config;
  TANDEM_RETURN_IF_ERROR(check_range("max_num_seqs", config.max_num_seqs, 1, kSlotsMax));
  TANDEM_RETURN_IF_ERROR(
      check_range("num_speculative_tokens", config.num_speculative_tokens, 1, kDraftsMax));
  TANDEM_RETURN_IF_ERROR(
      check_range("num_model_steps", config.num_model_steps, 1, config.num_speculative_tokens));
  if (header.level == RecordLevel::off) {
    return Error::make("/level", "got off", "state, timeline or full");
  }
  for (std::size_t i = 0; i < header.absent.size(); ++i) {
    Field field{};
    if (field_from_path(header.absent[i], field)) continue;
    return Error::make(fmt::format("/absent/{}", i), fmt::format("got \"{}\"", header.absent[i]),
                       "the name of a field (traces/FORMAT.md, \"Fields\")");
  }
  return {};
}

}  // namespace tandem
