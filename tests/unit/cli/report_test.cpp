// Verdicts and summaries: text in 80 columns, JSON keys as scripts expect them, JUnit.
#include "tools/cli/report.hpp"

#include <cstdint>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/cli/fake_io.hpp"

namespace tandem::cli {
namespace {

using Json = nlohmann::json;
using sim::CheckId;

sim::Divergence wrong_token_num() {
  sim::Divergence d;
  d.check = CheckId::V1;
  d.step = 412;
  d.point = "P1";
  d.field = "token_num";
  d.has_host = d.has_device = d.has_oracle = true;
  d.host = 12;
  d.device = 15;
  d.oracle = 15;
  d.belongs_to = 412;
  d.policy = "predict-sum";
  return d;
}

sim::CheckCount& at(sim::Verdict& verdict, CheckId id) {
  return verdict.checks[static_cast<std::size_t>(id)];
}

sim::Verdict clean_verdict() {
  sim::Verdict verdict;
  verdict.steps = 1000;
  verdict.tokens = 4321;
  verdict.counter_digest = 0xABCU;
  for (const CheckId id : {CheckId::V0, CheckId::V1, CheckId::V2, CheckId::V6}) {
    at(verdict, id).run = 1000;
  }
  return verdict;
}

sim::Verdict diverged_verdict() {
  sim::Verdict verdict = clean_verdict();
  at(verdict, CheckId::V1).diverged = 3;
  at(verdict, CheckId::V13).not_checkable = 7;
  verdict.divergence_count = 3;
  verdict.divergences = {wrong_token_num()};
  return verdict;
}

TEST(Grouped, DigitsThenCommasByThousands) {
  EXPECT_EQ(grouped(std::int64_t{0}), "0");
  EXPECT_EQ(grouped(std::int64_t{999}), "999");
  EXPECT_EQ(grouped(std::int64_t{1000}), "1,000");
  EXPECT_EQ(grouped(std::int64_t{-1234567}), "-1,234,567");
  EXPECT_EQ(grouped(UINT64_MAX), "18,446,744,073,709,551,615");
}

TEST(Row, BlankValueLeavesTheNameAlone) {
  EXPECT_EQ(row("producer", "x y"), "producer        x y\n");
  EXPECT_EQ(row("producer", ""), "producer\n");
  EXPECT_EQ(row("producer", "   "), "producer\n");
}

TEST(DurationText, ScalesThenTheLargestUnitThatFits) {
  EXPECT_EQ(duration_text(999), "999 ns");
  EXPECT_EQ(duration_text(8'412), "8.412 us");
  EXPECT_EQ(duration_text(8'412'999), "8.412 ms");
  EXPECT_EQ(duration_text(3'600'000'000'000), "3,600.000 s");
}

TEST(BytesPerSlotStep, CountsThenHundredthsRounded) {
  EXPECT_EQ(bytes_per_slot_step(1000, 400), "2.50");
  EXPECT_EQ(bytes_per_slot_step(1, 3), "0.33");
  EXPECT_EQ(bytes_per_slot_step(2, 3), "0.67");
  EXPECT_EQ(bytes_per_slot_step(5, 0), "-");
}

TEST(VerdictText, CleanThenAllThreeCountsAndTheVerdict) {
  EXPECT_EQ(verdict_text(clean_verdict()),
            "checks run      4,000 in 4 checks: V0 V1 V2 V6\n"
            "not checkable   0\n"
            "diverged        0\n"
            "verdict         clean\n");
}

TEST(VerdictText, DivergedThenTheLineAsItAlwaysIs) {
  EXPECT_EQ(verdict_text(diverged_verdict()),
            "checks run      4,000 in 4 checks: V0 V1 V2 V6\n"
            "not checkable   7 in 1 check: V13=7\n"
            "diverged        3 in 1 check: V1=3\n"
            "verdict         diverged\n"
            "divergence check=V1 step=412 rank=0 point=P1 slot=- request=- field=token_num host=12 "
            "device=15 oracle=15 belongs_to=412 policy=predict-sum\n");
}

TEST(VerdictText, NothingRanThenItIsNotCalledClean) {
  EXPECT_NE(verdict_text(sim::Verdict{}).find("nothing was checked"), std::string::npos);
}

TEST(VerdictText, MoreThanTheLimitThenTheRestIsCounted) {
  sim::Verdict verdict = diverged_verdict();
  verdict.divergences.assign(kDivergencesMax, wrong_token_num());
  verdict.divergence_count = kDivergencesMax + 5;
  EXPECT_NE(verdict_text(verdict).find("5 more divergences are not listed (limit 10,000)"),
            std::string::npos);
}

TEST(RunJson, VerifiedRunThenTheKeysThatScriptsRead) {
  RunReport report;
  report.config.scenario = "azure-conv";
  report.device = "host";
  report.executor = "det";
  report.summary.steps = 1000;
  report.summary.tokens = 4321;
  report.summary.token_digest = 0x123U;
  report.summary.has_step_time = report.summary.has_idle = true;
  report.summary.step_time_ns = {8'412'000, 9'000'000, 9'500'000};
  report.summary.idle_millionths = {15'000, 20'000, 1'000'000};
  report.verdict = diverged_verdict();
  const Json json = Json::parse(run_json(report));
  EXPECT_EQ(json["scenario"], "azure-conv");
  EXPECT_EQ(json["schedule"], "sync");
  EXPECT_EQ(json["policy"], "predict-rows-hidden");
  EXPECT_EQ(json["seed"], 1);
  EXPECT_EQ(json["steps"], 1000);
  EXPECT_EQ(json["token_digest"], "0x0000000000000123");
  EXPECT_EQ(json["counter_digest"], "0x0000000000000abc");
  EXPECT_EQ(json["divergences"], 3);
  EXPECT_EQ(json["first_divergence"], sim::to_line(wrong_token_num()));
  EXPECT_EQ(json["checks"]["V1"], (Json{{"run", 1000}, {"not_checkable", 0}, {"diverged", 3}}));
  EXPECT_EQ(json["recorder_stalls"], 0);
  EXPECT_EQ(json["step_time_us"], (Json{{"median", 8412.0}, {"p95", 9000.0}, {"p99", 9500.0}}));
  EXPECT_EQ(json["idle_pct"], (Json{{"median", 1.5}, {"p95", 2.0}, {"p99", 100.0}}));
  for (const char* key : {"device", "requests", "tokens"}) EXPECT_TRUE(json.contains(key)) << key;
}

TEST(RunJson, NotVerifiedAndNoClockThenNullAndNotZero) {
  const Json json = Json::parse(run_json(RunReport{}));
  EXPECT_TRUE(json["divergences"].is_null());
  EXPECT_TRUE(json["counter_digest"].is_null());
  EXPECT_TRUE(json["step_time_us"].is_null());
  EXPECT_EQ(json["verified"], false);
}

TEST(RunJson, ExcludedAndLaterChecksThenNotListed) {
  RunReport report;
  report.verdict = clean_verdict();
  report.verdict->excluded[static_cast<std::size_t>(CheckId::V6)] = true;
  const Json json = Json::parse(run_json(report));
  EXPECT_TRUE(json["checks"].contains("V1"));
  EXPECT_FALSE(json["checks"].contains("V6"));
  EXPECT_FALSE(json["checks"].contains("V27"));
  EXPECT_TRUE(json["first_divergence"].is_null());
}

TraceReport trace_report(const std::string& path, sim::Verdict verdict) {
  TraceReport report;
  report.path = path;
  report.opened = true;
  report.header.config.scenario = "s";
  report.verdict = std::move(verdict);
  return report;
}

TEST(TracesJson, TwoTracesThenOneDocumentWithBoth) {
  TraceReport unreadable;
  unreadable.path = "b\xff.tbt";  // no UTF-8
  unreadable.error = "b: empty, want a trace";
  const Json json =
      Json::parse(traces_json({trace_report("a.tbt", diverged_verdict()), unreadable}, true));
  ASSERT_EQ(json["traces"].size(), 2U);
  EXPECT_EQ(json["traces"][0]["divergences"], 3);
  EXPECT_EQ(json["traces"][0]["all_divergences"].size(), 1U);
  EXPECT_EQ(json["traces"][0]["steps"], 1000);
  EXPECT_EQ(json["traces"][1]["error"], "b: empty, want a trace");
}

struct Case {
  std::string kind;  ///< passed, failure, error or skipped
  std::string message;
  std::string text;
  std::int64_t assertions = 0;
};
struct Suite {
  std::string name;
  std::map<std::string, Case> cases;
};
using Suites = std::vector<Suite>;
using Tree = boost::property_tree::ptree;

/// Reads a document and compares the counts that it states with its cases.
Suites parse_junit(const std::string& xml) {
  std::istringstream stream(xml);
  Tree document;
  boost::property_tree::read_xml(stream, document);
  Suites suites;
  std::map<std::string, int> total;
  for (const auto& [element, child] : document.get_child("testsuites")) {
    if (element != "testsuite") continue;
    Suite suite{child.get<std::string>("<xmlattr>.name"), {}};
    std::map<std::string, int> counts;
    for (const auto& [tag, test] : child) {
      if (tag != "testcase") continue;
      Case found{"passed", "", "", test.get<std::int64_t>("<xmlattr>.assertions")};
      for (const char* kind : {"failure", "error", "skipped"}) {
        const auto inside = test.get_child_optional(kind);
        if (!inside) continue;
        found.kind = kind;
        found.message = inside->get<std::string>("<xmlattr>.message");
        found.text = inside->data();
      }
      EXPECT_EQ(test.get<std::string>("<xmlattr>.classname"), suite.name);
      ++counts["tests"];
      ++counts[found.kind];
      EXPECT_TRUE(suite.cases.emplace(test.get<std::string>("<xmlattr>.name"), found).second);
    }
    for (const auto& [attribute, kind] : {std::pair{"tests", "tests"},
                                          {"failures", "failure"},
                                          {"errors", "error"},
                                          {"skipped", "skipped"}}) {
      EXPECT_EQ(child.get<int>(std::string("<xmlattr>.") + attribute), counts[kind]) << attribute;
      total[attribute] += counts[kind];
    }
    suites.push_back(std::move(suite));
  }
  for (const auto& [attribute, count] : total) {
    EXPECT_EQ(document.get<int>("testsuites.<xmlattr>." + attribute), count) << attribute;
  }
  return suites;
}

TEST(TracesJunit, DivergedAndUncheckableThenFailureSkippedAndEscapes) {
  TraceReport report = trace_report("a<&>.tbt", diverged_verdict());
  report.missing = {CheckId::V13};
  const std::string xml = traces_junit({report});
  const Suites suites = parse_junit(xml);
  ASSERT_EQ(suites.size(), 1U);
  const Suite& suite = suites[0];
  EXPECT_EQ(suite.name, "a<&>.tbt");
  EXPECT_EQ(suite.cases.at("V1").kind, "failure");
  EXPECT_EQ(suite.cases.at("V1").text, sim::to_line(wrong_token_num()));
  EXPECT_EQ(suite.cases.at("V13").kind, "skipped");
  EXPECT_EQ(suite.cases.at("V13").message, "not checkable in 7 steps");
  EXPECT_EQ(suite.cases.at("V3").message, "nothing to check");
  EXPECT_EQ(suite.cases.at("V2").kind, "passed");
  EXPECT_EQ(suite.cases.at("V2").assertions, 1000);
  EXPECT_EQ(suite.cases.at("trace").kind, "error");
  EXPECT_EQ(suite.cases.at("trace").text, "required check V13 could not run");
}

TEST(TracesJunit, SeveralTracesThenASuiteEachAndTotalsThatAddUp) {
  TraceReport damaged = trace_report("b.tbt", clean_verdict());
  damaged.damage = "b.tbt: block 3: checksum";
  damaged.interrupted = true;
  TraceReport unreadable;
  unreadable.path = "c.tbt";
  unreadable.error = "c.tbt: empty, want a trace";
  const Suites suites =
      parse_junit(traces_junit({trace_report("a.tbt", clean_verdict()), damaged, unreadable}));
  ASSERT_EQ(suites.size(), 3U);
  EXPECT_EQ(suites[0].cases.at("trace").kind, "passed");
  EXPECT_EQ(suites[1].cases.at("trace").text,
            "b.tbt: block 3: checksum; interrupted; the verdict is that of 1,000 steps");
  EXPECT_EQ(suites[1].cases.size(), suites[0].cases.size());
  EXPECT_EQ(suites[2].cases.size(), 1U);
  EXPECT_EQ(suites[2].cases.at("trace").text, "c.tbt: empty, want a trace");
}

TEST(TracesJunit, BytesThatXmlHasNotThenReplaced) {
  TraceReport report = trace_report("a", clean_verdict());
  // Control characters, a lone continuation, an overlong slash, a surrogate, U+FFFE; then what is
  // allowed: two, three and four bytes.
  report.path =
      "\x01\x7F\n\x80\xC0\xAF\xED\xA0\x80\xEF\xBF\xBE\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\xE2";
  const std::string bad = "\xEF\xBF\xBD";
  std::string want = bad + bad + " ";
  for (int i = 0; i < 9; ++i) want += bad;
  want += "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80" + bad;
  EXPECT_EQ(parse_junit(traces_junit({report}))[0].name, want);
}

TEST(TraceText, ColourWantedThenTheSameTextWithoutTheEscapes) {
  const Style colour(true);
  for (const sim::Verdict& verdict : {clean_verdict(), diverged_verdict(), sim::Verdict{}}) {
    const TraceReport report = trace_report("a.tbt", verdict);
    const std::string coloured = trace_text(report, colour);
    EXPECT_NE(coloured, trace_text(report));
    EXPECT_EQ(test::without_escapes(coloured), trace_text(report));
  }
  EXPECT_NE(trace_text(trace_report("a", clean_verdict()), colour).find("\x1b[32mclean\x1b[0m\n"),
            std::string::npos);
}

TEST(TraceText, EveryLineButTheDivergenceThenWithin80Columns) {
  TraceReport report = trace_report("a.tbt", diverged_verdict());
  for (std::size_t i = 0; i < sim::kCheckCount; ++i) {
    report.verdict.checks[i] = {123'456'789'012, 1'000'000, 0};
  }
  report.damage = "a.tbt: block 17 at byte 123,456: checksum 0x12345678, want 0x87654321";
  for (const std::string& line : test::lines_of(trace_text(report))) {
    if (line.rfind("divergence ", 0) == 0) continue;
    EXPECT_LE(line.size(), 80U) << line;
  }
}

}  // namespace
}  // namespace tandem::cli
