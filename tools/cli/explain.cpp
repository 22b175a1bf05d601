// Reads a step with its surroundings out of a trace and tells its parts.
#include "tools/cli/explain.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "sim/checks/block_verifier.hpp"
#include "tools/cli/record_words.hpp"

namespace tandem::cli {
namespace {

constexpr std::size_t kDivergencesShown = 20;

bool holds(const BlockInfo& block, std::int64_t step) {
  return is_among(step, block.first_step, block.step_count);
}

Error no_such_step(const TraceReader& trace, std::int64_t step) {
  const std::string found = fmt::format("got '{}'", step);
  if (trace.blocks().empty()) return Error::make("STEP", found, "a trace that holds steps");
  const BlockInfo& last = trace.blocks().back();
  return Error::make("STEP", found,
                     fmt::format("a step in [{}, {}]", trace.blocks().front().first_step,
                                 step_after(last.first_step, last.step_count - 1)));
}

/// Rows of the request table by slot, as a keyframe holds them.
std::vector<RequestRow> rows_by_slot(const Keyframe& keyframe, std::size_t slots) {
  std::vector<RequestRow> rows(slots);
  std::size_t next = 0;
  for (std::size_t i = 0; i < slots; ++i) {
    if (value_at(keyframe.request, i) == kNoRequest || next == keyframe.rows.size()) continue;
    if (i < keyframe.request.size()) rows[i] = keyframe.rows[next++];
  }
  return rows;
}

void admit(const StepRecord& record, std::vector<RequestRow>& rows) {
  for (const Task& task : record.tasks) {
    const auto slot = static_cast<std::size_t>(std::max(task.slot, 0));
    if (task.admits && slot < rows.size()) rows[slot] = task.row;
  }
}

/// The judge's word on one step, from the keyframe of its block on.
class StepJudge {
 public:
  StepJudge(const TraceReader& trace, const Keyframe& keyframe, StepVerdict& out) : out_(out) {
    const TraceHeader& header = trace.header();
    Result<sim::Judge> judge = sim::Judge::make(header);
    if (!judge) {
      out_.error = judge.error().text;
      return;
    }
    judge_ = std::make_unique<sim::Judge>(std::move(judge).value());
    for (const plan::Segment& segment : trace.segments()) judge_->plans.add(segment);
    verifier_ = std::make_unique<sim::BlockVerifier>(*judge_, kDivergencesShown);
    verifier_->begin(keyframe);
    out_.from_step = keyframe.t;
    for (std::size_t i = 0; i < sim::kCheckCount; ++i) {
      const auto id = static_cast<sim::CheckId>(i);
      if (!sim::check_info(id).implemented || sim::is_excluded(id, header.config)) continue;
      // V0 compares keyframes: a step alone has none.
      if (id == sim::CheckId::V0) continue;
      if (judge_->enabled.test(i)) {
        ++out_.checks_run;
      } else {
        out_.not_checkable.emplace_back(sim::to_name(id));
      }
    }
  }

  void earlier(const StepRecord& record) {
    if (verifier_ == nullptr) return;
    verifier_->step(record);
    out_.earlier = verifier_->report.tally.divergence_count;
  }

  void judge(const StepRecord& record) {
    if (verifier_ == nullptr) return;
    verifier_->report.clear();
    verifier_->step(record);
    out_.divergence_count = verifier_->report.tally.divergence_count;
    for (const sim::Divergence& d : verifier_->report.kept) {
      out_.divergences.push_back(sim::to_line(d));
    }
  }

