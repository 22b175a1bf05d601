// `tandem compare` in-process: verdicts and exit codes, text, JSON, JUnit, what it refuses.
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/cli/fake_io.hpp"

namespace tandem::cli {
namespace {

using Json = nlohmann::json;
using test::FakeMachine;
using test::lines_of;

void record_timeline(FakeMachine& m, const std::string& file, const std::string& more = {}) {
  const std::string how = "run decode-small --no-verify --record timeline -o ";
  ASSERT_EQ(m(how + file + " " + more), kExitClean) << m.err.text;
}

TEST(Compare, OfEqualRunsThenSameAndExitCodeZero) {
  FakeMachine m;
  record_timeline(m, "a.tbt");
  record_timeline(m, "b.tbt");
  ASSERT_EQ(m("compare a.tbt b.tbt"), kExitClean) << m.err.text;
  for (const std::string& line : lines_of(m.out.text)) EXPECT_LE(line.size(), 80U) << line;
  EXPECT_NE(m.out.text.find("verdict         same: +0.00 %"), std::string::npos) << m.out.text;
}

TEST(Compare, OfSlowerKernelsThenSlowerStepByStepAndExitCodeOne) {
  FakeMachine m;
  record_timeline(m, "a.tbt");
  record_timeline(m, "b.tbt", "--set timing.forward_base_ns=9000000");
  ASSERT_EQ(m("compare a.tbt b.tbt --json -"), kExitDiverged) << m.err.text;
  const Json found = Json::parse(m.out.text, nullptr, false);
  EXPECT_EQ(found.at("verdict"), "slower");
  EXPECT_EQ(found.at("change").at("of"), "step");
  EXPECT_GT(found.at("change").at("low_millionths"), 20'000);
  EXPECT_TRUE(found.at("same_work"));
  EXPECT_EQ(m("compare b.tbt a.tbt"), kExitClean);
  EXPECT_NE(m.out.text.find("verdict         faster"), std::string::npos) << m.out.text;
  EXPECT_EQ(m("compare a.tbt b.tbt --max-regression 30"), kExitClean);
}

TEST(Compare, OfAnotherScheduleThenWhatAppearedAndVanished) {
  FakeMachine m;
  record_timeline(m, "a.tbt");
  record_timeline(m, "b.tbt", "--schedule sync");
  static_cast<void>(m("compare a.tbt b.tbt --json -"));
  const Json found = Json::parse(m.out.text, nullptr, false);
  EXPECT_FALSE(found.at("same_work"));
  EXPECT_EQ(found.at("change").at("of"), "token");
  EXPECT_EQ(found.at("configured").at(0).at("key"), "rows.R0");
  const std::string plan = found.at("plan").dump();
  EXPECT_NE(plan.find("read_count on compute R13"), std::string::npos) << plan;
  EXPECT_NE(plan.find("cache_output on host R2"), std::string::npos) << plan;
  static_cast<void>(m("compare a.tbt b.tbt"));
  for (const std::string& line : lines_of(m.out.text)) EXPECT_LE(line.size(), 80U) << line;
}

TEST(Compare, OfRunsWithoutAClockThenAmbiguousAndStrictFails) {
  FakeMachine m;
  ASSERT_EQ(m("run decode-small --no-verify -o a.tbt"), kExitClean);
  ASSERT_EQ(m("compare a.tbt a.tbt"), kExitClean) << m.err.text;
  EXPECT_NE(m.out.text.find("ambiguous: the base does not tell"), std::string::npos) << m.out.text;
  EXPECT_EQ(m("compare a.tbt a.tbt --strict"), kExitDiverged);
}

TEST(Compare, OfJunitThenOneCaseThatFailsWithTheVerdict) {
  FakeMachine m;
  record_timeline(m, "a.tbt");
  record_timeline(m, "b.tbt", "--set timing.forward_base_ns=9000000");
  EXPECT_EQ(m("compare a.tbt b.tbt --junit -"), kExitDiverged);
  EXPECT_NE(m.out.text.find("<failure message=\"slower: "), std::string::npos) << m.out.text;
  EXPECT_EQ(m("compare a.tbt a.tbt --junit -"), kExitClean);
  EXPECT_NE(m.out.text.find("failures=\"0\""), std::string::npos) << m.out.text;
  EXPECT_EQ(m.out.text.find("<failure"), std::string::npos) << m.out.text;
}

TEST(Compare, OfWhatItCannotReadThenOneSentence) {
  FakeMachine m;
  record_timeline(m, "a.tbt");
  m.files.files["no.tbt"] = "nothing";
  const std::pair<const char*, const char*> cases[] = {
      {"a.tbt no.tbt", "no.tbt: "},
      {"missing.tbt a.tbt", "missing.tbt: "},
      {"a.tbt a.tbt --max-regression -1", "--max-regression: got '-1'"},
      {"a.tbt a.tbt --seed x", "--seed: "},
      {"a.tbt a.tbt --json - --junit -", "--junit: got '-'"}};
  for (const auto& [arguments, error] : cases) {
    m.err.text.clear();
    EXPECT_EQ(m("compare " + std::string(arguments)), kExitBadInput) << arguments;
    EXPECT_EQ(lines_of(m.err.text).size(), 1U) << m.err.text;
    EXPECT_NE(m.err.text.find(error), std::string::npos) << m.err.text;
  }
}

}  // namespace
}  // namespace tandem::cli
