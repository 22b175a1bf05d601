// Verification, sampling parameters and stop sequences: hand-written edge cases.
#include <cstdint>

#include <gtest/gtest.h>

#include "tests/unit/kernels/op_case.hpp"

namespace tandem::kernels::test {
namespace {

// One running slot with q = W = 4, drafts 11, 12, 13 behind the committed 10, and an empty slot.
// End tokens are 2 and 3; nothing is generated yet and the limit is far away.
OpCase greedy(const Tensor& target_tokens) {
  return {"verify_draft_tokens",
          {{"verify_strategy", 1}, {"verify_window", 2}, {"reject_all", 0}, {"accept_all", 0}},
          {{"step_output_ids", i64_rows({{7, 7, 7, 7}, {8, 8, 8, 8}})},
           {"step_output_len", i32({9, 9})},
           {"step_input_ids", i64_rows({{10, 11, 12, 13}, {-1, -1, -1, -1}})},
           {"target_tokens", target_tokens},
           {"stop_flags", bools({0, 1})},
           {"seq_lens_encoder", i32({0, 0})},
           {"seq_lens_this_time", i32({4})},
           {"end_tokens", i64({2, 3})},
           {"is_block_step", bools({0, 0})},
           {"cu_seqlens_q_output", i32({0, 4})},
           {"reasoning_status", i32({0, 0})},
           {"max_dec_len", i64({100, 100})},
           {"step_idx", i64({0, 0})}}};
}

NamedTensors emits(const std::vector<std::int64_t>& row, std::int32_t count) {
  return {{"step_output_ids", i64_rows({row, {8, 8, 8, 8}})}, {"step_output_len", i32({count, 0})}};
}

TEST(VerifyDraftTokens, AllDraftsMatchThenTheBonusFollows) {
  EXPECT_TRUE(greedy(i64({11, 12, 13, 14})).gives(emits({11, 12, 13, 14}, 4)));
}

TEST(VerifyDraftTokens, FirstMismatchIsReplacedAndEndsTheScan) {
  EXPECT_TRUE(greedy(i64({11, 99, 13, 14})).gives(emits({11, 99, 7, 7}, 2)));
  EXPECT_TRUE(greedy(i64({99, 12, 13, 14})).gives(emits({99, 7, 7, 7}, 1)));
}

TEST(VerifyDraftTokens, EndTokenInsideDraftsCountsTheBonusThatIsNotEmitted) {
  EXPECT_TRUE(greedy(i64({11, 3, 13, 14}))
                  .with("step_input_ids", i64_rows({{10, 11, 3, 13}, {0, 0, 0, 0}}))
                  .gives(emits({11, 3, 7, 7}, 3)));
}

TEST(VerifyDraftTokens, LengthLimitTurnsADraftIntoTheFirstEndToken) {
  EXPECT_TRUE(
      greedy(i64({11, 12, 13, 14})).with("step_idx", i64({98, 0})).gives(emits({11, 2, 7, 7}, 3)));
}

TEST(VerifyDraftTokens, LengthLimitAppliesToTheFinalTokenToo) {
  EXPECT_TRUE(
      greedy(i64({99, 12, 13, 14})).with("step_idx", i64({99, 0})).gives(emits({2, 7, 7, 7}, 1)));
}

TEST(VerifyDraftTokens, FinalEndTokenStaysItself) {
  EXPECT_TRUE(
      greedy(i64({3, 12, 13, 14})).with("step_idx", i64({99, 0})).gives(emits({3, 7, 7, 7}, 1)));
}

TEST(VerifyDraftTokens, RejectAllReasoningAndPrefillEmitOneToken) {
  const Tensor targets = i64({11, 12, 13, 14});
  EXPECT_TRUE(greedy(targets).with_attribute("reject_all", 1).gives(emits({11, 7, 7, 7}, 1)));
  EXPECT_TRUE(greedy(targets).with("reasoning_status", i32({1, 0})).gives(emits({11, 7, 7, 7}, 1)));
  EXPECT_TRUE(greedy(i64({11}))
                  .with("seq_lens_encoder", i32({40, 0}))
                  .with("seq_lens_this_time", i32({40}))
                  .gives(emits({11, 7, 7, 7}, 1)));
}

TEST(VerifyDraftTokens, AcceptAllTakesWrongDrafts) {
  EXPECT_TRUE(
      greedy(i64({0, 0, 0, 50})).with_attribute("accept_all", 1).gives(emits({11, 12, 13, 50}, 4)));
}

TEST(VerifyDraftTokens, StoppedAndParkedSlotsGetZero) {
  const Tensor targets = i64({11, 12, 13, 14});
  EXPECT_TRUE(greedy(targets).with("stop_flags", bools({1, 1})).gives(emits({7, 7, 7, 7}, 0)));
  EXPECT_TRUE(greedy(targets).with("is_block_step", bools({1, 0})).gives(emits({7, 7, 7, 7}, 0)));
}

TEST(VerifyDraftTokens, NoSlotsInViewStillClearAllCounts) {
  EXPECT_TRUE(greedy(i64({}))
                  .with("seq_lens_this_time", i32({}))
                  .with("cu_seqlens_q_output", i32({0}))
                  .gives(emits({7, 7, 7, 7}, 0)));
}

// Candidates: row 0 has 20, 11; row 1 has 12; row 2 has 13; row 3 has 14.
OpCase top_p() {
  return greedy(i64({}))
      .without("target_tokens")
      .with_attribute("verify_strategy", 0)
      .with("candidate_ids", i64_rows({{20, 11}, {12, 0}, {13, 0}, {14, 15}}))
      .with("candidate_lens", i32({1, 1, 1, 9}));
}

TEST(VerifyDraftTokens, WindowAcceptsTheSecondCandidateWithItsRunAndGoesOnBehindIt) {
  EXPECT_TRUE(top_p().gives(emits({11, 12, 13, 14}, 4)));
  EXPECT_TRUE(top_p().with_attribute("verify_window", 1).gives(emits({11, 12, 13, 14}, 4)));
}

TEST(VerifyDraftTokens, WindowBeyondTheDraftsDoesNotHelp) {
  EXPECT_TRUE(top_p().with_attribute("verify_window", 3).gives(emits({20, 7, 7, 7}, 1)));
}

TEST(VerifyDraftTokens, BrokenWindowRejects) {
  EXPECT_TRUE(top_p()
                  .with("candidate_ids", i64_rows({{20, 11}, {12, 0}, {99, 0}, {14, 15}}))
                  .gives(emits({20, 7, 7, 7}, 1)));
}

TEST(VerifyDraftTokens, EndTokenInsideAWindowRunCutsTheRun) {
  EXPECT_TRUE(top_p()
                  .with("step_input_ids", i64_rows({{10, 11, 2, 13}, {0, 0, 0, 0}}))
                  .with("candidate_ids", i64_rows({{20, 11}, {2, 0}, {13, 0}, {14, 15}}))
                  .gives(emits({11, 2, 7, 7}, 3)));
}

TEST(VerifyDraftTokens, SampledTokenReplacesTheFirstCandidate) {
  EXPECT_TRUE(top_p().with("sampled_tokens", i64({0, 0, 0, 15})).gives(emits({11, 12, 13, 15}, 4)));
}

TEST(VerifyDraftTokens, BadInputIsNamed) {
  EXPECT_TRUE(
      greedy(i64({1, 2, 3})).fails_with({"cu_seqlens_q_output[0]", "got rows 0..3", "[0, 3)"}));
  EXPECT_TRUE(greedy(i64({1, 2, 3, 4, 5}))
                  .with("seq_lens_this_time", i32({5}))
                  .fails_with({"seq_lens_this_time[0]", "got 5", "[0, 4]"}));
  EXPECT_TRUE(greedy(i64({1, 2, 3, 4}))
                  .with("end_tokens", i64({}))
                  .fails_with({"end_tokens", "got 0", "at least 1"}));
  EXPECT_TRUE(top_p().without("candidate_lens").fails_with({"candidate_lens", "not given"}));
  EXPECT_TRUE(top_p()
                  .with("candidate_lens", i32({1, -1, 1, 1}))
                  .fails_with({"candidate_lens[1]", "got -1"}));
}

TEST(BuildSamplingParams, RowsCountUpBySlotAndSeedsWrap) {
  const OpCase call("build_sampling_params", {{"token_num_output_cpu", 3}, {"increment_value", 12}},
                    {{"seq_lens_this_time", i32({2, 0, 1})},
                     {"top_p", f32({0.5F, 0.25F, 1.0F, 0.0F})},
                     {"top_k", i64({5, 6, 7, 8})},
                     {"infer_seed", i64({9223372036854775804, 30, 9223372036854775805, 1})},
                     {"cu_seqlens_q_output", i32({0, 2, 2, 3})}});
  EXPECT_TRUE(call.gives({{"top_p_padding", f32({0.5F, 0.5F, 1.0F})},
                          {"top_k_padding", i64({5, 5, 7})},
                          {"topp_seed", i64({9223372036854775804, 2, 9223372036854775805})},
                          {"infer_seed", i64({10, 42, 11, 1})}}));
}

OpCase two_sampled_rows(std::int64_t token_num_output_cpu) {
  return {"build_sampling_params",
          {{"token_num_output_cpu", token_num_output_cpu}, {"increment_value", 8}},
          {{"seq_lens_this_time", i32({2})},
           {"top_p", f32({0.5F})},
           {"top_k", i64({5})},
           {"infer_seed", i64({4})},
           {"cu_seqlens_q_output", i32({0, 2})}}};
}

TEST(BuildSamplingParams, RowsBehindTheLastSlotAreZero) {
  EXPECT_TRUE(two_sampled_rows(4).gives({{"top_p_padding", f32({0.5F, 0.5F, 0.0F, 0.0F})},
                                         {"top_k_padding", i64({5, 5, 0, 0})},
                                         {"topp_seed", i64({4, 8, 0, 0})},
                                         {"infer_seed", i64({12})}}));
}

TEST(BuildSamplingParams, BadInputIsNamed) {
  EXPECT_TRUE(two_sampled_rows(1).fails_with({"cu_seqlens_q_output[1]", "got 2", "[0, 1]"}));
  EXPECT_TRUE(
      two_sampled_rows(2).with("infer_seed", i64({-4})).fails_with({"infer_seed[0]", "got -4"}));
  EXPECT_TRUE(two_sampled_rows(2)
                  .with("cu_seqlens_q_output", i32({1, 2}))
                  .fails_with({"cu_seqlens_q_output[0]", "got 1", "[0, 0]"}));
}

// One slot: prompt {1, 2, 3}, history {20, 21}, this step {22, 23, 24}; sequences of up to three.
OpCase stop_sequences(std::initializer_list<std::vector<std::int64_t>> sequences,
                      const std::vector<std::int32_t>& lengths) {
  Tensor stop_seqs = i64_rows(sequences);
  stop_seqs.shape = {1, static_cast<std::int64_t>(lengths.size()), 3};
  return {"speculate_set_stop_value_multi_seqs",
          {},
          {{"accept_tokens", i64_rows({{22, 23, 24, 0}})},
           {"accept_num", i32({3})},
           {"token_ids_all", i64_rows({{1, 2, 3, 20, 21, -1, -1, -1}})},
           {"prompt_lens", i64({3})},
           {"step_idx", i64({2})},
           {"stop_flags", bools({0})},
           {"stop_seqs", std::move(stop_seqs)},
           {"stop_seqs_len", shaped(i32(lengths), {1, static_cast<std::int64_t>(lengths.size())})},
           {"end_ids", i64({9})},
           {"min_tokens", i64({0})}}};
}

TEST(SpeculateSetStopValueMultiSeqs, MatchAcrossHistoryEndsBehindIt) {
  EXPECT_TRUE(
      stop_sequences({{20, 21, 22}}, {3})
          .gives({{"accept_tokens", i64_rows({{22, 9, 24, 0}})}, {"accept_num", i32({2})}}));
}

TEST(SpeculateSetStopValueMultiSeqs, MatchOfTheLastStepEndsAtOnce) {
  EXPECT_TRUE(
      stop_sequences({{20, 21, 0}}, {2})
          .gives({{"accept_tokens", i64_rows({{9, 23, 24, 0}})}, {"accept_num", i32({1})}}));
}

TEST(SpeculateSetStopValueMultiSeqs, SequenceEndingAtTheLastTokenWaitsForTheNextStep) {
  EXPECT_TRUE(stop_sequences({{23, 24, 0}}, {2}).gives({}));
}

TEST(SpeculateSetStopValueMultiSeqs, PromptTokensNeverMatch) {
  EXPECT_TRUE(stop_sequences({{3, 20, 0}}, {2}).gives({}));
}

TEST(SpeculateSetStopValueMultiSeqs, LaterSequenceSeesTheShortenedRow) {
  EXPECT_TRUE(
      stop_sequences({{22, 0, 0}, {23, 0, 0}}, {1, 1})
          .gives({{"accept_tokens", i64_rows({{22, 9, 24, 0}})}, {"accept_num", i32({2})}}));
}

TEST(SpeculateSetStopValueMultiSeqs, SequenceThatIsOffTooEarlyOrStoppedChangesNothing) {
  EXPECT_TRUE(stop_sequences({{20, 21, 22}}, {0}).gives({}));
  EXPECT_TRUE(stop_sequences({{20, 21, 22}}, {3}).with("min_tokens", i64({6})).gives({}));
  EXPECT_TRUE(stop_sequences({{20, 21, 22}}, {3}).with("stop_flags", bools({1})).gives({}));
}

TEST(SpeculateSetStopValueMultiSeqs, WithoutTokensOnlyHistoryIsTried) {
  EXPECT_TRUE(
      stop_sequences({{20, 21, 0}}, {2})
          .with("accept_num", i32({0}))
          .gives({{"accept_tokens", i64_rows({{9, 23, 24, 0}})}, {"accept_num", i32({1})}}));
}

TEST(SpeculateSetStopValueMultiSeqs, BadInputIsNamed) {
  EXPECT_TRUE(stop_sequences({{20, 21, 22}}, {4}).fails_with({"stop_seqs_len[0]", "got 4"}));
  EXPECT_TRUE(stop_sequences({{20, 21, 22}}, {3})
                  .with("accept_num", i32({5}))
                  .fails_with({"accept_num[0]", "got 5", "[0, 4]"}));
  EXPECT_TRUE(stop_sequences({{20, 21, 22}}, {3})
                  .with("prompt_lens", i64({7}))
                  .fails_with({"prompt_lens[0]", "got 7", "[0, 6]"}));
}

}  // namespace
}  // namespace tandem::kernels::test
