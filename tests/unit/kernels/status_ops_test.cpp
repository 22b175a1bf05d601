// Commit, park and revive: hand-written edge cases.
#include <cstdint>

#include <gtest/gtest.h>

#include "tests/unit/kernels/op_case.hpp"

namespace tandem::kernels::test {
namespace {

// Slot 0 is parked with d = 20 and two tokens; K = 2, blocks of 8: its entry is (20 + 5) div 8 = 3.
OpCase recover(const Tensor& block_tables) {
  return {"recover_decode_task",
          {{"block_size", 8}, {"max_draft_tokens", 2}},
          {{"seq_lens_this_time", i32({0, 0})},
           {"stop_flags", bools({1, 1})},
           {"seq_lens_encoder", i32({5, 5})},
           {"seq_lens_decoder", i32({0, 0})},
           {"step_seq_lens_decoder", i32({20, 20})},
           {"step_seq_lens_this_time", i32({2, 2})},
           {"step_draft_tokens", i64_rows({{31, 32, 33}, {41, 42, 43}})},
           {"draft_tokens", i64_rows({{1, 2, 3}, {4, 5, 6}})},
           {"block_tables", block_tables},
           {"is_block_step", bools({1, 0})}}};
}

NamedTensors revived() {
  return {{"seq_lens_this_time", i32({2, 0})},
          {"stop_flags", bools({0, 1})},
          {"seq_lens_encoder", i32({0, 5})},
          {"seq_lens_decoder", i32({20, 0})},
          {"draft_tokens", i64_rows({{31, 32, 3}, {4, 5, 6}})},
          {"is_block_step", bools({0, 0})}};
}

TEST(RecoverDecodeTask, ArrivedBlockRevivesTheParkedSlotOnly) {
  EXPECT_TRUE(recover(i32_rows({{0, 1, 2, 3, -1}, {4, 5, 6, 7, 8}})).gives(revived()));
}

TEST(RecoverDecodeTask, MissingBlockChangesNothing) {
  EXPECT_TRUE(recover(i32_rows({{0, 1, 2, -1, -1}, {4, 5, 6, 7, 8}})).gives({}));
}

TEST(RecoverDecodeTask, EntryBehindTheTableIsClampedToTheLastOne) {
  EXPECT_TRUE(recover(i32_rows({{0, 1, 2}, {-1, -1, -1}})).gives(revived()));
  EXPECT_TRUE(recover(i32_rows({{0, 1, -1}, {4, 5, 6}})).gives({}));
}

TEST(RecoverDecodeTask, SlotsBehindTheViewStayParked) {
  EXPECT_TRUE(recover(i32_rows({{0, 1, 2, 3, -1}, {4, 5, 6, 7, 8}}))
                  .with("seq_lens_this_time", i32({}))
                  .gives({}));
}

TEST(RecoverDecodeTask, SavedLengthBeyondTheRowIsNamed) {
  EXPECT_TRUE(
      recover(i32_rows({{0, 1, 2}, {4, 5, 6}}))
          .with("step_seq_lens_this_time", i32({4, 0}))
          .fails_with({"recover_decode_task: step_seq_lens_this_time[0]", "got 4", "[0, 3]"}));
}

// K = 2, blocks of 8: slot 0 with d = 20 needs entry (20 + 6) div 8 = 3; slot 1 is stopped.
OpCase schedule(const Tensor& block_tables) {
  return {"speculate_schedule_cache",
          {{"block_size", 8}, {"max_draft_tokens", 2}, {"prefill_one_step_stop", 0}},
          {{"seq_lens_this_time", i32({3, 0})},
           {"draft_tokens", i64_rows({{31, 32, 33}, {41, 42, 43}})},
           {"block_tables", block_tables},
           {"stop_flags", bools({0, 1, 1})},
           {"prompt_lens", i64({20, 5, 5})},
           {"seq_lens_encoder", i32({0, 7, 7})},
           {"seq_lens_decoder", i32({20, 8, 8})},
           {"step_seq_lens_decoder", i32({1, 1, 1})},
           {"step_draft_tokens", i64_rows({{0, 0, 0}, {0, 0, 0}})},
           {"step_seq_lens_this_time", i32({1, 1, 1})},
           {"accept_num", i32({2, 9, 9})},
           {"accept_tokens", i64_rows({{5, 6, 7}, {5, 6, 7}})},
           {"is_block_step", bools({0, 0, 0})},
           {"not_need_stop", bools({0})}}};
}

NamedTensors stopped_by_schedule() {
  return {{"seq_lens_this_time", i32({0, 0})},  {"stop_flags", bools({1, 1, 1})},
          {"seq_lens_encoder", i32({0, 7, 7})}, {"seq_lens_decoder", i32({0, 8, 8})},
          {"accept_num", i32({0, 9, 9})},       {"not_need_stop", bools({0})}};
}

TEST(SpeculateScheduleCache, MissingBlockParksTheSlotAndSavesItsState) {
  NamedTensors want = stopped_by_schedule();
  want["step_seq_lens_decoder"] = i32({20, 1, 1});
  want["step_seq_lens_this_time"] = i32({3, 1, 1});
  want["step_draft_tokens"] = i64_rows({{31, 32, 33}, {0, 0, 0}});
  want["accept_tokens"] = i64_rows({{-1, -1, -1}, {5, 6, 7}});
  want["is_block_step"] = bools({1, 0, 0});
  EXPECT_TRUE(schedule(i32_rows({{0, 1, 2, -1}, {-1, -1, -1, -1}})).gives(want));
}

TEST(SpeculateScheduleCache, PresentBlockAndEntryBehindTheTableKeepTheSlotRunning) {
  const NamedTensors running = {{"not_need_stop", bools({1})}};
  EXPECT_TRUE(schedule(i32_rows({{0, 1, 2, 3}, {-1, -1, -1, -1}})).gives(running));
  EXPECT_TRUE(schedule(i32_rows({{-1, -1, -1}, {-1, -1, -1}})).gives(running));
}

TEST(SpeculateScheduleCache, MiddleChunkStopsUntilTheNextInsert) {
  EXPECT_TRUE(schedule(i32_rows({{0, 1, 2, -1}, {-1, -1, -1, -1}}))
                  .with("prompt_lens", i64({21, 5, 5}))
                  .gives(stopped_by_schedule()));
}

TEST(SpeculateScheduleCache, PrefillNodeStopsAfterOneStep) {
  EXPECT_TRUE(schedule(i32_rows({{0, 1, 2, -1}, {-1, -1, -1, -1}}))
                  .with_attribute("prefill_one_step_stop", 1)
                  .gives(stopped_by_schedule()));
}

TEST(SpeculateScheduleCache, NoSlotsMeanNothingRuns) {
  EXPECT_TRUE(schedule(i32_rows({{0, 1, 2, -1}}))
                  .with("seq_lens_this_time", i32({}))
                  .with("not_need_stop", bools({1}))
                  .gives({{"not_need_stop", bools({0})}}));
}

TEST(SpeculateScheduleCache, NegativeLengthIsNamed) {
  EXPECT_TRUE(schedule(i32_rows({{0, 1, 2, 3}, {0, 1, 2, 3}}))
                  .with("prompt_lens", i64({-9, 5, 5}))
                  .with("seq_lens_decoder", i32({-7, 8, 8}))
                  .fails_with({"seq_lens_decoder[0]", "got -7"}));
}

// Slot 0 decodes with two tokens, slot 1 is stopped with garbage, slot 2 is behind the view.
OpCase unified() {
  return {"unified_update_model_status",
          {},
          {{"seq_lens_this_time", i32({3, 7})},
           {"seq_lens_encoder", i32({0, 4, 4})},
           {"seq_lens_decoder", i32({6, 4, 4})},
           {"has_running_seqs", bools({0})},
           {"step_input_ids", i64_rows({{30, 31, 32}, {1, 1, 1}, {1, 1, 1}})},
           {"step_output_ids", i64_rows({{31, 50, 0}, {2, 2, 2}, {2, 2, 2}})},
           {"step_output_len", i32({2, 3, 3})},
           {"stop_flags", bools({0, 1, 1})},
           {"is_paused", bools({0, 0, 0})},
           {"token_ids_all", i64_rows({{1, 2, 3, 4, 30, -1, -1, -1},
                                       {0, 0, 0, 0, 0, 0, 0, 0},
                                       {0, 0, 0, 0, 0, 0, 0, 0}})},
           {"prompt_lens", i64({4, 1, 1})},
           {"step_idx", i64({1, 5, 5})},
           {"end_tokens", i64({9, 8})},
           {"max_dec_len", i64({40, 40, 40})}}};
}

/// What becomes of slots 1 and 2 whatever slot 0 does; and of slot 0 if it commits 31, 50.
NamedTensors committed() {
  return {{"seq_lens_this_time", i32({3, 0})},
          {"seq_lens_encoder", i32({0, 0, 4})},
          {"seq_lens_decoder", i32({8, 0, 4})},
          {"has_running_seqs", bools({1})},
          {"step_input_ids", i64_rows({{50, 31, 32}, {1, 1, 1}, {1, 1, 1}})},
          {"step_output_len", i32({2, 0, 3})},
          {"token_ids_all",
           i64_rows(
               {{1, 2, 3, 4, 30, 31, 50, -1}, {0, 0, 0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0, 0, 0}})},
          {"step_idx", i64({3, 5, 5})}};
}

TEST(UnifiedUpdateModelStatus, CommitsTokensAndClearsStoppedSlotsInView) {
  EXPECT_TRUE(unified().gives(committed()));
}

TEST(UnifiedUpdateModelStatus, EndTokenInsideDraftsCutsTheRowAndStops) {
  NamedTensors want = committed();
  want["seq_lens_decoder"] = i32({7, 0, 4});
  want["has_running_seqs"] = bools({0});
  want["step_input_ids"] = i64_rows({{8, 31, 32}, {1, 1, 1}, {1, 1, 1}});
  want["step_output_len"] = i32({1, 0, 3});
  want["stop_flags"] = bools({1, 1, 1});
  want["token_ids_all"] =
      i64_rows({{1, 2, 3, 4, 30, 8, -1, -1}, {0, 0, 0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0, 0, 0}});
  want["step_idx"] = i64({2, 5, 5});
  EXPECT_TRUE(
      unified().with("step_output_ids", i64_rows({{8, 50, 0}, {2, 2, 2}, {2, 2, 2}})).gives(want));
}

TEST(UnifiedUpdateModelStatus, LengthLimitWritesTheFirstEndToken) {
  NamedTensors want = committed();
  want["has_running_seqs"] = bools({0});
  want["step_input_ids"] = i64_rows({{9, 31, 32}, {1, 1, 1}, {1, 1, 1}});
  want["step_output_ids"] = i64_rows({{31, 9, 0}, {2, 2, 2}, {2, 2, 2}});
  want["stop_flags"] = bools({1, 1, 1});
  want["token_ids_all"] =
      i64_rows({{1, 2, 3, 4, 30, 31, 9, -1}, {0, 0, 0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0, 0, 0}});
  EXPECT_TRUE(unified().with("max_dec_len", i64({3, 40, 40})).gives(want));
}

TEST(UnifiedUpdateModelStatus, PrefillAddsTheChunkAndNotTheToken) {
  NamedTensors want = committed();
  want["seq_lens_decoder"] = i32({11, 0, 4});
  EXPECT_TRUE(unified().with("seq_lens_encoder", i32({5, 4, 4})).gives(want));
}

TEST(UnifiedUpdateModelStatus, FullHistoryRowIsLeftAloneAltogether) {
  NamedTensors want = committed();
  want.erase("token_ids_all");
  EXPECT_TRUE(unified().with("prompt_lens", i64({5, 1, 1})).gives(want));
}

TEST(UnifiedUpdateModelStatus, ParkedSlotIsClearedLikeAStoppedOne) {
  NamedTensors want = committed();
  want["seq_lens_this_time"] = i32({0, 0});
  want["seq_lens_decoder"] = i32({0, 0, 4});
  want["has_running_seqs"] = bools({0});
  want["step_output_len"] = i32({0, 0, 3});
  want["stop_flags"] = bools({1, 1, 1});
  for (const char* const name : {"step_input_ids", "token_ids_all", "step_idx"}) want.erase(name);
  EXPECT_TRUE(unified().with("is_paused", bools({1, 0, 0})).gives(want));
}

TEST(UnifiedUpdateModelStatus, BadInputIsNamed) {
  EXPECT_TRUE(unified()
                  .with("step_output_len", i32({4, 0, 0}))
                  .fails_with({"step_output_len[0]", "got 4", "[0, 3]"}));
  EXPECT_TRUE(
      unified().with("prompt_lens", i64({-2, 0, 0})).fails_with({"prompt_lens[0]", "got -2"}));
  EXPECT_TRUE(unified().with("end_tokens", i64({})).fails_with({"end_tokens", "at least 1"}));
}

TEST(NaiveUpdateModelStatus, TakesTheLastRowOfEachSlotWithRows) {
  OpCase call("naive_update_model_status", {},
              {{"seq_lens_this_time", i32({3, 0, 1})},
               {"accept_tokens", i64_rows({{5, 5}, {6, 6}, {7, 7}, {8, 8}})},
               {"accept_num", i32({4, 4, 4, 4})},
               {"next_tokens", i64({10, 11, 12, 13})},
               {"cu_seqlens_q_output", i32({0, 3, 3, 4})}});
  EXPECT_TRUE(call.gives({{"seq_lens_this_time", i32({1, 0, 1})},
                          {"accept_tokens", i64_rows({{12, 5}, {6, 6}, {13, 7}, {8, 8}})},
                          {"accept_num", i32({1, 0, 1, 4})}}));
  call.with("next_tokens", i64({10, 11}));
  EXPECT_TRUE(call.fails_with({"cu_seqlens_q_output[1]", "got 3", "[1, 2]"}));
}

}  // namespace
}  // namespace tandem::kernels::test
