// Verdicts and summaries as text.
#include "tools/cli/report.hpp"

#include <fmt/format.h>

#include "tools/cli/options.hpp"

namespace tandem::cli {
namespace {

constexpr std::size_t kValueColumn = 16;

/// "1,234 in 2 checks: V1 V2", of the counts that `pick` takes from each check.
template <class Pick>
std::string counts_text(const sim::Verdict& verdict, bool each, Pick pick) {
  std::uint64_t total = 0;
  std::size_t check_count = 0;
  std::string names;
  for (std::size_t i = 0; i < sim::kCheckCount; ++i) {
    const std::uint64_t count = pick(verdict.checks[i]);
    if (count == 0) continue;
    total += count;
    ++check_count;
    names.append(" ").append(sim::to_name(static_cast<sim::CheckId>(i)));
    if (each) names.append("=").append(grouped(count));
  }
  if (check_count == 0) return "0";
  return fmt::format("{} in {} check{}:{}", grouped(total), check_count,
                     check_count == 1 ? "" : "s", names);
}

std::string verdict_word(const sim::Verdict& verdict, const Style& style) {
  if (verdict.divergence_count > 0) return style.bad("diverged");
  for (const sim::CheckCount& count : verdict.checks) {
    if (count.run > 0) return style.good("clean");
  }
  return style.doubtful("nothing was checked");
}

std::string percentiles_text(const Percentiles& p, std::string (*text)(std::int64_t)) {
  return "median " + text(p.median) + ", p95 " + text(p.p95) + ", p99 " + text(p.p99);
}

std::string percent_text(std::int64_t millionths) {
  return fmt::format("{}.{:02} %", millionths / 10'000, millionths % 10'000 / 100);
}

}  // namespace

std::string grouped(std::uint64_t value) {
  std::string digits = std::to_string(value);
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

std::string grouped(std::int64_t value) {
  if (value >= 0) return grouped(static_cast<std::uint64_t>(value));
  return "-" + grouped(0 - static_cast<std::uint64_t>(value));
}

std::string row(const std::string& name, const std::string& value) {
  if (value.find_first_not_of(' ') == std::string::npos) return name + "\n";
  const std::string padded = fmt::format("{:<{}}", name, kValueColumn);
  return padded + wrap(std::string(kValueColumn, ' ') + value, kValueColumn).substr(kValueColumn) +
         "\n";
}

std::string digest_text(std::uint64_t digest) { return fmt::format("0x{:016x}", digest); }

std::string duration_text(Nanos ns) {
  const Nanos units[] = {1'000'000'000, 1'000'000, 1'000};
  const char* names[] = {"s", "ms", "us"};
  for (std::size_t i = 0; i < 3; ++i) {
    if (ns >= units[i]) {
      return fmt::format("{}.{:03} {}", grouped(ns / units[i]), ns % units[i] / (units[i] / 1000),
                         names[i]);
    }
  }
  return fmt::format("{} ns", ns);
}

std::string bytes_per_slot_step(std::uint64_t bytes, std::int64_t slot_steps) {
  const auto count = static_cast<std::uint64_t>(slot_steps);
  if (slot_steps <= 0) return "-";
  const std::uint64_t hundredths = (bytes * 100 + count / 2) / count;
  return fmt::format("{}.{:02}", hundredths / 100, hundredths % 100);
}

std::string verdict_text(const sim::Verdict& verdict, const std::optional<Neighbourhood>& around,
                         const Style& style) {
  std::string text;
  text += row("checks run", counts_text(verdict, false, [](const auto& c) { return c.run; }));
  text += row("not checkable",
              counts_text(verdict, true, [](const auto& c) { return c.not_checkable; }));
  text += row("diverged", counts_text(verdict, true, [](const auto& c) { return c.diverged; }));
  text += row("verdict", verdict_word(verdict, style));
  for (const sim::Divergence& divergence : verdict.divergences) {
    text += style.bad(sim::to_line(divergence)) + "\n";
  }
  const std::uint64_t shown = verdict.divergences.size();
  if (shown >= kDivergencesMax && verdict.divergence_count > shown) {
    text += fmt::format("{} more divergences are not listed (limit {})\n",
                        grouped(verdict.divergence_count - shown), grouped(shown));
  }
  if (around) {
    if (verdict.divergences.size() > 1) text += "the first of them:\n";
    text += neighbourhood_text(*around, style);
  }
  return text;
}

std::string trace_text(const TraceReport& report, const Style& style) {
  std::string text = report.path + "\n";
  if (!report.opened) return text + row("verdict", "not verified: " + report.error);
  text += row("steps", grouped(report.verdict.steps));
  text += row("requests", grouped(report.verdict.requests));
  text += row("tokens", grouped(report.verdict.tokens));
  if (!report.damage.empty()) {
    text += row("damaged", report.damage + "; the verdict is that of the readable part");
  }
  if (!report.error.empty()) {
    text += row("ended early", report.error + "; the verdict is that of the part before");
  }
  if (report.interrupted) text += row("interrupted", "the verdict is that of the part before");
  for (const sim::CheckId id : report.missing) {
    text += row("required", fmt::format("{} could not run: see --require", sim::to_name(id)));
  }
  return text + verdict_text(report.verdict, report.around, style);
}

std::string run_text(const RunReport& report, const Style& style) {
  const RunSummary& s = report.summary;
  const RunConfig& c = report.config;
  std::string text;
  text += row("scenario", c.scenario);
  text += row("device", report.device + ", executor " + report.executor);
  text += row("schedule", schedule_name(c.rows));
  text += row("policy", to_name(c.policy));
  text += row("seed", std::to_string(c.seed));
  text += row("steps",
              fmt::format("{}, {} of them launched", grouped(s.steps), grouped(s.launched_steps)));
  text += row("requests", grouped(s.requests));
  if (s.dropped_rows > 0) {
    text += row("dropped rows", grouped(s.dropped_rows) + " of the file, without tokens");
  }
  text += row("tokens", grouped(s.tokens));
  text += row("token_digest", digest_text(s.token_digest));
  if (report.verdict) text += row("counter_digest", digest_text(report.verdict->counter_digest));
  text += row(report.executor == "cuda" ? "time" : "virtual time", duration_text(s.virtual_ns));
  if (s.has_step_time) {
    text += row("step time", percentiles_text(s.step_time_ns, duration_text));
  }
  if (s.has_idle) text += row("idle", percentiles_text(s.idle_millionths, percent_text));
  if (!report.trace_path.empty()) {
    text += row("trace", fmt::format("{}, {} bytes, {} a running slot-step", report.trace_path,
                                     grouped(report.trace_bytes),
                                     bytes_per_slot_step(report.trace_bytes, report.slot_steps)));
  }
  if (s.guard_tripped) {
    text += row("guard",
                fmt::format("step {} had more rows than were launched{}", grouped(s.guard_step),
                            s.steps <= s.guard_step + 1 ? ": the run ended there" : ""));
  }
  if (s.stopped) text += row("interrupted", fmt::format("after {} steps", grouped(s.steps)));
  if (!report.verdict) return text + row("verdict", style.doubtful("not verified"));
  return text + verdict_text(*report.verdict, report.around, style);
}

}  // namespace tandem::cli
