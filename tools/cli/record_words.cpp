// Segments by name, and a record on one line.
#include "tools/cli/record_words.hpp"

#include <fmt/format.h>

#include "tools/cli/report.hpp"

namespace tandem::cli {

std::string segment_word(std::uint64_t hash, const std::vector<plan::Segment>& segments) {
  for (const plan::Segment& segment : segments) {
    if (plan::segment_hash(segment) == hash) return plan::to_name(segment.kind);
  }
  return digest_text(hash);
}

std::string request_words(const RequestRow& row) {
  std::string text = fmt::format("prompt {}, limit {}", row.prompt_len, row.max_dec_len);
  if (row.cached_prompt > 0) text += fmt::format(", {} in the prefix cache", row.cached_prompt);
  if (row.eos_at > 0) text += fmt::format(", EOS at {}", row.eos_at);
  if (row.stop_at > 0) {
    text += fmt::format(", stop sequence of {} at {}", counted(row.stop_len, "token"), row.stop_at);
    if (row.min_tokens > 0) text += fmt::format(" (not before {})", row.min_tokens);
  }
  if (row.abort_after >= 0) text += fmt::format(", abort after {}", row.abort_after);
  return text;
}

std::string one_line(const StepRecord& r) {
  if (r.repeat > 1) {
    return fmt::format("{} for {} iterations, {}..{}", to_name(r.kind), r.repeat, r.t,
                       step_after(r.t, r.repeat - 1));
  }
  std::string text = fmt::format("{} {} n={} N={} rr={} r={} R={} cached={},{}", to_name(r.kind),
                                 to_name(r.mode), r.n, r.token_num, r.launch_bsz, r.real_bsz,
                                 r.output_rows, r.cached_out.token_num, r.cached_out.real_bsz);
  if (!r.tasks.empty()) text += fmt::format(" tasks={}", r.tasks.size());
  if (!r.outcomes.empty()) text += fmt::format(" ended={}", r.outcomes.size());
  if (r.guard_tripped) text += " GUARD";
  return text;
}

}  // namespace tandem::cli
