// Verdicts and summaries as JSON.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/cli/neighbourhood_json.hpp"
#include "tools/cli/report.hpp"

namespace tandem::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& document) {
  // A file name need not be UTF-8: what is not becomes U+FFFD.
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

void add_checks(Json& out, const sim::Verdict& verdict,
                const std::optional<Neighbourhood>& around) {
  out["divergences"] = verdict.divergence_count;
  out["first_divergence"] =
      verdict.divergences.empty() ? Json() : Json(sim::to_line(verdict.divergences.front()));
  out["first_divergence_detail"] =
      verdict.divergences.empty() ? Json() : divergence_json(verdict.divergences.front(), around);
  Json checks = Json::object();
  for (std::size_t i = 0; i < sim::kCheckCount; ++i) {
    const auto id = static_cast<sim::CheckId>(i);
    if (verdict.excluded[i] || !sim::check_info(id).implemented) continue;
    const sim::CheckCount& count = verdict.checks[i];
    checks[sim::to_name(id)] = {
        {"run", count.run}, {"not_checkable", count.not_checkable}, {"diverged", count.diverged}};
  }
  out["checks"] = std::move(checks);
}

/// Percentiles divided by `scale`, or null.
Json percentiles(bool present, const Percentiles& p, double scale) {
  if (!present) return {};
  return {{"median", static_cast<double>(p.median) / scale},
          {"p95", static_cast<double>(p.p95) / scale},
          {"p99", static_cast<double>(p.p99) / scale}};
}

Json trace_object(const TraceReport& report, bool all) {
  Json out;
  out["trace"] = report.path;
  out["exit_code"] = report.exit_code;
  if (!report.opened) {
    out["error"] = report.error;
    return out;
  }
  out["scenario"] = report.header.config.scenario;
  out["device"] = report.header.device;
  out["schedule"] = schedule_name(report.header.config.rows);
  out["policy"] = to_name(report.header.config.policy);
  out["seed"] = report.header.config.seed;
  out["steps"] = report.verdict.steps;
  out["records"] = report.verdict.records;
  out["requests"] = report.verdict.requests;
  out["tokens"] = report.verdict.tokens;
  out["counter_digest"] = digest_text(report.verdict.counter_digest);
  add_checks(out, report.verdict, report.around);
  if (all) {
    Json lines = Json::array();
    for (const sim::Divergence& d : report.verdict.divergences) lines.push_back(sim::to_line(d));
    out["all_divergences"] = std::move(lines);
  }
  Json missing = Json::array();
  for (const sim::CheckId id : report.missing) missing.push_back(sim::to_name(id));
  out["required_not_run"] = std::move(missing);
  out["damage"] = report.damage.empty() ? Json() : Json(report.damage);
  out["error"] = report.error.empty() ? Json() : Json(report.error);
  out["interrupted"] = report.interrupted;
  return out;
}

}  // namespace

std::string run_json(const RunReport& report) {
  const RunSummary& s = report.summary;
  Json out;
  out["scenario"] = report.config.scenario;
  out["device"] = report.device;
  out["executor"] = report.executor;
  out["schedule"] = schedule_name(report.config.rows);
  out["policy"] = to_name(report.config.policy);
  out["seed"] = report.config.seed;
  out["record"] = to_name(report.level);
  out["steps"] = s.steps;
  out["launched_steps"] = s.launched_steps;
  out["requests"] = s.requests;
  out["tokens"] = s.tokens;
  out["token_digest"] = digest_text(s.token_digest);
  if (report.verdict) {
    out["verified"] = true;
    out["counter_digest"] = digest_text(report.verdict->counter_digest);
    add_checks(out, *report.verdict, report.around);
  } else {
    out["verified"] = false;
    out["counter_digest"] = nullptr;
    out["divergences"] = nullptr;
    out["first_divergence"] = nullptr;
    out["first_divergence_detail"] = nullptr;
    out["checks"] = Json::object();
  }
  out["recorder_stalls"] = s.recorder_stalls;
  out["step_time_us"] = percentiles(s.has_step_time, s.step_time_ns, 1e3);
  out["idle_pct"] = percentiles(s.has_idle, s.idle_millionths, 1e4);
  out["virtual_ns"] = s.virtual_ns;
  out["dropped_rows"] = s.dropped_rows;
  out["guard_step"] = s.guard_tripped ? Json(s.guard_step) : Json();
  out["interrupted"] = s.stopped;
  out["trace"] = report.trace_path.empty() ? Json() : Json(report.trace_path);
  out["trace_bytes"] = report.trace_path.empty() ? Json() : Json(report.trace_bytes);
  return dump(out);
}

std::string traces_json(const std::vector<TraceReport>& reports, bool all) {
  Json out;
  out["traces"] = Json::array();
  for (const TraceReport& report : reports) out["traces"].push_back(trace_object(report, all));
  return dump(out);
}

}  // namespace tandem::cli
