// traces/step.schema.json is what the codec's own lists of members say.
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/recorder/schema_text.hpp"

namespace tandem::test {
namespace {

constexpr const char* kPath = TANDEM_SOURCE_DIR "/traces/step.schema.json";

TEST(Schema, MembersOfTheCodecThenTheFileListsThem) {
  if (std::getenv("TANDEM_WRITE_SCHEMA") != nullptr) std::ofstream(kPath) << schema_text();
  std::ifstream file(kPath, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_TRUE(text == schema_text())
      << "the lists of members changed: run this test with TANDEM_WRITE_SCHEMA=1, look at what git "
         "diff shows, and at the version in FORMAT.md";
}

template <class Enum>
void expect_last(Enum last, const char* name) {
  const auto next = static_cast<Enum>(static_cast<int>(last) + 1);
  EXPECT_DEATH(static_cast<void>(to_name(next)), "check failed") << name;
}

TEST(SchemaDeathTest, LastEnumeratorsThenNothingFollows) {
#define TANDEM_EXPECT_LAST(Enum, last) expect_last(Enum::last, #Enum);
  TANDEM_LAST_ENUMERATORS(TANDEM_EXPECT_LAST)
#undef TANDEM_EXPECT_LAST
}

}  // namespace
}  // namespace tandem::test
