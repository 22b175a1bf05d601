// `tandem whatif` in-process: scenarios and traces, sweeps, costs, what it refuses.
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sim/report/html_report.hpp"
#include "tests/unit/cli/fake_io.hpp"

namespace tandem::cli {
namespace {

using Json = nlohmann::json;
using test::FakeMachine;
using test::lines_of;

Json whatif(FakeMachine& m, const std::string& arguments) {
  EXPECT_EQ(m("whatif " + arguments + " --json -"), kExitClean) << m.err.text;
  return Json::parse(m.out.text, nullptr, false);
}

TEST(Whatif, OfAScenarioAsItIsThenItIsTheRun) {
  FakeMachine m;
  ASSERT_EQ(m("run decode-small --record off --no-verify --json -"), kExitClean) << m.err.text;
  const Json run = Json::parse(m.out.text, nullptr, false);
  const Json base = whatif(m, "decode-small").at("base");
  EXPECT_EQ(base.at("steps"), run.at("steps"));
  EXPECT_EQ(base.at("requests"), run.at("requests"));
  EXPECT_EQ(base.at("tokens"), run.at("tokens"));
  EXPECT_EQ(base.at("step_median_ns").get<double>(),
            run.at("step_time_us").at("median").get<double>() * 1000);
}

TEST(Whatif, OfATraceWithSpansThenItsOwnTimeComesBack) {
  FakeMachine m;
  ASSERT_EQ(m("run decode-small --no-verify --record timeline -o run.tbt"), kExitClean);
  const Json scenario = whatif(m, "decode-small").at("base");
  const Json study = whatif(m, "run.tbt");
  const Json& trace = study.at("base");
  EXPECT_EQ(trace.at("tokens"), scenario.at("tokens"));
  EXPECT_EQ(trace.at("steps"), scenario.at("steps"));
  const auto want = scenario.at("work_ns").get<double>();
  EXPECT_NEAR(trace.at("work_ns").get<double>(), want, 0.005 * want);
  EXPECT_FALSE(study.at("costs").at("exact"));
}

TEST(Whatif, OfATraceWithoutSpansThenItSaysWhoseTimesTheseAre) {
  FakeMachine m;
  ASSERT_EQ(m("run decode-small --no-verify -o run.tbt"), kExitClean);
  ASSERT_EQ(m("whatif run.tbt --schedule sync"), kExitClean) << m.err.text;
  EXPECT_NE(m.out.text.find("the trace has no spans"), std::string::npos) << m.out.text;
}

TEST(Whatif, OfAGridThenEveryPointInOrderAndTheSameForAnyNumberOfThreads) {
  FakeMachine m;
  const std::string grid = "decode-small --sweep k=1..3 --sweep schedule=sync,overlap";
  const Json study = whatif(m, grid + " --jobs 1");
  ASSERT_EQ(study.at("points").size(), 6U);
  EXPECT_EQ(study.at("points")[1].at("at"),
            Json({{"engine.num_speculative_tokens", "1"}, {"schedule", "overlap"}}));
  for (const Json& point : study.at("points")) EXPECT_EQ(point.at("requests"), 40);
  const std::string text = m.out.text;
  static_cast<void>(whatif(m, grid + " --jobs 5"));
  EXPECT_EQ(m.out.text, text);
}

TEST(Whatif, OfACsvThenALineAPointUnderOneOfNames) {
  FakeMachine m;
  ASSERT_EQ(m("whatif decode-small --sweep rows.R11=sync,bound --csv -"), kExitClean);
  const std::vector<std::string> lines = lines_of(m.out.text);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0].rfind("rows.R11,steps,launched_steps,", 0), 0U) << lines[0];
  EXPECT_EQ(lines[1].rfind("sync,", 0), 0U);
  EXPECT_EQ(lines[2].rfind("bound,", 0), 0U);
  const auto commas = [](const std::string& line) {
    return std::count(line.begin(), line.end(), ',');
  };
  EXPECT_EQ(commas(lines[1]), commas(lines[0]));
}

