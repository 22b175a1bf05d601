// Routing of hidden rows: hand-written edge cases.
#include <array>
#include <cstdint>
#include <span>

#include <gtest/gtest.h>

#include "kernels/eagle_gather_hidden_states.hpp"
#include "tests/unit/kernels/op_case.hpp"

namespace tandem::kernels::test {
namespace {

// Rows of one value each. Slot 0: q 3, two accepted; slot 1: stopped in this step with q 2; slot 2:
// prefill of two; slot 3: idle.
OpCase get_hidden() {
  return {"eagle_get_hidden_states",
          {},
          {{"seq_lens_this_time", i32({2, 0, 2, 0})},
           {"input", f32_rows({{10}, {11}, {12}, {13}, {14}, {15}, {16}, {17}})},
           {"seq_lens_encoder", i32({0, 0, 2, 0})},
           {"accept_nums", i32({2, 1, 1, 0})},
           {"base_model_seq_lens_this_time", i32({3, 2, 2, 0})}}};
}

TEST(EagleGetHiddenStates, AcceptedPrefixesAndPrefillRowsArePacked) {
  EXPECT_TRUE(get_hidden().gives(
      {{"out", f32({10, 11, 15, 16, 0, 0, 0, 0})}, {"output_token_num", i32({4})}}));
}

TEST(EagleGetHiddenStates, IllegalSlotAdvancesTheCountOnly) {
  EXPECT_TRUE(
      get_hidden()
          .with("base_model_seq_lens_this_time", i32({0, 2, 2, 0}))
          .gives({{"out", f32({0, 0, 12, 13, 0, 0, 0, 0})}, {"output_token_num", i32({4})}}));
}

TEST(EagleGetHiddenStates, RowsThatWereNotLaunchedAreNotCopied) {
  EXPECT_TRUE(get_hidden()
                  .with("input", f32_rows({{10}, {11}, {12}, {13}, {14}, {15}}))
                  .gives({{"out", f32({10, 11, 15, 0, 0, 0})}, {"output_token_num", i32({4})}}));
}

TEST(EagleGetHiddenStates, NoRowsGiveCountZero) {
  EXPECT_TRUE(get_hidden()
                  .with("input", shaped(f32({}), {0, 1}))
                  .with("seq_lens_this_time", i32({}))
                  .gives({{"output_token_num", i32({0})}}));
}

TEST(EagleGetHiddenStates, NegativeLengthIsNamed) {
  EXPECT_TRUE(get_hidden()
                  .with("accept_nums", i32({-1, 0, 0, 0}))
                  .fails_with({"accept_nums[0]", "got -1"}));
}

// Slot 0 was in the encoder phase (one row now), slot 1 has not run, slot 2 had two rows.
OpCase get_self() {
  return {"eagle_get_self_hidden_states",
          {},
          {{"seq_lens_this_time", i32({1, 0, 1})},
           {"last_seq_lens_this_time", i32({5, 0, 2})},
           {"input", f32_rows({{10}, {11}, {12}, {13}})},
           {"last_seq_lens_encoder", i32({5, 0, 0})}}};
}

TEST(EagleGetSelfHiddenStates, EncoderPhaseOwnsOneRow) {
  EXPECT_TRUE(get_self().gives({{"out", f32({10, 12, 0, 0})}, {"output_token_num", i32({2})}}));
}

TEST(EagleGetSelfHiddenStates, StepIndexMeaningDiffersOnTheSameNumbers) {
  OpCase call = get_self();
  call.without("last_seq_lens_encoder").with("step_idx", i64({1, 9, 9}));
  call.with_attribute("encoder_test", "step_idx");
  EXPECT_TRUE(call.gives({{"out", f32({10, 12, 0, 0})}, {"output_token_num", i32({2})}}));
  call.with("step_idx", i64({5, 0, 0})).with("last_seq_lens_this_time", i32({2, 0, 2}));
  EXPECT_TRUE(call.gives({{"out", f32({11, 13, 0, 0})}, {"output_token_num", i32({2})}}));
}

TEST(EagleGetSelfHiddenStates, IdleEncoderSlotOwnsNoRow) {
  EXPECT_TRUE(get_self()
                  .with("seq_lens_this_time", i32({0, 1, 0}))
                  .with("last_seq_lens_this_time", i32({0, 3, 0}))
                  .gives({{"out", f32({12, 0, 0, 0})}, {"output_token_num", i32({1})}}));
}

TEST(EagleGetSelfHiddenStates, StoppedSlotStillOwnsItsInputRows) {
  EXPECT_TRUE(get_self()
                  .with("seq_lens_this_time", i32({0, 0, 1}))
                  .gives({{"out", f32({12, 0, 0, 0})}, {"output_token_num", i32({1})}}));
}

TEST(EagleGetSelfHiddenStates, TheTestMustBeKnownAndItsTensorGiven) {
  EXPECT_TRUE(get_self()
                  .with_attribute("encoder_test", "phase")
                  .fails_with({"encoder_test", "\"phase\"", "step_idx"}));
  EXPECT_TRUE(get_self()
                  .with_attribute("encoder_test", "step_idx")
                  .fails_with({"eagle_get_self_hidden_states: step_idx", "not given"}));
}

TEST(EagleGatherHiddenStates, LastRowsArePackedAndTheRestIsZero) {
  EXPECT_TRUE(
      OpCase("eagle_gather_hidden_states", {},
             {{"seq_lens_this_time", i32({2, 0, 3})},
              {"input", f32_rows({{10, 1}, {11, 1}, {12, 1}, {13, 1}, {14, 1}})}})
          .gives({{"out", f32_rows({{11, 1}, {14, 1}, {0, 0}})}, {"output_token_num", i32({2})}}));
}

TEST(EagleGatherHiddenStates, RowsThatWereNotLaunchedAreZero) {
  EXPECT_TRUE(OpCase("eagle_gather_hidden_states", {},
                     {{"seq_lens_this_time", i32({2, 3})}, {"input", f32_rows({{10}, {11}, {12}})}})
                  .gives({{"out", f32({11, 0})}, {"output_token_num", i32({2})}}));
}

struct Provenance {
  std::int64_t request;
  std::int64_t position;
  bool operator==(const Provenance&) const = default;
};

TEST(EagleGatherHiddenStates, RowsAreAnyBytes) {
  const std::array<Provenance, 3> input{{{7, 100}, {7, 101}, {9, 500}}};
  const std::array<std::int32_t, 2> q{2, 1};
  std::array<Provenance, 3> out{{{1, 1}, {2, 2}, {3, 3}}};
  std::array<std::int32_t, 1> count{};
  eagle_gather_hidden_states_reference({.n = 2,
                                        .input_rows = 3,
                                        .row_bytes = sizeof(Provenance),
                                        .input = std::as_bytes(std::span(input)),
                                        .seq_lens_this_time = q,
                                        .out = std::as_writable_bytes(std::span(out)),
                                        .output_token_num = count});
  EXPECT_EQ(out, (std::array<Provenance, 3>{{{7, 101}, {9, 500}, {3, 3}}}));
  EXPECT_EQ(count[0], 2);
}

// Slot 0 verifies two rows, slot 1 is idle, slot 2 prefills three.
OpCase rebuild() {
  return {"rebuild_padding",
          {},
          {{"seq_len_this_time", i32({2, 0, 3})},
           {"tmp_out", f32_rows({{10}, {11}, {12}, {13}, {14}})},
           {"cu_seqlens_q", i32({0, 2, 2, 5})},
           {"seq_lens_decoder", i32({8, 0, 0})},
           {"seq_lens_encoder", i32({0, 0, 3})},
           {"cu_seqlens_q_output", i32({0, 2, 2, 3})},
           {"batch_id_per_token_output", i32({0, 0, 2, -1})}}};
}

TEST(RebuildPadding, SpeculativeFormTakesEveryOutputRow) {
  EXPECT_TRUE(rebuild().gives({{"out", f32({10, 11, 14, 0})}}));
}

TEST(RebuildPadding, PlainFormTakesOneRowASlot) {
  OpCase call = rebuild();
  call.without("cu_seqlens_q_output").without("batch_id_per_token_output");
  EXPECT_TRUE(call.gives({{"out", f32({10, 0, 14})}}));
}

TEST(RebuildPadding, SlotsWithoutTokensAndMissingRowsAreSkipped) {
  EXPECT_TRUE(
      rebuild().with("seq_lens_decoder", i32({0, 0, 0})).gives({{"out", f32({0, 0, 14, 0})}}));
  EXPECT_TRUE(rebuild()
                  .with("tmp_out", f32_rows({{10}, {11}, {12}}))
                  .gives({{"out", f32({10, 11, 0, 0})}}));
}

TEST(RebuildPadding, HalfGivenFormAndUnknownSlotAreRefused) {
  EXPECT_TRUE(
      rebuild().without("cu_seqlens_q_output").fails_with({"cu_seqlens_q_output", "not given"}));
  EXPECT_TRUE(rebuild()
                  .with("batch_id_per_token_output", i32({0, 0, 3, -1}))
                  .fails_with({"batch_id_per_token_output[2]", "got 3"}));
}

}  // namespace
}  // namespace tandem::kernels::test
