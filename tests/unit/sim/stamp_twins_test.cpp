// V35, V38, and V32 where the encoder phase is told by step_idx: stamps and rows of another step.
#include <gtest/gtest.h>

#include "tests/unit/sim/judge_helpers.hpp"

namespace tandem::test {
namespace {

RequestRow unlimited_row(RequestId id, std::int32_t prompt, std::vector<std::int32_t> accept) {
  RequestRow r;
  r.id = id;
  r.prompt_len = prompt;
  r.max_dec_len = 300;
  r.accept = std::move(accept);
  return r;
}

TEST(Stamps, EverySingleChangeIsNamedByItsCheck) {
  struct Stamp {
    Column StepRecord::*column;
    const char* field;
    sim::CheckId check;
  };
  const Stamp stamps[] = {
      {&StepRecord::enqueue_generation, "enqueue_generation", sim::CheckId::V35},
      {&StepRecord::p2_generation, "p2.generation", sim::CheckId::V35},
      {&StepRecord::seed_used, "seed_used", sim::CheckId::V38},
      {&StepRecord::stop_step_idx, "stop_step_idx", sim::CheckId::V38}};
  const TinyTrace clean = worked_example();
  for (const Stamp& stamp : stamps) {
    for (std::size_t k = 0; k < clean.content[0].records.size(); ++k) {
      for (std::size_t slot = 0; slot < 2; ++slot) {
        TinyTrace trace = clean;
        StepRecord& r = trace.content[0].records[k];
        (r.*stamp.column)[slot] += 1;
        const sim::Verdict verdict = judge(trace);
        ASSERT_GE(verdict.divergence_count, 1U) << stamp.field << " t=" << r.t;
        EXPECT_EQ(verdict.divergences[0].check,
                  r.kind == StepKind::back ? stamp.check : sim::CheckId::V7);
        EXPECT_EQ(verdict.divergences[0].field, stamp.field);
        EXPECT_EQ(verdict.divergences[0].slot, static_cast<std::int32_t>(slot));
      }
    }
  }
}

TEST(Stamps, WriteOfAFormerGenerationIsV35) {
  TinyTrace trace = worked_example();
  record_of(trace, 7).enqueue_generation[0] = 0;
  expect_line(trace,
              "check=V35 step=7 rank=0 point=P2 slot=0 request=2 field=enqueue_generation host=- "
              "device=0 oracle=1 belongs_to=7");
}

TEST(Stamps, CounterBehindTheUpdateIsV38) {
  TinyTrace trace = worked_example();
  record_of(trace, 5).stop_step_idx[1] = record_of(trace, 5).p2.g[1];
  expect_line(trace,
              "check=V38 step=5 rank=0 point=P2 slot=1 request=1 field=stop_step_idx host=- "
              "device=6 oracle=5 belongs_to=5");
}

TEST(Stamps, SeedThatStoodStillIsReportedOnceAndFollowed) {
  TinyTrace trace = worked_example(5);
  const std::int32_t lag = 4 * 3;
  std::int32_t found = 0;
  for (TinyTrace::Block& block : trace.content) {
    for (StepRecord& r : block.records) {
      if (r.t < 4 || r.seed_used[1] == 0 || r.t > 6) continue;
      r.seed_used[1] -= lag;
      ++found;
    }
  }
  ASSERT_EQ(found, 3);
  const sim::Verdict verdict = judge(trace);
  EXPECT_EQ(verdict.divergence_count, 1U) << first_line(verdict);
  EXPECT_EQ(count_of(verdict, sim::CheckId::V38).diverged, 1U);
}

TEST(Stamps, SeedsOfAKeyframeAreChained) {
  TinyTrace trace = worked_example(5);
  trace.content[1].keyframe.infer_seed[1] += std::int64_t{1} << 40U;
  const sim::Verdict verdict = judge(trace);
  EXPECT_EQ(verdict.divergences.at(0).check, sim::CheckId::V0);
  EXPECT_EQ(verdict.divergences.at(0).field, "keyframe.infer_seed");
  EXPECT_EQ(count_of(verdict, sim::CheckId::V38).diverged, 0U) << "the low bits are right";
  EXPECT_EQ(count_of(verdict, sim::CheckId::V0).diverged, 2U) << "the last keyframe is true again";
}

/// Slots 1 and 2 decode; slot 0 comes back with tokens of its own, so that its prefill starts at
/// step_idx > 0 in the middle of their decoding.
TinyTrace phases_run(EncoderTest test) {
  RunConfig config = tiny_config();
  config.max_num_seqs = 3;
  config.num_speculative_tokens = config.num_model_steps = 3;
  config.block_size = 16;
  config.draft_path = DraftPath::self;
  config.encoder_test = test;
  return record_run(config, 0, 12, 4, [](TinyRun& run, int i) {
    if (i == 0) run.prefill(1, unlimited_row(1, 4, {4, 3}), 20);
    if (i == 0) run.prefill(2, unlimited_row(2, 9, {2, 4}), 20);
    if (i == 5) run.resume(0, unlimited_row(0, 7, {3}), 6, 20);
  });
}

TEST(EncoderPhase, ToldByTheEncoderLengthIsClean) {
  EXPECT_EQ(first_line(judge(phases_run(EncoderTest::encoder_len))), "clean");
}

TEST(EncoderPhase, ToldByStepIdxTakesRowsOfAnotherSlotAndIsV32) {
  const sim::Verdict verdict = judge(phases_run(EncoderTest::step_idx));
  ASSERT_FALSE(verdict.divergences.empty());
  EXPECT_EQ(verdict.divergences[0].check, sim::CheckId::V32);
  EXPECT_EQ(verdict.divergences[0].step, 5);
  EXPECT_EQ(verdict.divergences[0].point, "P3");
  EXPECT_GT(count_of(verdict, sim::CheckId::V33).diverged, 0U) << "the drafts were wrong";
  EXPECT_EQ(
      count_of(verdict, sim::CheckId::V32).diverged + count_of(verdict, sim::CheckId::V33).diverged,
      verdict.divergence_count)
      << "every count was right";
}

TEST(EncoderPhase, FirstPrefillBesideDecodingIsCleanUnderBothMeanings) {
  for (const EncoderTest test : {EncoderTest::encoder_len, EncoderTest::step_idx}) {
    RunConfig config = tiny_config();
    config.draft_path = DraftPath::self;
    config.encoder_test = test;
    config.block_size = 64;
    const TinyTrace trace = record_run(config, 0, 8, 0, [](TinyRun& run, int i) {
      if (i == 0) run.prefill(1, unlimited_row(1, 4, {3, 2}), 4);
      if (i == 3) run.prefill(0, unlimited_row(0, 7, {3}), 4);
    });
    EXPECT_EQ(first_line(judge(trace)), "clean") << "step_idx is 1 behind a first prefill";
  }
}

}  // namespace
}  // namespace tandem::test
