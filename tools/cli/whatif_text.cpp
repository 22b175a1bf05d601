// A WhatifReport as a table for a terminal.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "sim/report/analysis.hpp"
#include "tools/cli/report.hpp"
#include "tools/cli/whatif.hpp"

namespace tandem::cli {
namespace {

using sim::StudyResult;

/// Three digits that count: "8.41 ms".
std::string brief(Nanos ns) {
  constexpr std::array<const char*, 4> kUnits{"ns", "us", "ms", "s"};
  double value = static_cast<double>(ns);
  std::size_t unit = 0;
  while (unit + 1 < kUnits.size() && value >= 999.5) {
    value /= 1000;
    ++unit;
  }
  const int decimals = unit == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return fmt::format("{:.{}f} {}", value, decimals, kUnits[unit]);
}

/// "+12.3 %" of a share in millionths.
std::string change_text(std::int64_t value, std::int64_t base) {
  if (base == 0) return "-";
  return fmt::format("{:+.1f} %", static_cast<double>(sim::millionths(value - base, base)) / 1e4);
}

std::string share_text(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return "-";
  return fmt::format("{:.1f} %", static_cast<double>(sim::millionths(part, whole)) / 1e4);
}

std::string rate_text(const StudyResult& r) {
  const std::int64_t milli = r.millitokens_per_s();
  return milli >= 100'000 ? grouped((milli + 500) / 1000)
                          : fmt::format("{:.1f}", static_cast<double>(milli) / 1e3);
}

constexpr std::array<const char*, 8> kColumns{"tokens/s", "change",  "step",  "TPOT",
                                              "TTFT",     "starved", "waste", "preempt"};

std::vector<std::string> cells_of(const StudyResult& r, const StudyResult& base) {
  return {rate_text(r),
          &r == &base ? "" : change_text(r.millitokens_per_s(), base.millitokens_per_s()),
          brief(r.mean_step_ns()),
          r.timed_requests > 0 ? brief(r.token_gap_ns.median) : "-",
          r.answered > 0 ? brief(r.first_token_ns.median) : "-",
          share_text(r.starved_ns, r.work_ns),
          share_text(r.rows_launched - r.rows_used, r.rows_launched),
          grouped(r.preemptions)};
}

/// Right-aligned columns, two blanks apart.
std::string table_text(const std::vector<std::vector<std::string>>& lines) {
  std::vector<std::size_t> widths(lines.front().size(), 0);
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  std::string text;
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      text += fmt::format("{}{:>{}}", i == 0 ? "" : "  ", line[i], widths[i]);
    }
    text += '\n';
  }
  return text;
}

std::string listed(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

/// The last part of a dotted key: tables are narrow.
std::string short_name(const std::string& name) { return name.substr(name.rfind('.') + 1); }

std::string costs_text(const CostSource& costs) {
  std::string text = costs.name;
  if (costs.exact) text += "; exact: what `tandem run` shows on the host device";
  if (costs.error_millionths >= 0) {
    text += fmt::format("; a step's time is within {:.1f} % of what was measured",
                        static_cast<double>(costs.error_millionths) / 1e4);
  }
  return text;
}

std::string points_text(const WhatifReport& report) {
  std::vector<std::vector<std::string>> lines;
  lines.reserve(report.points.size() + 2);
  std::vector<std::string> head;
  for (const sim::SweepAxis& axis : report.axes) head.push_back(short_name(axis.name));
  if (head.empty()) head.emplace_back("");
  const std::size_t keys = head.size();
  head.insert(head.end(), kColumns.begin(), kColumns.end());
  lines.push_back(head);
  const auto add = [&](std::vector<std::string> line, const StudyResult& result) {
    line.resize(keys);
    for (std::string& cell : cells_of(result, report.base)) line.push_back(std::move(cell));
    lines.push_back(std::move(line));
  };
  add({"as it is"}, report.base);
  for (std::size_t i = 0; i < report.points.size(); ++i) {
    add(report.axes.empty() ? std::vector<std::string>{"changed"} : report.points[i],
        report.results[i]);
  }
  return table_text(lines);
}

/// The point with the most tokens a second, where there is a choice.
std::string best_text(const WhatifReport& report) {
  if (report.results.size() < 2) return "";
  const auto best = std::max_element(report.results.begin(), report.results.end(),
                                     [](const StudyResult& a, const StudyResult& b) {
                                       return a.millitokens_per_s() < b.millitokens_per_s();
                                     });
  const auto index = static_cast<std::size_t>(best - report.results.begin());
  std::vector<std::string> values;
  for (std::size_t i = 0; i < report.axes.size(); ++i) {
    values.push_back(short_name(report.axes[i].name) + "=" + report.points[index][i]);
  }
  return row("most", listed(values) + ": " + rate_text(*best) + " tokens/s, " +
                         change_text(best->millitokens_per_s(), report.base.millitokens_per_s()) +
                         " against as it is");
}

}  // namespace

std::string whatif_text(const WhatifReport& report) {
  const StudyResult& base = report.base;
  std::string text =
      row("study", report.source + ": " + grouped(base.run.launched_steps) + " launched steps, " +
                       grouped(base.run.requests) + " requests, " + grouped(base.run.tokens) +
                       " tokens as it is");
  if (!report.changes.empty()) text += row("changed", listed(report.changes));
  text += row("costs", costs_text(report.costs));
  for (const std::string& remark : report.costs.remarks) text += row("", remark);
  text += '\n' + points_text(report);
  const auto tripped = std::count_if(report.results.begin(), report.results.end(),
                                     [](const StudyResult& r) { return r.run.guard_tripped; });
  std::string foot = best_text(report);
  if (tripped > 0) {
    foot += row("guard", grouped(static_cast<std::int64_t>(tripped)) +
                             " points ended where a launch was too small: their policy is broken");
  }
  return foot.empty() ? text : text + '\n' + foot;
}

}  // namespace tandem::cli
