// The stamps of a record in words, for dump and explain.
#include "tools/cli/stamp_words.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "tools/cli/record_words.hpp"
#include "tools/cli/step_view.hpp"
#include "traces/plan/plan.hpp"

namespace tandem::cli {
namespace {

bool any_in(const Column& column) {
  return std::any_of(column.begin(), column.end(), [](std::int32_t v) { return v != 0; });
}

void add_count_uses(const StepRecord& r, std::vector<std::string>& out) {
  std::string text;
  for (const CountUse& use : r.count_uses) {
    text += fmt::format("{} {} used {} of step {}", text.empty() ? "counts:" : ",",
                        to_name(use.user), use.count, use.step);
  }
  if (!text.empty()) out.push_back(text);
}

#define TANDEM_ONE_BUFFER(name) +1
constexpr std::int32_t kBufferCount = 0 TANDEM_PLAN_BUFFERS(TANDEM_ONE_BUFFER);
#undef TANDEM_ONE_BUFFER

std::string buffer_name(std::int32_t buffer) {
  return buffer >= 0 && buffer < kBufferCount ? plan::to_name(static_cast<plan::Buffer>(buffer))
                                              : fmt::format("buffer {}", buffer);
}

void add_pinned_copies(const StepRecord& r, std::vector<std::string>& out) {
  if (r.pinned_copies.empty()) return;
  std::map<std::int32_t, std::size_t> copies;
  for (const PinnedCopy& copy : r.pinned_copies) ++copies[copy.buffer];
  std::string text;
  for (const auto& [buffer, count] : copies) {
    text +=
        fmt::format("{} {} from {}", text.empty() ? "pinned:" : ",",
                    count == 1 ? "1 copy" : fmt::format("{} copies", count), buffer_name(buffer));
  }
  out.push_back(text);
  for (const PinnedCopy& copy : r.pinned_copies) {
    if (copy.at_enqueue == copy.at_copy) continue;
    out.push_back(
        fmt::format("{} changed before its copy ran: digest {:#06x} at enqueue, {:#06x} "
                    "at the copy",
                    buffer_name(copy.buffer), copy.at_enqueue, copy.at_copy));
  }
}

void add_live_tails(const StepRecord& r, std::vector<std::string>& out) {
  const auto add = [&out](const std::string& launch, std::int32_t rows) {
    if (rows == 0) return;
    out.push_back(fmt::format("tail: {} behind T {} someone's in {}", counted(rows, "row"),
                              rows == 1 ? "is" : "are", launch));
  };
  add("the main launch", r.live_tail);
  for (std::size_t j = 0; j < r.substeps.size(); ++j) {
    add(fmt::format("sub-step {}", j), r.substeps[j].live_tail);
  }
}

void add_generations(const StepRecord& r, std::vector<std::string>& out) {
  const std::size_t slots = std::max(r.enqueue_generation.size(), r.p2_generation.size());
  for (std::size_t i = 0; i < slots; ++i) {
    const std::int32_t enqueued = value_at(r.enqueue_generation, i);
    const std::int32_t written = value_at(r.p2_generation, i);
    if (enqueued == written) continue;
    out.push_back(fmt::format("slot {} was written for generation {} while it held {}", i, enqueued,
                              written));
  }
}

void add_counters(const StepRecord& r, std::vector<std::string>& out) {
  std::string seeds;
  for (std::size_t i = 0; i < r.seed_used.size(); ++i) {
    if (value_at(r.p1.q, i) <= 0 && r.seed_used[i] == 0) continue;
    seeds += fmt::format(" {}:{}", i, r.seed_used[i]);
  }
  if (any_in(r.seed_used)) out.push_back("seeds:" + seeds);
  for (std::size_t i = 0; any_in(r.stop_step_idx) && i < r.stop_step_idx.size(); ++i) {
    if (value_at(r.p1.q, i) <= 0 || r.stop_step_idx[i] == value_at(r.p1.g, i)) continue;
    out.push_back(fmt::format("slot {} tried its stop sequences at g = {}, while g was {}", i,
                              r.stop_step_idx[i], value_at(r.p1.g, i)));
  }
}

}  // namespace

std::vector<std::string> stamp_words(const StepRecord& record) {
  std::vector<std::string> out;
  add_count_uses(record, out);
  add_pinned_copies(record, out);
  add_live_tails(record, out);
  add_generations(record, out);
  add_counters(record, out);
  if (record.poison_rows > 0) {
    out.push_back(fmt::format("poison: {} filled, {} no longer hold it",
                              counted(record.poison_rows, "row"), record.poison_damaged));
  }
  return out;
}

}  // namespace tandem::cli
