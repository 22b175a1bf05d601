// A WhatifReport as JSON and CSV: integers, times in nanoseconds, shares in millionths.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "sim/report/analysis.hpp"
#include "tools/cli/whatif.hpp"

namespace tandem::cli {
namespace {

using Json = nlohmann::ordered_json;
using sim::StudyResult;

Json result_object(const StudyResult& result) {
  Json out = Json::object();
  for (const WhatifValue& value : whatif_values()) out[value.name] = value.of(result);
  out["guard_tripped"] = result.run.guard_tripped;
  return out;
}

/// A field of a CSV line: quoted where it holds a comma, a quote or a line end.
std::string field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

}  // namespace

const std::vector<WhatifValue>& whatif_values() {
  static const std::vector<WhatifValue> values{
      {"steps", [](const StudyResult& r) { return r.run.steps; }},
      {"launched_steps", [](const StudyResult& r) { return r.run.launched_steps; }},
      {"requests", [](const StudyResult& r) { return r.run.requests; }},
      {"tokens", [](const StudyResult& r) { return r.run.tokens; }},
      {"work_ns", [](const StudyResult& r) { return r.work_ns; }},
      {"millitokens_per_s", [](const StudyResult& r) { return r.millitokens_per_s(); }},
      {"step_mean_ns", [](const StudyResult& r) { return r.mean_step_ns(); }},
      {"step_median_ns", [](const StudyResult& r) { return r.run.step_time_ns.median; }},
      {"step_p95_ns", [](const StudyResult& r) { return r.run.step_time_ns.p95; }},
      {"step_p99_ns", [](const StudyResult& r) { return r.run.step_time_ns.p99; }},
      {"tpot_median_ns", [](const StudyResult& r) { return r.token_gap_ns.median; }},
      {"tpot_p95_ns", [](const StudyResult& r) { return r.token_gap_ns.p95; }},
      {"tpot_p99_ns", [](const StudyResult& r) { return r.token_gap_ns.p99; }},
      {"ttft_median_ns", [](const StudyResult& r) { return r.first_token_ns.median; }},
      {"ttft_p95_ns", [](const StudyResult& r) { return r.first_token_ns.p95; }},
      {"ttft_p99_ns", [](const StudyResult& r) { return r.first_token_ns.p99; }},
      {"compute_busy_ns", [](const StudyResult& r) { return r.busy_ns; }},
      {"gap_ns", [](const StudyResult& r) { return r.gap_ns; }},
      {"starved_ns", [](const StudyResult& r) { return r.starved_ns; }},
      {"starved_millionths",
       [](const StudyResult& r) { return sim::millionths(r.starved_ns, r.work_ns); }},
      {"rows_launched", [](const StudyResult& r) { return r.rows_launched; }},
      {"rows_used", [](const StudyResult& r) { return r.rows_used; }},
      {"draft_rows_launched", [](const StudyResult& r) { return r.draft_rows_launched; }},
      {"draft_rows_used", [](const StudyResult& r) { return r.draft_rows_used; }},
      {"decode_steps", [](const StudyResult& r) { return r.decode_steps; }},
      {"decode_tokens", [](const StudyResult& r) { return r.decode_tokens; }},
      {"preemptions", [](const StudyResult& r) { return r.preemptions; }},
      {"parked", [](const StudyResult& r) { return r.parked; }}};
  return values;
}

std::string whatif_json(const WhatifReport& report) {
  Json out;
  out["source"] = report.source;
  out["changes"] = report.changes;
  out["costs"] = {{"source", report.costs.name}, {"exact", report.costs.exact}};
  out["costs"]["error_millionths"] =
      report.costs.error_millionths < 0 ? Json() : Json(report.costs.error_millionths);
  out["costs"]["remarks"] = report.costs.remarks;
  out["base"] = result_object(report.base);
  Json points = Json::array();
  for (std::size_t i = 0; i < report.points.size(); ++i) {
    Json point;
    Json at = Json::object();
    for (std::size_t a = 0; a < report.axes.size(); ++a) {
      at[report.axes[a].key] = report.points[i][a];
    }
    point["at"] = std::move(at);
    point.update(result_object(report.results[i]));
    points.push_back(std::move(point));
  }
  out["points"] = std::move(points);
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string whatif_csv(const WhatifReport& report) {
  std::string text;
  const auto add = [&text](const std::string& cell) {
    if (!text.empty() && text.back() != '\n') text += ',';
    text += field(cell);
  };
  for (const sim::SweepAxis& axis : report.axes) add(axis.key);
  for (const WhatifValue& value : whatif_values()) add(value.name);
  text += '\n';
  for (std::size_t i = 0; i < report.points.size(); ++i) {
    for (const std::string& value : report.points[i]) add(value);
    for (const WhatifValue& value : whatif_values()) {
      add(std::to_string(value.of(report.results[i])));
    }
    text += '\n';
  }
  return text;
}

}  // namespace tandem::cli
