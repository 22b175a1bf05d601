// What a device tells of the ids that reached an embedding.
#include "runtime/host/stray_ids.hpp"

#include <cstdint>
#include <initializer_list>
#include <limits>

#include <gtest/gtest.h>

namespace tandem {
namespace {

StrayIds strays_of(std::initializer_list<std::int64_t> ids) {
  StrayIds strays(100);
  for (const std::int64_t id : ids) strays.note(id);
  return strays;
}

TEST(StrayIds, IdsOfTheVocabularyThenNone) {
  const StrayIds strays = strays_of({0, 99, 50});
  EXPECT_EQ(strays.below(), 0);
  EXPECT_EQ(strays.above(), 0);
}

TEST(StrayIds, StraysThenTheFarthestOfEachSide) {
  const StrayIds strays = strays_of({100, -1, 7, 103, -5, 99});
  EXPECT_EQ(strays.below(), -5);
  EXPECT_EQ(strays.above(), 103);
}

TEST(StrayIds, IdsBeyond32BitsThenTheLastThatFits) {
  const StrayIds strays = strays_of({std::int64_t{1} << 32U, -(std::int64_t{1} << 32U)});
  EXPECT_EQ(strays.below(), std::numeric_limits<std::int32_t>::min());
  EXPECT_EQ(strays.above(), std::numeric_limits<std::int32_t>::max());
}

}  // namespace
}  // namespace tandem
