// A TimelineView as text of 80 columns.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "tools/cli/options.hpp"
#include "tools/cli/record_words.hpp"
#include "tools/cli/report.hpp"
#include "tools/cli/timeline.hpp"
#include "traces/members.hpp"

namespace tandem::cli {
namespace {

using sim::Spread;
using sim::StepUse;
using sim::TimelineReport;

constexpr std::size_t kTableLinesMax = 10;
/// A run this near to its bound has nothing left to overlap.
constexpr std::int64_t kNearMillionths = 50'000;

std::string percent(std::int64_t part, std::int64_t whole) {
  const std::int64_t share = sim::millionths(part, whole);
  return fmt::format("{}{}.{:02} %", share < 0 ? "-" : "", std::abs(share) / 10'000,
                     std::abs(share) % 10'000 / 100);
}

std::string signed_duration(Nanos ns) {
  return ns < 0 ? "-" + duration_text(-ns) : duration_text(ns);
}

std::string times_text(const Spread& s) {
  return fmt::format("median {}, p95 {}, p99 {}", signed_duration(s.median), signed_duration(s.p95),
                     signed_duration(s.p99));
}

/// A measure of every launched step, as percentiles.
template <class Measure>
Spread spread_over(const TimelineReport& r, Measure measure) {
  std::vector<std::int64_t> values;
  values.reserve(r.steps.size());
  for (const StepUse& step : r.steps) {
    if (step.facts.kind != StepKind::idle) values.push_back(measure(step));
  }
  return sim::spread_of(values);
}

std::string head_text(const TimelineView& v) {
  const RunConfig& c = v.header.config;
  const sim::CountedSteps& counted = v.report.counted;
  std::string text;
  text += row("trace", fmt::format("{}: {}, schedule {}, policy {}, device {}", v.trace, c.scenario,
                                   schedule_name(c.rows), to_name(c.policy), v.header.device));
  const std::string left_out = counted.all ? "none left out"
                                           : fmt::format("ramp left out: {} in front, {} behind",
                                                         counted.ramp_in, counted.ramp_out);
  text +=
      row("steps", fmt::format("{} records counted, {} of them launched; {}",
                               grouped(v.report.records), grouped(v.report.launched), left_out));
  for (const std::string& sentence : v.missing) text += row("missing", sentence);
  return text;
}

/// What needs no span: of all records.
std::string tally_text(const TimelineView& v) {
  const sim::PlanTally& t = v.tally;
  std::string text =
      row("modes", fmt::format("{} launches, {} predicted ({})", grouped(t.launched),
                               grouped(t.predicted), percent(t.predicted, t.launched)));
  text += row("rows", fmt::format("{} launched, {} used ({})", grouped(t.rows_launched),
                                  grouped(t.rows_used), percent(t.rows_used, t.rows_launched)));
  std::vector<std::string> waits;
  waits.reserve(t.waits.size());
  for (const auto& [cause, count] : t.waits) {
    waits.push_back(fmt::format("{}, {}", grouped(count), sim::to_text(cause)));
  }
  if (waits.empty()) return text;
  for (std::size_t i = 0; i < waits.size(); ++i) text += row(i == 0 ? "waits" : "", waits[i]);
  return text;
}

std::string lanes_text(const TimelineReport& r) {
  constexpr const char* kLine = "  {:<9}{:>14}{:>10}{:>10}{:>10}{:>10}{:>10}\n";
  const auto stream = [&](const char* name, const sim::LaneUse& u) {
    if (u.window_ns == 0) return std::string();
    return fmt::format(kLine, name, duration_text(u.window_ns), percent(u.compute_ns, u.window_ns),
                       percent(u.copies_ns, u.window_ns), percent(u.waiting_ns, u.window_ns),
                       percent(u.idle_ns, u.window_ns), percent(u.no_work_ns, u.window_ns));
  };
  std::string text =
      fmt::format(kLine, "stream", "time", "kernels", "copies", "waiting", "idle", "no work");
  text += stream("compute", r.compute) + stream("copy", r.copy);
  const sim::HostUse& h = r.host;
  text += fmt::format(kLine, "thread", "time", "work", "launches", "waiting", "other", "no work");
  text +=
      fmt::format(kLine, "host", duration_text(h.window_ns), percent(h.operations_ns, h.window_ns),
                  percent(h.launches_ns, h.window_ns), percent(h.waiting_ns, h.window_ns),
                  percent(h.other_ns, h.window_ns), percent(h.no_work_ns, h.window_ns));
  return text;
}

/// Nothing enqueued, and apart from it what lies between operations that were.
std::string starved_text(const sim::LaneUse& u) {
  std::string text =
      percent(u.starved_ns(), u.window_ns) + " of the compute stream's time had nothing enqueued";
  if (u.gaps == 0) return text;
  return text + fmt::format("; {} lay in {} gaps between operations, {} each",
                            percent(u.gaps_ns, u.window_ns), grouped(u.gaps),
                            duration_text(u.gaps_ns / u.gaps));
}

std::string per_step_text(const TimelineReport& r) {
  constexpr const char* kLine = "  {:<25}{:>16}{:>16}{:>16}\n";
  std::string text = fmt::format(kLine, "a step", "median", "p95", "p99");
  const auto line = [&](const char* name, const Spread& s) {
    text += fmt::format(kLine, name, signed_duration(s.median), signed_duration(s.p95),
                        signed_duration(s.p99));
  };
  const auto measure = [&](const char* name, auto pick) { line(name, spread_over(r, pick)); };
  measure("host busy", [](const StepUse& s) { return s.host.busy_ns(); });
  measure("host waiting", [](const StepUse& s) { return s.host.waiting_ns; });
  measure("compute stream kernels", [](const StepUse& s) { return s.compute.compute_ns; });
  measure("compute stream copies", [](const StepUse& s) { return s.compute.copies_ns; });
  measure("compute stream waiting", [](const StepUse& s) { return s.compute.waiting_ns; });
  measure("compute stream idle", [](const StepUse& s) { return s.compute.idle_ns; });
  if (r.copy.window_ns > 0) {
    measure("copy stream copies", [](const StepUse& s) { return s.copy.copies_ns; });
  }
  std::vector<std::int64_t> leads;
  leads.reserve(r.steps.size());
  for (const StepUse& step : r.steps) {
    if (step.lead_ns != sim::kUnknownNs) leads.push_back(step.lead_ns);
  }
  if (!leads.empty()) line("launch lead of forward", sim::spread_of(leads));
  return text;
}

std::string causes_text(const TimelineReport& r) {
  if (r.causes.empty()) return row("idle", "the compute stream never ran dry");
  std::vector<std::pair<sim::Cause, sim::CauseTotal>> causes(r.causes.begin(), r.causes.end());
  std::stable_sort(causes.begin(), causes.end(), [](const auto& a, const auto& b) {
    return a.second.idle_ns > b.second.idle_ns;
  });
  constexpr const char* kLine = "  {:<42}{:>9}{:>14}{:>13}\n";
  std::string text =
      fmt::format(kLine, "the compute stream ran dry behind", "times", "idle", "of its time");
  for (std::size_t i = 0; i < std::min(causes.size(), kTableLinesMax); ++i) {
    text += fmt::format(kLine, sim::to_text(causes[i].first), grouped(causes[i].second.bubbles),
                        duration_text(causes[i].second.idle_ns),
                        percent(causes[i].second.idle_ns, r.compute.window_ns));
  }
  return text;
}

std::string bubbles_text(const TimelineReport& r) {
  if (r.bubbles.empty()) return "";
  std::string text =
      fmt::format("  {:>9}{:>14}  {}\n", "step", "idle", "largest bubbles, one of each kind");
  for (std::size_t i = 0; i < std::min(r.bubbles.size(), kTableLinesMax); ++i) {
    const sim::Bubble& b = r.bubbles[i];
    std::string parts;
    for (std::size_t p = 0; p < std::min<std::size_t>(b.parts.size(), 2); ++p) {
      parts += fmt::format("{}{} {}", p == 0 ? "" : ", ", sim::to_text(b.parts[p].cause),
                           duration_text(b.parts[p].ns));
    }
    const std::string cause = sim::to_text(b.root);
    const std::string line =
        fmt::format("before {} ({} alike): {}{}", plan::to_name(b.before), grouped(b.alike),
                    b.root == b.parts.front().cause ? "" : cause + ", then ", parts);
    text += wrap(fmt::format("  {:>9}{:>14}  {}", b.step, duration_text(b.idle_ns), line), 27);
    text += "\n";
  }
  return text;
}

std::string rows_text(const TimelineReport& r) {
  if (r.rows.empty()) return "";
  constexpr const char* kLine = "  {:<9}{:>10}{:>16}{:>16}{:>14}{:>11}\n";
  std::string text =
      fmt::format(kLine, "row", "waits", "host waited", "stream idle", "on path", "of path");
  for (const auto& [number, total] : r.rows) {
    if (total.waits == 0 && total.starved_ns == 0 && total.path_ns == 0) continue;
    text += fmt::format(kLine, number < 0 ? "always" : sim::row_name(number), grouped(total.waits),
                        duration_text(total.waited_ns), duration_text(total.starved_ns),
                        duration_text(total.path_ns), percent(total.path_ns, r.path.total_ns));
  }
  return text;
}

std::string key_text(const sim::PathKey& key) {
  if (key.no_work) return "no work";
  std::string text = plan::to_name(key.lane);
  text += key.gap ? ": before " : ": ";
  if (key.kind == sim::NodeKind::launch) text += "launch ";
  text += key.kind == sim::NodeKind::wait ? std::string("wait ") + plan::to_name(key.event)
                                          : std::string(plan::to_name(key.op));
  return key.row < 0 ? text : text + " " + sim::row_name(key.row);
}

std::string path_text(const TimelineReport& r) {
  if (r.path.total_ns == 0) return "";
  std::vector<std::pair<sim::PathKey, sim::PathShare>> shares;
  for (const auto& entry : r.path.shares) {
    if (entry.second.on_path_ns > 0) shares.push_back(entry);
  }
  std::stable_sort(shares.begin(), shares.end(), [](const auto& a, const auto& b) {
    return a.second.on_path_ns > b.second.on_path_ns;
  });
  constexpr const char* kLine = "  {:<38}{:>9}{:>16}{:>15}\n";
  std::string text = fmt::format(kLine, "critical path", "share", "time", "mean slack");
  for (std::size_t i = 0; i < std::min(shares.size(), kTableLinesMax); ++i) {
    const sim::PathShare& s = shares[i].second;
    const std::uint64_t nodes = static_cast<std::uint64_t>(std::max<std::int64_t>(1, s.nodes));
    const std::string slack =
        s.nodes == 0 ? "-" : duration_text(static_cast<Nanos>(s.slack_sum_ns / nodes));
    text += fmt::format(kLine, key_text(shares[i].first), percent(s.on_path_ns, r.path.total_ns),
                        duration_text(s.on_path_ns), slack);
  }
  if (shares.size() > kTableLinesMax) {
    text += fmt::format("  and {} more\n", shares.size() - kTableLinesMax);
  }
  return text;
}

std::string each_step_text(const TimelineReport& r) {
  constexpr const char* kLine = "  {:>9} {:<6}{:>12}{:>12}{:>12}{:>12}{:>13}\n";
  std::string text =
      fmt::format(kLine, "step", "kind", "time", "host busy", "waiting", "compute", "idle");
  for (const StepUse& s : r.steps) {
    text += fmt::format(kLine, s.facts.t, to_name(s.facts.kind),
                        duration_text(s.facts.end_ns - s.facts.start_ns),
                        duration_text(s.host.busy_ns()), duration_text(s.host.waiting_ns),
                        duration_text(s.compute.busy_ns()), duration_text(s.compute.idle_ns));
  }
  return text;
}

std::string checks_text(const TimelineReport& r, const Style& style) {
  std::string text;
  if (!r.attribution.holds()) {
    const std::string why =
        r.attribution.first.empty() ? "spans and merged intervals differ" : r.attribution.first;
    text += row("T2", style.bad("attributed time is not merged time: ") + why);
  } else {
    Nanos total_ns = 0;
    for (const Nanos ns : r.attribution.merged_ns) total_ns += ns;
    text += row("T2",
                fmt::format("holds: {} attributed = merged in all lanes", duration_text(total_ns)));
  }
  std::string late = "no launch spans, no leads";
  if (r.launches > 0) {
    late = fmt::format("{} of {} predicted steps launched late", grouped(r.predicted_late),
                       grouped(r.predicted));
  }
  return text +
         row("T1", fmt::format("{} from the plan, {}", counted(r.deviations, "deviation"), late));
}

Nanos time_of(const std::pair<const sim::Cause, sim::WaitUse>& entry) {
  return entry.second.waited_ns;
}
Nanos time_of(const std::pair<const sim::Cause, sim::CauseTotal>& entry) {
  return entry.second.idle_ns;
}

}  // namespace

std::string bound_text(const TimelineReport& r) {
  const sim::Bound& b = r.bound;
  const std::int64_t steps = std::max<std::int64_t>(1, r.launched);
  const std::int64_t above = b.above_millionths();
  const bool by_host = b.side == sim::BoundSide::host;
  std::string text =
      fmt::format("{}, {} a step ({} {}); the run is {} above", by_host ? "host" : "device",
                  duration_text(b.bound_ns() / steps), by_host ? "device" : "host",
                  duration_text((by_host ? b.device_ns : b.host_ns) / steps),
                  percent(b.run_ns - b.bound_ns(), b.bound_ns()));
  if (above <= kNearMillionths) {
    return text + (by_host ? ": only less host work helps" : ": nothing is left to overlap");
  }
  const auto by_time = [](const auto& a, const auto& c) { return time_of(a) < time_of(c); };
  if (by_host) {
    const auto most = std::max_element(r.waits.begin(), r.waits.end(), by_time);
    return most == r.waits.end() ? text : text + ", most of it " + sim::to_text(most->first);
  }
  const auto most = std::max_element(r.causes.begin(), r.causes.end(), by_time);
  return most == r.causes.end() ? text : text + ", most of it " + sim::to_text(most->first);
}

std::vector<std::string> missing_spans(const TraceHeader& header, const sim::SpanCoverage& c) {
  std::vector<std::string> missing;
  const auto of = [&](std::int64_t lacking) {
    return lacking == c.launched ? std::string("none recorded")
                                 : fmt::format("absent in {} of {} launched records",
                                               grouped(lacking), grouped(c.launched));
  };
  if (c.launched == 0) return missing;
  const bool no_host = c.without_host == c.launched;
  const bool no_compute = c.without_compute == c.launched;
  if (no_host && no_compute) {
    missing.push_back(fmt::format(
        "spans: {} (level {}): busy and idle time, bubbles and the critical path cannot be told; "
        "record with --record timeline",
        of(c.launched), to_name(header.level)));
  } else {
    if (c.without_compute > 0) {
      missing.push_back("spans of the compute stream: " + of(c.without_compute) +
                        "; their steps have no device time");
    }
    if (c.without_host > 0) {
      missing.push_back("spans of host operations: " + of(c.without_host) +
                        "; their host time is in no span and no wait can be blamed");
    }
    if (c.without_launches > 0) {
      missing.push_back("spans of launches: " + of(c.without_launches) +
                        "; launch lead and run-ahead cannot be told there");
    }
  }
  if (c.without_clock == c.records) missing.emplace_back("the host clock: no step time either");
  return missing;
}

std::string timeline_text(const TimelineView& v, const Style& style) {
  const TimelineReport& r = v.report;
  std::string text = head_text(v);
  const bool has_clock = r.coverage.without_clock < r.coverage.records;
  if (has_clock) {
    const auto wall = [](const StepUse& s) { return s.facts.end_ns - s.facts.start_ns; };
    text += row("step time", times_text(spread_over(r, wall)));
  }
  if (r.has_spans()) {
    text += row("bound", style.strong(bound_text(r)));
    if (r.launches > 0) {
      text += row("run-ahead", fmt::format("{} of {} launches came while the stream had work",
                                           percent(r.ahead, r.launches), grouped(r.launches)));
      text += row("starved", starved_text(r.compute));
    }
    text += lanes_text(r) + per_step_text(r) + causes_text(r) + bubbles_text(r) + rows_text(r) +
            path_text(r);
    if (v.each_step) text += each_step_text(r);
    text += checks_text(r, style);
  } else {
    text += tally_text(v);
  }
  if (v.divergence_count == 0) return text + row("divergences", "none");
  text += row("divergences", style.bad(grouped(v.divergence_count)) + ", the first:");
  return text + sim::to_line(v.divergences.front()) + "\n";
}

}  // namespace tandem::cli
