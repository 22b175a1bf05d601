// Verdicts as JUnit XML, as CI systems read it.
#include <cstdint>

#include <fmt/format.h>

#include "tools/cli/report.hpp"
#include "tools/cli/xml.hpp"

namespace tandem::cli {
namespace {

struct CaseCounts {
  std::size_t tests = 0;
  std::size_t failures = 0;
  std::size_t errors = 0;
  std::size_t skipped = 0;

  void add(const CaseCounts& other) {
    tests += other.tests;
    failures += other.failures;
    errors += other.errors;
    skipped += other.skipped;
  }
  [[nodiscard]] std::string attributes() const {
    return fmt::format("tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\"", tests, failures,
                       errors, skipped);
  }
};

/// The first kept divergence of a check, as its line, or how often it failed.
std::string failure_text(const sim::Verdict& verdict, sim::CheckId id, std::uint64_t diverged) {
  for (const sim::Divergence& divergence : verdict.divergences) {
    if (divergence.check == id) return sim::to_line(divergence);
  }
  return fmt::format("diverged {} times; tandem verify --all lists them", grouped(diverged));
}

/// What is wrong with the trace or the verification, rather than with a step.
std::string trouble_text(const TraceReport& report) {
  std::string text;
  const auto add = [&text](const std::string& what) { text += (text.empty() ? "" : "; ") + what; };
  if (!report.error.empty()) add(report.error);
  if (!report.damage.empty()) add(report.damage);
  for (const sim::CheckId id : report.missing) {
    add(fmt::format("required check {} could not run", sim::to_name(id)));
  }
  if (report.interrupted) {
    add(fmt::format("interrupted; the verdict is that of {} steps", grouped(report.verdict.steps)));
  }
  return text;
}

/// A case for each check, and one called "trace": whether it could be read and checked to its end.
std::string suite(const TraceReport& report, CaseCounts& total) {
  const std::string name = xml(report.path);
  std::string cases;
  CaseCounts counts;
  const auto add = [&](const char* test, std::uint64_t assertions, const std::string& inside) {
    ++counts.tests;
    cases += fmt::format("    <testcase classname=\"{}\" name=\"{}\" assertions=\"{}\"", name, test,
                         assertions);
    cases += inside.empty() ? "/>\n" : fmt::format(">{}</testcase>\n", inside);
  };
  const std::string trouble = trouble_text(report);
  if (!trouble.empty()) ++counts.errors;
  add("trace", 1, trouble.empty() ? "" : outcome("error", trouble));
  for (std::size_t i = 0; report.opened && i < sim::kCheckCount; ++i) {
    const auto id = static_cast<sim::CheckId>(i);
    const sim::CheckCount& count = report.verdict.checks[i];
    if (report.verdict.excluded[i] || !sim::check_info(id).implemented) continue;
    std::string inside;
    if (count.diverged > 0) {
      ++counts.failures;
      inside = outcome("failure", failure_text(report.verdict, id, count.diverged));
    } else if (count.run == 0) {
      ++counts.skipped;
      inside = fmt::format("<skipped message=\"{}\"/>",
                           count.not_checkable == 0
                               ? "nothing to check"
                               : fmt::format("not checkable in {} steps", count.not_checkable));
    }
    add(sim::to_name(id), count.run, inside);
  }
  total.add(counts);
  return fmt::format("  <testsuite name=\"{}\" {}>\n{}  </testsuite>\n", name, counts.attributes(),
                     cases);
}

}  // namespace

std::string traces_junit(const std::vector<TraceReport>& reports) {
  CaseCounts total;
  std::string suites;
  for (const TraceReport& report : reports) suites += suite(report, total);
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"tandem verify\" {}>\n{}"
      "</testsuites>\n",
      total.attributes(), suites);
}

}  // namespace tandem::cli
