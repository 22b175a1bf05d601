// A CompareReport as text of 80 columns.
#include <fmt/format.h>

#include "tools/cli/compare.hpp"
#include "tools/cli/exit_codes.hpp"
#include "tools/cli/report.hpp"

namespace tandem::cli {
namespace {

using sim::CompareVerdict;
using sim::Comparison;

constexpr std::size_t kChangesMax = 12;

std::string percent(std::int64_t millionths) {
  return fmt::format("{:+.2f} %", static_cast<double>(millionths) / 1e4);
}

std::string side_text(const std::string& name, const ComparedRun& run) {
  return row(name, fmt::format("{}, on {}: median {}, p95 {}, p99 {} a step", run.path, run.device,
                               duration_text(run.step_ns.median), duration_text(run.step_ns.p95),
                               duration_text(run.step_ns.p99)));
}

std::string work_text(const CompareReport& report) {
  const Comparison& c = report.result;
  if (c.same_work()) {
    return row("work",
               fmt::format("the same in all {} steps behind the ramp, counter digest {}",
                           grouped(c.equal_steps), digest_text(report.base.counter_digest)));
  }
  std::string text =
      fmt::format("{} and {} steps behind the ramp, {} of them alike", grouped(c.base_steps),
                  grouped(c.candidate_steps), grouped(c.equal_steps));
  if (c.first_unequal_t >= 0)
    text += fmt::format("; the first that is not: step {}", c.first_unequal_t);
  return row("work", text + "; so times a token are compared");
}

std::string config_text(const CompareReport& report) {
  std::string text;
  for (std::size_t i = 0; i < report.config.size() && i < kChangesMax; ++i) {
    const ConfigChange& change = report.config[i];
    text += row(i == 0 ? "configured" : "",
                fmt::format("{}: {}, was {}", change.key, change.candidate, change.base));
  }
  if (report.config.size() > kChangesMax) {
    text += row("", fmt::format("and {} more keys", report.config.size() - kChangesMax));
  }
  return text;
}

std::string a_step(std::int64_t millionths) {
  return fmt::format("{:.2f} a step", static_cast<double>(millionths) / 1e6);
}

std::string change_text(const sim::PlanChange& change) {
  const std::string& name = change.operation;
  if (change.base_millionths == 0) {
    return fmt::format("appeared: {}, {}", name, a_step(change.candidate_millionths));
  }
  if (change.candidate_millionths == 0) {
    return fmt::format("vanished: {}, {}", name, a_step(change.base_millionths));
  }
  return fmt::format("{}: {}, was {:.2f}", name, a_step(change.candidate_millionths),
                     static_cast<double>(change.base_millionths) / 1e6);
}

std::string plan_text(const CompareReport& report) {
  const std::vector<sim::PlanChange>& plan = report.result.plan;
  if (plan.empty()) return row("plan", "the same operations, waits and copies");
  std::string text;
  for (std::size_t i = 0; i < plan.size() && i < kChangesMax; ++i) {
    text += row(i == 0 ? "plan" : "", change_text(plan[i]));
  }
  if (plan.size() > kChangesMax)
    text += row("", fmt::format("and {} more", plan.size() - kChangesMax));
  return text;
}

std::string deviations_text(const CompareReport& report) {
  if (report.base.deviations == 0 && report.candidate.deviations == 0) return "";
  return row("deviations",
             fmt::format("{} in the base, {} in the candidate: their API logs differ from their "
                         "plans",
                         grouped(report.base.deviations), grouped(report.candidate.deviations)));
}

}  // namespace

int CompareReport::exit_code() const {
  const bool fails = result.verdict == CompareVerdict::slower ||
                     (strict && result.verdict == CompareVerdict::ambiguous);
  return fails ? kExitDiverged : kExitClean;
}

std::string compare_line(const CompareReport& report) {
  const Comparison& c = report.result;
  const std::string verdict = to_name(c.verdict);
  if (!c.reason.empty()) return verdict + ": " + c.reason;
  return fmt::format("{}: {} ({} to {}) {}", verdict, percent(c.change_millionths),
                     percent(c.low_millionths), percent(c.high_millionths),
                     c.paired ? "a step" : "a token");
}

std::string compare_text(const CompareReport& report, const Style& style) {
  const Comparison& c = report.result;
  std::string text = side_text("base", report.base) + side_text("candidate", report.candidate);
  text += work_text(report) + config_text(report) + plan_text(report) + deviations_text(report);
  if (c.reason.empty()) {
    text +=
        row("interval", fmt::format("95 %, {} draws of blocks of {} steps, seed {}; a change up "
                                    "to {:.2f} % counts as none",
                                    grouped(std::int64_t{sim::kBootstrapDraws}), c.block_steps,
                                    c.seed, static_cast<double>(report.allowed_millionths) / 1e4));
  }
  const std::string line = compare_line(report);
  switch (c.verdict) {
    case CompareVerdict::slower:
      return text + "verdict         " + style.bad(line) + "\n";
    case CompareVerdict::ambiguous:
      return text + "verdict         " + style.doubtful(line) + "\n";
    default:
      return text + "verdict         " + style.good(line) + "\n";
  }
}

}  // namespace tandem::cli
