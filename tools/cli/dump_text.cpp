// Lays out a StepRecord for people.
#include "tools/cli/dump_text.hpp"

#include <fmt/format.h>

#include "tools/cli/options.hpp"
#include "tools/cli/record_words.hpp"
#include "tools/cli/stamp_words.hpp"
#include "traces/plan/plan.hpp"

namespace tandem::cli {
namespace {

constexpr const char* kSlotLine =
    "  {:>4} {:>8} {:>4} {:>4} {:>3} {:>6} {:>7} {:>1} {:>6} {:>3} {:>3} {:>3} {:>7} {:>6}\n";

std::string line(const std::string& text) { return wrap("  " + text, 6) + "\n"; }

std::string task_text(const Task& task) {
  std::string text = fmt::format("task {} slot {} request {} generation {}", to_name(task.kind),
                                 task.slot, task.request, task.generation);
  if (task.kind == TaskKind::prefill) {
    text += fmt::format(", text [{}, {}) of {}", task.start, task.end, task.text_len);
    if (task.admits && task.start > 0) {
      text += fmt::format(", {} from the prefix cache", counted(task.start, "token"));
    }
  }
  if (task.kind == TaskKind::dnode) {
    text += fmt::format(", {} tokens, {} drafts", task.start, task.drafts);
  }
  if (task.admits) text += ", admits: " + request_words(task.row);
  if (!task.blocks.empty()) text += fmt::format(", +{} blocks", task.blocks.size());
  return line(text);
}

std::string message_text(const Message& message) {
  std::string text =
      fmt::format("{} of step {}:", message.control ? "control message" : "message", message.step);
  for (std::size_t i = 0; i < message.count.size(); ++i) {
    if (message.count[i] == 0) continue;
    text += fmt::format(
        " {}:{}", i,
        message.count[i] == kPreemptMark ? "preempted" : std::to_string(message.count[i]));
  }
  return line(text);
}

std::string deviation_text(const PlanDeviation& d) {
  const auto lane = [](int value) {
    return value >= 0 && value < plan::kLaneCount ? plan::to_name(static_cast<plan::Lane>(value))
                                                  : "?";
  };
  const auto op = [](int value) {
    return value < 0 ? "nothing" : plan::to_name(static_cast<plan::OpKind>(value));
  };
  return line(fmt::format("deviation lane {} position {}: {} expected, {} found", lane(d.lane),
                          d.position, op(d.expected), op(d.found)));
}

/// "-" where the trace has no such column.
std::string cell(const Column& column, std::size_t slot) {
  return slot < column.size() ? std::to_string(column[slot]) : "-";
}

std::string slot_line(const StepRecord& r, std::size_t i, bool back) {
  const auto later = [&](const Column& column) {
    return back ? cell(column, i) : std::string("-");
  };
  return fmt::format(fmt::runtime(kSlotLine), i, cell(r.p1_request, i), cell(r.p1_generation, i),
                     cell(r.q_cpu, i), cell(r.p1.q, i), cell(r.p1.e, i), cell(r.p1.d, i),
                     cell(r.p1.b, i), cell(r.p1.g, i), cell(r.p1_draft.len, i), later(r.p2.a),
                     later(r.p4.q), later(r.p4.d), later(r.p4.g));
}

std::string slots_text(const StepRecord& r) {
  const bool back = r.kind == StepKind::back;
  std::string rows;
  for (std::size_t i = 0; i < r.p1_request.size(); ++i) {
    if (r.p1_request[i] != kNoRequest) rows += slot_line(r, i, back);
  }
  if (rows.empty()) return rows;
  return fmt::format(fmt::runtime(kSlotLine), "slot", "request", "gen", "q^", "q", "e", "d", "b",
                     "g", "D", "a", "q'", "d'", "g'") +
         rows;
}

std::string summary_text(const StepRecord& r) {
  if (r.repeat > 1) {
    return fmt::format("step {}..{} {}, {} iterations\n", r.t, step_after(r.t, r.repeat - 1),
                       to_name(r.kind), r.repeat);
  }
  std::string text = fmt::format("step {} {} n={} N={} rr={} r={} R={}", r.t, to_name(r.kind), r.n,
                                 r.token_num, r.launch_bsz, r.real_bsz, r.output_rows);
  text += r.mode == LaunchMode::predicted ? " predicted" : " exact";
  text += fmt::format(" cached {},{} -> {},{}", r.cached_in.token_num, r.cached_in.real_bsz,
                      r.cached_out.token_num, r.cached_out.real_bsz);
  if (r.flag_in || r.flag_out)
    text += fmt::format(" flag {}->{}", r.flag_in ? 1 : 0, r.flag_out ? 1 : 0);
  if (r.guard_tripped) text += " GUARD";
  return wrap(text, 6) + "\n";
}

}  // namespace

std::string step_text(const StepRecord& record) {
  std::string text = summary_text(record);
  for (const Task& task : record.tasks) text += task_text(task);
  for (const Message& message : record.messages) text += message_text(message);
  for (const RequestOutcome& o : record.outcomes) {
    text +=
        line(fmt::format("request {} ended: {} tokens, {}", o.id, o.output_len, to_name(o.reason)));
  }
  for (const SlotFree& f : record.frees) {
    text += line(fmt::format("slot {} freed, generation {}", f.slot, f.generation));
  }
  for (const PlanDeviation& d : record.deviations) text += deviation_text(d);
  for (const std::string& words : stamp_words(record)) text += line(words);
  return text + slots_text(record);
}

std::string dump_legend() {
  return "q^ q as the host read it; q e d b g D: device at P1 (rows, prefill rows, length,\n"
         "blocked, generated, draft row length); a: accepted; q' d' g': device at P4\n";
}

}  // namespace tandem::cli
