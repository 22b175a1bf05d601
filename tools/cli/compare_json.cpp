// A CompareReport as JSON and JUnit: integers, times in nanoseconds, shares in millionths.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/cli/compare.hpp"
#include "tools/cli/exit_codes.hpp"
#include "tools/cli/report.hpp"
#include "tools/cli/xml.hpp"

namespace tandem::cli {
namespace {

using Json = nlohmann::ordered_json;

Json side_object(const ComparedRun& run, std::int64_t steps) {
  return {{"trace", run.path},
          {"device", run.device},
          {"steps", steps},
          {"step_ns",
           {{"median", run.step_ns.median}, {"p95", run.step_ns.p95}, {"p99", run.step_ns.p99}}},
          {"counter_digest", digest_text(run.counter_digest)},
          {"deviations", run.deviations}};
}

/// One test case; `problem` is "" where it passes.
std::string test_case(const char* name, const char* element, const std::string& problem) {
  const std::string head =
      fmt::format("    <testcase classname=\"tandem compare\" name=\"{}\"", name);
  if (problem.empty()) return head + "/>\n";
  if (std::string_view(element) == "skipped") {
    return head + fmt::format("><skipped message=\"{}\"/></testcase>\n", xml(problem));
  }
  return head + ">" + outcome(element, problem) + "</testcase>\n";
}

}  // namespace

std::string compare_json(const CompareReport& report) {
  const sim::Comparison& c = report.result;
  Json out;
  out["verdict"] = to_name(c.verdict);
  out["line"] = compare_line(report);
  out["exit_code"] = report.exit_code();
  out["base"] = side_object(report.base, c.base_steps);
  out["candidate"] = side_object(report.candidate, c.candidate_steps);
  out["same_work"] = c.same_work();
  out["equal_steps"] = c.equal_steps;
  out["first_unequal_step"] = c.first_unequal_t < 0 ? Json() : Json(c.first_unequal_t);
  out["allowed_millionths"] = report.allowed_millionths;
  out["change"] = Json();
  if (c.reason.empty()) {
    out["change"] = {{"of", c.paired ? "step" : "token"},
                     {"millionths", c.change_millionths},
                     {"low_millionths", c.low_millionths},
                     {"high_millionths", c.high_millionths},
                     {"block_steps", c.block_steps},
                     {"draws", sim::kBootstrapDraws},
                     {"seed", c.seed}};
  }
  out["configured"] = Json::array();
  for (const ConfigChange& change : report.config) {
    out["configured"].push_back(
        {{"key", change.key}, {"base", change.base}, {"candidate", change.candidate}});
  }
  out["plan"] = Json::array();
  for (const sim::PlanChange& change : c.plan) {
    out["plan"].push_back({{"operation", change.operation},
                           {"base_millionths", change.base_millionths},
                           {"candidate_millionths", change.candidate_millionths}});
  }
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string compare_junit(const CompareReport& report) {
  const bool fails = report.exit_code() != kExitClean;
  const bool doubtful = !fails && report.result.verdict == sim::CompareVerdict::ambiguous;
  const std::string problem = fails || doubtful ? compare_line(report) : "";
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"tandem compare\" tests=\"1\" "
      "failures=\"{0}\" errors=\"0\" skipped=\"{1}\">\n  <testsuite name=\"{2}\" tests=\"1\" "
      "failures=\"{0}\" errors=\"0\" skipped=\"{1}\">\n{3}  </testsuite>\n</testsuites>\n",
      fails ? 1 : 0, doubtful ? 1 : 0, xml(report.candidate.path),
      test_case("time", fails ? "failure" : "skipped", problem));
}

}  // namespace tandem::cli
