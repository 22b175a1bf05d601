// Workloads: determinism, arrival means, quantiles, listed requests, accept lists.
#include <set>

#include <gtest/gtest.h>

#include "scenarios/request_rules.hpp"
#include "tests/unit/scenarios/scenario_text.hpp"

namespace tandem {
namespace {

using test::drain;
using test::Drained;
using test::error_of;
using test::one_file;
using test::parse_with;

Scenario scenario_with(const std::vector<std::string>& overrides) {
  auto parsed = parse_with(overrides);
  EXPECT_TRUE(parsed.ok()) << error_of(parsed);
  return parsed.ok() ? std::move(parsed).value() : Scenario{};
}

Scenario listed(const std::string& requests, const std::vector<std::string>& overrides = {}) {
  auto parsed = parse_scenario(
      R"({"workload": {"kind": "requests", "requests": )" + requests + "}}", "x.json", overrides);
  EXPECT_TRUE(parsed.ok()) << error_of(parsed);
  return parsed.ok() ? std::move(parsed).value() : Scenario{};
}

const std::string kQuantiles = R"({"shares":[0,0.5,1],"tokens":[1,50,400]})";

TEST(Workload, SameSeedGivesTheSameRequests) {
  const std::vector<std::string> overrides{"workload.requests=500", "workload.prompt=" + kQuantiles,
                                           "workload.output=" + kQuantiles,
                                           "workload.dnode.fraction=0.3"};
  const Scenario scenario = scenario_with(overrides);
  const Drained first = drain(scenario, one_file("", ""));
  const Drained second = drain(scenario, one_file("", ""));
  ASSERT_EQ(first.requests.size(), 500U);
  EXPECT_EQ(first.requests, second.requests);
  std::vector<std::string> reseeded = overrides;
  reseeded.push_back("seed=2");
  EXPECT_NE(drain(scenario_with(reseeded), one_file("", "")).requests, first.requests);
}

TEST(Workload, OneConsumersDrawsDoNotMoveAnothers) {
  const Drained plain = drain(scenario_with({"workload.requests=100"}), one_file("", ""));
  const Drained other =
      drain(scenario_with({"workload.requests=100", "workload.prompt=" + kQuantiles,
                           "workload.dnode.fraction=1"}),
            one_file("", ""));
  for (std::size_t i = 0; i < plain.requests.size(); ++i) {
    EXPECT_EQ(plain.requests[i].row.arrival, other.requests[i].row.arrival);
  }
}

TEST(Workload, PoissonMeansAreMet) {
  const Drained steps = drain(scenario_with({"workload.requests=20001", "workload.gap_steps=2.25"}),
                              one_file("", ""));
  ASSERT_EQ(steps.requests.size(), 20'001U);
  EXPECT_EQ(steps.requests.front().row.arrival, 0);
  EXPECT_NEAR(static_cast<double>(steps.requests.back().row.arrival) / 20'000, 2.25, 0.05);
  const Drained times = drain(scenario_with({"workload.requests=20001", "workload.gap_steps=null",
                                             "workload.rate_per_s=0.1", "arrivals=time"}),
                              one_file("", ""));
  // 10 s is beyond 2^32 ns: drawn in coarser units, with the same mean.
  EXPECT_NEAR(static_cast<double>(times.requests.back().row.arrival) / 20'000 / 1e9, 10.0, 0.2);
  for (std::size_t i = 1; i < times.requests.size(); ++i) {
    ASSERT_GE(times.requests[i].row.arrival, times.requests[i - 1].row.arrival);
  }
}

TEST(Workload, GapOfZeroIsOneBurst) {
  const Drained burst =
      drain(scenario_with({"workload.requests=50", "workload.gap_steps=0"}), one_file("", ""));
  ASSERT_EQ(burst.requests.size(), 50U);
  EXPECT_EQ(burst.requests.back().row.arrival, 0);
  EXPECT_EQ(burst.requests.back().row.id, 49);
}

TEST(Quantiles, EdgesAndMiddleAreExact) {
  const LengthQuantiles lengths{{0, 250'000, 1'000'000}, {10, 20, 320}};
  EXPECT_EQ(quantile_at(lengths, 0), 10);
  EXPECT_EQ(quantile_at(lengths, ~0ULL), 320);
  EXPECT_EQ(quantile_at(lengths, 1ULL << 62U), 20);   // a quarter
  EXPECT_EQ(quantile_at(lengths, 1ULL << 61U), 15);   // an eighth
  EXPECT_EQ(quantile_at(lengths, 5ULL << 61U), 170);  // five eighths: half way up
  EXPECT_EQ(quantile_at({{0, 1'000'000}, {7, 7}}, ~0ULL), 7);
  EXPECT_EQ(quantile_at({{0, 1'000'000}, {1, 2'147'483'647}}, ~0ULL), 2'147'483'647);
}

TEST(Workload, DNodeShareIsMetAndOneTokenOutputsStay) {
  const Drained drained =
      drain(scenario_with({"workload.requests=10000", "workload.dnode.fraction=0.25",
                           "workload.dnode.drafts=2",
                           "workload.output={\"shares\":[0,1],\"tokens\":[1,2]}"}),
            one_file("", ""));
  int dnodes = 0;
  int longer = 0;
  for (const RequestSpec& request : drained.requests) {
    if (request.row.eos_at == 1) {
      EXPECT_EQ(request.dnode_drafts, -1);
    } else {
      ++longer;
      if (request.dnode_drafts == 2) ++dnodes;
    }
  }
  ASSERT_GT(longer, 4'000);
  EXPECT_NEAR(static_cast<double>(dnodes) / longer, 0.25, 0.02);
}

TEST(Workload, ShareOfAbortsAndPreemptionsIsMetWithinTheOutput) {
  const auto drained = drain(scenario_with({"workload.requests=10000", "workload.abort_share=0.2",
                                            "workload.preempt_share=0.5",
                                            R"(workload.output={"shares":[0,1],"tokens":[9,9]})"}),
                             one_file("", ""));
  int aborted = 0;
  int preempted = 0;
  int both = 0;
  std::set<std::int32_t> counts;
  for (const RequestSpec& request : drained.requests) {
    const bool aborts = request.row.abort_after >= 0;
    const bool preempts = request.preempt_after >= 0;
    aborted += aborts ? 1 : 0;
    preempted += preempts ? 1 : 0;
    both += aborts && preempts ? 1 : 0;
    if (aborts) counts.insert(request.row.abort_after);
    EXPECT_LE(request.row.abort_after, 9);
    EXPECT_LE(request.preempt_after, 9);
  }
  EXPECT_NEAR(aborted, 2000, 160);
  EXPECT_NEAR(preempted, 5000, 200);
  EXPECT_NEAR(both, 1000, 120);  // independent of each other
  EXPECT_EQ(counts.size(), 10U);
}

TEST(Workload, OutputBecomesEosOrLimit) {
  const RequestRow eos = drain(scenario_with({}), one_file("", "")).requests.at(0).row;
  EXPECT_EQ(eos.eos_at, 5);
  EXPECT_EQ(eos.max_dec_len, 16384 - 10);
  const RequestRow capped =
      drain(scenario_with({"workload.max_dec_len=3"}), one_file("", "")).requests.at(0).row;
  EXPECT_EQ(capped.eos_at, 5);
  EXPECT_EQ(capped.max_dec_len, 3);
  const RequestRow length =
      drain(scenario_with({"workload.stop=length"}), one_file("", "")).requests.at(0).row;
  EXPECT_EQ(length.eos_at, 0);
  EXPECT_EQ(length.max_dec_len, 5);
}

TEST(Workload, OutputBecomesAStopSequenceOneTokenBeforeIt) {
  const RequestRow row =
      drain(scenario_with({"workload.stop=sequence"}), one_file("", "")).requests.at(0).row;
  EXPECT_EQ(row.eos_at, 0);
  EXPECT_EQ(row.stop_at, 4);
  EXPECT_EQ(row.stop_len, 2);
  EXPECT_EQ(row.min_tokens, 0);
  EXPECT_EQ(row.max_dec_len, 16384 - 10);
  const RequestRow one =
      drain(scenario_with({"workload.stop=sequence", "workload.output=1"}), one_file("", ""))
          .requests.at(0)
          .row;
  EXPECT_EQ(one.eos_at, 1);
  EXPECT_EQ(one.stop_at, 0);
  EXPECT_EQ(one.stop_len, 0);
  const RequestRow clipped =
      drain(scenario_with({"workload.stop=sequence", "workload.stop_len=16",
                           "workload.min_tokens=500", "workload.max_dec_len=300"}),
            one_file("", ""))
          .requests.at(0)
          .row;
  EXPECT_EQ(clipped.stop_len, 4);
  EXPECT_EQ(clipped.min_tokens, 300);
}

TEST(Workload, CachedShareIsRoundedDownAndLeavesOneToken) {
  EXPECT_EQ(cached_tokens(10, 0), 0);
  EXPECT_EQ(cached_tokens(10, 1'000'000), 9);
  EXPECT_EQ(cached_tokens(1, 1'000'000), 0);
  EXPECT_EQ(cached_tokens(10, 999'999), 9);
  EXPECT_EQ(cached_tokens(10, 390'000), 3);
  EXPECT_EQ(cached_tokens(1'048'576, 500'000), 524'288);
  const Drained drained =
      drain(scenario_with({"workload.cached_share=0.5", "workload.prompt=11"}), one_file("", ""));
  for (const RequestSpec& spec : drained.requests) EXPECT_EQ(spec.row.cached_prompt, 5);
}

TEST(Workload, ListedRequestsTakeStopSequencesAndCachedPromptsOfTheirOwn) {
  const Drained drained = drain(
      listed(R"([{"prompt": 8, "output": 9},
                 {"prompt": 8, "output": 9, "stop_len": 16, "min_tokens": 3},
                 {"prompt": 8, "stop_at": 1, "cached_prompt": 7},
                 {"prompt": 8, "stop_at": 6, "eos_at": 8, "max_dec_len": 9, "stop_len": 5},
                 {"prompt": 8, "stop_at": 0, "cached_prompt": 0}])",
             {"workload.stop=sequence", "workload.cached_share=0.5", "workload.min_tokens=2"}),
      one_file("", ""));
  ASSERT_EQ(drained.requests.size(), 5U) << drained.error;
  const auto row = [&drained](std::size_t i) { return drained.requests[i].row; };
  EXPECT_EQ(row(0).stop_at, 8);
  EXPECT_EQ(row(0).stop_len, 2);
  EXPECT_EQ(row(0).min_tokens, 2);
  EXPECT_EQ(row(0).cached_prompt, 4);
  EXPECT_EQ(row(1).stop_len, 8);
  EXPECT_EQ(row(1).min_tokens, 3);
  EXPECT_EQ(row(2).stop_at, 1);
  EXPECT_EQ(row(2).stop_len, 1);
  EXPECT_EQ(row(2).cached_prompt, 7);
  EXPECT_EQ(row(3).stop_at, 6);
  EXPECT_EQ(row(3).eos_at, 8);
  EXPECT_EQ(row(3).stop_len, 5);
  EXPECT_EQ(row(3).max_dec_len, 9);
  EXPECT_EQ(row(4).stop_at, 0);
  EXPECT_EQ(row(4).stop_len, 0);
  EXPECT_EQ(row(4).min_tokens, 0);
  EXPECT_EQ(row(4).cached_prompt, 0);
}

TEST(Workload, ListedRequestsKeepTheirKeys) {
  const Drained drained = drain(listed(R"([{"prompt": 3, "output": 4},
                 {"arrival": 2, "prompt": 5, "max_dec_len": 6, "dnode_drafts": 0},
                 {"arrival": 2, "prompt": 5, "eos_at": 2, "max_dec_len": 9,
                  "abort_after": 1, "preempt_after": 2}])"),
                                one_file("", ""));
  ASSERT_EQ(drained.requests.size(), 3U);
  EXPECT_EQ(drained.requests[0].row.eos_at, 4);
  EXPECT_EQ(drained.requests[0].dnode_drafts, -1);
  EXPECT_EQ(drained.requests[0].row.abort_after, -1);
  EXPECT_EQ(drained.requests[1].row.id, 1);
  EXPECT_EQ(drained.requests[1].row.arrival, 2);
  EXPECT_EQ(drained.requests[1].row.eos_at, 0);
  EXPECT_EQ(drained.requests[1].row.max_dec_len, 6);
  EXPECT_EQ(drained.requests[1].dnode_drafts, 0);
  EXPECT_EQ(drained.requests[2].row.eos_at, 2);
  EXPECT_EQ(drained.requests[2].row.max_dec_len, 9);
  EXPECT_EQ(drained.requests[2].row.abort_after, 1);
  EXPECT_EQ(drained.requests[2].preempt_after, 2);
}

TEST(Workload, BadListedRequestsAreRefused) {
  struct Case {
    const char* request;
    const char* error;
  };
  for (const Case& c :
       {Case{R"({"arrival": 1, "prompt": 1})",
             "/workload/requests/1/arrival: got 1, want at least 2"},
        Case{R"({"arrival": 2})", "/workload/requests/1/prompt: got nothing"},
        Case{R"({"arrival": 2, "prompt": 1, "outptu": 3})", "the nearest is \"output\""},
        Case{R"({"arrival": 2, "prompt": 1, "output": 3, "eos_at": 3})",
             "/workload/requests/1/eos_at: got 3, want no such key beside output with stop eos"},
        Case{R"({"arrival": 2, "prompt": 1, "output": 3, "stop_at": 2})",
             "/1/stop_at: got 2, want no such key beside output with stop eos"},
        Case{R"({"arrival": 2, "prompt": 1, "stop_at": 5, "eos_at": 6})",
             "/1/eos_at: got 6, want 0, or more than stop_at + 1 = 6; the stop sequence puts EOS"},
        Case{R"({"arrival": 2, "prompt": 1, "output": 9, "stop_len": 2})",
             "/1/stop_len: got 2, want no such key without a stop sequence; add stop_at"},
        Case{R"({"arrival": 2, "prompt": 1, "eos_at": 9, "min_tokens": 2})",
             "/1/min_tokens: got 2, want no such key without a stop sequence"},
        Case{R"({"arrival": 2, "prompt": 1, "stop_at": 5, "max_dec_len": 9, "min_tokens": 10})",
             "/1/min_tokens: got 10, want at most 9, where the output ends"},
        Case{R"({"arrival": 2, "prompt": 1, "stop_at": 5, "eos_at": 8, "min_tokens": 9})",
             "/1/min_tokens: got 9, want at most 8, where the output ends"},
        Case{R"({"arrival": 2, "prompt": 7, "cached_prompt": 7})",
             "/1/cached_prompt: got 7, want less than prompt, 7; the last token of a text"},
        Case{R"({"arrival": 2, "prompt": 16380, "stop_at": 5})",
             "/workload/requests/1: got a prompt of 16380 and an output of 6 tokens"},
        Case{R"({"arrival": 2, "prompt": 16384})", "/1/prompt: got 16384, want less than"},
        Case{R"({"arrival": 2, "prompt": 16000, "output": 385})",
             "/workload/requests/1: got a prompt of 16000 and an output of 385 tokens"},
        Case{R"({"arrival": 2, "prompt": 1, "output": 9, "dnode_drafts": 4})",
             "/1/dnode_drafts: got 4, want at most engine.num_speculative_tokens, 3"},
        Case{R"({"arrival": 2, "prompt": 1, "output": 1, "dnode_drafts": 1})",
             "/1/dnode_drafts: got 1, want an output of two tokens or more"},
        Case{R"({"arrival": 2, "prompt": 1, "accept": [1]})",
             "/1/accept: got a list of 1 value, want no such key unless"},
        Case{"7", "/workload/requests/1: got 7, want an object"}}) {
    const std::string text =
        R"({"workload": {"kind": "requests", "requests": [{"arrival": 2, "prompt": 1}, )" +
        std::string(c.request) + "]}}";
    const auto parsed = parse_scenario(text, "x.json");
    EXPECT_NE(error_of(parsed).find(c.error), std::string::npos) << error_of(parsed);
  }
  const auto none = parse_scenario(
      R"({"acceptance": {"kind": "list"},
          "workload": {"kind": "requests", "requests": [{"prompt": 1}]}})",
      "x.json");
  EXPECT_NE(error_of(none).find("/workload/requests/0/accept: got nothing"), std::string::npos)
      << error_of(none);
}

TEST(AcceptLists, RequestsTakeThemInTurn) {
  const Drained drained = drain(
      scenario_with({"acceptance.kind=list", "acceptance.lists=[[1,2],[3]]"}), one_file("", ""));
  ASSERT_EQ(drained.requests.size(), 3U);
  EXPECT_EQ(drained.requests[0].row.accept, (std::vector<std::int32_t>{1, 2}));
  EXPECT_EQ(drained.requests[1].row.accept, (std::vector<std::int32_t>{3}));
  EXPECT_EQ(drained.requests[2].row.accept, (std::vector<std::int32_t>{1, 2}));
}

TEST(AcceptLists, OwnListGoesBeforeTheCommonOnes) {
  const Drained drained = drain(listed(R"([{"prompt": 1, "accept": [4]}, {"prompt": 1}])",
                                       {"acceptance={\"kind\":\"list\",\"lists\":[[2],[3]]}"}),
                                one_file("", ""));
  ASSERT_EQ(drained.requests.size(), 2U);
  EXPECT_EQ(drained.requests[0].row.accept, (std::vector<std::int32_t>{4}));
  EXPECT_EQ(drained.requests[1].row.accept, (std::vector<std::int32_t>{3}));
}

TEST(AcceptLists, FileOfJsonLinesIsRead) {
  const Scenario scenario = scenario_with({"acceptance.kind=list", "acceptance.path=a.jsonl"});
  const Drained good = drain(scenario, one_file("a.jsonl",
                                                "{\"turn\": 1, \"accept_lengths\": [4, 1]}\r\n"
                                                "\n{\"accept_lengths\": [61]}"));
  ASSERT_EQ(good.requests.size(), 3U) << good.error;
  EXPECT_EQ(good.requests[0].row.accept, (std::vector<std::int32_t>{4, 1}));
  EXPECT_EQ(good.requests[1].row.accept, (std::vector<std::int32_t>{61}));
  const auto error = [&scenario](const char* text) {
    return drain(scenario, one_file("a.jsonl", text)).error;
  };
  EXPECT_EQ(error("").rfind("a.jsonl: got no line", 0), 0U) << error("");
  EXPECT_EQ(error("{\"x\": 1}").rfind("a.jsonl:1: got no accept_lengths", 0), 0U);
  EXPECT_EQ(error("{\"accept_lengths\": [1]}\n{\"accept_lengths\": [1, 0]}")
                .rfind("a.jsonl:2:/accept_lengths/1: got 0, want an integer in [1, 1024]", 0),
            0U);
  EXPECT_EQ(error("\n{").rfind("a.jsonl:2:1:", 0), 0U) << error("\n{");
  EXPECT_EQ(drain(scenario, one_file("b", "")).error, "a.jsonl: got no such file, want a file");
}

}  // namespace
}  // namespace tandem
