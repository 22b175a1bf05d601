// Packing of input and output rows: hand-written edge cases.
#include <array>
#include <cstdint>

#include <gtest/gtest.h>

#include "kernels/speculate_pre_process.hpp"
#include "tests/unit/kernels/op_case.hpp"

namespace tandem::kernels::test {
namespace {

/// Slot 0 verifies two drafts, slot 1 is idle, slot 2 prefills three tokens, slot 3 is behind n.
OpCase pre_process(std::int64_t token_num) {
  return {"speculate_pre_process",
          {{"token_num", token_num}},
          {{"seq_lens_this_time", i32({3, 0, 3})},
           {"input_ids", i64_rows({{1, 2, 3}, {4, 5, 6}, {7, 8, 9}, {0, 0, 0}})},
           {"draft_tokens", i64_rows({{11, 12, 13}, {-1, -1, -1}, {-1, -1, -1}, {5, 5, 5}})},
           {"seq_lens_encoder", i32({0, 0, 3, 9})}}};
}

TEST(SpeculatePreProcess, PacksDraftsAndChunksInSlotOrder) {
  EXPECT_TRUE(pre_process(6).gives({
      {"ids_remove_padding", i64({11, 12, 13, 7, 8, 9})},
      {"batch_id_per_token", i32({0, 0, 0, 2, 2, 2})},
      {"cu_seqlens_q", i32({0, 3, 3, 6})},
      {"cu_seqlens_k", i32({0, 3, 3, 6})},
      {"cu_seqlens_q_output", i32({0, 3, 3, 4})},
      {"real_output_token_num", i32({4})},
  }));
}

TEST(SpeculatePreProcess, RowsBehindTheLastTokenArePadding) {
  EXPECT_TRUE(pre_process(8).gives({
      {"ids_remove_padding", i64({11, 12, 13, 7, 8, 9, 2, 2})},
      {"batch_id_per_token", i32({0, 0, 0, 2, 2, 2, -1, -1})},
      {"cu_seqlens_q", i32({0, 3, 3, 6})},
  }));
}

TEST(SpeculatePreProcess, TooFewRowsCutTheRowsAndKeepTheSums) {
  EXPECT_TRUE(pre_process(4).gives({
      {"ids_remove_padding", i64({11, 12, 13, 7})},
      {"batch_id_per_token", i32({0, 0, 0, 2})},
      {"cu_seqlens_q", i32({0, 3, 3, 6})},
      {"cu_seqlens_q_output", i32({0, 3, 3, 4})},
      {"real_output_token_num", i32({4})},
  }));
}

TEST(SpeculatePreProcess, NoRowsStillGiveTheSums) {
  EXPECT_TRUE(pre_process(0).gives({
      {"ids_remove_padding", i64({})},
      {"batch_id_per_token", i32({})},
      {"cu_seqlens_q", i32({0, 3, 3, 6})},
      {"real_output_token_num", i32({4})},
  }));
}

TEST(SpeculatePreProcess, IdleSlotsGiveOnlyZeros) {
  EXPECT_TRUE(pre_process(2)
                  .with("seq_lens_this_time", i32({0, 0, 0}))
                  .gives({
                      {"ids_remove_padding", i64({2, 2})},
                      {"batch_id_per_token", i32({-1, -1})},
                      {"cu_seqlens_q", i32({0, 0, 0, 0})},
                      {"cu_seqlens_q_output", i32({0, 0, 0, 0})},
                      {"real_output_token_num", i32({0})},
                  }));
}

TEST(SpeculatePreProcess, NoSlotsGiveOneZero) {
  EXPECT_TRUE(pre_process(0)
                  .with("seq_lens_this_time", i32({}))
                  .gives({
                      {"cu_seqlens_q", i32({0})},
                      {"cu_seqlens_q_output", i32({0})},
                      {"batch_id_per_token_output", i32({})},
                      {"real_output_token_num", i32({0})},
                  }));
}

TEST(SpeculatePreProcess, WithoutDraftColumnsEverySlotReadsItsChunk) {
  const std::array<std::int64_t, 2> input_ids{7, 8};
  const std::array<std::int32_t, 2> q{1, 1};
  const std::array<std::int32_t, 2> e{0, 0};
  std::array<std::int64_t, 2> ids{};
  std::array<std::int32_t, 2> batch_ids{};
  std::array<std::int32_t, 3> cu_q{};
  std::array<std::int32_t, 3> cu_k{};
  std::array<std::int32_t, 3> cu_out{};
  std::array<std::int32_t, 2> batch_ids_out{};
  std::array<std::int32_t, 1> rows_out{};
  speculate_pre_process_reference({.n = 2,
                                   .token_num = 2,
                                   .input_ids_width = 1,
                                   .input_ids = input_ids,
                                   .seq_lens_this_time = q,
                                   .draft_tokens = {},
                                   .seq_lens_encoder = e,
                                   .ids_remove_padding = ids,
                                   .batch_id_per_token = batch_ids,
                                   .cu_seqlens_q = cu_q,
                                   .cu_seqlens_k = cu_k,
                                   .cu_seqlens_q_output = cu_out,
                                   .batch_id_per_token_output = batch_ids_out,
                                   .real_output_token_num = rows_out});
  EXPECT_EQ(ids, (std::array<std::int64_t, 2>{7, 8}));
  EXPECT_EQ(batch_ids_out, (std::array<std::int32_t, 2>{0, 1}));
  EXPECT_EQ(rows_out[0], 2);
}

TEST(SpeculatePreProcess, BuffersBehindNAreNotTouched) {
  const std::array<std::int64_t, 2> drafts{31, 32};
  const std::array<std::int32_t, 1> q{2};
  const std::array<std::int32_t, 1> e{0};
  std::array<std::int64_t, 4> ids{9, 9, 9, 9};
  std::array<std::int32_t, 4> batch_ids{9, 9, 9, 9};
  std::array<std::int32_t, 4> cu_q{9, 9, 9, 9};
  std::array<std::int32_t, 4> cu_k{9, 9, 9, 9};
  std::array<std::int32_t, 4> cu_out{9, 9, 9, 9};
  std::array<std::int32_t, 4> batch_ids_out{9, 9, 9, 9};
  std::array<std::int32_t, 1> rows_out{};
  speculate_pre_process_reference({.n = 1,
                                   .token_num = 3,
                                   .draft_width = 2,
                                   .padding_id = 5,
                                   .input_ids = {},
                                   .seq_lens_this_time = q,
                                   .draft_tokens = drafts,
                                   .seq_lens_encoder = e,
                                   .ids_remove_padding = ids,
                                   .batch_id_per_token = batch_ids,
                                   .cu_seqlens_q = cu_q,
                                   .cu_seqlens_k = cu_k,
                                   .cu_seqlens_q_output = cu_out,
                                   .batch_id_per_token_output = batch_ids_out,
                                   .real_output_token_num = rows_out});
  EXPECT_EQ(ids, (std::array<std::int64_t, 4>{31, 32, 5, 9}));
  EXPECT_EQ(batch_ids, (std::array<std::int32_t, 4>{0, 0, -1, 9}));
  EXPECT_EQ(cu_q, (std::array<std::int32_t, 4>{0, 2, 9, 9}));
  EXPECT_EQ(batch_ids_out, (std::array<std::int32_t, 4>{0, 0, 9, 9}));
}

OpCase padding_offset(std::int64_t token_num) {
  return {"get_padding_offset",
          {{"token_num", token_num}},
          {{"seq_lens_this_time", i32({2, 1})}, {"input_ids", i64_rows({{3, 4}, {5, 6}})}}};
}

TEST(GetPaddingOffset, KeysGrowWithTheCacheOnlyWhereItIsGiven) {
  EXPECT_TRUE(padding_offset(3).gives({{"x_remove_padding", i64({3, 4, 5})},
                                       {"cu_seqlens_q", i32({0, 2, 3})},
                                       {"cu_seqlens_k", i32({0, 2, 3})}}));
  EXPECT_TRUE(padding_offset(3)
                  .with("seq_lens_decoder", i32({10, 0}))
                  .gives({{"cu_seqlens_q", i32({0, 2, 3})}, {"cu_seqlens_k", i32({0, 12, 13})}}));
}

TEST(GetPaddingOffset, TailIsPaddingAndMissingRowsAreCut) {
  EXPECT_TRUE(padding_offset(5).gives({{"x_remove_padding", i64({3, 4, 5, 2, 2})},
                                       {"batch_id_per_token", i32({0, 0, 1, -1, -1})}}));
  EXPECT_TRUE(padding_offset(1).gives({{"x_remove_padding", i64({3})},
                                       {"batch_id_per_token", i32({0})},
                                       {"cu_seqlens_q", i32({0, 2, 3})}}));
}

TEST(SpeculateGetSeqLensOutput, PrefillNeedsOneRowAndIdleNone) {
  EXPECT_TRUE(OpCase("speculate_get_seq_lens_output", {},
                     {{"seq_lens_this_time", i32({0, 1, 4, 4, 0})},
                      {"seq_lens_encoder", i32({0, 0, 0, 4, 4, 7})}})
                  .gives({{"seq_lens_output", i32({0, 1, 4, 1, 0})}}));
  EXPECT_TRUE(OpCase("speculate_get_seq_lens_output", {},
                     {{"seq_lens_this_time", i32({})}, {"seq_lens_encoder", i32({})}})
                  .gives({{"seq_lens_output", i32({})}}));
}

TEST(SpeculateGetOutputPaddingOffset, RowPlusOffsetNamesTheSlot) {
  // o = 2, 0, 3 with max_seq_len 8: rows 0, 1 of slot 0 and 2, 3, 4 of slot 2: (2 + 14) div 8 = 2.
  const OpCase call("speculate_get_output_padding_offset", {{"max_seq_len", 8}},
                    {{"output_cum_offsets_tmp", i32({6, 14, 19})},
                     {"out_token_num", i32({5})},
                     {"seq_lens_output", i32({2, 0, 3})}});
  EXPECT_TRUE(call.gives({{"output_padding_offset", i32({0, 0, 14, 14, 14})},
                          {"output_cum_offsets", i32({0, 6, 14})}}));
}

TEST(SpeculateGetOutputPaddingOffset, RowsBehindTheCountAreRefused) {
  OpCase call("speculate_get_output_padding_offset", {{"max_seq_len", 8}},
              {{"output_cum_offsets_tmp", i32({6})},
               {"out_token_num", i32({1})},
               {"seq_lens_output", i32({2})}});
  EXPECT_TRUE(
      call.fails_with({"speculate_get_output_padding_offset: seq_lens_output[0]", "got 2"}));
  call.with("out_token_num", i32({-1}));
  EXPECT_TRUE(call.fails_with({"out_token_num", "got -1"}));
}

}  // namespace
}  // namespace tandem::kernels::test
