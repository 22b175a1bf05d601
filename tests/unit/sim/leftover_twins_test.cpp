// What nobody reads is recorded as one value: clean where a record says so, else named.
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/sim/judge_helpers.hpp"

namespace tandem::test {
namespace {

/// Slot 0 prefills in two chunks; slot 1 decodes until it is preempted in step 6.
TinyTrace chunk_and_preempt(RecordLevel level = RecordLevel::full) {
  const RequestRow chunked = row(0, 12, 90, 0, {2, 1});
  const RequestRow preempted = row(1, 4, 90, 0, {3, 2});
  return record_run(
      tiny_config(), 0, 10, 0,
      [=](TinyRun& run, int i) {
        if (i == 0) {
          run.chunk(0, chunked, 0, 6, 8);
          run.prefill(1, preempted, 8);
        }
        if (i == 1) run.chunk(0, chunked, 6, 12, 0);
        if (i == 6) run.preempt(1);
      },
      level);
}

void expect_named(const TinyTrace& trace, sim::CheckId check, const std::string& field) {
  const sim::Verdict verdict = judge(trace);
  ASSERT_FALSE(verdict.divergences.empty());
  EXPECT_EQ(verdict.divergences[0].check, check) << first_line(verdict);
  EXPECT_EQ(verdict.divergences[0].field, field) << first_line(verdict);
}

TEST(LeftoverTwin, ChunkTokenThatWasSentNowhereThenItsDigestIsZero) {
  for (const RecordLevel level : {RecordLevel::state, RecordLevel::full}) {
    TinyTrace trace = chunk_and_preempt(level);
    ASSERT_EQ(first_line(judge(trace)), "clean");
    StepRecord& r = record_of(trace, 0);
    ASSERT_EQ(r.accept_digest[0], 0);
    r.accept_digest[0] = r.last_digest[0] * 256 + 5;
    expect_named(trace, sim::CheckId::V13, "accept_digest");
  }
}

TEST(LeftoverTwin, ProducerThatCannotTellChunksThenTheirDigestIsNotJudged) {
  TinyTrace trace = chunk_and_preempt(RecordLevel::state);
  StepRecord& r = record_of(trace, 0);
  r.accept_digest[0] = r.last_digest[0] * 256 + 5;
  trace.head.absent.push_back("p1.p");
  EXPECT_EQ(first_line(judge(trace)), "clean");
}

TEST(LeftoverTwin, LastRowOfAnUnfinishedChunkThenItIsNotPaired) {
  TinyTrace trace = chunk_and_preempt();
  ASSERT_EQ(record_of(trace, 0).paired[0], 5);
  record_of(trace, 0).paired[0] = 6;
  expect_named(trace, sim::CheckId::V32, "paired");
}

TEST(LeftoverTwin, CellBehindTheAcceptedTokensThenMinusOne) {
  TinyTrace trace = chunk_and_preempt();
  ASSERT_EQ(record_of(trace, 0).p2.a[1], 1);
  record_of(trace, 0).p2_tokens[4] = 11;
  expect_named(trace, sim::CheckId::V13, "p2.tokens");
}

TEST(LeftoverTwin, CellOfASlotThatDidNotRunThenMinusOne) {
  TinyTrace trace = chunk_and_preempt();
  ASSERT_EQ(record_of(trace, 8).p2.a[1], 0);
  record_of(trace, 8).p2_tokens[3] = 11;
  expect_named(trace, sim::CheckId::V13, "p2.tokens");
}

}  // namespace
}  // namespace tandem::test