TEST(Whatif, OfABrokenPolicyThenTheGuardIsNamed) {
  FakeMachine m;
  const std::string sweep = "dnode-short-drafts --sweep policy=predict-sum,predict-rows-hidden";
  const Json study = whatif(m, sweep);
  EXPECT_TRUE(study.at("points")[0].at("guard_tripped"));
  EXPECT_FALSE(study.at("points")[1].at("guard_tripped"));
  ASSERT_EQ(m("whatif " + sweep), kExitClean);
  EXPECT_NE(m.out.text.find("launch was too small"), std::string::npos) << m.out.text;
}

TEST(Whatif, OfTheText) {
  FakeMachine m;
  ASSERT_EQ(m("whatif decode-small --sweep k=1..4 --set timing.host_step_ns=2000000"), kExitClean);
  for (const std::string& line : lines_of(m.out.text)) EXPECT_LE(line.size(), 80U) << line;
  EXPECT_NE(m.out.text.find("as it is"), std::string::npos);
  EXPECT_NE(m.out.text.find("       k  tokens/s"), std::string::npos) << m.out.text;
}

TEST(Whatif, OfShippedCostsThenTheirErrorIsTold) {
  FakeMachine m;
  const std::string how = "azure-conv --steps 300 --costs h200 --schedule sync";
  const Json study = whatif(m, how);
  EXPECT_GT(study.at("costs").at("error_millionths"), 0);
  EXPECT_LT(study.at("base").at("step_mean_ns"), study.at("points")[0].at("step_mean_ns"));
  ASSERT_EQ(m("whatif " + how), kExitClean);
  EXPECT_NE(m.out.text.find("of what was measured"), std::string::npos) << m.out.text;
}

TEST(Whatif, OfCostsThatWereWrittenThenReadAgainTheyAreTheSame) {
  FakeMachine m;
  ASSERT_EQ(m("run decode-small --no-verify --record timeline -o run.tbt"), kExitClean);
  const Json first = whatif(m, "run.tbt --write-costs costs.json");
  const Json again = whatif(m, "run.tbt --costs costs.json");
  EXPECT_EQ(first.at("base"), again.at("base"));
}

TEST(Whatif, OfAPageThenTheStudyAndItsScriptAreInItAndNothingIsFetched) {
  if (!sim::has_html_report()) GTEST_SKIP() << "d3 is absent";
  FakeMachine m;
  const std::string sweep = "whatif decode-small --sweep k=1..3 ";
  ASSERT_EQ(m(sweep + "--html page.html --json study.json"), kExitClean) << m.err.text;
  const std::string page = m.files.files.at("page.html");
  EXPECT_NE(page.find(m.files.files.at("study.json")), std::string::npos);
  EXPECT_EQ(page.find("@study@"), std::string::npos);
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
  ASSERT_EQ(m(sweep + "--html again.html --jobs 3"), kExitClean);
  EXPECT_EQ(m.files.files.at("again.html"), page);
}

TEST(Whatif, OfWhatItCannotDoThenTheOptionIsNamed) {
  FakeMachine m;
  ASSERT_EQ(m("run decode-small --no-verify --record timeline -o run.tbt"), kExitClean);
  const std::pair<const char*, const char*> cases[] = {
      {"decode-small --sweep k", "--sweep: got 'k'"},
      {"decode-small --sweep k=1,2 --sweep k=3",
       "--sweep: got engine.num_speculative_tokens twice"},
      {"decode-small --sweep engine.nothing=1", "engine.nothing"},
      {"decode-small --jobs 0", "--jobs: "},
      {"decode-small --costs nowhere", "--costs: got 'nowhere'"},
      {"decode-small --write-costs c.json", "--write-costs: "},
      {"decode-small --accept-profile constant:0.5", "--accept-profile: "},
      {"run.tbt --set timing.forward_base_ns=1", "--set: got timing.forward_base_ns"},
      {"run.tbt --set workload.requests=3", "--set: got 'workload.requests=3'"},
      {"decode-small --json - --csv -", "tandem whatif: got '-' for two documents"},
      {"decode-small --set unguarded=true", "unguarded: "}};
  for (const auto& [arguments, error] : cases) {
    m.err.text.clear();
    EXPECT_EQ(m("whatif " + std::string(arguments)), kExitBadInput) << arguments;
    EXPECT_EQ(lines_of(m.err.text).size(), 1U) << m.err.text;
    EXPECT_NE(m.err.text.find(error), std::string::npos) << m.err.text;
  }
}

}  // namespace
}  // namespace tandem::cli
