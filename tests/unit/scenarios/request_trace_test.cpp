// Request traces: hand-made files of each format, corrupted twins, told by content.
#include "scenarios/request_trace.hpp"

#include <gtest/gtest.h>

#include "scenarios/csv_table.hpp"
#include "tests/unit/scenarios/scenario_text.hpp"
#include "traces/base/random.hpp"

namespace tandem {
namespace {

using test::drain;
using test::Drained;
using test::error_of;
using test::one_file;

Scenario trace_scenario(const std::string& kind, const std::vector<std::string>& overrides = {}) {
  std::vector<std::string> all{"arrivals=time"};
  all.insert(all.end(), overrides.begin(), overrides.end());
  auto parsed =
      parse_scenario(R"({"workload": {"kind": ")" + kind + R"(", "path": "t"}})", "x.json", all);
  EXPECT_TRUE(parsed.ok()) << error_of(parsed);
  return parsed.ok() ? std::move(parsed).value() : Scenario{};
}

Drained read(const std::string& kind, const std::string& text,
             const std::vector<std::string>& overrides = {}) {
  return drain(trace_scenario(kind, overrides), one_file("t", text));
}

/// "arrival:prompt/output(cached)" of each request.
std::string rows_of(const Drained& drained) {
  std::string out = drained.error;
  for (const RequestSpec& request : drained.requests) {
    const RequestRow& row = request.row;
    out += (out.empty() ? "" : " ") + std::to_string(row.arrival) + ":" +
           std::to_string(row.prompt_len) + "/" + std::to_string(row.eos_at);
    if (row.cached_prompt > 0) out += "(" + std::to_string(row.cached_prompt) + ")";
  }
  return out;
}

const std::string kBurst1 =
    "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n";
const std::string kBurst3 =
    "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,"
    "Log Type\n";
const std::string kVidur = "arrived_at,num_prefill_tokens,num_decode_tokens\n";
const std::string kLengths = "num_prefill_tokens,num_decode_tokens,num_total_tokens,pd_ratio\n";

TEST(RequestTrace, BurstGptRowsOfEachVersionBecomeRequests) {
  const Drained one = read("burstgpt-csv", kBurst1 +
                                               "5,Model-A,12,7,19,Chat log\n"
                                               "5,Model-A,12,0,12,Chat log\n"
                                               "65.25,\"Model, B\",30,4,34,API log\n");
  EXPECT_EQ(rows_of(one), "0:12/7 60250000000:30/4");
  EXPECT_EQ(one.dropped, 1);
  EXPECT_EQ(rows_of(read("burstgpt-csv", kBurst3 + "1,7,0.5,Model-A,12,7,19,Chat log\n"
                                                   "2,8,,Model-A,13,8,21,Chat log")),
            "0:12/7 1000000000:13/8");
}

TEST(RequestTrace, VidurRowsBecomeRequests) {
  EXPECT_EQ(rows_of(read("vidur-csv", kVidur + "0.0,10,2\n0.052,20,3\n5e-1,30,4\n")),
            "0:10/2 52000000:20/3 500000000:30/4");
  // A rate is for files of lengths only.
  EXPECT_EQ(rows_of(read("vidur-csv", kVidur + "0,10,2\n1,20,3\n", {"workload.rate_per_s=7"})),
            "0:10/2 1000000000:20/3");
}

TEST(RequestTrace, LengthsAloneArriveAtTheMeanGap) {
  std::string text = kLengths;
  for (int i = 0; i < 4'000; ++i) text += "10,2,12,5\n0,2,2,0\n";
  const Drained drained = read("vidur-csv", text, {"workload.rate_per_s=20"});
  ASSERT_EQ(drained.requests.size(), 4'000U) << drained.error;
  EXPECT_EQ(drained.dropped, 4'000);
  EXPECT_EQ(drained.requests[0].row.arrival, 0);
  EXPECT_NEAR(static_cast<double>(drained.requests.back().row.arrival) / 3'999, 5e7, 3e6);
  const Drained steps = read("vidur-csv", text, {"workload.gap_steps=3", "arrivals=step"});
  EXPECT_NEAR(static_cast<double>(steps.requests.back().row.arrival) / 3'999, 3, 0.2);
  EXPECT_EQ(read("vidur-csv", text).error,
            "t:1:1: got lengths without a column of times, want a mean gap to draw arrivals by; "
            "set workload.rate_per_s or workload.gap_steps");
}

TEST(RequestTrace, MooncakeBlocksOfEarlierRequestsAreCached) {
  const std::string text =
      R"({"timestamp": 100, "input_length": 1500, "output_length": 5, "hash_ids": [1, 2, 3]})"
      "\n"
      R"({"timestamp": 100, "input_length": 1100, "output_length": 0, "hash_ids": [8, 9, 10]})"
      "\n"
      R"({"timestamp": 103, "input_length": 1100, "output_length": 6, "hash_ids": [1, 2, 9]})"
      "\n\n"
      R"({"timestamp": 103, "input_length": 1400, "output_length": 7, "hash_ids": [4, 2, 3]})"
      "\n"
      R"({"hash_ids": [1, 2, 3], "timestamp": 1e3, "output_length": 8, "input_length": 1500})"
      "\n"
      R"({"timestamp": 1000, "input_length": 900, "output_length": 9, "hash_ids": [8, 9]})";
  const Drained drained = read("mooncake-jsonl", text);
  // 8, 9 stood in a row of no output, which never ran; 2, 3 behind 4 is another prefix.
  EXPECT_EQ(rows_of(drained),
            "0:1500/5 3000000:1100/6(1024) 3000000:1400/7 900000000:1500/8(1499) 900000000:900/9");
  EXPECT_EQ(drained.dropped, 1);
}

TEST(RequestTrace, QwenRowsBecomeRequests) {
  const std::string row =
      R"({"chat_id": 7, "parent_chat_id": -1, "timestamp": 0.5, "input_length": 40, )"
      R"("output_length": 3, "type": "text", "turn": 1, "hash_ids": [11, 12, 13]})";
  const std::string next =
      R"({"chat_id": 8, "parent_chat_id": 7, "timestamp": 61.25, "input_length": 90, )"
      R"("output_length": 4, "type": "text", "turn": 2, "hash_ids": [11, 12, 13, 14, 15, 16]})";
  EXPECT_EQ(rows_of(read("qwen-jsonl", row + "\n" + next + "\n")), "0:40/3 60750000000:90/4(48)");
}

TEST(RequestTrace, LlmServingSimFormsMixInOrderOfTime) {
  const std::string text =
      R"({"session_id": "a", "arrival_time_ns": 100, "sub_requests": [)"
      R"({"input_toks": 10, "output_toks": 1, "tool_duration_ns": 50}, )"
      R"({"input_toks": 20, "output_toks": 2, "tool_duration_ns": 30}, )"
      R"({"input_toks": 30, "output_toks": 3}]})"
      "\n"
      R"({"input_toks": 40, "output_toks": 4, "arrival_time_ns": 120, "input_tok_ids": [1, 2]})"
      "\n"
      R"({"sub_requests": [{"input_toks": 50, "output_toks": 5, "tool_duration_ns": 0},)"
      R"({"output_toks": 6, "input_toks": 60}], "arrival_time_ns": 150})"
      "\n"
      R"({"input_toks": 70, "output_toks": 7, "arrival_time_ns": 1000})";
  EXPECT_EQ(rows_of(read("llmservingsim-jsonl", text)),
            "0:10/1 20:40/4 50:20/2 50:50/5 50:60/6 80:30/3 900:70/7");
}

TEST(RequestTrace, MeasuredRunCountsFromItsFirstArrival) {
  const std::string text =
      R"({"request_id": "r0", "input_toks": 10, "output_toks": 2, "arrival_time": 1700000000.25, )"
      R"("queued_ts": 1.5, "first_token_ts": 2.5})"
      "\n"
      R"({"request_id": "r1", "input_toks": 11, "output_toks": 3, )"
      R"("arrival_time": 1700000000.3500001})";
  EXPECT_EQ(rows_of(read("llmservingsim-jsonl", text)), "0:10/2 100000100:11/3");
}

TEST(RequestTrace, StreamAndLoadedFileGiveTheSameRequests) {
  class OneByte final : public ByteSource {
   public:
    explicit OneByte(std::string text) : text_(std::move(text)) {}
    Result<std::size_t> read(std::span<char> out) override {
      if (offset_ == text_.size()) return std::size_t{0};
      out[0] = text_[offset_++];
      return std::size_t{1};
    }

   private:
    std::string text_;
    std::size_t offset_ = 0;
  };
  const std::string text = kVidur + "0.0,10,2\n0.052,20,3\n";
  const SourceOpener open = [&text](const std::string&) -> Result<std::unique_ptr<ByteSource>> {
    return std::unique_ptr<ByteSource>(std::make_unique<OneByte>(text));
  };
  const FileLoader never = [](const std::string& path) -> Result<std::string> {
    return Error{path + ": loaded"};
  };
  auto workload = make_workload(trace_scenario("vidur-csv"), never, open);
  ASSERT_TRUE(workload.ok()) << workload.error().text;
  Drained drained;
  for (;;) {
    auto request = workload.value()->next();
    ASSERT_TRUE(request.ok()) << request.error().text;
    if (!request.value()) break;
    drained.requests.push_back(*request.value());
  }
  EXPECT_EQ(drained.requests, read("vidur-csv", text).requests);
}

TEST(RequestTrace, SliceCountsFromItsStart) {
  const std::string text =
      kVidur + "0,1,1\n10,2,1\n10,0,1\n19.999999999,3,1\n20,4,1\n21,0,1\nbroken";
  EXPECT_EQ(rows_of(read("vidur-csv", text,
                         {"workload.from_ns=10000000000", "workload.until_ns=20000000000"})),
            "0:2/1 9999999999:3/1");
  const Drained last = read("vidur-csv", text, {"workload.from_ns=20000000000"});
  EXPECT_EQ(last.requests.size(), 1U);
  EXPECT_EQ(last.dropped, 1);
  EXPECT_EQ(last.error.rfind("t:8:1: got \"broken\", want a time in seconds", 0), 0U) << last.error;
  EXPECT_EQ(read("vidur-csv", text, {"workload.until_ns=1"}).requests.size(), 1U);
  const auto wrong = parse_scenario(R"({"workload": {"kind": "vidur-csv", "path": "t"}})", "x.json",
                                    {"workload.from_ns=5", "workload.until_ns=5"});
  EXPECT_NE(error_of(wrong).find("/workload/until_ns: got 5"), std::string::npos)
      << error_of(wrong);
  EXPECT_NE(error_of(wrong).find("want more than workload.from_ns, 5"), std::string::npos)
      << error_of(wrong);
}

TEST(RequestTrace, RowsBeforeTheSliceWarmTheCache) {
  const std::string text =
      R"({"timestamp": 0, "input_length": 600, "output_length": 5, "hash_ids": [1, 2]})"
      "\n"
      R"({"timestamp": 9, "input_length": 700, "output_length": 6, "hash_ids": [1, 3]})";
  EXPECT_EQ(rows_of(read("mooncake-jsonl", text, {"workload.from_ns=9000000"})), "0:700/6(512)");
}

TEST(RequestTrace, RateIsScaledExactly) {
  const std::string text = kVidur + "0,1,1\n1,2,1\n7,3,1\n9000000000,4,1\n";
  EXPECT_EQ(rows_of(read("vidur-csv", text, {"workload.rate_scale=3"})),
            "0:1/1 333333333:2/1 2333333333:3/1 3000000000000000000:4/1");
  EXPECT_EQ(rows_of(read("vidur-csv", text, {"workload.rate_scale=2", "arrivals=step"})),
            "0:1/1 50:2/1 350:3/1 450000000000:4/1");
  EXPECT_NE(read("vidur-csv", text, {"workload.rate_scale=0.5"})
                .error.find("t:5:1: got an arrival beyond 292 years"),
            std::string::npos);
  const auto generated = [](const std::string& scale) {
    auto scenario =
        test::parse_with({"workload.requests=50", "arrivals=time", "workload.rate_scale=" + scale});
    return drain(scenario.value(), one_file("", ""));
  };
  const Drained once = generated("1");
  const Drained twice = generated("2");
  for (std::size_t i = 0; i < once.requests.size(); ++i) {
    EXPECT_EQ(twice.requests[i].row.arrival, once.requests[i].row.arrival / 2);
  }
}

TEST(RequestTrace, CorruptedTwinsAreNamedByLineAndColumn) {
  const std::string flat = R"({"input_toks": 1, "output_toks": 1, "arrival_time_ns": 5})";
  struct Case {
    const char* kind;
    std::string text;
    const char* error;
  };
  for (const Case& c :
       {Case{"burstgpt-csv", "Timestamp,Request tokens\n",
             "t:1:1: got \"Timestamp,Request tokens\", "
             "want a header with a column Response"},
        Case{"burstgpt-csv", kBurst1 + "x,m,1,1,2,l", "t:2:1: got \"x\", want a time in seconds"},
        Case{"burstgpt-csv", kBurst1 + "-1,m,1,1,2,l",
             "t:2:1: got \"-1\", want a time in seconds, 0"},
        Case{"burstgpt-csv", kBurst1 + "1,m,1.5,1,2,l", "t:2:5: got \"1.5\", want an integer in"},
        Case{"burstgpt-csv", kBurst1 + "1,m,1", "t:2:6: got no such column, want an integer"},
        Case{"burstgpt-csv", kBurst1 + "2,m,1,1,2,l\n1,m,1,1,2,l",
             "t:3:1: got \"1\", want a time not before the row above; sort the rows by time"},
        Case{"burstgpt-csv", kBurst1 + "\n1,m,1,1,2,l", "t:2:1: got an empty line"},
        Case{"vidur-csv", "", "want a header with a column num_prefill_tokens; give a processed"},
        Case{"vidur-csv", "num_decode_tokens," + kVidur, "got a second column num_decode_tokens"},
        Case{"vidur-csv", kVidur + "1e30,1,1", "t:2:1: got \"1e30\", want a time in seconds"},
        Case{"vidur-csv", kVidur + "0,16384,1",
             "t:2:3: got a prompt of 16384 and an output of 1 tokens, want at most 16384 together"},
        Case{"mooncake-jsonl", "7", "t:1:1: got 7, want an object; correct or delete the line"},
        Case{"mooncake-jsonl", "\n{\"timestamp\": 1}",
             "t:2:1: got no input_length, want an object"},
        Case{"mooncake-jsonl", R"({"timestamp": "1", "input_length": 1, "output_length": 1})",
             "t:1:15: got the text \"1\", want a number as timestamp"},
        Case{"mooncake-jsonl", R"({"timestamp": 1, "input_length": 1.0, "output_length": 1})",
             "t:1:34: got 1.0, want an integer in [0, 2147483647] as input_length"},
        Case{"mooncake-jsonl", R"({"timestamp": 1, "timestamp": 1})",
             "t:1:18: got a second timestamp"},
        Case{"mooncake-jsonl", R"({"hash_ids": 3})", "t:1:14: got 3, want a list as hash_ids"},
        Case{"mooncake-jsonl", R"({"hash_ids": [1, [2]]})",
             "t:1:18: got a list, want an integer of 64"},
        Case{"mooncake-jsonl", R"({"hash_ids": [1, 2)",
             "t:1:19: got the end of the line, want the rest"},
        Case{"mooncake-jsonl", R"({"hash_ids": [], "hash_ids": []})",
             "got hash_ids twice, want one list"},
        Case{"qwen-jsonl", R"({"timestamp": 1, "input_length": 1, "output_length": 1} x)",
             "t:1:57: got \"x\", want nothing behind the value"},
        Case{"llmservingsim-jsonl", R"({"input_toks": 1, "arrival_time_ns": 1})",
             "t:1:1: got no output_toks, want an object with input_toks and output_toks, or with"},
        Case{"llmservingsim-jsonl", R"({"input_toks": 1, "output_toks": 1})",
             "t:1:1: got no arrival_time_ns, want an object with arrival_time_ns or arrival_time"},
        Case{"llmservingsim-jsonl",
             flat + "\n" + R"({"input_toks": 1, "output_toks": 1, "arrival_time": 6})",
             "t:2:53: got arrival_time alone, want arrival_time_ns, as in the rows above"},
        Case{"llmservingsim-jsonl", R"({"arrival_time_ns": 1, "sub_requests": []})",
             "t:1:1: got a session of no sub_requests, want one or more"},
        Case{"llmservingsim-jsonl", R"({"arrival_time_ns": 1, "sub_requests": [4]})",
             "t:1:41: got 4, want an object"},
        Case{"llmservingsim-jsonl",
             R"({"arrival_time_ns": 1, "sub_requests": [{"input_toks": 1}]})",
             "t:1:41: got no output_toks, want an object with the key output_toks"},
        Case{"llmservingsim-jsonl",
             R"({"arrival_time_ns": 1, "sub_requests": [{"input_toks": 1, "output_toks": 1,)"
             R"( "tool_duration_ns": 9223372036854775807}, {"input_toks": 1, "output_toks": 1,)"
             R"( "tool_duration_ns": 9223372036854775807}]})",
             "t:1:1: got tool durations of more than 292 years, want less"}}) {
    const Drained drained = read(c.kind, c.text);
    EXPECT_NE(drained.error.find(c.error), std::string::npos) << c.text << "\n" << drained.error;
    EXPECT_EQ(drained.error.find('\n'), std::string::npos);
  }
}

TEST(RequestTrace, ContentTellsTheFormat) {
  const auto name = [](std::string_view head) {
    const TraceKind* kind = detect_trace(head);
    return kind == nullptr ? std::string("none") : std::string(kind->name);
  };
  EXPECT_EQ(name("\xEF\xBB\xBFx,GeneratedTokens,TIMESTAMP,ContextTokens\r\n"), "azure-csv");
  EXPECT_EQ(name(kBurst1), "burstgpt-csv");
  EXPECT_EQ(name(kBurst3 + "1,2"), "burstgpt-csv");
  EXPECT_EQ(name(kVidur), "vidur-csv");
  EXPECT_EQ(name(kLengths), "vidur-csv");
  EXPECT_EQ(name(R"({"timestamp": 0, "input_length": 1, "output_length": 1, "hash_ids": [1, 2)"),
            "mooncake-jsonl");
  EXPECT_EQ(name(R"({"hash_ids": [], "timestamp": 0, "input_length": 1, "output_length": 1,)"
                 R"( "chat_id": 4}
{"chat)"),
            "qwen-jsonl");
  EXPECT_EQ(name(R"({"input_toks": 1, "output_toks": 2, "arrival_time_ns": 3})"),
            "llmservingsim-jsonl");
  EXPECT_EQ(name(R"({"session_id": 1, "arrival_time_ns": 3, "sub_requests": []})"),
            "llmservingsim-jsonl");
  for (const char* other : {"", "\n", "a,b,c", "TIMESTAMP,ContextTokens", "{", "{}", "[1]",
                            R"({"workload": {"kind": "poisson", "timestamp": 1}})",
                            R"({"x": {"input_toks": 1, "output_toks": 2}})"}) {
    EXPECT_EQ(name(other), "none") << other;
  }
}

TEST(CsvField, QuotesHoldCommas) {
  const std::string_view line = R"(1,"a, ""b""",,"x)";
  EXPECT_EQ(csv_field(line, 0).text, "1");
  EXPECT_EQ(csv_field(line, 1).text, R"(a, ""b"")");
  EXPECT_EQ(csv_field(line, 1).column, 3U);
  EXPECT_EQ(csv_field(line, 2).text, "");
  EXPECT_TRUE(csv_field(line, 2).found);
  EXPECT_EQ(csv_field(line, 3).text, "\"x");
  EXPECT_FALSE(csv_field(line, 4).found);
}

/// Changes bytes of a sound file: each outcome is rows or one sentence.
TEST(RequestTrace, DamagedFilesEndInRowsOrOneSentence) {
  const std::vector<std::pair<std::string, std::string>> sound{
      {"azure-csv",
       "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,48,10\n"
       "2023-11-16 18:17:04.0319600,31,8\n"},
      {"burstgpt-csv", kBurst1 + "5,Model,12,7,19,Log\n6,\"M\",3,1,4,Log\n"},
      {"vidur-csv", kVidur + "0.0,10,2\n0.052,20,3\n"},
      {"mooncake-jsonl",
       "{\"timestamp\": 1, \"input_length\": 9, \"output_length\": 2, "
       "\"hash_ids\": [1, 2]}\n{\"timestamp\": 2, \"input_length\": 9, "
       "\"output_length\": 2, \"hash_ids\": [1]}\n"},
      {"qwen-jsonl",
       "{\"chat_id\": 1, \"timestamp\": 1.5, \"input_length\": 9, "
       "\"output_length\": 2, \"hash_ids\": [1, 2]}\n"},
      {"llmservingsim-jsonl",
       "{\"arrival_time_ns\": 1, \"sub_requests\": [{\"input_toks\": 1, "
       "\"output_toks\": 1, \"tool_duration_ns\": 4}]}\n{\"input_toks\": 3, "
       "\"output_toks\": 2, \"arrival_time_ns\": 8}\n"}};
  RandomStream draws(3, "damage");
  for (const auto& [kind, text] : sound) {
    const Scenario scenario = trace_scenario(kind, {"workload.rate_scale=1.5"});
    std::size_t failed = 0;
    for (int i = 0; i < 1'500; ++i) {
      std::string damaged = text;
      for (std::uint64_t n = 1 + draws.below(4); n > 0; --n) {
        const std::size_t at = draws.below(damaged.size());
        const auto byte = static_cast<char>(draws.below(256));
        switch (draws.below(4)) {
          case 0:
            damaged[at] = byte;
            break;
          case 1:
            damaged.insert(at, 1 + draws.below(3), byte);
            break;
          case 2:
            damaged.erase(at, 1 + draws.below(20));
            if (damaged.empty()) damaged = "x";
            break;
          default:
            damaged.insert(at, "999999999999999999999");
        }
      }
      const Drained drained = drain(scenario, one_file("t", damaged));
      if (!drained.error.empty()) ++failed;
      EXPECT_EQ(drained.error.find('\n'), std::string::npos) << drained.error;
      if (!drained.error.empty()) {
        EXPECT_NE(drained.error.find(", want "), std::string::npos) << drained.error;
      }
      EXPECT_LE(drained.requests.size(), 4U);
      static_cast<void>(detect_trace(damaged));
    }
    EXPECT_GT(failed, 500U) << kind;
  }
}

}  // namespace
}  // namespace tandem
