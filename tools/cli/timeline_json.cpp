// A TimelineView as a JSON document: integers, times in nanoseconds, shares in millionths.
#include <nlohmann/json.hpp>

#include "tools/cli/report.hpp"
#include "tools/cli/timeline.hpp"
#include "traces/members.hpp"

namespace tandem::cli {
namespace {

using Json = nlohmann::ordered_json;
using sim::StepUse;
using sim::TimelineReport;

Json or_null(Nanos ns) { return ns == sim::kUnknownNs ? Json() : Json(ns); }

Json cause_object(const sim::Cause& cause) {
  Json out{{"text", sim::to_text(cause)}};
  out["row"] = cause.row < 0 ? Json() : Json(sim::row_name(cause.row));
  out["event"] = cause.event == plan::EventName::none ? Json() : Json(plan::to_name(cause.event));
  const bool has_op =
      cause.kind == sim::CauseKind::host_operation || cause.kind == sim::CauseKind::stream_wait;
  out["operation"] = has_op ? Json(plan::to_name(cause.op)) : Json();
  return out;
}

Json lane_object(const sim::LaneUse& u) {
  return {{"window_ns", u.window_ns},   {"busy_ns", u.busy_ns()},
          {"compute_ns", u.compute_ns}, {"copies_ns", u.copies_ns},
          {"waiting_ns", u.waiting_ns}, {"idle_ns", u.idle_ns},
          {"gaps_ns", u.gaps_ns},       {"gaps", u.gaps},
          {"no_work_ns", u.no_work_ns}};
}

Json host_object(const sim::HostUse& u) {
  return {{"window_ns", u.window_ns},         {"busy_ns", u.busy_ns()},
          {"operations_ns", u.operations_ns}, {"launches_ns", u.launches_ns},
          {"waiting_ns", u.waiting_ns},       {"other_ns", u.other_ns},
          {"no_work_ns", u.no_work_ns}};
}

template <class Measure>
Json spread_object(const TimelineReport& r, Measure measure) {
  std::vector<std::int64_t> values;
  values.reserve(r.steps.size());
  for (const StepUse& step : r.steps) {
    const Nanos ns = step.facts.kind == StepKind::idle ? sim::kUnknownNs : measure(step);
    if (ns != sim::kUnknownNs) values.push_back(ns);
  }
  const std::size_t count = values.size();
  const sim::Spread s = sim::spread_of(values);
  if (count == 0) return {};
  return {{"steps", count}, {"median", s.median}, {"p95", s.p95}, {"p99", s.p99}};
}

Json a_step_object(const TimelineReport& r) {
  return {
      {"wall_ns",
       spread_object(r, [](const StepUse& s) { return s.facts.end_ns - s.facts.start_ns; })},
      {"host_busy_ns", spread_object(r, [](const StepUse& s) { return s.host.busy_ns(); })},
      {"host_waiting_ns", spread_object(r, [](const StepUse& s) { return s.host.waiting_ns; })},
      {"compute_busy_ns", spread_object(r, [](const StepUse& s) { return s.compute.busy_ns(); })},
      {"compute_copies_ns", spread_object(r, [](const StepUse& s) { return s.compute.copies_ns; })},
      {"compute_waiting_ns",
       spread_object(r, [](const StepUse& s) { return s.compute.waiting_ns; })},
      {"compute_idle_ns", spread_object(r, [](const StepUse& s) { return s.compute.idle_ns; })},
      {"copy_busy_ns", spread_object(r, [](const StepUse& s) { return s.copy.busy_ns(); })},
      {"launch_lead_ns", spread_object(r, [](const StepUse& s) { return s.lead_ns; })}};
}

Json steps_array(const TimelineReport& r) {
  Json steps = Json::array();
  for (const StepUse& s : r.steps) {
    steps.push_back({{"t", s.facts.t},
                     {"repeat", s.facts.repeat},
                     {"kind", to_name(s.facts.kind)},
                     {"mode", to_name(s.facts.mode)},
                     {"start_ns", s.facts.start_ns},
                     {"end_ns", s.facts.end_ns},
                     {"host", host_object(s.host)},
                     {"compute", lane_object(s.compute)},
                     {"copy", lane_object(s.copy)},
                     {"launch_lead_ns", or_null(s.lead_ns)}});
  }
  return steps;
}

Json bubbles_array(const TimelineReport& r) {
  Json bubbles = Json::array();
  for (const sim::Bubble& b : r.bubbles) {
    Json parts = Json::array();
    for (const sim::CausePart& part : b.parts) {
      parts.push_back({{"cause", cause_object(part.cause)}, {"ns", part.ns}});
    }
    bubbles.push_back({{"step", b.step},
                       {"before", plan::to_name(b.before)},
                       {"start_ns", b.start_ns},
                       {"end_ns", b.end_ns},
                       {"idle_ns", b.idle_ns},
                       {"alike", b.alike},
                       {"cause", cause_object(b.root)},
                       {"parts", std::move(parts)}});
  }
  return bubbles;
}

Json causes_array(const TimelineReport& r) {
  Json causes = Json::array();
  for (const auto& [cause, total] : r.causes) {
    causes.push_back(
        {{"cause", cause_object(cause)}, {"bubbles", total.bubbles}, {"idle_ns", total.idle_ns}});
  }
  return causes;
}

Json rows_object(const TimelineReport& r) {
  Json rows = Json::object();
  for (const auto& [number, total] : r.rows) {
    rows[number < 0 ? "always" : sim::row_name(number)] = {
        {"waits", total.waits},
        {"host_waited_ns", total.waited_ns},
        {"compute_idle_ns", total.starved_ns},
        {"on_path_ns", total.path_ns},
        {"of_path_millionths", sim::millionths(total.path_ns, r.path.total_ns)}};
  }
  return rows;
}

Json key_object(const sim::PathKey& key) {
  constexpr const char* kKinds[] = {"operation", "launch", "wait"};
  if (key.no_work) return {{"kind", "no_work"}};
  return {{"kind", key.gap ? "gap" : kKinds[static_cast<std::size_t>(key.kind)]},
          {"lane", plan::to_name(key.lane)},
          {"operation", plan::to_name(key.op)},
          {"event", key.event == plan::EventName::none ? Json() : Json(plan::to_name(key.event))},
          {"row", key.row < 0 ? Json() : Json(sim::row_name(key.row))}};
}

Json path_object(const TimelineReport& r) {
  Json shares = Json::array();
  for (const auto& [key, share] : r.path.shares) {
    Json entry = key_object(key);
    entry["on_path_ns"] = share.on_path_ns;
    entry["on_path"] = share.on_path;
    entry["all"] = share.nodes;
    entry["slack_min_ns"] = share.nodes == 0 ? Json() : Json(share.slack_min_ns);
    entry["slack_mean_ns"] =
        share.nodes == 0 ? Json()
                         : Json(share.slack_sum_ns / static_cast<std::uint64_t>(share.nodes));
    shares.push_back(std::move(entry));
  }
  Json pieces = Json::array();
  for (const sim::PathPiece& piece : r.path.last_window) {
    Json entry = key_object(piece.key);
    entry["step"] = piece.step;
    entry["start_ns"] = piece.start_ns;
    entry["end_ns"] = piece.end_ns;
    pieces.push_back(std::move(entry));
  }
  return {{"window_steps", sim::kPathWindowSteps},
          {"windows", r.path.windows},
          {"total_ns", r.path.total_ns},
          {"shares", std::move(shares)},
          {"last_window", std::move(pieces)}};
}

Json attribution_object(const sim::Attribution& a) {
  Json lanes = Json::object();
  for (std::size_t i = 0; i < a.merged_ns.size(); ++i) {
    lanes[plan::to_name(static_cast<plan::Lane>(i))] = {{"attributed_ns", a.attributed_ns[i]},
                                                        {"merged_ns", a.merged_ns[i]}};
  }
  return {{"holds", a.holds()},
          {"first", a.first.empty() ? Json() : Json(a.first)},
          {"lanes", std::move(lanes)}};
}

Json tally_object(const sim::PlanTally& t) {
  Json waits = Json::array();
  for (const auto& [cause, count] : t.waits) {
    waits.push_back({{"cause", cause_object(cause)}, {"count", count}});
  }
  return {{"launched", t.launched},
          {"predicted", t.predicted},
          {"rows_launched", t.rows_launched},
          {"rows_used", t.rows_used},
          {"host_waits", std::move(waits)}};
}

Json timeline_object(const TimelineReport& r) {
  const sim::Bound& b = r.bound;
  Json out;
  out["bound"] = {{"side", b.side == sim::BoundSide::host ? "host" : "device"},
                  {"host_ns", b.host_ns},
                  {"device_ns", b.device_ns},
                  {"run_ns", b.run_ns},
                  {"above_millionths", b.above_millionths()},
                  {"text", bound_text(r)}};
  out["lanes"] = {{"host", host_object(r.host)},
                  {"compute", lane_object(r.compute)},
                  {"copy", lane_object(r.copy)}};
  out["a_step"] = a_step_object(r);
  out["run_ahead"] = {{"launches", r.launches},
                      {"ahead", r.ahead},
                      {"millionths", sim::millionths(r.ahead, r.launches)}};
  out["idle_by_cause"] = causes_array(r);
  out["bubbles"] = bubbles_array(r);
  out["rows"] = rows_object(r);
  out["critical_path"] = path_object(r);
  out["T1"] = {{"deviations", r.deviations},
               {"predicted_steps", r.predicted},
               {"launched_late", r.predicted_late}};
  out["T2"] = attribution_object(r.attribution);
  return out;
}

Json view_object(const TimelineView& v) {
  const TimelineReport& r = v.report;
  Json out;
  out["trace"] = v.trace;
  out["scenario"] = v.header.config.scenario;
  out["device"] = v.header.device;
  out["schedule"] = schedule_name(v.header.config.rows);
  out["policy"] = to_name(v.header.config.policy);
  out["seed"] = v.header.config.seed;
  out["missing"] = v.missing;
  out["records"] = {{"all", v.tally.records},
                    {"counted", r.records},
                    {"launched", r.launched},
                    {"ramp_in", r.counted.ramp_in},
                    {"ramp_out", r.counted.ramp_out}};
  out["plan"] = tally_object(v.tally);
  out["timeline"] = r.has_spans() ? timeline_object(r) : Json();
  Json lines = Json::array();
  for (const sim::Divergence& d : v.divergences) lines.push_back(sim::to_line(d));
  out["divergences"] = v.divergence_count;
  out["divergence_lines"] = std::move(lines);
  return out;
}

}  // namespace

std::string timeline_json(const TimelineView& v) {
  Json out = view_object(v);
  out["steps"] = steps_array(v.report);
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string timeline_page_json(const TimelineView& v) {
  return view_object(v).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tandem::cli
