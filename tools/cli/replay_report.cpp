// Composes what a replay reports.
#include "tools/cli/replay_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "tools/cli/record_words.hpp"
#include "tools/cli/report.hpp"

namespace tandem::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string acceptance_of(const Replay& replay) {
  if (replay.extrapolated) return "profile";
  return replay.run.by_commits ? "commits" : "recorded";
}

std::string comparison_text(const ReplayReport& report) {
  const ReplayComparison& c = *report.comparison;
  std::string text;
  const std::string of = fmt::format("{} of {} steps", grouped(c.compared), grouped(report.steps));
  if (!c.differs()) {
    text += row("reproduced", "yes: " + of + " compared, all equal");
  } else {
    text += row("reproduced", fmt::format("no: {} compared, {} differ", of, grouped(c.differing)));
  }
  if (!c.not_compared.empty()) {
    text += row("not compared", fmt::format("{}", fmt::join(c.not_compared, ", ")));
  }
  if (c.keyframes_differing > 0) {
    text +=
        row("keyframes", fmt::format("{} of {} differ, first that of step {} in `{}`",
                                     grouped(c.keyframes_differing), grouped(c.keyframes_compared),
                                     c.first_keyframe, c.first_member));
  }
  if (c.first) {
    text += to_line(*c.first) + "\n";
    text += row("  recorded", c.first->recorded) + row("  replayed", c.first->replayed);
  }
  return text;
}

std::string requests_text(const ReplayReport& report) {
  const RecordedWorkload& t = report.tally;
  std::string text = fmt::format("{} of {}", counted(report.requests, "request"), report.trace);
  const auto add = [&text](std::int64_t count, const char* what) {
    if (count > 0) text += fmt::format(", {} {}", grouped(count), what);
  };
  add(t.aborted, "aborted as there");
  add(t.open_cut, "cut where the trace ends");
  add(t.resumed, "taken up where the trace starts");
  add(t.left_out, "left out: not one token was observed");
  std::string out = row("replay", text);
  out += row("acceptance", report.acceptance == "profile"   ? "extrapolated: --accept-profile"
                           : report.acceptance == "commits" ? "recorded counts"
                                                            : "as the trace's header states it");
  return out;
}

Json comparison_json(const ReplayComparison& c) {
  Json out;
  out["reproduced"] = !c.differs();
  out["steps_compared"] = c.compared;
  out["steps_differing"] = c.differing;
  out["keyframes_compared"] = c.keyframes_compared;
  out["keyframes_differing"] = c.keyframes_differing;
  out["counter_digest_recorded"] = c.has_digests ? Json(digest_text(c.recorded_digest)) : Json();
  out["counter_digest_replayed"] = c.has_digests ? Json(digest_text(c.replayed_digest)) : Json();
  out["first_difference"] = c.first ? Json(to_line(*c.first)) : Json();
  Json fields = Json::object();
  for (std::size_t i = 0; i < kFieldCount; ++i) {
    if (c.per_field[i] > 0) fields[field_path(static_cast<Field>(i))] = c.per_field[i];
  }
  out["differing_fields"] = std::move(fields);
  out["not_compared"] = c.not_compared;
  return out;
}

}  // namespace

ReplayReport replay_report(const Replay& replay, const std::string& trace) {
  ReplayReport report;
  report.trace = trace;
  report.batch_exact = replay.batch_exact;
  report.steps = replay.run.end_step - replay.run.first_step;
  report.damage = replay.run.damage;
  report.acceptance = acceptance_of(replay);
  report.requests = static_cast<std::int64_t>(replay.scenario.workload.requests.size());
  report.tally = replay.requests;
  report.tally.requests.clear();
  report.extrapolated = replay.extrapolated;
  return report;
}

std::string to_line(const ReplayDifference& d) {
  return fmt::format("replay difference step={} slot={} field={} recorded={} replayed={}", d.step,
                     d.field.slot < 0 ? "-" : std::to_string(d.field.slot), d.field.path, d.field.a,
                     d.field.b);
}

std::string replay_text(const ReplayReport& report) {
  std::string text;
  if (report.batch_exact) {
    text += row(
        "replay",
        fmt::format("{}, batch-exact, {} recorded{}", report.trace, counted(report.steps, "step"),
                    report.acceptance == "commits" ? ", accepted counts as recorded" : ""));
    text += report.comparison ? comparison_text(report)
                              : row("reproduced", "not compared: --record off");
  } else {
    text += requests_text(report);
  }
  if (!report.damage.empty()) {
    text += row("damaged", report.damage + "; what lies before it was replayed");
  }
  return text;
}

void add_replay(Json& out, const ReplayReport& report) {
  Json replay;
  replay["trace"] = report.trace;
  replay["steps_recorded"] = report.steps;
  replay["acceptance"] = report.acceptance;
  replay["damage"] = report.damage.empty() ? Json() : Json(report.damage);
  if (report.batch_exact) {
    replay["comparison"] = report.comparison ? comparison_json(*report.comparison) : Json();
    out["replay"] = std::move(replay);
    return;
  }
  replay["requests"] = report.requests;
  replay["aborted"] = report.tally.aborted;
  replay["open_cut"] = report.tally.open_cut;
  replay["resumed"] = report.tally.resumed;
  replay["left_out"] = report.tally.left_out;
  out["replay_requests"] = std::move(replay);
  out["extrapolated"] = report.extrapolated;
}

}  // namespace tandem::cli
