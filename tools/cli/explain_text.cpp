// An Explanation as text and JSON.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/cli/explain.hpp"
#include "tools/cli/options.hpp"
#include "tools/cli/record_words.hpp"
#include "tools/cli/report.hpp"

namespace tandem::cli {
namespace {

using Json = nlohmann::ordered_json;

const char* kind_sentence(StepKind kind) {
  switch (kind) {
    case StepKind::back:
      return "back: launched, verified, proposed";
    case StepKind::empty:
      return "empty: a ghost step, launched for slots that no longer run";
    case StepKind::idle:
      return "idle: nothing launched";
  }
  return "?";
}

std::string graph_text(std::int32_t captured) {
  return captured == 0 ? "eager" : fmt::format("graph of {}", captured);
}

std::string head_text(const Explanation& e, const std::string& trace) {
  const StepRecord& r = e.view.record;
  const RunConfig& c = e.view.header.config;
  std::string text = row("step", fmt::format("{} of {}", e.view.step, trace));
  text += row("kind", kind_sentence(r.kind));
  if (r.repeat > 1) {
    text += row("", fmt::format("one of {} equal iterations, {} to {}", r.repeat, r.t,
                                step_after(r.t, r.repeat - 1)));
  }
  text += row("run", fmt::format("{}, schedule {}, policy {}, B={} K={} M={} W={}", c.scenario,
                                 schedule_name(c.rows), to_name(c.policy), c.max_num_seqs,
                                 c.num_speculative_tokens, c.num_model_steps, c.row_width()));
  text += row("segments", fmt::format("{}", fmt::join(e.segments, ", ")));
  for (const PlanDeviation& d : r.deviations) {
    text += row("", fmt::format("lane {} position {} departs from the plan", d.lane, d.position));
  }
  return text;
}

std::string launch_text(const Explanation& e) {
  const StepRecord& r = e.view.record;
  if (r.kind == StepKind::idle) return row("launch", "none") + rows_of("why", e.launch.why);
  std::string text =
      row("launch", fmt::format("N = {}, rr = {}, {}", counted(r.token_num, "row"),
                                counted(r.launch_bsz, "slot"), graph_text(r.captured_size)));
  text += rows_of("why", e.launch.why);
  text +=
      row("device",
          fmt::format("T = {} of r = {}, R = {} with logits", counted(e.launch.device_rows, "row"),
                      counted(r.real_bsz, "running slot"), counted(r.output_rows, "row")));
  if (r.guard_tripped) text += row("guard", "rows beyond the launch were dropped");
  const std::int64_t padding = std::int64_t{r.token_num} - e.launch.device_rows;
  std::vector<std::string> lines;
  if (padding == 0) {
    lines.emplace_back("no row");
  } else if (padding < 0) {
    lines.push_back(fmt::format("none: {} missing", counted(-padding, "row")));
  } else {
    lines.push_back(fmt::format("{} of {} rows, from row {} to {} of the packed axis", padding,
                                r.token_num, e.launch.device_rows, r.token_num - 1));
  }
  for (const PaddingShare& share : e.launch.padding) {
    lines.push_back(share_text(share));
  }
  if (r.captured_size > r.token_num) {
    lines.push_back(fmt::format("and {} of the graph beyond N",
                                counted(std::int64_t{r.captured_size} - r.token_num, "row")));
  }
  return text + rows_of("padding", lines);
}

std::string slots_text(const Explanation& e) {
  std::vector<std::string> lines;
  for (const SlotStory& s : e.slots) {
    std::string line = fmt::format("slot {}, request {}", s.slot, s.request);
    if (s.rows > 0) line += ", " + counted(s.rows, "row");
    lines.push_back(s.text.empty() ? line : line + ": " + s.text);
  }
  return rows_of("slots", lines);
}

std::string number(std::int64_t value) { return value < 0 ? "-" : std::to_string(value); }

std::string belief_note(const BeliefRow& b) {
  if (b.device_len < 0 || b.believed_len == b.device_len) return "";
  const std::int64_t behind = b.device_len - b.believed_len;
  return behind > 0 ? fmt::format("{} behind", behind) : fmt::format("{} ahead", -behind);
}

std::string beliefs_text(const Explanation& e) {
  constexpr const char* kLine = "  {:<14}{:>8}{:>8}{:>8} {:>9}{:>8}{:>8}  {}";
  const auto line = [](const auto&... cells) {
    std::string text = fmt::format(fmt::runtime(kLine), cells...);
    return text.substr(0, text.find_last_not_of(' ') + 1) + "\n";
  };
  std::string text = "host and device\n";
  text += line("", "rows:", "", "", "length:", "", "", "");
  text += line("", "counted", "copied", "device", "believed", "reserve", "device", "");
  for (const BeliefRow& b : e.beliefs) {
    text += line(b.name, number(b.counted), number(b.copied), number(b.device),
                 number(b.believed_len), number(b.reserve), number(b.device_len), belief_note(b));
  }
  const StepRecord& r = e.view.record;
  if (r.q_cpu_step != e.view.record.t || r.b_cpu_step != e.view.record.t) {
    text += wrap(fmt::format("  copied is of step {} (rows) and {} (parked), not of this one",
                             r.q_cpu_step, r.b_cpu_step),
                 2) +
            "\n";
  }
  return text;
}

std::string substeps_text(const Explanation& e) {
  if (e.substeps.empty()) return row("drafts", "none in this step");
  return "drafts\n" + substeps_table(e.substeps);
}

std::string verdict_lines(const StepVerdict& v) {
  if (!v.error.empty()) return row("verdict", "not verified: " + v.error);
  std::string text = row(
      "checks", fmt::format("{} run from the keyframe of step {} on", v.checks_run, v.from_step));
  if (!v.not_checkable.empty()) {
    text += row("not checkable", fmt::format("{}", fmt::join(v.not_checkable, " ")));
  }
  if (v.earlier > 0) {
    text += row("before", counted(v.earlier, "divergence") + " in earlier steps of the block");
  }
  text += row("verdict", v.divergence_count == 0
                             ? "clean"
                             : counted(v.divergence_count, "divergence") + " in this step");
  for (const std::string& line : v.divergences) text += line + "\n";
  return text;
}

Json optional(std::int64_t value) { return value < 0 ? Json() : Json(value); }

Json launch_json(const Explanation& e) {
  const StepRecord& r = e.view.record;
  Json padding = Json::array();
  for (const PaddingShare& p : e.launch.padding) {
    padding.push_back({{"slot", optional(p.slot)}, {"rows", p.rows}, {"reason", p.reason}});
  }
  Json out;
  out["mode"] = to_name(r.mode);
  out["token_num"] = r.token_num;
  out["launch_bsz"] = r.launch_bsz;
  out["captured_size"] = r.captured_size;
  out["device_rows"] = e.launch.device_rows;
  out["real_bsz"] = r.real_bsz;
  out["output_rows"] = r.output_rows;
  out["guard_tripped"] = r.guard_tripped;
  out["why"] = e.launch.why;
  out["padding_rows"] = std::int64_t{r.token_num} - e.launch.device_rows;
  out["padding"] = std::move(padding);
  return out;
}

Json slots_json(const Explanation& e) {
  Json slots = Json::array();
  for (const SlotStory& s : e.slots) {
    slots.push_back({{"slot", s.slot},
                     {"request", optional(s.request)},
                     {"generation", s.generation},
                     {"rows", s.rows},
                     {"accepted", s.accepted},
                     {"next_rows", s.next_rows},
                     {"stopped", s.stopped.empty() ? Json() : Json(s.stopped)},
                     {"text", s.text}});
  }
  return slots;
}

Json beliefs_json(const Explanation& e) {
  Json rows = Json::array();
  for (const BeliefRow& b : e.beliefs) {
    rows.push_back({{"name", b.name},
                    {"counted", optional(b.counted)},
                    {"copied", optional(b.copied)},
                    {"device", optional(b.device)},
                    {"believed_len", optional(b.believed_len)},
                    {"reserve", optional(b.reserve)},
                    {"device_len", optional(b.device_len)}});
  }
  return rows;
}

Json substeps_json(const Explanation& e) {
  Json substeps = Json::array();
  for (const SubstepStory& s : e.substeps) {
    substeps.push_back({{"launched", s.sub.launched},
                        {"blocking", s.sub.blocking},
                        {"token_num", s.sub.token_num},
                        {"device_sum", s.sub.device_sum},
                        {"hidden_rows", s.sub.hidden_rows},
                        {"captured_size", s.sub.captured_size},
                        {"rows_are", s.how}});
  }
  return substeps;
}

Json verdict_json(const StepVerdict& v) {
  return {{"error", v.error.empty() ? Json() : Json(v.error)},
          {"from_step", v.from_step},
          {"checks_run", v.checks_run},
          {"not_checkable", v.not_checkable},
          {"divergences_before", v.earlier},
          {"divergences", v.divergence_count},
          {"lines", v.divergences}};
}

}  // namespace

std::string rows_of(const char* name, const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += row(text.empty() ? name : "", line);
  return lines.empty() ? row(name, "none") : text;
}

std::string share_text(const PaddingShare& share) {
  const std::string rows =
      share.rows < 0 ? counted(-share.rows, "row") + " too few" : counted(share.rows, "row");
  if (share.slot < 0) return rows + ": " + share.reason;
  return fmt::format("slot {}, {}: {}", share.slot, rows, share.reason);
}

std::string substeps_table(const std::vector<SubstepStory>& substeps) {
  std::string text = fmt::format("  {:>4}{:>6}{:>12}{:>13}  {}\n", "sub", "rows", "device sum",
                                 "hidden rows", "rows are");
  for (std::size_t i = 0; i < substeps.size(); ++i) {
    const SubstepStory& s = substeps[i];
    text += fmt::format("  {:>4}{:>6}{:>12}{:>13}  {}{}\n", i, s.sub.token_num, s.sub.device_sum,
                        s.sub.hidden_rows, s.how,
                        s.sub.captured_size == 0 ? "" : ", " + graph_text(s.sub.captured_size));
  }
  return text;
}

std::string explain_text(const Explanation& e, const std::string& trace) {
  std::string text = head_text(e, trace);
  text += rows_of("tasks", e.tasks);
  text += launch_text(e);
  text += slots_text(e);
  text += rows_of("messages", e.messages);
  if (!e.ends.empty()) text += rows_of("engine", e.ends);
  text += beliefs_text(e) + substeps_text(e);
  if (!e.stamps.empty()) text += rows_of("stamps", e.stamps);
  if (!e.view.header.absent.empty()) {
    text += row("absent", fmt::format("{}: shown as 0", fmt::join(e.view.header.absent, " ")));
  }
  return text + verdict_lines(e.verdict);
}

std::string explain_json(const Explanation& e, const std::string& trace) {
  const StepRecord& r = e.view.record;
  Json out;
  out["trace"] = trace;
  out["step"] = e.view.step;
  out["kind"] = to_name(r.kind);
  out["first_step"] = r.t;
  out["repeat"] = r.repeat;
  out["scenario"] = e.view.header.config.scenario;
  out["schedule"] = schedule_name(e.view.header.config.rows);
  out["policy"] = to_name(e.view.header.config.policy);
  out["segments"] = e.segments;
  out["tasks"] = e.tasks;
  out["launch"] = launch_json(e);
  out["slots"] = slots_json(e);
  out["messages"] = e.messages;
  out["engine"] = e.ends;
  out["beliefs"] = beliefs_json(e);
  out["substeps"] = substeps_json(e);
  out["stamps"] = e.stamps;
  out["absent"] = e.view.header.absent;
  out["verdict"] = verdict_json(e.verdict);
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tandem::cli
