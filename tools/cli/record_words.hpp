// Parts of a StepRecord in words, and the members of its small structures by name.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "traces/plan/plan.hpp"
#include "traces/record.hpp"

namespace tandem::cli {

/// Names as in the JSONL twin (traces/FORMAT.md).
[[nodiscard]] const char* to_word(StepKind kind);
[[nodiscard]] const char* to_word(LaunchMode mode);
[[nodiscard]] const char* to_word(TaskKind kind);
[[nodiscard]] const char* to_word(StopReason reason);

/// t + count, which wraps: both may come from a damaged file.
[[nodiscard]] constexpr std::int64_t step_after(std::int64_t t, std::int64_t count) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(t) +
                                   static_cast<std::uint64_t>(count));
}
/// Whether `step` is one of `count` steps from `first` on.
[[nodiscard]] constexpr bool is_among(std::int64_t step, std::int64_t first, std::int64_t count) {
  return step >= first && count > 0 &&
         static_cast<std::uint64_t>(step) - static_cast<std::uint64_t>(first) <
             static_cast<std::uint64_t>(count);
}

/// "back" of the segment with this hash, else the hash itself.
[[nodiscard]] std::string segment_word(std::uint64_t hash,
                                       const std::vector<plan::Segment>& segments);

/// "1 row", "2 rows".
template <class Number>
[[nodiscard]] std::string counted(Number count, const char* noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

/// A record on one line of at most 80 columns: kind, sizes, mode, what came and went.
[[nodiscard]] std::string one_line(const StepRecord& record);

// visit_members(value, visitor) calls visitor(name, member) for each member; names are those of the
// JSONL twin. Members are numbers, flags, enumerations with to_word(), or columns.

template <class Visitor>
void visit_members(const CachedPair& x, Visitor& v) {
  v("token_num", x.token_num);
  v("real_bsz", x.real_bsz);
}

template <class Visitor>
void visit_members(const RowRun& x, Visitor& v) {
  v("slot", x.slot);
  v("rows", x.rows);
}

template <class Visitor>
void visit_members(const PlanDeviation& x, Visitor& v) {
  v("lane", x.lane);
  v("position", x.position);
  v("expected", x.expected);
  v("found", x.found);
}

template <class Visitor>
void visit_members(const RequestOutcome& x, Visitor& v) {
  v("id", x.id);
  v("output_len", x.output_len);
  v("reason", x.reason);
}

template <class Visitor>
void visit_members(const SlotFree& x, Visitor& v) {
  v("slot", x.slot);
  v("generation", x.generation);
}

template <class Visitor>
void visit_members(const Span& x, Visitor& v) {
  v("lane", x.lane);
  v("segment", x.segment);
  v("op", x.op);
  v("start_ns", x.start_ns);
  v("end_ns", x.end_ns);
}

template <class Visitor>
void visit_members(const Message& x, Visitor& v) {
  v("control", x.control);
  v("step", x.step);
  v("slots", x.slots);
  v("count", x.count);
  v("digest", x.digest);
  v("seq_len", x.seq_len);
  v("request", x.request);
  v("generation", x.generation);
}

template <class Visitor>
void visit_members(const Task& x, Visitor& v) {
  v("kind", x.kind);
  v("slot", x.slot);
  v("request", x.request);
  v("generation", x.generation);
  v("start", x.start);
  v("end", x.end);
  v("text_len", x.text_len);
  v("generated", x.generated);
  v("drafts", x.drafts);
  v("draft_digest", x.draft_digest);
  v("last_digest", x.last_digest);
  v("admits", x.admits);
  v("row.id", x.row.id);
  v("row.arrival", x.row.arrival);
  v("row.prompt_len", x.row.prompt_len);
  v("row.max_dec_len", x.row.max_dec_len);
  v("row.eos_at", x.row.eos_at);
  v("row.accept", x.row.accept);
  v("blocks", x.blocks);
}

}  // namespace tandem::cli
