// Reads a step with its surroundings out of a trace and tells its parts.
#include "tools/cli/explain.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "sim/checks/block_verifier.hpp"
#include "tools/cli/record_words.hpp"
#include "tools/cli/stamp_words.hpp"

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
  view.table = SlotTable(view.keyframe, view.slot_count());
  StepJudge judge(trace, view.keyframe, verdict);
  for (;;) {
    TANDEM_TRY(const bool more, block->next(view.record));
    if (!more) return no_such_step(trace, view.step);
    view.table.admit(view.record);
    const std::int64_t repeat = std::max<std::int64_t>(1, view.record.repeat);
    if (is_among(view.step, view.record.t, repeat)) break;
    judge.earlier(view.record);
    view.table.release(view.record);
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
      if (task.admits && task.start > 0) {
        text += fmt::format(", {} from the prefix cache", counted(task.start, "token"));
      }
      if (task.generated > 0) text += fmt::format(", {} generated before", task.generated);
      break;
    case TaskKind::dnode:
      text = fmt::format("D-node insert into {}: {} tokens with their KV, {}", who, task.start,
                         counted(task.drafts, "draft"));
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
  if (task.admits) text += "; admitted: " + request_words(task.row);
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

}  // namespace

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

std::vector<std::string> task_stories(const StepView& view) {
  std::vector<std::string> out;
  for (const Task& task : view.record.tasks) out.push_back(task_story(task));
  return out;
}

std::vector<std::string> message_stories(const StepView& view) {
  std::vector<std::string> out;
  for (const Message& message : view.record.messages) out.push_back(message_story(view, message));
  return out;
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
  e.tasks = task_stories(e.view);
  e.launch = explain_launch(e.view);
  e.slots = slot_stories(e.view);
  e.messages = message_stories(e.view);
  e.ends = end_stories(r);
  e.beliefs = belief_rows(e.view, e.launch);
  e.substeps = substep_stories(e.view);
  e.stamps = stamp_words(r);
  return e;
}

}  // namespace tandem::cli
