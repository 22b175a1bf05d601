// Stop sequences (semantics 5.6): where they match, what ends, and that schedules agree.
#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "runtime/core/script.hpp"
#include "tests/support/run_helpers.hpp"

namespace tandem {
namespace {

using test::KeepingSink;
using test::request;
using test::run_kept;
using test::small_scenario;

TEST(Script, StopIdStandsAtStopAtAndNowhereElse) {
  RunConfig config = test::small_scenario(4, 3).config;
  config.vocab_size = 16;  // collisions are the rule
  config.eos_ids = {0, 3};
  config.padding_id = 1;
  ASSERT_EQ(script::stop_id(config), 2);
  RequestRow row{3, 0, 10, 100, 30, {}};
  row.stop_at = 7;
  const script::Request request = script::of(row);
  for (std::int64_t position = 0; position < 300; ++position) {
    EXPECT_EQ(script::token(config, request, position) == 2, position == 16) << position;
    for (const std::uint64_t salt : {0U, 1U, 2U}) {
      const std::int64_t wrong = script::wrong_token(config, request, position, salt);
      EXPECT_NE(wrong, 2) << position;
      EXPECT_NE(wrong, script::token(config, request, position)) << position;
    }
  }
}

TEST(Script, EosAtThePlaceOfTheSequencesEndGoesFirst) {
  const RunConfig config = test::small_scenario(4, 3).config;
  RequestRow row{3, 0, 10, 100, 7, {}};
  row.stop_at = 7;
  EXPECT_EQ(script::token(config, script::of(row), 16), config.eos_ids.front());
}

/// One request that commits four tokens a step: it holds 1, 5, 9, ... generated tokens between
/// steps.
struct Four {
  Four() {
    scenario = small_scenario(1, 3);
    scenario.config.acceptance = {AcceptKind::list, {}};
    spec = request(0, 0, 10, 40);
    spec.row.accept = {4};
    spec.row.stop_len = 1;
  }

  RequestOutcome run() {
    KeepingSink sink;
    const RunSummary summary = run_kept(scenario, {spec}, sink);
    for (const StepRecord& r : sink.steps) {
      if (r.kind == StepKind::back) last_a = r.p2.a[0] > 0 ? r.p2.a[0] : last_a;
      for (const RequestOutcome& outcome : r.outcomes) {
        EXPECT_EQ(summary.tokens, outcome.output_len);
        return outcome;
      }
    }
    ADD_FAILURE() << "the request never ended";
    return {};
  }

