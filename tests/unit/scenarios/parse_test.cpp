// parse_scenario: defaults, every kind of value, and every form of error.
#include <gtest/gtest.h>

#include "scenarios/request_rules.hpp"
#include "tests/unit/scenarios/scenario_text.hpp"
#include "traces/base/hash.hpp"
#include "traces/base/random.hpp"

namespace tandem {
namespace {

using test::error_of;
using test::least_scenario;
using test::parse_with;

TEST(ParseScenario, DefaultsAreThoseOfTheStructs) {
  const auto parsed = parse_with({});
  ASSERT_TRUE(parsed.ok()) << error_of(parsed);
  const Scenario& scenario = parsed.value();
  RunConfig expected;
  expected.scenario = "x";
  expected.rows.fill(RowMode::overlap);
  expected.kv_blocks = 64 * (16384 / 64 + 2);
  expected.acceptance.millionths = {800'000, 800'000, 800'000};
  expected.digest_key = keyed_draw(1, hash_text("digest"), 0);
  EXPECT_EQ(scenario.config, expected);
  EXPECT_EQ(scenario.timing, TimingModel{});
  EXPECT_EQ(scenario.steps_max, 0);
  EXPECT_FALSE(scenario.unguarded);
  EXPECT_EQ(scenario.workload.step_ns, WorkloadSpec{}.step_ns);
  EXPECT_EQ(scenario.workload.mean_gap_millisteps, 2'000);
}

TEST(ParseScenario, EveryKeyReachesItsField) {
  const std::string text = R"({
    "name": "all.keys-1", "description": "d", "seed": 18446744073709551615, "schedule": "sync",
    "policy": "upper-bound", "draft_path": "self", "encoder_test": "step_idx", "ngram": 0.125,
    "copies": "own", "arrivals": "time",
    "unguarded": true, "rows": {"R0": "overlap", "R11": "bound", "R13": "overlap"},
    "limits": {"steps": 77},
    "engine": {"max_num_seqs": 8, "num_speculative_tokens": 2, "num_model_steps": 1,
      "block_size": 4, "kv_blocks": 999, "enc_dec_block_num": 3, "max_model_len": 100,
      "max_num_batched_tokens": 64, "pinned_ring_depth": 4,
      "cuda_graphs": [3, 24, 12]},
    "model": {"kind": "scripted", "vocab_size": 100, "padding_id": 99, "eos": [5, 0]},
    "acceptance": {"kind": "per-position", "p": [1, 0.5, 0.25]},
    "timing": {"forward_base_ns": 1, "forward_row_ns": 2, "draft_base_ns": 3, "draft_row_ns": 4,
      "kernel_ns": 5, "copy_ns": 6, "host_op_ns": 7, "host_step_ns": 8},
    "workload": {"kind": "profile", "source": "s", "requests": 9, "rate_per_s": 2.5,
      "step_ns": 1000, "stop": "sequence", "stop_len": 5, "min_tokens": 4, "cached_share": 0.75,
      "max_dec_len": 20,
      "prompt": {"shares": [0, 0.999, 1], "tokens": [1, 2, 3]},
      "output": {"shares": [0, 1], "tokens": [4, 5]}}})";
  const auto parsed = parse_scenario(text, "x.json");
  ASSERT_TRUE(parsed.ok()) << error_of(parsed);
  const RunConfig& config = parsed.value().config;
  EXPECT_EQ(config.scenario, "all.keys-1");
  EXPECT_EQ(config.seed, ~0ULL);
  EXPECT_EQ(config.policy, PolicyKind::upper_bound);
  EXPECT_EQ(config.draft_path, DraftPath::self);
  EXPECT_EQ(config.encoder_test, EncoderTest::step_idx);
  EXPECT_EQ(config.ngram_millionths, 125'000U);
  EXPECT_EQ(config.arrivals, ArrivalUnit::ns);
  EXPECT_TRUE(config.copies_own_stream);
  EXPECT_EQ(config.row(0), RowMode::overlap);
  EXPECT_EQ(config.row(1), RowMode::sync);
  EXPECT_EQ(config.row(11), RowMode::bound);
  EXPECT_EQ(config.max_num_seqs, 8);
  EXPECT_EQ(config.num_speculative_tokens, 2);
  EXPECT_EQ(config.num_model_steps, 1);
  EXPECT_EQ(config.block_size, 4);
  EXPECT_EQ(config.kv_blocks, 999);
  EXPECT_EQ(config.enc_dec_block_num, 3);
  EXPECT_EQ(config.max_model_len, 100);
  EXPECT_EQ(config.max_num_batched_tokens, 64);
  EXPECT_EQ(config.pinned_ring_depth, 4);
  EXPECT_EQ(config.captured_sizes, (std::vector<std::int32_t>{24, 12, 3}));
  EXPECT_EQ(config.vocab_size, 100);
  EXPECT_EQ(config.padding_id, 99);
  EXPECT_EQ(config.eos_ids, (std::vector<std::int64_t>{5, 0}));
  EXPECT_EQ(config.acceptance.millionths, (std::vector<std::uint32_t>{1'000'000, 500'000}));
  const TimingModel timing{1, 2, 3, 4, 5, 6, 7, 8, 1'000'000, {}};
  EXPECT_EQ(parsed.value().timing, timing);
  const WorkloadSpec& workload = parsed.value().workload;
  EXPECT_EQ(workload.kind, WorkloadKind::profile);
  EXPECT_EQ(workload.requests_max, 9);
  EXPECT_EQ(workload.mean_gap_ns, 400'000'000);
  EXPECT_EQ(workload.prompt.share_millionths, (std::vector<std::uint32_t>{0, 999'000, 1'000'000}));
  EXPECT_EQ(workload.output.tokens, (std::vector<std::int32_t>{4, 5}));
  EXPECT_EQ(workload.stop, StopRule::sequence);
  EXPECT_EQ(workload.stop_len, 5);
  EXPECT_EQ(workload.min_tokens, 4);
  EXPECT_EQ(workload.cached_millionths, 750'000U);
  EXPECT_EQ(workload.max_dec_len, 20);
  EXPECT_EQ(workload.step_ns, 1'000);
  EXPECT_EQ(parsed.value().steps_max, 77);
  EXPECT_TRUE(parsed.value().unguarded);
}

struct Refusal {
  std::vector<std::string> overrides;
  const char* error;
};

TEST(ParseScenario, BadValuesAreRefusedByPointerFoundAndWanted) {
  for (const Refusal& c : {
           Refusal{{"engine.max_num_seqs=0"},
                   "x.json:/engine/max_num_seqs: got 0 (set by engine.max_num_seqs=0), want an "
                   "integer in [1, 512]; leave the key out for 64"},
           Refusal{{"engine.max_num_seqs=513"}, "want an integer in [1, 512]"},
           Refusal{{"engine.max_num_seqs=4.0"}, "/engine/max_num_seqs: got 4.0"},
           Refusal{{"engine.max_num_seqs=\"4\""}, "/engine/max_num_seqs: got \"4\""},
           Refusal{{"engine.max_num_seqs=true"}, "/engine/max_num_seqs: got true"},
           Refusal{{"seed=-1"}, "/seed: got -1 (set by seed=-1), want an integer in [0, 2^64 - 1]"},
           Refusal{{"seed=18446744073709551616"}, "want an integer in [0, 2^64 - 1]"},
           Refusal{{"rows.R11=sinc"},
                   "/rows/R11: got \"sinc\" (set by rows.R11=sinc), want one of "
                   "sync, overlap, bound"},
           Refusal{{"rows.R4=bound"}, "want one of sync, overlap"},
           Refusal{{"rows.R14=sync"},
                   "/rows/R14: got \"sync\" (set by rows.R14=sync) for an unknown "
                   "key, want a key of rows; the nearest is \"R1\""},
           Refusal{{"schedule=bound"}, "want one of sync, overlap; leave the key out for"},
           Refusal{{"model.kind=transformer"}, "want scripted"},
           Refusal{{"engine.max_num_seq=3"}, "the nearest is \"max_num_seqs\""},
           Refusal{{"polcy=exact"}, "want a key of the schema; the nearest is \"policy\""},
           Refusal{{"timing.idle_ns=5"}, "/timing/idle_ns: got 5"},
           Refusal{{"unguarded=1"}, "want true or false"},
           Refusal{{"engine=3"}, "/engine: got 3 (set by engine=3), want an object"},
           Refusal{{"engine.cuda_graphs=7"}, "want true or false, or a list of 1 to 1024 integers"},
           Refusal{{"engine.cuda_graphs=[]"}, "got a list of 0 values"},
           Refusal{{"engine.cuda_graphs=[4,0]"}, "/engine/cuda_graphs/1: got 0"},
           Refusal{{"engine.cuda_graphs=[4,8,4]"}, "/engine/cuda_graphs: got the size 4 twice"},
           Refusal{{"engine.pinned_ring_depth=0"}, "want an integer in [1, 64]"},
           Refusal{{"acceptance.p=1.0000001"}, "/acceptance/p: got 1.0000001"},
           Refusal{{"acceptance.p=-0.0000001"}, "want a number in [0, 1]"},
           Refusal{{"acceptance.p=[0.5]"}, "/acceptance/p: got a list of 1 value"},
           Refusal{{"acceptance.lists=[[1]]"},
                   "want no such key where kind is constant; it belongs to kind list"},
           Refusal{{"workload.path=x.csv"}, "it belongs to kind azure-csv"},
           Refusal{{"workload.kind=poison"}, "want one of poisson, azure-csv, profile, requests"},
           Refusal{{"encoder_test=step"}, "want one of encoder_len, step_idx"},
           Refusal{{"ngram=1.5"}, "/ngram: got 1.5"},
           Refusal{{"workload.stop=seq"}, "want one of eos, length, sequence"},
           Refusal{{"workload.stop_len=0"}, "want an integer in [1, 16]"},
           Refusal{{"workload.stop_len=17"}, "want an integer in [1, 16]"},
           Refusal{{"workload.cached_share=1.1"}, "want a number in [0, 1]"},
           Refusal{{"name=a b"}, "/name: got \"a b\""},
           Refusal{{"name="}, "want a text of 1 to 128 bytes"},
       }) {
    const auto parsed = parse_with(c.overrides);
    EXPECT_NE(error_of(parsed).find(c.error), std::string::npos)
        << c.overrides.front() << "\n  gave: " << error_of(parsed);
    EXPECT_EQ(error_of(parsed).find('\n'), std::string::npos);
  }
}

TEST(ParseScenario, RulesThatJoinKeysAreRefused) {
  for (const Refusal& c : {
           Refusal{{"engine.num_speculative_tokens=2", "engine.num_model_steps=3"},
                   "/engine/num_model_steps: got 3 (set by engine.num_model_steps=3), want at most "
                   "engine.num_speculative_tokens, 2"},
           Refusal{{"engine.max_num_batched_tokens=255"},
                   "want at least max_num_seqs * (num_speculative_tokens + 1) = 256"},
           Refusal{{"model.vocab_size=16", "model.padding_id=16"},
                   "/model/padding_id: got 16 (set by model.padding_id=16), want less than "
                   "model.vocab_size, 16"},
           Refusal{{"model.vocab_size=16", "model.eos=[2,16]"}, "/model/eos/1: got 16"},
           Refusal{{"model.eos=[3,3]"},
                   "/model/eos/1: got 3 (set by model.eos=[3,3]), want each id"},
           Refusal{{"ngram=0.5"},
                   "/ngram: got 0.5 (set by ngram=0.5), want 0 where engine.num_model_steps is "
                   "engine.num_speculative_tokens, 3; lower engine.num_model_steps"},
           Refusal{{"model.vocab_size=16", "model.eos=[0,1,2,3,4,5,6,7,8,9,10,11,12,13]"},
                   "/model/vocab_size: got 16 (set by model.vocab_size=16), want at least 17: 14 "
                   "special ids and 3 more"},
           Refusal{{"model.vocab_size=16", "model.eos=[0,1,3,4,5,6,7,8,9,10,11,12,13]"},
                   "want at least 17: 14 special ids and 3 more"},
           Refusal{{"workload.min_tokens=3"},
                   "/workload/min_tokens: got 3 (set by workload.min_tokens=3), want 0 unless "
                   "workload.stop is sequence"},
           Refusal{{"workload.stop=sequence", "workload.min_tokens=6", "engine.block_size=16",
                    "engine.kv_blocks=9"},
                   "/workload: got a prompt of 10 and an output of 16374 tokens, which need"},
           Refusal{{"acceptance.kind=per-position", "acceptance.p=[0.5,0.5]"},
                   "want at least engine.num_speculative_tokens = 3 probabilities"},
           Refusal{{"acceptance.kind=per-position"}, "/acceptance/p: got nothing"},
           Refusal{{"acceptance.kind=list"}, "/acceptance: got kind list without a list"},
           Refusal{{"acceptance.kind=list", "acceptance.lists=[[1]]", "acceptance.path=f"},
                   "want either `lists` or `path`"},
           Refusal{{"acceptance.kind=list", "acceptance.lists=[[1,0]]"},
                   "/acceptance/lists/0/1: got 0"},
           Refusal{{"acceptance.kind=list", "acceptance.lists=[[]]"}, "/acceptance/lists/0: got"},
           Refusal{{"acceptance.kind=list", "acceptance.lists=[1]"}, "/acceptance/lists/0: got 1"},
           Refusal{{"workload.rate_per_s=3"}, "/workload: got rate_per_s and gap_steps"},
           Refusal{{"workload.gap_steps=null"}, "/workload: got no mean gap"},
           Refusal{{"workload.gap_steps=null", "workload.rate_per_s=0"},
                   "want a number in [0.001, 10^6]"},
           Refusal{{"workload.requests=1000000000", "workload.gap_steps=1000000"},
                   "/workload/requests: got 1000000000"},
           Refusal{{"workload.dnode.fraction=0.5", "workload.dnode.drafts=4"},
                   "/workload/dnode/drafts: got 4"},
           Refusal{{"workload.dnode.fraction=0.5", "engine.role=prefill"},
                   "/workload/dnode/fraction: got 0.5"},
           Refusal{{"engine.max_model_len=14"},
                   "/workload: got a prompt of 10 and an output of 5 tokens, want at most 14 "
                   "together (engine.max_model_len); set engine.max_model_len to 15 or more"},
           Refusal{{"engine.block_size=4", "engine.kv_blocks=7"},
                   "which need 8 KV blocks, want at most 7 (engine.kv_blocks); set "
                   "engine.kv_blocks to 8 or more"},
           Refusal{{"workload.prompt={\"shares\":[0,0.5],\"tokens\":[1,2]}"},
                   "/workload/prompt/shares: got a list of 2 values"},
           Refusal{{"workload.prompt={\"shares\":[0,1],\"tokens\":[1]}"},
                   "/workload/prompt/tokens: got a list of 1 value"},
           Refusal{{"workload.prompt={\"shares\":[0,0.5,0.5,1],\"tokens\":[1,1,1,1]}"},
                   "/workload/prompt/shares/2: got 0.5"},
           Refusal{{"workload.prompt={\"shares\":[0,1],\"tokens\":[2,1]}"},
                   "/workload/prompt/tokens/1: got 1"},
           Refusal{{"workload.prompt={\"shares\":[0,1]}"}, "/workload/prompt/tokens: got nothing"},
           Refusal{{"workload.kind=profile"}, "/workload/source: got nothing"},
       }) {
    const auto parsed = parse_with(c.overrides);
    EXPECT_NE(error_of(parsed).find(c.error), std::string::npos)
        << c.overrides.back() << "\n  gave: " << error_of(parsed);
  }
}

TEST(ParseScenario, VocabularyMayHoldJustEnoughIds) {
  const auto parsed =
      parse_with({"model.vocab_size=16", "model.eos=[0,1,2,3,4,5,6,7,8,9,10,11,12]"});
  EXPECT_TRUE(parsed.ok()) << error_of(parsed);
}

TEST(ParseScenario, NgramIsTakenWhereTheHeadLeavesRoom) {
  const auto parsed = parse_with({"ngram=0.5", "engine.num_model_steps=2"});
  ASSERT_TRUE(parsed.ok()) << error_of(parsed);
  EXPECT_EQ(parsed.value().config.ngram_millionths, 500'000U);
}

TEST(ParseScenario, WrongDocumentsAreRefused) {
  EXPECT_EQ(error_of(parse_scenario("[]", "x.json", {"seed=2"})),
            "x.json: got a list of 0 values, want a JSON object; see scenarios/SCHEMA.md");
  EXPECT_NE(error_of(parse_scenario("{}", "x.json")).find("x.json:/workload: got nothing"),
            std::string::npos);
  EXPECT_NE(error_of(parse_scenario("{", "x.json")).find("x.json:1:"), std::string::npos);
  EXPECT_NE(error_of(parse_scenario(R"({"a.b": 1})", "x.json")).find("x.json:/a.b: got 1"),
            std::string::npos);
  EXPECT_NE(error_of(parse_scenario(R"({"seed": 1, "seed": 1})", "x.json")).find("/seed: got the"),
            std::string::npos);
}

TEST(ParseScenario, ScheduleFillsTheRowsThatAreNotGiven) {
  const auto parsed = parse_with({"schedule=sync", "rows.R2=overlap"});
  ASSERT_TRUE(parsed.ok()) << error_of(parsed);
  for (int r = 0; r < kRowCount; ++r) {
    EXPECT_EQ(parsed.value().config.row(r), r == 2 ? RowMode::overlap : RowMode::sync) << r;
  }
}

TEST(ParseScenario, CudaGraphsTrueGivesTheUsualSizes) {
  const auto parsed = parse_with({"engine.cuda_graphs=true", "engine.max_num_seqs=20"});
  ASSERT_TRUE(parsed.ok()) << error_of(parsed);
  EXPECT_EQ(parsed.value().config.captured_sizes,
            (std::vector<std::int32_t>{80, 64, 32, 16, 8, 4}));
  EXPECT_EQ(usual_captured_sizes(1, 4), (std::vector<std::int32_t>{4}));
  const auto wide = usual_captured_sizes(512, 2);
  EXPECT_EQ(wide.front(), 1024);
  EXPECT_EQ(wide[1], 960);
  EXPECT_EQ(wide.back(), 2);
  EXPECT_EQ(wide.size(), 3U + 16U + 8U + 8U);
}

TEST(ParseScenario, NameComesFromTheFileWhereItIsNotGiven) {
  const auto parsed = parse_scenario(least_scenario(), "some/dir/my run.json");
  ASSERT_TRUE(parsed.ok()) << error_of(parsed);
  EXPECT_EQ(parsed.value().config.scenario, "my-run");
}

TEST(ParseScenario, MeanGapIsConvertedToTheUnitOfArrivals) {
  const auto steps = parse_with({"workload.gap_steps=null", "workload.rate_per_s=40"});
  ASSERT_TRUE(steps.ok()) << error_of(steps);
  EXPECT_EQ(steps.value().workload.mean_gap_millisteps, 2'500);  // 25 ms of 10 ms steps
  const auto time = parse_with({"arrivals=time", "workload.step_ns=3"});
  ASSERT_TRUE(time.ok()) << error_of(time);
  EXPECT_EQ(time.value().workload.mean_gap_ns, 6);
}

}  // namespace
}  // namespace tandem
