// The small things everything stands on: hashes, draws, results.
#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "traces/base/hash.hpp"
#include "traces/base/random.hpp"
#include "traces/base/result.hpp"

namespace tandem {
namespace {

TEST(Hash, MixIsABijectionOnASample) {
  std::set<std::uint64_t> seen;
  for (std::uint64_t x = 0; x < 4096; ++x) seen.insert(mix64(x));
  EXPECT_EQ(seen.size(), 4096U);
}

TEST(Hash, ChainDependsOnOrder) {
  EXPECT_NE(hash_chain(hash_chain(0, 1), 2), hash_chain(hash_chain(0, 2), 1));
  EXPECT_NE(hash_text("accept"), hash_text("accepu"));
}

TEST(Hash, ValuesAreFixedForEveryMachine) {
  EXPECT_EQ(mix64(1), 0x5692161D100B05E5ULL);
  EXPECT_EQ(mix64(kGolden64), 0xE220A8397B1DCDAFULL);  // SplitMix64's first output for seed 0
}

TEST(TokenRowDigest, KeepsTheBitsItIsAskedForAndDependsOnKeyAndOrder) {
  const std::array<std::int64_t, 3> row{5, 6, 7};
  const std::array<std::int64_t, 3> swapped{6, 5, 7};
  EXPECT_LT(token_row_digest(1, row, 8), 256U);
  EXPECT_LT(token_row_digest(1, row, 16), 65536U);
  EXPECT_NE(token_row_digest(1, row, 32), token_row_digest(2, row, 32));
  EXPECT_NE(token_row_digest(1, row, 32), token_row_digest(1, swapped, 32));
  EXPECT_EQ(token_row_digest(1, {}, 16), 0U);
}

TEST(RandomStream, SameSeedAndNameGiveTheSameDraws) {
  RandomStream a(7, "arrivals");
  RandomStream b(7, "arrivals");
  RandomStream other(7, "lengths");
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t draw = a.next();
    EXPECT_EQ(draw, b.next());
    differs |= draw != other.next();
  }
  EXPECT_TRUE(differs);
  EXPECT_EQ(a.count(), 100U);
}

TEST(RandomStream, BelowCoversItsRangeEvenly) {
  RandomStream draws(1, "below");
  std::array<int, 10> counts{};
  for (int i = 0; i < 20'000; ++i) ++counts.at(draws.below(10));
  for (const int count : counts) EXPECT_NEAR(count, 2000, 200);
  EXPECT_EQ(draws.below(1), 0U);
}

TEST(RandomStream, ExponentialHasItsMeanAndItsTail) {
  RandomStream draws(1, "exponential");
  constexpr std::uint64_t kMean = 1'000'000;
  constexpr int kDraws = 200'000;
  std::uint64_t sum = 0;
  int beyond_mean = 0;
  int beyond_three = 0;
  for (int i = 0; i < kDraws; ++i) {
    const std::uint64_t draw = draws.exponential(kMean);
    sum += draw;
    beyond_mean += draw > kMean ? 1 : 0;
    beyond_three += draw > 3 * kMean ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(sum) / kDraws, 1e6, 1e4);                 // 4.5 standard errors
  EXPECT_NEAR(static_cast<double>(beyond_mean) / kDraws, 0.3679, 0.005);    // e^-1
  EXPECT_NEAR(static_cast<double>(beyond_three) / kDraws, 0.0498, 0.0025);  // e^-3
  EXPECT_EQ(draws.exponential(0), 0U);
}

TEST(DrawIsBelow, HoldsForTheShareItNames) {
  RandomStream draws(1, "share");
  int hits = 0;
  for (int i = 0; i < 100'000; ++i) hits += draw_is_below(draws.next(), 250'000) ? 1 : 0;
  EXPECT_NEAR(hits, 25'000, 700);
  EXPECT_FALSE(draw_is_below(draws.next(), 0));
  EXPECT_TRUE(draw_is_below(draws.next(), 1'000'000));
}

Result<int> half(int value) {
  if (value % 2 != 0) return Error::make("value", "got an odd one", "an even one", "double it");
  return value / 2;
}

Result<int> quarter(int value) {
  TANDEM_TRY(const int once, half(value));
  TANDEM_TRY(const int twice, half(once));
  return twice;
}

Status check_quarter(int value) {
  TANDEM_RETURN_IF_ERROR(quarter(value));
  return {};
}

TEST(Result, ValuesPassAndErrorsTravelUp) {
  EXPECT_EQ(quarter(12).value(), 3);
  EXPECT_FALSE(quarter(6).ok());
  EXPECT_TRUE(check_quarter(8).ok());
  EXPECT_EQ(check_quarter(7).error().text, "value: got an odd one, want an even one; double it");
}

TEST(Error, PlacesAreAddedFromTheOutside) {
  EXPECT_EQ(Error::make("/a/b", "got 1", "2").within("x.json").text, "x.json:/a/b: got 1, want 2");
  EXPECT_EQ(Error::make("block 3", "got 1", "2").within("x.tbt").text,
            "x.tbt: block 3: got 1, want 2");
}

TEST(Error, ControlCharactersOfNamesAreEscaped) {
  EXPECT_EQ(Error::make("/a\n", "got \"\r\x1b\"", "2", "x\x7f").text,
            "/a\\u000a: got \"\\u000d\\u001b\", want 2; x\\u007f");
  EXPECT_EQ(Error{"got \t"}.within("a\nb").text, "a\\u000ab: got \\u0009");
  EXPECT_EQ(Error::make("p", "got \u00e9", "2").text, "p: got \u00e9, want 2");
}

TEST(ResultDeathTest, ValueOfAnErrorIsABugAndAborts) {
  EXPECT_DEATH((void)half(3).value(), "tandem bug");
}

}  // namespace
}  // namespace tandem
