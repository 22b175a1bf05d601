// The Azure CSV: exact times, corrupted twins, and the two real files.
#include "scenarios/azure_csv.hpp"

#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "tests/support/shared_data.hpp"
#include "tests/unit/scenarios/scenario_text.hpp"

namespace tandem {
namespace {

using test::drain;
using test::Drained;
using test::error_of;
using test::one_file;

const std::string kHeader = "TIMESTAMP,ContextTokens,GeneratedTokens\r\n";
const std::string kFirst = "2023-11-16 18:17:03.9799600,4808,10\r\n";

Scenario azure_scenario(const std::vector<std::string>& overrides = {"arrivals=time"}) {
  auto parsed = parse_scenario(R"({"workload": {"kind": "azure-csv", "path": "a.csv"}})", "x.json",
                               overrides);
  EXPECT_TRUE(parsed.ok()) << error_of(parsed);
  return parsed.ok() ? std::move(parsed).value() : Scenario{};
}

TEST(AzureCsv, TimesAreExact) {
  EXPECT_EQ(ticks_of("1970-01-01 00:00:00.0000000"), 0);
  EXPECT_EQ(ticks_of("1970-01-01 00:00:01.0000001"), 10'000'001);
  EXPECT_EQ(ticks_of("2023-11-16 18:17:03.9799600"), 17'001'586'239'799'600);
  EXPECT_EQ(*ticks_of("2024-03-01 00:00:00.0000000") - *ticks_of("2024-02-28 00:00:00.0000000"),
            2 * 86'400 * 10'000'000LL);
  EXPECT_EQ(*ticks_of("1900-03-01 00:00:00.0000000") - *ticks_of("1900-02-28 00:00:00.0000000"),
            86'400 * 10'000'000LL);
  for (const char* bad :
       {"", "2023-11-16 18:17:03", "2023-11-16 18:17:03.979960", "2023-02-29 00:00:00.0000000",
        "2023-13-01 00:00:00.0000000", "2023-00-01 00:00:00.0000000", "2023-01-01 24:00:00.0000000",
        "2023-01-01 00:60:00.0000000", "2023-01-01 00:00:60.0000000", "2023-01-01T00:00:00.0000000",
        "2023-01-0a 00:00:00.0000000"}) {
    EXPECT_FALSE(ticks_of(bad)) << bad;
  }
}

TEST(AzureCsv, RowsBecomeRequests) {
  const std::string text =
      kHeader + kFirst + "2023-11-16 18:17:04.0319600,3180,0\n" + "2023-11-17 00:00:00.0000000,7,8";
  const Drained drained = drain(azure_scenario(), one_file("a.csv", text));
  EXPECT_EQ(drained.error, "");
  ASSERT_EQ(drained.requests.size(), 2U);
  EXPECT_EQ(drained.dropped, 1);
  EXPECT_EQ(drained.requests[0].row.arrival, 0);
  EXPECT_EQ(drained.requests[0].row.prompt_len, 4808);
  EXPECT_EQ(drained.requests[0].row.eos_at, 10);
  EXPECT_EQ(drained.requests[1].row.id, 1);
  EXPECT_EQ(drained.requests[1].row.arrival, 20'576'020'040'000);
  EXPECT_EQ(drained.requests[1].row.prompt_len, 7);
}

TEST(AzureCsv, StepsAndRowLimitAreKept) {
  const std::string text = kHeader + kFirst + "2023-11-16 18:17:04.0319600,3180,8\n" + "broken";
  const Drained drained =
      drain(azure_scenario({"workload.step_ns=25000000", "workload.requests=2"}),
            one_file("a.csv", text));
  EXPECT_EQ(drained.error, "");  // the third row is never read
  ASSERT_EQ(drained.requests.size(), 2U);
  EXPECT_EQ(drained.requests[1].row.arrival, 2);  // 52 ms of 25 ms steps
}

TEST(AzureCsv, ColumnsAreFoundByName) {
  const std::string text =
      "\xEF\xBB\xBFGeneratedTokens,x,TIMESTAMP,ContextTokens\n"
      "10,,2023-11-16 18:17:03.9799600,4808\n";
  const Drained drained = drain(azure_scenario(), one_file("a.csv", text));
  ASSERT_EQ(drained.requests.size(), 1U) << drained.error;
  EXPECT_EQ(drained.requests[0].row.prompt_len, 4808);
  EXPECT_EQ(drained.requests[0].row.eos_at, 10);
}

TEST(AzureCsv, CorruptedTwinsAreNamedByLineAndColumn) {
  struct Case {
    std::string text;
    const char* error;
  };
  for (const Case& c :
       {Case{"", "a.csv:1:1: got \"\", want a header with a column TIMESTAMP"},
        Case{"TIMESTAMP,ContextTokens\n", "want a header with a column GeneratedTokens"},
        Case{"TIMESTAMP,ContextTokens,GeneratedTokens,TIMESTAMP\n",
             "a.csv:1:41: got a second column TIMESTAMP, want one"},
        Case{kHeader + "2023-11-16,1,2\n",
             "a.csv:2:1: got \"2023-11-16\", want a time YYYY-MM-DD hh:mm:ss.fffffff"},
        Case{
            kHeader + kFirst + "2023-11-16 18:17:03.9799599,1,2",
            "a.csv:3:1: got \"2023-11-16 18:17:03.9799599\", want a time not before the row above"},
        Case{kHeader + "2023-11-16 18:17:03.9799600,-4,10",
             "a.csv:2:29: got \"-4\", want an integer in [0, 2147483647]"},
        Case{kHeader + "2023-11-16 18:17:03.9799600,4,10.5", "a.csv:2:31: got \"10.5\""},
        Case{kHeader + "2023-11-16 18:17:03.9799600,4,99999999999", "a.csv:2:31: got"},
        Case{kHeader + "2023-11-16 18:17:03.9799600,4", "a.csv:2:30: got no such column"},
        Case{kHeader + "\n2023-11-16 18:17:03.9799600,1,1",
             "a.csv:2:1: got an empty line, want a row"},
        Case{kHeader + "2023-11-16 18:17:03.9799600,16000,385",
             "a.csv:2:29: got a prompt of 16000 and an output of 385 tokens, want at most 16384 "
             "together (engine.max_model_len); set engine.max_model_len to 16385 or more"},
        Case{kHeader + "2023-11-16 18:17:03.9799600,2147483647,2147483647",
             "set engine.max_model_len to 4294967294 or more"}}) {
    const Drained drained = drain(azure_scenario(), one_file("a.csv", c.text));
    EXPECT_NE(drained.error.find(c.error), std::string::npos) << drained.error;
    EXPECT_EQ(drained.error.find('\n'), std::string::npos);
  }
  const Drained small =
      drain(azure_scenario({"engine.kv_blocks=4"}), one_file("a.csv", kHeader + kFirst));
  EXPECT_NE(small.error.find("which need 76 KV blocks, want at most 4"), std::string::npos)
      << small.error;
}

TEST(AzureCsv, LimitOfTheWorkloadCountsForTheFit) {
  const std::string text = kHeader + "2023-11-16 18:17:03.9799600,16000,1000";
  const Drained drained =
      drain(azure_scenario({"workload.max_dec_len=384"}), one_file("a.csv", text));
  ASSERT_EQ(drained.requests.size(), 1U) << drained.error;
  EXPECT_EQ(drained.requests[0].row.eos_at, 1000);
  EXPECT_EQ(drained.requests[0].row.max_dec_len, 384);
}

struct RealFile {
  const char* path;
  std::size_t rows;
  Nanos second;
  Nanos last;
  std::int64_t prompt_sum;
  std::int64_t output_sum;
};

void expect_real_file(const RealFile& file) {
  const auto path = test::shared_data(file.path);
  if (!path) GTEST_SKIP() << test::missing_shared_data(file.path);
  std::ifstream in(*path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const Drained drained = drain(azure_scenario(), one_file("a.csv", text));
  EXPECT_EQ(drained.error, "");
  ASSERT_EQ(drained.requests.size(), file.rows);
  EXPECT_EQ(drained.dropped, 0);
  EXPECT_EQ(drained.requests[0].row.arrival, 0);
  EXPECT_EQ(drained.requests[1].row.arrival, file.second);
  EXPECT_EQ(drained.requests.back().row.arrival, file.last);
  std::int64_t prompts = 0;
  std::int64_t outputs = 0;
  for (const RequestSpec& request : drained.requests) {
    prompts += request.row.prompt_len;
    outputs += request.row.eos_at;
  }
  EXPECT_EQ(prompts, file.prompt_sum);
  EXPECT_EQ(outputs, file.output_sum);
}

TEST(AzureCsv, RealConversationFileIsReadWhole) {
  expect_real_file({"data/azure-llm-2023/AzureLLMInferenceTrace_conv.csv", 19'366, 4'314'579'000,
                    3'501'721'937'000, 22'361'870, 4'088'665});
}

TEST(AzureCsv, RealCodeFileIsReadWhole) {
  expect_real_file({"data/azure-llm-2023/AzureLLMInferenceTrace_code.csv", 8'819, 52'000'000,
                    3'435'948'056'000, 18'059'974, 245'896});
}

}  // namespace
}  // namespace tandem