  Scenario scenario;
  RequestSpec spec;
  std::int32_t last_a = 0;  ///< tokens of the last step that brought some
};

TEST(StopSequence, EndsTheOutputWithOneEosBehindIt) {
  struct Case {
    const char* what;
    std::int32_t stop_at, stop_len, a;
  };
  for (const Case& c : {Case{"inside a step", 3, 2, 3}, Case{"with its last place left", 4, 4, 4},
                        Case{"at the end of the step before", 5, 5, 1},
                        Case{"across two steps", 6, 4, 2}, Case{"over three steps", 10, 9, 2},
                        Case{"on the first token", 1, 1, 1}, Case{"one token", 8, 1, 4}}) {
    Four four;
    four.spec.row.stop_at = c.stop_at;
    four.spec.row.stop_len = c.stop_len;
    for (const RowMode rest : {RowMode::overlap, RowMode::sync}) {
      test::set_all_rows(four.scenario, rest);
      const RequestOutcome outcome = four.run();
      EXPECT_EQ(outcome.output_len, c.stop_at + 1) << c.what;
      EXPECT_EQ(outcome.reason, StopReason::stop) << c.what;
      EXPECT_EQ(four.last_a, c.a) << c.what;
    }
  }
}

TEST(StopSequence, StepWithTooFewTokensMatchesNone) {
  struct Case {
    std::int32_t stop_at, min_tokens, output_len;
    StopReason reason;
  };
  const StopReason stop = StopReason::stop;
  const StopReason length = StopReason::length;
  for (const Case& c :
       {Case{3, 5, 4, stop},     // the step ends with exactly so many
        Case{3, 6, 40, length},  // missed: the next step looks no further back than its first
        Case{5, 5, 6, stop},     // seen by the next step only
        Case{5, 9, 6, stop},     // which ends with 9
        Case{5, 10, 40, length}}) {
    Four four;
    four.spec.row.stop_at = c.stop_at;
    four.spec.row.min_tokens = c.min_tokens;
    for (const RowMode rest : {RowMode::overlap, RowMode::sync}) {
      test::set_all_rows(four.scenario, rest);
      const RequestOutcome outcome = four.run();
      EXPECT_EQ(outcome.output_len, c.output_len) << c.stop_at << ", " << c.min_tokens;
      EXPECT_EQ(outcome.reason, c.reason) << c.stop_at << ", " << c.min_tokens;
    }
  }
}

TEST(StopSequence, LimitAtItsPlaceOrBeforeDecidesLikeEos) {
  for (const auto& [limit, length, reason] :
       {std::tuple{7, 7, StopReason::stop}, std::tuple{6, 6, StopReason::length},
        std::tuple{5, 5, StopReason::length}, std::tuple{8, 7, StopReason::stop}}) {
    Four four;
    four.spec.row.stop_at = 6;
    four.spec.row.max_dec_len = limit;
    const RequestOutcome outcome = four.run();
    EXPECT_EQ(outcome.output_len, length) << limit;
    EXPECT_EQ(outcome.reason, reason) << limit;
  }
}

TEST(StopSequence, MatchesAcrossAPreemptionWhereverItFalls) {
  // The text of the second generation holds the sequence in part or whole; its positions are text
  // positions (6.7).
  for (std::int32_t preempt_after = 1; preempt_after <= 12; ++preempt_after) {
    for (const RowMode rest : {RowMode::overlap, RowMode::sync}) {
      for (const bool dnode : {false, true}) {
        Four four;
        test::set_all_rows(four.scenario, rest);
        four.spec.row.stop_at = 11;
        four.spec.row.stop_len = 7;
        four.spec.row.cached_prompt = preempt_after % 3;
        four.spec.preempt_after = preempt_after;
        if (dnode) four.spec.dnode_drafts = 2;
        const RequestOutcome outcome = four.run();
        EXPECT_EQ(outcome.output_len, 12) << preempt_after << ", " << to_name(rest);
        EXPECT_EQ(outcome.reason, StopReason::stop) << preempt_after;
      }
    }
  }
}

TEST(StopSequence, RecoveredRequestMayFillTheModelsLength) {
  Four four;
  four.scenario.config.max_model_len = 64;
  four.scenario.config.kv_blocks = four.scenario.config.table_width();
  four.spec.row.prompt_len = 40;
  four.spec.row.max_dec_len = 24;
  four.spec.row.stop_at = 23;
  four.spec.row.stop_len = 3;
  four.spec.preempt_after = 20;
  EXPECT_EQ(four.run().output_len, 24);
}

TEST(StopSequence, UnfinishedChunksNeverMatch) {
  Four four;
  four.scenario.config.max_num_batched_tokens = 8;
  four.spec.row.prompt_len = 60;
  four.spec.row.stop_at = 9;
  four.spec.preempt_after = 9;  // comes back in chunks whose text holds the whole sequence
  for (const RowMode rest : {RowMode::overlap, RowMode::sync}) {
    test::set_all_rows(four.scenario, rest);
    EXPECT_EQ(four.run().output_len, 10);
  }
}

/// Requests of every kind of end: EOS, limit, stop sequence, abort; D-node inserts, preemptions and
/// cached prompts among them.
std::vector<RequestSpec> varied_requests(std::int32_t count) {
  std::vector<RequestSpec> out;
  for (std::int32_t i = 0; i < count; ++i) {
    RequestSpec spec = request(i, i * 2, 5 + (i * 37) % 200, 3 + (i * 13) % 60);
    if (i % 4 == 0) spec.row.eos_at = 2 + (i * 7) % 40;
    if (i % 3 == 1) {
      spec.row.eos_at = 0;
      spec.row.stop_at = 1 + (i * 11) % 30;
      spec.row.stop_len = std::min(1 + i % 16, spec.row.stop_at);
    }
    if (i % 5 == 2) spec.row.cached_prompt = (spec.row.prompt_len * 3) / 4;
    if (i % 5 >= 3) spec.dnode_drafts = i % 4;
    if (i % 7 == 6) spec.preempt_after = 1 + i % 12;
    if (i % 11 == 9) spec.row.abort_after = 1 + i % 9;
    out.push_back(spec);
  }
  return out;
}

RequestOutcome expected_outcome(const RequestSpec& spec) {
  const RequestRow& row = spec.row;
  RequestOutcome out{row.id, row.max_dec_len, StopReason::length};
  if (row.eos_at > 0 && row.eos_at <= out.output_len) {
    out = {row.id, row.eos_at, StopReason::eos};
  }
  if (row.stop_at > 0 && row.stop_at + 1 <= out.output_len) {
    out = {row.id, row.stop_at + 1, StopReason::stop};
  }
  if (spec.row.abort_after >= 0 && spec.row.abort_after < out.output_len) {
    out = {row.id, spec.row.abort_after, StopReason::abort};
  }
  return out;
}

std::map<RequestId, RequestOutcome> outcomes_of(const KeepingSink& sink) {
  std::map<RequestId, RequestOutcome> out;
  for (const StepRecord& r : sink.steps) {
    for (const RequestOutcome& outcome : r.outcomes) out[outcome.id] = outcome;
  }
  return out;
}

TEST(StopSequence, EveryRequestEndsWhereItsRowSaysInEverySchedule) {
  const auto requests = varied_requests(60);
  std::uint64_t digest = 0;
  for (const RowMode rest : {RowMode::overlap, RowMode::sync}) {
    for (const std::int32_t blocks : {0, 24}) {
      for (const std::int32_t model_steps : {3, 1}) {
        Scenario s = small_scenario(4, 3);
        test::set_all_rows(s, rest);
        if (blocks > 0) s.config.kv_blocks = blocks;
        s.config.num_model_steps = model_steps;
        if (model_steps == 1) s.config.ngram_millionths = 500'000;
        KeepingSink sink;
        const RunSummary summary = run_kept(s, requests, sink);
        const std::string what = std::string(to_name(rest)) + ", " + std::to_string(blocks) +
                                 " blocks, M = " + std::to_string(model_steps);
        const auto got = outcomes_of(sink);
        ASSERT_EQ(got.size(), requests.size()) << what;
        for (const RequestSpec& spec : requests) {
          EXPECT_EQ(got.at(spec.row.id), expected_outcome(spec))
              << what << ": request " << spec.row.id << " has " << got.at(spec.row.id).output_len
              << " tokens";
        }
        if (digest == 0) digest = summary.token_digest;
        EXPECT_EQ(summary.token_digest, digest) << what;
      }
    }
  }
}

TEST(StopSequence, EveryRowSwitchedAloneGivesTheSameTokensOnBothDraftPaths) {
  const auto requests = varied_requests(30);
  KeepingSink plain;
  const std::uint64_t digest = run_kept(small_scenario(4, 3), requests, plain).token_digest;
  for (const DraftPath path : {DraftPath::gather, DraftPath::self}) {
    for (const RowMode rest : {RowMode::overlap, RowMode::sync}) {
      for (std::size_t row = 0; row < kRowCount; ++row) {
        Scenario s = small_scenario(4, 3);
        s.config.draft_path = path;
        test::set_all_rows(s, rest);
        s.config.rows[row] = rest == RowMode::sync ? RowMode::overlap : RowMode::sync;
        KeepingSink sink;
        EXPECT_EQ(run_kept(s, requests, sink).token_digest, digest)
            << to_name(path) << ", R" << row << " not " << to_name(rest);
      }
    }
  }
}

TEST(StopSequence, ParkedSlotMatchesAfterItsRevival) {
  Scenario s = small_scenario(3, 3);
  s.config.block_size = 4;
  std::vector<RequestSpec> requests;
  for (RequestId id = 0; id < 12; ++id) {
    RequestSpec spec = request(id, 0, 8 + id, 40);
    spec.row.stop_at = 20 + id;
    spec.row.stop_len = 12;
    requests.push_back(spec);
  }
  std::int64_t parked = 0;
  for (std::int32_t blocks = 20; blocks < 40; ++blocks) {
    s.config.kv_blocks = blocks;
    KeepingSink sink;
    (void)run_kept(s, requests, sink);
    for (const StepRecord& r : sink.steps) {
      for (const std::int32_t b : r.p1.b) parked += b;
    }
    const auto got = outcomes_of(sink);
    for (const RequestSpec& spec : requests) {
      EXPECT_EQ(got.at(spec.row.id), expected_outcome(spec)) << blocks << ": " << spec.row.id;
    }
  }
  EXPECT_GT(parked, 0);
}

}  // namespace
}  // namespace tandem
