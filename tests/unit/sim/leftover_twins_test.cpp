// What nobody reads is recorded as one value, and an abort keeps what its trigger says: clean where
// a record says so, named where it does not.
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/sim/judge_helpers.hpp"

namespace tandem::test {
namespace {

/// Slot 0 prefills in two chunks; slot 1 decodes until its client aborts it in step 6.
TinyTrace chunk_and_abort(std::int32_t abort_after, RecordLevel level = RecordLevel::full) {
  const RequestRow chunked = row(0, 12, 90, 0, {2, 1});
  RequestRow aborted = row(1, 4, 90, 0, {3, 2});
  aborted.abort_after = abort_after;
  return record_run(
      tiny_config(), 0, 10, 0,
      [=](TinyRun& run, int i) {
        if (i == 0) {
          run.chunk(0, chunked, 0, 6, 8);
          run.prefill(1, aborted, 8);
        }
        if (i == 1) run.chunk(0, chunked, 6, 12, 0);
        if (i == 6) run.abort(1);
      },
      level);
}

void expect_named(const TinyTrace& trace, sim::CheckId check, const std::string& field) {
  const sim::Verdict verdict = judge(trace);
  ASSERT_FALSE(verdict.divergences.empty());
  EXPECT_EQ(verdict.divergences[0].check, check) << first_line(verdict);
  EXPECT_EQ(verdict.divergences[0].field, field) << first_line(verdict);
}

/// The outcome of the aborted request; the run has one.
RequestOutcome& aborted_outcome(TinyTrace& trace) {
  std::vector<StepRecord>& records = trace.content[0].records;
  const auto found = std::find_if(records.begin(), records.end(),
                                  [](const StepRecord& r) { return !r.outcomes.empty(); });
  return found->outcomes.at(0);
}

TEST(LeftoverTwin, ChunkTokenThatWasSentNowhereThenItsDigestIsZero) {
  for (const RecordLevel level : {RecordLevel::state, RecordLevel::full}) {
    TinyTrace trace = chunk_and_abort(3, level);
    ASSERT_EQ(first_line(judge(trace)), "clean");
    StepRecord& r = record_of(trace, 0);
    ASSERT_EQ(r.accept_digest[0], 0);
    r.accept_digest[0] = r.last_digest[0] * 256 + 5;
    expect_named(trace, sim::CheckId::V13, "accept_digest");
  }
}

TEST(LeftoverTwin, ProducerThatCannotTellChunksThenTheirDigestIsNotJudged) {
  TinyTrace trace = chunk_and_abort(3, RecordLevel::state);
  StepRecord& r = record_of(trace, 0);
  r.accept_digest[0] = r.last_digest[0] * 256 + 5;
  trace.head.absent.push_back("p1.p");
  EXPECT_EQ(first_line(judge(trace)), "clean");
}

TEST(LeftoverTwin, LastRowOfAnUnfinishedChunkThenItIsNotPaired) {
  TinyTrace trace = chunk_and_abort(3);
  ASSERT_EQ(record_of(trace, 0).paired[0], 5);
  record_of(trace, 0).paired[0] = 6;
  expect_named(trace, sim::CheckId::V32, "paired");
}

TEST(LeftoverTwin, CellBehindTheAcceptedTokensThenMinusOne) {
  TinyTrace trace = chunk_and_abort(3);
  ASSERT_EQ(record_of(trace, 0).p2.a[1], 1);
  record_of(trace, 0).p2_tokens[4] = 11;
  expect_named(trace, sim::CheckId::V13, "p2.tokens");
}

TEST(LeftoverTwin, CellOfASlotThatDidNotRunThenMinusOne) {
  TinyTrace trace = chunk_and_abort(3);
  ASSERT_EQ(record_of(trace, 8).p2.a[1], 0);
  record_of(trace, 8).p2_tokens[3] = 11;
  expect_named(trace, sim::CheckId::V13, "p2.tokens");
}

TEST(LeftoverTwin, AbortThenItKeepsWhatItsTriggerSays) {
  TinyTrace trace = chunk_and_abort(3);
  ASSERT_EQ(first_line(judge(trace)), "clean");
  ASSERT_EQ(aborted_outcome(trace).output_len, 3);
  for (const std::int32_t wrong : {2, 4}) {
    aborted_outcome(trace).output_len = wrong;
    expect_named(trace, sim::CheckId::V37, "outcomes.output_len");
  }
}

TEST(LeftoverTwin, AbortWithoutATriggerInItsRowThenItKeepsAnyPrefix) {
  TinyTrace trace = chunk_and_abort(-1);
  const std::int32_t delivered = aborted_outcome(trace).output_len;
  ASSERT_GT(delivered, 3);
  for (const std::int32_t kept : {0, 3, delivered}) {
    aborted_outcome(trace).output_len = kept;
    EXPECT_EQ(first_line(judge(trace)), "clean") << kept;
  }
  aborted_outcome(trace).output_len = delivered + 1;
  expect_named(trace, sim::CheckId::V37, "outcomes.output_len");
}

}  // namespace
}  // namespace tandem::test
