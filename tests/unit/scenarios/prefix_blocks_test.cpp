// PrefixBlocks: leading blocks only, and what is forgotten when a set is full.
#include "scenarios/prefix_blocks.hpp"

#include <gtest/gtest.h>

namespace tandem {
namespace {

std::vector<std::uint64_t> prefixes(std::initializer_list<std::int64_t> ids) {
  std::vector<std::uint64_t> out;
  for (const std::int64_t id : ids) {
    out.push_back(PrefixBlocks::extend(out.empty() ? 0 : out.back(), id));
  }
  return out;
}

TEST(PrefixBlocks, OnlyLeadingBlocksOfEarlierRequestsAreKnown) {
  PrefixBlocks blocks;
  EXPECT_EQ(blocks.take(prefixes({1, 2, 3})), 0U);
  EXPECT_EQ(blocks.take(prefixes({1, 2, 3})), 3U);
  EXPECT_EQ(blocks.take(prefixes({1, 2, 4, 3})), 2U);
  EXPECT_EQ(blocks.take(prefixes({2, 3})), 0U);
  EXPECT_EQ(blocks.take(prefixes({1})), 1U);
  EXPECT_EQ(blocks.take({}), 0U);
}

TEST(PrefixBlocks, LeastRecentlyUsedOfAFullSetIsForgotten) {
  PrefixBlocks blocks;
  std::vector<std::uint64_t> alike;  // all in the set of entry 5
  for (std::uint64_t i = 0; i <= PrefixBlocks::kWays; ++i) {
    alike.push_back(5 + i * PrefixBlocks::kSets);
  }
  const auto known = [&blocks](std::uint64_t prefix) {
    return blocks.take(std::span(&prefix, 1)) == 1;
  };
  for (std::size_t i = 0; i < PrefixBlocks::kWays; ++i) EXPECT_FALSE(known(alike[i]));
  EXPECT_TRUE(known(alike[0]));                     // now entry 1 is the oldest
  EXPECT_FALSE(known(alike[PrefixBlocks::kWays]));  // takes its place
  EXPECT_TRUE(known(alike[0]));
  EXPECT_TRUE(known(alike[2]));
  EXPECT_FALSE(known(alike[1]));
}

}  // namespace
}  // namespace tandem
