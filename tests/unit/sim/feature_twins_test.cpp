// Stop sequences, cached prompts and n-gram drafts: clean where right, named where wrong.
#include <set>

#include <gtest/gtest.h>

#include "sim/oracle/script.hpp"
#include "tests/unit/sim/judge_helpers.hpp"

namespace tandem::test {
namespace {

RequestRow feature_row(RequestId id, std::int32_t prompt, std::int32_t limit,
                       std::vector<std::int32_t> accept) {
  RequestRow r;
  r.id = id;
  r.prompt_len = prompt;
  r.max_dec_len = limit;
  r.accept = std::move(accept);
  return r;
}

RunConfig config_of(std::int32_t drafts, std::int32_t model_steps) {
  RunConfig c = tiny_config();
  c.max_num_seqs = 3;
  c.num_speculative_tokens = drafts;
  c.num_model_steps = model_steps;
  c.block_size = 16;
  return c;
}

/// One request beside another that goes on, so that steps follow the last token.
TinyTrace run_beside(const RunConfig& config, const RequestRow& first, int steps = 14,
                     std::size_t cut_every = 0) {
  return record_run(config, 0, steps, cut_every, [first](TinyRun& run, int i) {
    if (i > 0) return;
    run.prefill(0, first, 12);
    run.prefill(1, feature_row(9, 4, 300, {2, 1}), 12);
  });
}

const RequestOutcome* outcome_of(const TinyTrace& trace, RequestId id) {
  for (const TinyTrace::Block& block : trace.content) {
    for (const StepRecord& r : block.records) {
      for (const RequestOutcome& outcome : r.outcomes) {
        if (outcome.id == id) return &outcome;
      }
    }
  }
  return nullptr;
}

bool has_divergence(const sim::Verdict& verdict, sim::CheckId id) {
  return count_of(verdict, id).diverged > 0;
}

RequestRow stopping(std::int32_t stop_at, std::int32_t stop_len, std::int32_t min_tokens) {
  RequestRow r = feature_row(0, 5, 300, {3, 1, 4, 2});
  r.stop_at = stop_at;
  r.stop_len = stop_len;
  r.min_tokens = min_tokens;
  return r;
}

TEST(StopSequence, EveryPlaceInTheOutputIsClean) {
  for (std::int32_t stop_at = 1; stop_at <= 12; ++stop_at) {
    for (const std::int32_t limit : {6, 300}) {
      for (const std::int32_t eos_at : {0, 5, stop_at, stop_at + 1}) {
        RequestRow r = stopping(stop_at, 1, 0);
        r.max_dec_len = limit;
        r.eos_at = eos_at;
        for (const std::size_t cut : {0U, 1U}) {
          const TinyTrace trace = run_beside(config_of(3, 3), r, 14, cut);
          EXPECT_EQ(first_line(judge(trace)), "clean") << stop_at << " " << limit << " " << eos_at;
        }
      }
    }
  }
}

TEST(StopSequence, EndsTheOutputOneTokenBehindItself) {
  const TinyTrace trace = run_beside(config_of(3, 3), stopping(5, 2, 0));
  const RequestOutcome* outcome = outcome_of(trace, 0);
  ASSERT_NE(outcome, nullptr);
  EXPECT_EQ(outcome->output_len, 6);
  EXPECT_EQ(outcome->reason, StopReason::stop);
}

TEST(StopSequence, StepWithTooFewTokensMatchesNothingForEver) {
  // Steps end at 1, 4, 5, 9 tokens: the one that sees token 2 ends at 4.
  const TinyTrace misses = run_beside(config_of(3, 3), stopping(2, 1, 5));
  EXPECT_EQ(first_line(judge(misses)), "clean");
  EXPECT_EQ(outcome_of(misses, 0), nullptr);
  const TinyTrace matches = run_beside(config_of(3, 3), stopping(2, 1, 4));
  EXPECT_EQ(first_line(judge(matches)), "clean");
  EXPECT_NE(outcome_of(matches, 0), nullptr);
}

TEST(StopSequence, LastTokenOfAStepIsMatchedByTheNext) {
  const TinyTrace trace = run_beside(config_of(3, 3), stopping(4, 4, 0));
  EXPECT_EQ(trace.content[0].records[2].p2.a[0], 1) << "x = -1";
  EXPECT_EQ(first_line(judge(trace)), "clean");
}

TEST(StopSequence, LongerThanTheOutputNeverMatches) {
  const TinyTrace trace = run_beside(config_of(3, 3), stopping(3, 4, 0));
  EXPECT_EQ(first_line(judge(trace)), "clean");
  EXPECT_EQ(outcome_of(trace, 0), nullptr);
}

/// Another row is asked for, and staged, than the device works with.
void ask_for(StepRecord& record, void (*change)(RequestRow&)) {
  change(record.tasks[0].row);
  record.pinned_copies[0].at_enqueue = record.pinned_copies[0].at_copy =
      staged_digest(record.tasks);
}

TEST(StopSequence, DeviceThatOverlooksItIsV33) {
  TinyTrace trace = run_beside(config_of(3, 3), feature_row(0, 5, 300, {3, 1, 4, 2}));
  ask_for(trace.content[0].records[0], [](RequestRow& row) {
    row.stop_at = 2;
    row.stop_len = 1;
  });
  expect_line(trace,
              "check=V33 step=1 rank=0 point=P2 slot=0 request=0 field=p2.a host=- device=3 "
              "oracle=2 belongs_to=1");
}

TEST(StopSequence, DeviceThatDropsMinTokensIsV33) {
  TinyTrace trace = run_beside(config_of(3, 3), stopping(2, 1, 0));
  ask_for(trace.content[0].records[0], [](RequestRow& row) { row.min_tokens = 5; });
  expect_line(trace,
              "check=V33 step=1 rank=0 point=P2 slot=0 request=0 field=p2.a host=- device=2 "
              "oracle=3 belongs_to=1");
}

TEST(StopSequence, MissingEosBehindItIsV33) {
  TinyTrace trace = run_beside(config_of(3, 3), stopping(2, 1, 0));
  record_of(trace, 1).accept_marks[0] = 0;
  expect_line(trace,
              "check=V33 step=1 rank=0 point=P2 slot=0 request=0 field=accept_marks host=- "
              "device=0 oracle=1 belongs_to=1");
}

TEST(StopSequence, WrongReasonIsV37) {
  for (const std::size_t cut : {0U, 1U}) {
    TinyTrace trace = run_beside(config_of(3, 3), stopping(2, 1, 0), 14, cut);
    StepRecord& r = cut == 0 ? record_of(trace, 2) : trace.content[2].records[0];
    ASSERT_EQ(r.outcomes.size(), 1U);
    r.outcomes[0].reason = StopReason::eos;
    expect_line(trace,
                "check=V37 step=2 rank=0 point=- slot=0 request=0 field=outcomes.reason host=1 "
                "device=- oracle=3 belongs_to=2");
    r.outcomes[0].reason = StopReason::stop;
    r.outcomes[0].output_len = 4;
    EXPECT_TRUE(has_divergence(judge(trace), sim::CheckId::V37));
  }
}

TEST(StopSequence, ReasonStopWithoutASequenceIsV37) {
  RequestRow r = feature_row(0, 5, 300, {3, 1, 4, 2});
  r.eos_at = 3;
  TinyTrace trace = run_beside(config_of(3, 3), r);
  record_of(trace, 2).outcomes.at(0).reason = StopReason::stop;
  expect_line(trace,
              "check=V37 step=2 rank=0 point=- slot=0 request=0 field=outcomes.reason host=3 "
              "device=- oracle=1 belongs_to=2");
}

TEST(Outcome, OfARequestThatGoesOnIsV37) {
  TinyTrace trace = run_beside(config_of(3, 3), feature_row(0, 5, 300, {3, 1, 4, 2}));
  record_of(trace, 4).outcomes.push_back({9, 5, StopReason::eos});
  expect_line(trace,
              "check=V37 step=4 rank=0 point=- slot=1 request=9 field=outcomes.id host=9 device=- "
              "oracle=- belongs_to=4");
}

RequestRow cached(std::int32_t held) {
  RequestRow r = feature_row(0, 40, 300, {2, 3});
  r.cached_prompt = held;
  return r;
}

/// The text behind the cached part in one chunk, or in two.
TinyTrace cached_run(std::int32_t held, bool in_two, std::int32_t blocks = 12) {
  return record_run(config_of(3, 3), 0, 12, 1, [=](TinyRun& run, int i) {
    if (i == 0) run.chunk(0, cached(held), held, in_two ? held + 3 : 40, blocks);
    if (i == 1 && in_two) run.chunk(0, cached(held), held + 3, 40, 0);
    if (i == 0) run.prefill(1, feature_row(9, 4, 300, {2, 1}), 12);
  });
}

TEST(CachedPrompt, StartsBehindTheCachedPartAndGoesOnFromThere) {
  for (const std::int32_t held : {0, 1, 16, 30, 36}) {
    EXPECT_EQ(first_line(judge(cached_run(held, true))), "clean") << held;
    EXPECT_EQ(first_line(judge(cached_run(held, false))), "clean") << held;
  }
  EXPECT_EQ(first_line(judge(cached_run(39, false))), "clean") << "the last token is computed";
}

TEST(CachedPrompt, AnotherStartIsV12) {
  for (const std::int32_t start : {0, 15, 17}) {
    TinyTrace trace = cached_run(16, false);
    trace.content[0].records[0].tasks[0].start = start;
    expect_line(trace, "check=V12 step=0 rank=0 point=P0 slot=0 request=0 field=tasks.start host=" +
                           std::to_string(start) + " device=- oracle=16 belongs_to=0");
  }
}

TEST(CachedPrompt, LastTokenIsNeverCached) {
  TinyTrace trace = cached_run(39, false);
  trace.content[0].records[0].tasks[0].row.cached_prompt = 40;
  EXPECT_EQ(count_of(judge(trace), sim::CheckId::V12).diverged, 0U) << "min(40, 40 - 1)";
}

TEST(CachedPrompt, SecondChunkContinuesTheFirst) {
  TinyTrace trace = cached_run(16, true);
  trace.content[1].records[0].tasks[0].start = 16;
  expect_line(trace,
              "check=V12 step=1 rank=0 point=P0 slot=0 request=0 field=tasks.start host=16 "
              "device=- oracle=19 belongs_to=1");
}

TEST(CachedPrompt, BlocksMustCoverTheCachedPartToo) {
  // 24 rows behind 16 cached tokens: two blocks of 16 would hold the rows alone.
  TinyTrace trace = cached_run(16, false, 2);
  expect_line(trace,
              "check=V12 step=0 rank=0 point=P1 slot=0 request=0 field=p1.d host=- device=16 "
              "oracle=- belongs_to=0");
  trace.head.absent = {"p1.generation"};
  expect_line(trace,
              "check=V21 step=0 rank=0 point=P1 slot=0 request=0 field=p1.d host=- device=16 "
              "oracle=- belongs_to=0");
}

TinyTrace ngram_run(std::size_t cut_every = 0) {
  RunConfig config = config_of(5, 2);
  config.ngram_millionths = 600'000;
  return record_run(config, 0, 40, cut_every, [](TinyRun& run, int i) {
    if (i == 0) run.prefill(0, feature_row(0, 5, 300, {6, 1, 4}), 12);
    if (i == 1) run.chunk(1, feature_row(1, 20, 30, {5, 2}), 0, 8, 12);
    if (i == 2) run.chunk(1, feature_row(1, 20, 30, {5, 2}), 8, 20, 0);
    if (i == 4) run.dnode(2, feature_row(2, 6, 300, {4, 6}), 1, 2);
    if (i == 20) run.refresh(2, 12);
  });
}

TEST(NgramDrafts, EveryLengthOccursAndIsClean) {
  std::set<std::int32_t> lengths;
  std::int32_t most_accepted = 0;
  bool parked = false;
  const TinyTrace trace = ngram_run();
  for (const StepRecord& r : trace.content[0].records) {
    lengths.insert(r.p1.q.begin(), r.p1.q.end());
    for (const std::int32_t a : r.p2.a) most_accepted = std::max(most_accepted, a);
    parked = parked || (r.p4.b[2] != 0 && r.step_q[2] > 3);
  }
  for (std::int32_t q = 3; q <= 6; ++q) EXPECT_EQ(lengths.count(q), 1U) << q;
  EXPECT_EQ(most_accepted, 6);
  EXPECT_TRUE(parked) << "an extended row is saved and restored whole";
  for (const std::size_t cut : {0U, 1U, 5U}) EXPECT_EQ(first_line(judge(ngram_run(cut))), "clean");
}

TEST(NgramDrafts, RowsThatTheLawDoesNotAppendAreV18) {
  TinyTrace trace = ngram_run();
  trace.head.config.ngram_millionths = 0;
  const sim::Verdict verdict = judge(trace);
  EXPECT_EQ(verdict.divergences.at(0).check, sim::CheckId::V18);
  EXPECT_EQ(verdict.divergences.at(0).field, "p4.q");
  EXPECT_FALSE(has_divergence(verdict, sim::CheckId::V12)) << "adopted";
  EXPECT_FALSE(has_divergence(verdict, sim::CheckId::V33)) << "clipped to the q that ran";
}

TEST(NgramDrafts, RowsThatAreMissingAreV18) {
  TinyTrace trace = ngram_run();
  for (StepRecord& r : trace.content[0].records) {
    if (r.p4.q[0] <= 3) continue;
    r.p4.q[0] = r.p4_draft.len[0] = 3;
    break;
  }
  EXPECT_EQ(judge(trace).divergences.at(0).check, sim::CheckId::V18);
}

TEST(NgramDrafts, DrawsAreThoseOfTheHeaderComment) {
  RunConfig config = config_of(5, 2);
  config.ngram_millionths = 400'000;
  config.seed = 11;
  const Result<sim::Rules> rules = sim::make_rules(config);
  ASSERT_TRUE(rules.ok());
  int hits = 0;
  for (std::int32_t g = 1; g < 2000; ++g) {
    const std::int32_t drafts = sim::ngram_drafts(rules.value(), 3, g);
    EXPECT_GE(drafts, 0);
    EXPECT_LE(drafts, 3);
    hits += drafts > 0 ? 1 : 0;
  }
  EXPECT_NEAR(hits, 800, 100);
}

}  // namespace
}  // namespace tandem::test