 private:
  StepVerdict& out_;
  std::unique_ptr<sim::Judge> judge_;
  std::unique_ptr<sim::BlockVerifier> verifier_;
};

/// The last record of a block.
Status read_last(const TraceReader& trace, std::size_t index, StepView& view) {
  TANDEM_TRY(const std::unique_ptr<BlockReader> block, trace.open_block(index));
  for (;;) {
    TANDEM_TRY(const bool more, block->next(view.before));
    if (!more) return {};
    view.has_before = true;
  }
}

Status read_view(const TraceReader& trace, std::size_t index, StepView& view,
                 StepVerdict& verdict) {
  if (index > 0) TANDEM_RETURN_IF_ERROR(read_last(trace, index - 1, view));
  TANDEM_TRY(const std::unique_ptr<BlockReader> block, trace.open_block(index));
  view.keyframe = block->keyframe();
  view.rows = rows_by_slot(view.keyframe, view.slot_count());
  StepJudge judge(trace, view.keyframe, verdict);
  for (;;) {
    TANDEM_TRY(const bool more, block->next(view.record));
    if (!more) return no_such_step(trace, view.step);
    admit(view.record, view.rows);
    const std::int64_t repeat = std::max<std::int64_t>(1, view.record.repeat);
    if (is_among(view.step, view.record.t, repeat)) break;
    judge.earlier(view.record);
    std::swap(view.before, view.record);
    view.has_before = true;
  }
  judge.judge(view.record);
  if (view.step > view.record.t) {  // inside an idle run: each iteration is like the one before
    view.before = view.record;
    view.has_before = true;
  }
  return {};
}

std::string task_story(const Task& task) {
  const std::string who =
      fmt::format("slot {}, request {} (generation {})", task.slot, task.request, task.generation);
  std::string text;
  switch (task.kind) {
    case TaskKind::prefill:
      text = fmt::format("prefill into {}: text [{}, {}) of {}", who, task.start, task.end,
                         task.text_len);
      if (task.generated > 0) text += fmt::format(", {} generated before", task.generated);
      break;
    case TaskKind::dnode:
      text = fmt::format("D-node insert into {}: {} tokens with their KV, {} drafts", who,
                         task.start, task.drafts);
      break;
    case TaskKind::decode:
      text = fmt::format("block table refreshed for {}", who);
      break;
    case TaskKind::preempt:
      text = fmt::format("preemption of {}", who);
      break;
    case TaskKind::abort:
      text = fmt::format("abort of {}", who);
      break;
  }
  if (task.admits) {
    text +=
        fmt::format("; admitted: prompt {}, limit {}", task.row.prompt_len, task.row.max_dec_len);
    if (task.row.eos_at > 0) text += fmt::format(", EOS at {}", task.row.eos_at);
  }
  if (!task.blocks.empty())
    text += fmt::format("; {} granted", counted(task.blocks.size(), "KV block"));
  return text;
}

std::string message_story(const StepView& view, const Message& message) {
  std::string text;
  if (message.control) {
    text = fmt::format("control message of step {}, which had no postprocess:", message.step);
  } else if (message.step == view.record.t) {
    text = fmt::format("of this step, sent at its end because R2 is sync:");
  } else {
    text = fmt::format("of step {}, sent behind this step's launch because R2 is overlap:",
                       message.step);
  }
  bool any = false;
  for (std::size_t i = 0; i < message.count.size(); ++i) {
    const std::int32_t count = message.count[i];
    if (count == 0) continue;
    text += any ? ", " : " ";
    any = true;
    text += count == kPreemptMark ? fmt::format("slot {} preempted or aborted (-9)", i)
                                  : fmt::format("slot {} {}", i, counted(count, "token"));
  }
  return any ? text : text + " nothing for any slot";
}

std::vector<std::string> end_stories(const StepRecord& r) {
  std::vector<std::string> out;
  for (const RequestOutcome& o : r.outcomes) {
    out.push_back(fmt::format("the engine closed request {}: {}, {}", o.id,
                              counted(o.output_len, "token"), to_name(o.reason)));
  }
  for (const SlotFree& f : r.frees) {
    out.push_back(fmt::format("slot {} is free again (generation {})", f.slot, f.generation));
  }
  return out;
}

/// Why a slot that ran does not run on, or "".
std::string stop_story(const StepView& view, std::size_t i) {
  const StepRecord& r = view.record;
  if (value_at(r.p2.s, i) != 0) {
    const RequestRow& row = view.rows[i];
    const std::int32_t g = value_at(r.p2.g, i);
    if (row.eos_at > 0 && g >= row.eos_at) return "EOS";
    if (row.max_dec_len > 0 && g >= row.max_dec_len) return "length limit";
    return "EOS or a stop sequence";
  }
  if (value_at(r.p4.b, i) != 0) return "parked: no KV block for its next tokens";
  if (value_at(r.p4.s, i) != 0) return "waits for its next chunk";
  return "";
}

std::string decode_story(const StepRecord& r, std::size_t i) {
  const std::int32_t drafts = value_at(r.p1.q, i) - 1;
  const std::int32_t tokens = value_at(r.p2.a, i);
  std::string text = drafts == 0 ? "no draft"
                                 : fmt::format("{} of {} drafts accepted",
                                               std::clamp(tokens - 1, 0, drafts), drafts);
  text += fmt::format(", {}; length {} -> {}, generated {} -> {}", counted(tokens, "token"),
                      value_at(r.p1.d, i), value_at(r.p2.d, i), value_at(r.p1.g, i),
                      value_at(r.p2.g, i));
  return text;
}

std::string prefill_story(const StepRecord& r, std::size_t i) {
  const std::int64_t start = value_at(r.p1.d, i);
  const std::int64_t end = start + value_at(r.p1.e, i);
  const std::int32_t whole = value_at(r.p1_p, i);
  const std::string chunk = fmt::format("prefill of text [{}, {}) of {}", start, end, whole);
  if (end < whole) return chunk + ", a chunk: its token does not count";
  return chunk + fmt::format(", {}; generated {} -> {}", counted(value_at(r.p2.a, i), "token"),
                             value_at(r.p1.g, i), value_at(r.p2.g, i));
}

std::vector<SlotStory> slot_stories(const StepView& view) {
  const StepRecord& r = view.record;
  std::vector<SlotStory> out;
  for (std::size_t i = 0; i < view.slot_count(); ++i) {
    SlotStory story;
    story.slot = static_cast<std::int32_t>(i);
    story.request = i < r.p1_request.size() ? r.p1_request[i] : kNoRequest;
    story.generation = value_at(r.p1_generation, i);
    story.rows = value_at(r.p1.q, i);
    if (story.rows <= 0) {
      if (value_at(r.p1.b, i) == 0) continue;
      story.text = story.stopped = "parked: waits for KV blocks";
      out.push_back(std::move(story));
      continue;
    }
    if (r.kind == StepKind::back) {
      story.accepted = value_at(r.p2.a, i);
      story.next_rows = value_at(r.p4.q, i);
      story.stopped = stop_story(view, i);
      story.text = value_at(r.p1.e, i) > 0 ? prefill_story(r, i) : decode_story(r, i);
      story.text += story.stopped.empty()
                        ? fmt::format("; {} next", counted(story.next_rows, "row"))
                        : "; " + story.stopped;
    }
    out.push_back(std::move(story));
  }
  return out;
}

std::vector<BeliefRow> belief_rows(const StepView& view, const LaunchStory& launch) {
  const StepRecord& r = view.record;
  std::int64_t copied_rows = 0;
  std::int64_t copied_slots = 0;
  for (const std::int32_t q : r.q_cpu) {
    copied_rows += q;
    copied_slots += q > 0 ? 1 : 0;
  }
  std::vector<BeliefRow> out;
  out.push_back({"rows", r.token_num, copied_rows, launch.device_rows, -1, -1, -1});
  out.push_back({"slots", r.launch_bsz, copied_slots, launch.device_slots, -1, -1, -1});
  out.push_back({"output rows", r.output_rows_host, -1, r.output_rows, -1, -1, -1});
  for (std::size_t i = 0; i < view.slot_count(); ++i) {
    const bool occupied = i < r.p1_request.size() && r.p1_request[i] != kNoRequest;
    if (!occupied && launch.counted[i] == 0 && value_at(r.q_cpu, i) == 0) continue;
    BeliefRow row{fmt::format("slot {}", i), launch.counted[i], value_at(r.q_cpu, i),
                  value_at(r.p1.q, i)};
    if (occupied && r.kind != StepKind::idle) {
      row.believed_len = value_at(r.believed_len, i);
      row.reserve = value_at(r.believed_reserve, i);
      // The host counts a chunk as there once it is launched. The length of a parked slot is put
      // away on the device until it is revived.
      const bool parked = value_at(r.p1.b, i) != 0;
      row.device_len = parked ? -1 : std::int64_t{value_at(r.p1.d, i)} + value_at(r.p1.e, i);
    }
    out.push_back(std::move(row));
  }
  return out;
}

std::string substep_how(const StepView& view, std::size_t index, const DraftSubstep& sub) {
  const RunConfig& config = view.header.config;
  if (!sub.launched) return "skipped: nothing to draft";
  if (sub.blocking) {
    if (config.policy == PolicyKind::exact) return "blocking: the policy reads the device's sum";
    return view.record.draft_flag_in ? "blocking: a prefill is in this step"
                                     : "blocking: R6 is sync";
  }
  if (index > 0) return "r of this step";
  const bool by_width =
      config.policy == PolicyKind::predict_sum || config.policy == PolicyKind::predict_rows;
  return by_width ? "r * W" : "rows of the hidden states";
}

std::vector<SubstepStory> substep_stories(const StepView& view) {
  std::vector<SubstepStory> out;
  if (view.record.kind != StepKind::back) return out;
  for (std::size_t i = 0; i < view.record.substeps.size(); ++i) {
    const DraftSubstep& sub = view.record.substeps[i];
    SubstepStory story;
    story.sub.launched = sub.launched;
    story.sub.blocking = sub.blocking;
    story.sub.token_num = sub.token_num;
    story.sub.hidden_rows = sub.hidden_rows;
    story.sub.captured_size = sub.captured_size;
    story.sub.device_sum = sub.device_sum;
    story.how = substep_how(view, i, sub);
    out.push_back(std::move(story));
  }
  return out;
}

}  // namespace

std::int32_t value_at(const Column& column, std::size_t slot) {
  return slot < column.size() ? column[slot] : 0;
}

std::int32_t StepView::q_before(std::size_t slot) const {
  return value_at(has_before ? before.q_cpu : keyframe.q_cpu, slot);
}

std::int32_t StepView::b_before(std::size_t slot) const {
  return value_at(has_before ? before.b_cpu : keyframe.b_cpu, slot);
}

Result<Explanation> explain_step(const TraceReader& trace, std::int64_t step) {
  const auto& blocks = trace.blocks();
  const auto block = std::find_if(blocks.begin(), blocks.end(),
                                  [step](const BlockInfo& info) { return holds(info, step); });
  if (block == blocks.end()) return no_such_step(trace, step);
  Explanation e;
  e.view.header = trace.header();
  e.view.step = step;
  TANDEM_RETURN_IF_ERROR(
      read_view(trace, static_cast<std::size_t>(block - blocks.begin()), e.view, e.verdict));
  const StepRecord& r = e.view.record;
  for (const std::uint64_t hash : r.segments) {
    e.segments.push_back(segment_word(hash, trace.segments()));
  }
  for (const Task& task : r.tasks) e.tasks.push_back(task_story(task));
  e.launch = explain_launch(e.view);
  e.slots = slot_stories(e.view);
  for (const Message& message : r.messages) e.messages.push_back(message_story(e.view, message));
  e.ends = end_stories(r);
  e.beliefs = belief_rows(e.view, e.launch);
  e.substeps = substep_stories(e.view);
  return e;
}

}  // namespace tandem::cli
