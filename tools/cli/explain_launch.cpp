// Why a step launched as many rows as it did, and which of them nobody used.
#include <algorithm>

#include <fmt/format.h>

#include "tools/cli/explain.hpp"
#include "tools/cli/record_words.hpp"

namespace tandem::cli {
namespace {

/// The host's counts of the step before, on which a prediction rests.
struct Counts {
  std::int64_t ran = 0;     ///< q_cpu > 0
  std::int64_t parked = 0;  ///< b_cpu
  std::int64_t sum = 0;     ///< of q_cpu
};

Counts counts_before(const StepView& view) {
  Counts counts;
  for (std::size_t i = 0; i < view.slot_count(); ++i) {
    counts.ran += view.q_before(i) > 0 ? 1 : 0;
    counts.parked += view.b_before(i) != 0 ? 1 : 0;
    counts.sum += view.q_before(i);
  }
  return counts;
}

bool is_predicted(const StepView& view) { return view.record.mode == LaunchMode::predicted; }

/// `all-accepted`: a slot this close to its length limit was expected to need one row only. At the
/// prediction the engine knew of g tokens, and one step was in flight.
bool is_near_limit(const StepView& view, std::size_t slot) {
  const RequestRow& row = view.row(slot);
  if (row.id == kNoRequest || !view.has_before) return false;
  const std::int64_t g = value_at(view.before.p1.g, slot);
  return g + 1 + view.header.config.num_model_steps >= row.max_dec_len;
}

/// Rows that the host launched for a slot.
std::int64_t counted_rows(const StepView& view, std::size_t slot) {
  if (!is_predicted(view)) return value_at(view.record.q_cpu, slot);
  const std::int32_t width = view.header.config.row_width();
  const std::int32_t q = view.q_before(slot);
  const std::int64_t parked = view.b_before(slot) != 0 ? width : 0;
  if (q <= 0) return parked;
  switch (view.header.config.policy) {
    case PolicyKind::predict_sum:
      return parked + q;
    case PolicyKind::all_accepted:
      return parked + (is_near_limit(view, slot) ? 1 : width);
    default:
      return parked + width;
  }
}

std::string formula(const StepView& view, const Counts& c) {
  const RunConfig& config = view.header.config;
  const std::int64_t width = config.row_width();
  const std::string slots = fmt::format("r^ = {} that ran in step {} + {} parked = {}", c.ran,
                                        step_after(view.step, -1), c.parked, c.ran + c.parked);
  switch (config.policy) {
    case PolicyKind::predict_sum:
      return fmt::format("N = sum of q_cpu + parked * W = {} + {} * {} = {}, {}", c.sum, c.parked,
                         width, c.sum + c.parked * width, slots);
    case PolicyKind::all_accepted: {
      std::int64_t near_limit = 0;
      for (std::size_t i = 0; i < view.slot_count(); ++i) {
        near_limit += view.q_before(i) > 0 && is_near_limit(view, i) ? 1 : 0;
      }
      return fmt::format(
          "N = W for a slot that ran or is parked, 1 for one near its length limit = {} * {} + {} "
          "= {}, {}",
          c.ran + c.parked - near_limit, width, near_limit,
          (c.ran + c.parked - near_limit) * width + near_limit, slots);
    }
    default:
      return fmt::format("N = r^ * W = {} * {} = {}, {}", c.ran + c.parked, width,
                         (c.ran + c.parked) * width, slots);
  }
}

const Task* task_of(const StepRecord& record, TaskKind kind) {
  const auto found = std::find_if(record.tasks.begin(), record.tasks.end(),
                                  [kind](const Task& task) { return task.kind == kind; });
  return found == record.tasks.end() ? nullptr : &*found;
}

/// Why the host waited for the exact rows.
std::string why_exact(const StepView& view) {
  const RunConfig& config = view.header.config;
  const StepRecord& r = view.record;
  if (config.policy == PolicyKind::exact) return "policy exact always waits";
  if (config.row(0) == RowMode::sync) return "R0 is sync";
  if (r.flag_in) {
    const Task* task = task_of(r, TaskKind::prefill);
    if (task == nullptr) return "the prefill flag was still set from an earlier step";
    return fmt::format("a prefill came in (slot {})", task->slot);
  }
  if (const Task* task = task_of(r, TaskKind::dnode)) {
    return fmt::format("the D-node insert of slot {} made the cached pair unusable", task->slot);
  }
  if (r.cached_in.token_num == 0) {
    return fmt::format("step {} predicted no rows", step_after(view.step, -1));
  }
  const bool was_prefill = view.has_before ? view.before.flag_in : view.keyframe.flag;
  if (was_prefill) {
    return fmt::format("step {} had a prefill, so it predicted nothing", step_after(view.step, -1));
  }
  return "no prediction was cached";
}

std::vector<std::string> why(const StepView& view) {
  const StepRecord& r = view.record;
  std::vector<std::string> out;
  if (is_predicted(view)) {
    const Counts counts = counts_before(view);
    out.push_back(fmt::format("policy {} predicted it in step {} and the host waited for nothing",
                              to_name(view.header.config.policy), step_after(view.step, -1)));
    out.push_back(formula(view, counts));
    if (r.launch_bsz != counts.ran + counts.parked) {
      out.push_back(fmt::format("but rr = {} was used", r.launch_bsz));
    }
    return out;
  }
  out.push_back("exact, the host waited for the device's counts: " + why_exact(view));
  std::int64_t sum = 0;
  std::int64_t count = 0;
  for (const std::int32_t q : r.q_cpu) {
    sum += q;
    count += q > 0 ? 1 : 0;
  }
  out.push_back(fmt::format("N = sum of q_cpu = {}, rr = slots with q_cpu > 0 = {}", sum, count));
  return out;
}

std::string why_fewer(const StepView& view, std::size_t slot) {
  const StepRecord& r = view.record;
  const std::int32_t q = value_at(r.p1.q, slot);
  const RequestRow& row = view.row(slot);
  const RunConfig& config = view.header.config;
  std::string drafts =
      fmt::format("short row: {} of {} drafts", std::max(q, 1) - 1, config.num_speculative_tokens);
  const std::int64_t g = value_at(r.p1.g, slot);
  if (row.id != kNoRequest && g + config.num_model_steps >= row.max_dec_len) {
    return drafts + ", too close to the length limit for more";
  }
  if (task_for(r, TaskKind::dnode, slot) != nullptr) return drafts + ", as its P node sent them";
  if (q == config.num_model_steps + 1) return drafts + ", no n-gram match beyond the MTP head's";
  return drafts;
}

std::string why_missing(const StepView& view, std::size_t slot) {
  for (const TaskKind kind : {TaskKind::prefill, TaskKind::dnode}) {
    if (task_for(view.record, kind, slot) != nullptr) {
      return "inserted by a task of this step, not counted";
    }
  }
  const std::int64_t drafts = std::int64_t{value_at(view.record.p1.q, slot)} - 1;
  const std::int64_t had = std::int64_t{view.q_before(slot)} - 1;
  std::string text = "more rows than were counted for it";
  if (had < 0 || had >= drafts) return text;
  text += fmt::format(": its drafts grew from {} to {}", had, drafts);
  const bool first = view.has_before && task_for(view.before, TaskKind::dnode, slot) != nullptr;
  return first ? text + fmt::format(", step {} was its first on this D node", view.before.t) : text;
}

void explain_padding(const StepView& view, LaunchStory& story) {
  const StepRecord& r = view.record;
  std::int64_t explained = 0;
  for (std::size_t i = 0; i < view.slot_count(); ++i) {
    const std::int64_t q = value_at(r.p1.q, i);
    const std::int64_t surplus = story.counted[i] - q;
    if (surplus == 0) continue;
    explained += surplus;
    const std::string reason = surplus < 0 ? why_missing(view, i)
                               : q == 0    ? why_not_running(view, i)
                                           : why_fewer(view, i);
    story.padding.push_back({static_cast<std::int64_t>(i), surplus, reason});
  }
  const std::int64_t rest = std::int64_t{r.token_num} - story.device_rows - explained;
  if (rest != 0) {
    story.padding.push_back({-1, rest, "no slot explains them: see the divergences"});
  }
}

}  // namespace

LaunchStory explain_launch(const StepView& view) {
  LaunchStory story;
  for (std::size_t i = 0; i < view.slot_count(); ++i) {
    const std::int32_t q = value_at(view.record.p1.q, i);
    story.device_rows += q;
    story.device_slots += q > 0 ? 1 : 0;
    story.counted.push_back(counted_rows(view, i));
  }
  if (view.record.kind == StepKind::idle) {
    story.counted.assign(view.slot_count(), 0);
    story.why.emplace_back("N = 0: no slot runs and none is predicted to");
    return story;
  }
  story.why = why(view);
  explain_padding(view, story);
  return story;
}

}  // namespace tandem::cli
