// What each slot did in a step: prefill, decoding, parked, stopped and why, free.
#include <algorithm>

#include <fmt/format.h>

#include "tools/cli/explain.hpp"
#include "tools/cli/record_words.hpp"

namespace tandem::cli {
namespace {

/// What ended a request whose g-th token was its last (5.6, 5.7). The request's own EOS goes before
/// the stop sequence, and both before the limit: they may fall on the same place.
const char* end_word(const RequestRow& row, std::int64_t g) {
  if (row.eos_at > 0 && g >= row.eos_at) return "EOS";
  const bool stop_is_tried = row.stop_at > 0 && row.min_tokens <= row.max_dec_len;
  if (stop_is_tried && g == std::int64_t{row.stop_at} + 1) return "stop sequence";
  if (row.max_dec_len > 0 && g >= row.max_dec_len) return "length limit";
  return "EOS or a stop sequence";
}

/// Why a slot that ran does not run on, or "".
std::string stop_story(const StepView& view, std::size_t i) {
  const StepRecord& r = view.record;
  if (value_at(r.p2.s, i) != 0) return end_word(view.row(i), value_at(r.p2.g, i));
  if (value_at(r.p4.b, i) != 0) return "parked: no KV block for its next tokens";
  if (value_at(r.p4.s, i) != 0) return "waits for its next chunk";
  return "";
}

/// ", 1 of them by n-gram" where the row holds more drafts than the MTP head makes (3.2.1 f). What
/// a D node's first step verifies came from its P node instead.
std::string ngram_note(const StepView& view, std::size_t i, std::int64_t drafts) {
  const std::int64_t beyond = drafts - view.header.config.num_model_steps;
  if (beyond <= 0 || task_for(view.record, TaskKind::dnode, i) != nullptr) return "";
  return fmt::format(", {} of them by n-gram", beyond);
}

std::string decode_story(const StepView& view, std::size_t i) {
  const StepRecord& r = view.record;
  const std::int32_t drafts = value_at(r.p1.q, i) - 1;
  const std::int32_t tokens = value_at(r.p2.a, i);
  std::string text = drafts <= 0
                         ? "no draft"
                         : fmt::format("{} of {} drafts accepted",
                                       std::clamp(std::max(tokens, 1) - 1, 0, drafts), drafts);
  text += ngram_note(view, i, drafts);
  text += fmt::format(", {}; length {} -> {}, generated {} -> {}", counted(tokens, "token"),
                      value_at(r.p1.d, i), value_at(r.p2.d, i), value_at(r.p1.g, i),
                      value_at(r.p2.g, i));
  return text;
}

std::string prefill_story(const StepView& view, std::size_t i) {
  const StepRecord& r = view.record;
  const std::int64_t start = value_at(r.p1.d, i);
  const std::int64_t end = start + value_at(r.p1.e, i);
  const std::int32_t whole = value_at(r.p1_p, i);
  const Task* task = task_for(r, TaskKind::prefill, i);
  const bool cached = task != nullptr && task->admits && start > 0;
  const bool part = end < whole || (start > 0 && !cached);
  std::string text =
      fmt::format("prefill {} [{}, {}) of {}", part ? "chunk" : "of text", start, end, whole);
  if (cached) text += fmt::format(", {} from the prefix cache", counted(start, "token"));
  if (end < whole) return text + "; its token does not count";
  return text + fmt::format(", {}; generated {} -> {}", counted(value_at(r.p2.a, i), "token"),
                            value_at(r.p1.g, i), value_at(r.p2.g, i));
}

/// What a slot with rows did, and what becomes of it; "" where the step has no P2.
std::string running_story(const StepView& view, std::size_t i, const std::string& stopped) {
  const StepRecord& r = view.record;
  if (r.kind != StepKind::back) return "";
  std::string text = value_at(r.p1.e, i) > 0 ? prefill_story(view, i) : decode_story(view, i);
  if (!stopped.empty()) return text + "; " + stopped;
  const std::int64_t next = value_at(r.p4.q, i);
  text += fmt::format("; {} next", counted(next, "row"));
  const std::int64_t beyond = next - 1 - view.header.config.num_model_steps;
  if (beyond > 0) text += fmt::format(" ({} by n-gram)", counted(beyond, "draft"));
  return text;
}

SlotStory tell_slot(const StepView& view, std::size_t i) {
  const StepRecord& r = view.record;
  SlotStory story;
  story.slot = static_cast<std::int32_t>(i);
  story.request = i < r.p1_request.size() ? r.p1_request[i] : kNoRequest;
  story.generation = value_at(r.p1_generation, i);
  story.rows = value_at(r.p1.q, i);
  if (story.rows <= 0) {
    story.text = story.stopped = "parked: waits for KV blocks";
    return story;
  }
  if (r.kind != StepKind::back) return story;
  story.accepted = value_at(r.p2.a, i);
  story.next_rows = value_at(r.p4.q, i);
  story.stopped = stop_story(view, i);
  story.text = running_story(view, i, story.stopped);
  return story;
}

/// A preemption or abort leaves its slot stopped until the engine has processed the -9 (6.6).
std::string removal_word(const StepRecord& record, std::size_t slot, const std::string& when) {
  if (task_for(record, TaskKind::preempt, slot) != nullptr) return "preempted by a task of " + when;
  if (task_for(record, TaskKind::abort, slot) != nullptr) return "aborted by a task of " + when;
  return "";
}

}  // namespace

std::vector<SlotStory> slot_stories(const StepView& view) {
  std::vector<SlotStory> out;
  for (std::size_t i = 0; i < view.slot_count(); ++i) {
    const bool runs = value_at(view.record.p1.q, i) > 0;
    if (runs || value_at(view.record.p1.b, i) != 0) out.push_back(tell_slot(view, i));
  }
  return out;
}

std::string why_not_running(const StepView& view, std::size_t slot) {
  const StepRecord& r = view.record;
  std::string removed = removal_word(r, slot, "this step");
  if (!removed.empty()) return removed;
  if (value_at(r.p1.b, slot) != 0) {
    return view.b_before(slot) != 0 ? "parked: counted in case its KV blocks arrive"
                                    : fmt::format("parked at the end of step {}: KV blocks ran out",
                                                  step_after(view.step, -1));
  }
  const bool ran_back = view.has_before && view.before.kind == StepKind::back;
  if (ran_back && value_at(view.before.p1.s, slot) == 0 && value_at(view.before.p2.s, slot) != 0) {
    return fmt::format("finished in step {} ({}); the host learns it after this launch",
                       step_after(view.step, -1),
                       end_word(view.row(slot), value_at(view.before.p2.g, slot)));
  }
  return "stopped";
}

std::string slot_activity(const StepView& view, std::size_t slot) {
  const StepRecord& r = view.record;
  const bool parked = value_at(r.p1.b, slot) != 0;
  if (value_at(r.p1.q, slot) > 0) {
    const SlotStory story = tell_slot(view, slot);
    if (story.text.empty()) return "has rows, but the step was not verified";
    if (value_at(r.p1.e, slot) > 0) return story.text;
    const bool first = task_for(r, TaskKind::dnode, slot) != nullptr;
    return (first ? "first step of a D node: " : "decoding: ") + story.text;
  }
  std::string word = why_not_running(view, slot);
  if (parked || word != "stopped") return word;
  if (slot >= view.table.holder.size() || view.table.holder[slot] == kNoRequest) return "free";
  if (view.has_before) {
    const std::string removed =
        removal_word(view.before, slot, fmt::format("step {}", view.before.t));
    if (!removed.empty()) return removed + "; its slot waits for the -9";
  }
  return "stopped: waits for its next chunk, or for the engine to free it";
}

}  // namespace tandem::cli
