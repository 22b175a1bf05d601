// The MTP head's shadow state: hand-written edge cases.
#include <cstdint>

#include <gtest/gtest.h>

#include "tests/unit/kernels/op_case.hpp"

namespace tandem::kernels::test {
namespace {

// Slot 0 decodes: two tokens were committed (g = 6, d = 14). Slot 1 stopped in this step.
OpCase preprocess() {
  return {"draft_model_preprocess",
          {{"num_model_step", 2}, {"splitwise_prefill", 0}},
          {{"seq_lens_this_time", i32({1, 1})},
           {"draft_tokens", i64_rows({{5, 5, 5}, {6, 6, 6}})},
           {"input_ids", i64_rows({{1, 2, 3, 4}, {1, 2, 3, 4}})},
           {"stop_flags", bools({1, 0})},
           {"seq_lens_encoder", i32({0, 3})},
           {"seq_lens_decoder", i32({40, 41})},
           {"step_idx", i64({50, 51})},
           {"not_need_stop", bools({0})},
           {"pre_ids", i64_rows({{0, 0, 0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0, 0, 0}})},
           {"accept_tokens", i64_rows({{31, 32, 33}, {41, 42, 43}})},
           {"accept_num", i32({2, 1})},
           {"base_model_seq_lens_decoder", i32({14, 9})},
           {"base_model_step_idx", i64({6, 4})},
           {"base_model_stop_flags", bools({0, 1})},
           {"base_model_draft_tokens", i64_rows({{32, 8, 8}, {41, 8, 8}})},
           {"max_dec_len", i64({40, 40})}}};
}

NamedTensors decode_started() {
  return {{"seq_lens_this_time", i32({2, 0})},
          {"draft_tokens", i64_rows({{31, 32, 5}, {6, 6, 6}})},
          {"stop_flags", bools({0, 1})},
          {"seq_lens_encoder", i32({0, 0})},
          {"seq_lens_decoder", i32({12, 0})},
          {"step_idx", i64({4, 0})},
          {"not_need_stop", bools({1})},
          {"pre_ids", i64_rows({{0, 0, 0, 0, 31, 32, 0, 0}, {0, 0, 0, 0, 0, 0, 0, 0}})},
          {"base_model_draft_tokens", i64_rows({{32, -1, -1}, {41, -1, -1}})}};
}

NamedTensors both_skipped() {
  return {{"seq_lens_this_time", i32({0, 0})},
          {"stop_flags", bools({1, 1})},
          {"seq_lens_encoder", i32({0, 0})},
          {"seq_lens_decoder", i32({0, 0})},
          {"step_idx", i64({0, 0})},
          {"base_model_draft_tokens", i64_rows({{32, -1, -1}, {41, -1, -1}})}};
}

TEST(DraftModelPreprocess, DecodeSlotRestartsBehindTheCommittedPrefix) {
  EXPECT_TRUE(preprocess().gives(decode_started()));
}

TEST(DraftModelPreprocess, SlotNearItsLimitIsSkippedExceptOnPrefillNodes) {
  OpCase call = preprocess();
  call.with("max_dec_len", i64({8, 40}));
  EXPECT_TRUE(call.gives(both_skipped()));
  EXPECT_TRUE(call.with_attribute("splitwise_prefill", 1).gives(decode_started()));
  EXPECT_TRUE(preprocess().with("max_dec_len", i64({9, 40})).gives(decode_started()));
}

TEST(DraftModelPreprocess, PrefillSlotTakesItsFirstTokenAtTheChunksEnd) {
  NamedTensors want = decode_started();
  want["seq_lens_this_time"] = i32({4, 0});
  want["input_ids"] = i64_rows({{1, 2, 3, 31}, {1, 2, 3, 4}});
  want["seq_lens_encoder"] = i32({4, 0});
  want["seq_lens_decoder"] = i32({40, 0});
  want["step_idx"] = i64({5, 0});
  want["pre_ids"] = i64_rows({{31, 0, 0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0, 0, 0}});
  want.erase("draft_tokens");
  EXPECT_TRUE(preprocess().with("seq_lens_encoder", i32({4, 3})).gives(want));
}

TEST(DraftModelPreprocess, NoSlotsMeanNothingRuns) {
  EXPECT_TRUE(preprocess()
                  .with("seq_lens_this_time", i32({}))
                  .with("not_need_stop", bools({1}))
                  .gives({{"not_need_stop", bools({0})}}));
}

TEST(DraftModelPreprocess, BadInputIsNamed) {
  EXPECT_TRUE(preprocess()
                  .with("accept_num", i32({4, 0}))
                  .fails_with({"accept_num[0]", "got 4", "[0, 3]"}));
  EXPECT_TRUE(preprocess()
                  .with("base_model_step_idx", i64({1, 0}))
                  .fails_with({"base_model_step_idx[0]", "got 1", "[2, 8]"}));
  EXPECT_TRUE(preprocess()
                  .with("seq_lens_encoder", i32({5, 0}))
                  .fails_with({"seq_lens_encoder[0]", "got 5", "[1, 4]"}));
}

// Slot 0 decodes with two rows, slot 1 has none, slot 2 has one.
OpCase update() {
  return {"draft_model_update",
          {{"substep", 1}},
          {{"seq_lens_this_time", i32({2, 0, 1})},
           {"inter_next_tokens", i64({70, 71, 0, 0})},
           {"draft_tokens", i64_rows({{5, 5, 5}, {6, 6, 6}, {7, 7, 7}})},
           {"pre_ids", i64_rows({{0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0}})},
           {"seq_lens_encoder", i32({0, 0, 0})},
           {"seq_lens_decoder", i32({9, 3, 11})},
           {"step_idx", i64({2, 2, 3})},
           {"stop_flags", bools({0, 0, 0})},
           {"not_need_stop", bools({0})},
           {"max_dec_len", i64({40, 40, 40})},
           {"base_model_draft_tokens", i64_rows({{1, 2, 3}, {1, 2, 3}, {1, 2, 3}})}}};
}

NamedTensors both_updated() {
  return {{"seq_lens_this_time", i32({1, 0, 1})},
          {"draft_tokens", i64_rows({{70, 5, 5}, {6, 6, 6}, {71, 7, 7}})},
          {"pre_ids", i64_rows({{0, 0, 0, 0, 70, 0}, {0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 71, 0}})},
          {"seq_lens_decoder", i32({11, 3, 12})},
          {"step_idx", i64({4, 2, 4})},
          {"not_need_stop", bools({1})},
          {"base_model_draft_tokens", i64_rows({{1, 2, 70}, {1, 2, 3}, {1, 2, 71}})}};
}

TEST(DraftModelUpdate, NextTokensAreCompactOverSlotsWithRows) {
  EXPECT_TRUE(update().gives(both_updated()));
}

TEST(DraftModelUpdate, FrozenSlotMarksTheDraftAndStaysWhereItIs) {
  NamedTensors want = both_updated();
  want["draft_tokens"] = i64_rows({{70, 5, 5}, {6, 6, 6}, {7, 7, 7}});
  want["pre_ids"] = i64_rows({{0, 0, 0, 0, 70, 0}, {0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0}});
  want["seq_lens_decoder"] = i32({11, 3, 11});
  want["step_idx"] = i64({4, 2, 3});
  want["base_model_draft_tokens"] = i64_rows({{1, 2, 70}, {1, 2, 3}, {1, 2, -1}});
  EXPECT_TRUE(update().with("max_dec_len", i64({40, 40, 4})).gives(want));
}

TEST(DraftModelUpdate, EncoderSlotTurnsIntoADecodingOne) {
  NamedTensors want = both_updated();
  want["pre_ids"] = i64_rows({{0, 70, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 71, 0}});
  want["seq_lens_encoder"] = i32({0, 0, 0});
  want["seq_lens_decoder"] = i32({15, 3, 12});
  want["step_idx"] = i64({3, 2, 4});
  OpCase call = update();
  call.with("seq_lens_encoder", i32({6, 0, 0}));
  EXPECT_TRUE(call.gives(want));
  want["base_model_draft_tokens"] = i64_rows({{1, 2, 3}, {1, 2, 3}, {1, 2, 71}});
  EXPECT_TRUE(call.with("max_dec_len", i64({3, 40, 40})).gives(want));
}

TEST(DraftModelUpdate, StoppedSlotLosesItsDraftAndItsRows) {
  NamedTensors want = both_updated();
  want["seq_lens_this_time"] = i32({1, 0, 0});
  want["draft_tokens"] = i64_rows({{70, 5, 5}, {6, 6, 6}, {-1, 7, 7}});
  want["pre_ids"] = i64_rows({{0, 0, 0, 0, 70, 0}, {0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0}});
  want["seq_lens_decoder"] = i32({11, 3, 11});
  want["step_idx"] = i64({4, 2, 3});
  want["base_model_draft_tokens"] = i64_rows({{1, 2, 70}, {1, 2, 3}, {1, 2, -1}});
  EXPECT_TRUE(update().with("stop_flags", bools({0, 0, 1})).gives(want));
}

TEST(DraftModelUpdate, SlotsWithoutRowsCountAsStopped) {
  EXPECT_TRUE(update()
                  .with("seq_lens_this_time", i32({0, 0, 0}))
                  .with("not_need_stop", bools({1}))
                  .gives({{"not_need_stop", bools({0})}}));
}

TEST(DraftModelUpdate, BadInputIsNamed) {
  EXPECT_TRUE(update()
                  .with("inter_next_tokens", i64({70}))
                  .fails_with({"inter_next_tokens", "got 1 entries", "at least 2"}));
  EXPECT_TRUE(update().with_attribute("substep", 2).fails_with({"substep", "got 2", "[0, 1]"}));
  EXPECT_TRUE(update().with("step_idx", i64({4, 0, 0})).fails_with({"step_idx[0]", "got 4"}));
}

TEST(DraftModelPostprocess, CountsDraftsWhereTheyStand) {
  const OpCase call("draft_model_postprocess", {},
                    {{"base_model_seq_lens_this_time", i32({9, 9, 9, 9})},
                     {"base_model_draft_tokens",
                      i64_rows({{4, 5, -1}, {4, -1, 5}, {4, 5, 6}, {4, 5, 6}, {4, 5, 6}})},
                     {"base_model_seq_lens_encoder", i32({0, 0, 9, 9, 0})},
                     {"base_model_stop_flags", bools({0, 0, 0, 1, 0})}});
  EXPECT_TRUE(call.gives({{"base_model_seq_lens_this_time", i32({2, 2, 9, 0})}}));
}

}  // namespace
}  // namespace tandem::kernels::test
