// Narrowed arrays: they come back as they were, and AVX2 writes the bytes that plain loops write.
#include "traces/recorder/detail/narrow.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "traces/base/random.hpp"
#include "traces/recorder/detail/narrow_avx2.hpp"

namespace tandem::recorder {
namespace {

using Bytes = std::vector<std::byte>;

constexpr std::uint8_t kGuesses[] = {0, 1, 2, 4, 8};

template <class T>
Bytes plain(const std::vector<T>& values, std::uint8_t& guess) {
  Bytes out(narrowed_max<T>(values.size()));
  out.resize(narrow(out.data(), values.data(), values.size(), guess));
  return out;
}

#if TANDEM_RECORDER_AVX2
template <class T>
Bytes fast(const std::vector<T>& values, std::uint8_t& guess) {
  Bytes out(narrowed_max<T>(values.size()));
  out.resize(avx2::narrow(out.data(), values.data(), values.size(), guess));
  return out;
}
#endif

template <class T>
std::vector<T> back(const Bytes& bytes, std::size_t count) {
  std::vector<T> out(count);
  EXPECT_EQ(widen(out.data(), bytes.data(), count), bytes.size());
  return out;
}

/// Values around 0 of so many bits, or all equal (0 bits).
template <class T>
std::vector<T> draw(RandomStream& draws, std::size_t count, unsigned bits) {
  std::vector<T> out(count, static_cast<T>(draws.next()));
  if (bits == 0) return out;
  for (T& value : out) {
    value = static_cast<T>(static_cast<std::int64_t>(draws.next() >> (64U - bits)) - 1);
  }
  return out;
}

template <class T>
class Narrow : public testing::Test {};
using Types = testing::Types<std::uint8_t, std::int32_t, std::int64_t>;
TYPED_TEST_SUITE(Narrow, Types);

TYPED_TEST(Narrow, ValuesOfAnySizeAndNumberThenTheyComeBackWhateverTheGuess) {
  RandomStream draws(3, "narrow_test");
  for (const std::size_t count : {1U, 2U, 7U, 8U, 9U, 15U, 31U, 32U, 33U, 64U, 65U, 257U}) {
    for (unsigned bits = 0; bits <= 8 * sizeof(TypeParam); ++bits) {
      const auto values = draw<TypeParam>(draws, count, bits);
      for (const std::uint8_t guess : kGuesses) {
        std::uint8_t used = guess;
        EXPECT_EQ(back<TypeParam>(plain(values, used), count), values) << count << " x " << bits;
        std::uint8_t again = used;
        plain(values, again);
        EXPECT_EQ(again, used);
      }
    }
  }
}

TYPED_TEST(Narrow, Avx2ThenTheBytesOfPlainLoops) {
#if TANDEM_RECORDER_AVX2
  if (!avx2::is_there()) GTEST_SKIP() << "no AVX2 here";
  RandomStream draws(4, "narrow_test");
  for (std::size_t count = 1; count < 140; ++count) {
    for (unsigned bits = 0; bits <= 8 * sizeof(TypeParam); ++bits) {
      auto values = draw<TypeParam>(draws, count, bits);
      if (bits == 0 && count > 1 && draws.below(2) == 1) {
        ++values[draws.below(count)];  // one that differs, anywhere
      }
      for (const std::uint8_t guess : kGuesses) {
        std::uint8_t plain_guess = guess, fast_guess = guess;
        EXPECT_EQ(fast(values, fast_guess), plain(values, plain_guess)) << count << " x " << bits;
        EXPECT_EQ(fast_guess, plain_guess);
      }
    }
  }
#else
  GTEST_SKIP() << "no x86-64";
#endif
}

TEST(NarrowedBytes, NoneAndSmallNumbersThenOneByteEach) {
  std::uint8_t guess = 0;
  EXPECT_EQ(plain(std::vector<std::int64_t>{-1, 254}, guess).size(), 3U);
  EXPECT_EQ(guess, 1);
  EXPECT_EQ(plain(std::vector<std::int64_t>{-1, 255}, guess).size(), 5U);
  EXPECT_EQ(plain(std::vector<std::int64_t>{-2, 0}, guess).size(), 17U);
  guess = 0;
  EXPECT_EQ(plain(std::vector<std::int64_t>{-2, -2}, guess).size(), 9U);
}

TEST(NarrowedBytes, RangeThenTheLeastAndTheGreatestOfAnyValues) {
  RandomStream draws(5, "narrow_test");
  for (std::size_t count = 1; count < 70; ++count) {
    for (const unsigned bits : {1U, 20U, 32U, 33U, 64U}) {
      const auto values = draw<std::int64_t>(draws, count, bits);
      const Range wanted{*std::min_element(values.begin(), values.end()),
                         *std::max_element(values.begin(), values.end())};
      const auto expect = [&wanted](const Range& found) {
        EXPECT_EQ(found.least, wanted.least);
        EXPECT_EQ(found.greatest, wanted.greatest);
      };
      expect(range_of(values.data(), count));
#if TANDEM_RECORDER_AVX2
      if (avx2::is_there()) expect(avx2::range_of(values.data(), count));
#endif
    }
  }
}

}  // namespace
}  // namespace tandem::recorder
