// A Neighbourhood as text of 80 columns.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "tools/cli/explain.hpp"
#include "tools/cli/neighbourhood.hpp"
#include "tools/cli/options.hpp"
#include "tools/cli/record_words.hpp"
#include "tools/cli/report.hpp"

namespace tandem::cli {
namespace {

constexpr std::size_t kActivityIndent = 13;
constexpr std::size_t kLinesMax = 8;

std::string without_blanks_behind(const std::string& text) {
  return text.substr(0, text.find_last_not_of(' ') + 1) + "\n";
}

/// At most kLinesMax of them, the rest counted.
std::vector<std::string> shortened(std::vector<std::string> lines) {
  if (lines.size() <= kLinesMax) return lines;
  const std::size_t rest = lines.size() - kLinesMax + 1;
  lines.resize(kLinesMax - 1);
  lines.push_back(fmt::format("and {} more", rest));
  return lines;
}

std::string value_text(bool exists, std::int64_t value) {
  return exists ? std::to_string(value) : std::string("-");
}

/// Who is alone with a value, where that can be told.
std::string judgement(const sim::Divergence& d) {
  const bool host_agrees = d.has_host && d.has_oracle && d.host == d.oracle;
  const bool device_agrees = d.has_device && d.has_oracle && d.device == d.oracle;
  if (d.has_host && device_agrees && !host_agrees) return "device and oracle agree, the host not";
  if (d.has_device && host_agrees && !device_agrees) return "host and oracle agree, the device not";
  if (d.has_host && d.has_device && d.has_oracle && !host_agrees && d.host == d.device) {
    return "host and device agree, the oracle not";
  }
  return "";
}

std::string place_text(const sim::Divergence& d) {
  std::string text = fmt::format("step {}", d.step);
  if (d.point != "-") text += ", point " + d.point;
  if (d.slot >= 0) text += fmt::format(", slot {}", d.slot);
  if (d.request >= 0) text += fmt::format(", request {}", d.request);
  if (d.has_host && d.belongs_to != d.step) {
    text += fmt::format("; the host's value is of step {}", d.belongs_to);
  }
  return text;
}

std::string values_text(const sim::Divergence& d) {
  constexpr const char* kLine = "  {:<30}{:>14}{:>14}{:>14}\n";
  std::string text = fmt::format(kLine, "", "host", "device", "oracle");
  text += fmt::format(kLine, d.field, value_text(d.has_host, d.host),
                      value_text(d.has_device, d.device), value_text(d.has_oracle, d.oracle));
  const std::string judged = judgement(d);
  return judged.empty() ? text : text + "  " + judged + "\n";
}

std::int64_t device_rows(const StepView& view) {
  std::int64_t rows = 0;
  for (const std::int32_t q : view.record.p1.q) rows += q;
  return rows;
}

std::string marks_text(const StepRecord& r) {
  std::string text;
  const auto mark = [&text](bool set, const std::string& word) {
    if (set) text += (text.empty() ? "" : " ") + word;
  };
  mark(r.repeat > 1, fmt::format("x{}", r.repeat));
  mark(r.kind == StepKind::empty, "ghost");
  mark(r.flag_in, "flag");
  mark(r.draft_flag_in && !r.flag_in, "draft flag");
  mark(r.guard_tripped, "GUARD");
  return text;
}

std::string steps_text(const Neighbourhood& n, const Style& style) {
  constexpr const char* kLine = "{:<2}{:>9} {:<6}{:<10}{:>5}{:>4}{:>4}{:>5}  {:<21}{}";
  const auto line = [](const auto&... cells) {
    return without_blanks_behind(fmt::format(fmt::runtime(kLine), cells...));
  };
  const auto pair = [](const CachedPair& p) {
    return fmt::format("{},{}", p.token_num, p.real_bsz);
  };
  std::string text = line("", "step", "kind", "mode", "N", "rr", "r", "T", "cached", "");
  for (std::size_t i = 0; i < n.steps.size(); ++i) {
    const StepView& view = n.steps[i];
    const StepRecord& r = view.record;
    const bool here = n.place == i;
    const std::string cells = line(here ? ">" : "", r.t, to_name(r.kind), to_name(r.mode),
                                   r.token_num, r.launch_bsz, r.real_bsz, device_rows(view),
                                   pair(r.cached_in) + " -> " + pair(r.cached_out), marks_text(r));
    text += here ? style.strong(cells) : cells;
  }
  if (!n.place) text += fmt::format("> {:>9} no record of it\n", n.divergence.step);
  if (!n.lost.empty()) text += row("not read", n.lost);
  return text;
}

std::string point_line(const std::string& step, const char* point, const SlotColumns& c,
                       std::size_t slot, bool has_accepted) {
  const auto cell = [slot](const Column& column) {
    return slot < column.size() ? std::to_string(column[slot]) : std::string("-");
  };
  return fmt::format("  {:>9}  {:<4}{:>6}{:>6}{:>8}{:>3}{:>3}{:>7}{:>5}\n", step, point, cell(c.q),
                     cell(c.e), cell(c.d), cell(c.s), cell(c.b), cell(c.g),
                     has_accepted ? cell(c.a) : "-");
}

std::string holder_text(const StepView& view, std::size_t slot) {
  const std::int32_t request =
      slot < view.table.holder.size() ? view.table.holder[slot] : kNoRequest;
  if (request == kNoRequest) return "";
  return fmt::format("request {}: ", request);
}

/// The slot at every point of the steps around, and what it was doing.
std::string slot_text(const Neighbourhood& n, const Style& style) {
  const auto slot = static_cast<std::size_t>(n.divergence.slot);
  const StepView* nearest = n.nearest();
  if (nearest == nullptr || slot >= nearest->slot_count()) return "";
  std::string text;
  const RequestRow& who = nearest->row(slot);
  const bool held = nearest->table.holder[slot] != kNoRequest;
  text += row(fmt::format("slot {}", slot),
              held && who.id != kNoRequest
                  ? fmt::format("request {}, generation {}: {}", who.id,
                                value_at(nearest->record.p1_generation, slot), request_words(who))
                  : "held by no request");
  text += fmt::format("  {:>9}  {:<4}{:>6}{:>6}{:>8}{:>3}{:>3}{:>7}{:>5}\n", "step", "at", "q", "e",
                      "d", "s", "b", "g", "a");
  for (std::size_t i = 0; i < n.steps.size(); ++i) {
    const StepView& view = n.steps[i];
    const StepRecord& r = view.record;
    std::string points = point_line(std::to_string(r.t), "P1", r.p1, slot, false);
    if (r.kind == StepKind::back) {
      points += point_line("", "P2", r.p2, slot, true) + point_line("", "P4", r.p4, slot, true);
    }
    if (n.place == i) {
      points[0] = '>';
      points = style.strong(points);
    }
    const std::string blanks(kActivityIndent, ' ');
    text += points;
    text += wrap(blanks + holder_text(view, slot) + slot_activity(view, slot), kActivityIndent);
    text += "\n";
  }
  return text;
}

bool is_of_substeps(const sim::Divergence& d) { return d.field.rfind("substeps", 0) == 0; }

/// Drafts are launched by slot counts and find the rows of the main launch: whoever had fewer than
/// W there explains the difference (4.3).
std::string draft_rows_text(const StepView& view) {
  const std::int32_t width = view.header.config.row_width();
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < view.slot_count(); ++i) {
    const std::int32_t q = value_at(view.record.p1.q, i);
    if (q <= 0 || q == width) continue;
    lines.push_back(fmt::format("slot {} has {} in the main launch, W = {}: {}", i,
                                counted(q, "row"), width, slot_activity(view, i)));
  }
  return lines.empty() ? row("rows", fmt::format("every running slot has W = {}", width))
                       : rows_of("rows", shortened(std::move(lines)));
}

/// What the launch rested on, and whose rows it had too many or too few.
std::string launch_text(const StepView& view) {
  const LaunchStory launch = explain_launch(view);
  std::string text = rows_of("launch", launch.why);
  std::vector<std::string> shares;
  for (const PaddingShare& share : launch.padding) shares.push_back(share_text(share));
  return text + (shares.empty() ? row("rows", "every slot has the rows that it was counted with")
                                : rows_of("rows", shortened(std::move(shares))));
}

/// The slot at the entry of each sub-step, with where its first hidden row came from (V32).
std::string slot_substeps_text(const StepRecord& r, std::size_t slot) {
  constexpr const char* kLine = "  {:>9}{:>6}{:>8}{:>14}{:>14}{:>8}{:>8}\n";
  std::string text =
      fmt::format(kLine, "sub-step", "qd", "dd", "row: request", "position", "phase", "count");
  for (std::size_t j = 0; j < r.substeps.size(); ++j) {
    const DraftSubstep& sub = r.substeps[j];
    text += fmt::format(kLine, j, value_at(sub.qd, slot), value_at(sub.dd, slot),
                        value_at(sub.row_request, slot), value_at(sub.row_position, slot),
                        value_at(sub.row_phase, slot), value_at(sub.row_count, slot));
  }
  return text;
}

bool is_of_messages(const sim::Divergence& d) { return d.field.rfind("messages", 0) == 0; }

}  // namespace

std::string neighbourhood_text(const Neighbourhood& n, const Style& style) {
  const sim::Divergence& d = n.divergence;
  const sim::CheckInfo& info = sim::check_info(d.check);
  std::string text = row(fmt::format("check {}", sim::to_name(d.check)),
                         fmt::format("{} (semantics {})", info.sentence, info.section));
  text += row("place", place_text(d)) + values_text(d) + steps_text(n, style);
  const StepView* view = n.nearest();
  if (view == nullptr) return text;
  if (!view->record.tasks.empty()) text += rows_of("tasks", shortened(task_stories(*view)));
  if (is_of_messages(d)) text += rows_of("messages", shortened(message_stories(*view)));
  if (d.slot >= 0) {
    text += slot_text(n, style);
  } else {
    text += is_of_substeps(d) ? draft_rows_text(*view) : launch_text(*view);
  }
  const std::vector<SubstepStory> substeps = substep_stories(*view);
  if (!is_of_substeps(d) || substeps.empty()) return text;
  text += "drafts\n" + substeps_table(substeps);
  if (d.slot >= 0) text += slot_substeps_text(view->record, static_cast<std::size_t>(d.slot));
  return text;
}

}  // namespace tandem::cli
