// The fuzz targets without libFuzzer: seeds are taken, small damage comes back, programs exist.
#include "tests/fuzz/targets.hpp"

#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/sanitized.hpp"
#include "traces/base/random.hpp"

namespace tandem::fuzz {
namespace {

Input bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// One byte changed, taken out or put in.
std::string damaged(std::string text, RandomStream& draws) {
  const std::size_t at = text.empty() ? 0 : draws.below(text.size());
  const auto byte = static_cast<char>(draws.below(256));
  switch (text.empty() ? 2 : draws.below(3)) {
    case 0:
      text[at] = byte;
      break;
    case 1:
      text.erase(at, 1 + draws.below(8));
      break;
    default:
      text.insert(at, 1, byte);
      break;
  }
  return text;
}

TEST(FuzzTargets, EverySeedIsTaken) {
  for (const Target& target : all_targets()) {
    EXPECT_FALSE(target.words().empty()) << target.name;
    const std::vector<std::string> seeds = target.seeds();
    ASSERT_FALSE(seeds.empty()) << target.name;
    for (std::size_t i = 0; i < seeds.size(); ++i) {
      const Status status = target.run(bytes_of(seeds[i]));
      EXPECT_TRUE(status.ok()) << target.name << " seed " << i << ": " << status.error().text;
    }
  }
}

TEST(FuzzTargets, DamagedSeedsAreRefusedInOneLineOrTaken) {
  for (const Target& target : all_targets()) {
    RandomStream draws(5, target.name);
    int refused = 0;
    for (const std::string& seed : target.seeds()) {
      for (int i = 0; i < (test::kSanitized ? 4 : 20); ++i) {
        if (!target.run(bytes_of(damaged(seed, draws))).ok()) ++refused;
      }
    }
    EXPECT_GT(refused, 0) << target.name;
  }
}

std::string error_of(std::string_view target, const std::string& text) {
  const Status status = find_target(target)->run(bytes_of(text));
  return status.ok() ? "" : status.error().text;
}

/// `text` with the first `from` made `to`.
std::string altered(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

TEST(FuzzTargets, NamesWithControlCharactersAreRefusedInOneLine) {
  const std::string header = find_target("header")->seeds().front();
  EXPECT_NE(error_of("header", altered(header, "\"seed\"", "\"\\rseed\"")).find("\\u000dseed"),
            std::string::npos);
  EXPECT_NE(error_of("header", altered(header, "\"absent\":[", "\"absent\":[\"a\\nb\""))
                .find("a\\u000ab"),
            std::string::npos);
  EXPECT_NE(error_of("op", R"({"op":"a\rb","inputs":{}})").find("a\\u000db"), std::string::npos);
  EXPECT_NE(error_of("op_vectors", R"({"op":"build_sampling_params","inputs":{"a\nb":{"dtype":)"
                                   R"("int32","shape":[0],"data":[]}}})")
                .find("a\\u000ab"),
            std::string::npos);
}

TEST(FuzzTargets, EachHasItsProgram) {
  std::ifstream in(TANDEM_SOURCE_DIR "/tests/fuzz/CMakeLists.txt");
  std::stringstream text;
  text << in.rdbuf();
  std::set<std::string_view> names;
  for (const Target& target : all_targets()) {
    EXPECT_TRUE(names.insert(target.name).second) << target.name;
    EXPECT_EQ(find_target(target.name), &target);
    const std::string line = "tandem_add_fuzzer(" + std::string(target.name);
    EXPECT_NE(text.str().find(line), std::string::npos) << line;
  }
}

TEST(FuzzTargets, ErrorOfTwoLinesAborts) {
  EXPECT_DEATH(static_cast<void>(checked(Error{"one\ntwo"})), "one_line");
  EXPECT_DEATH(static_cast<void>(checked(Error{""})), "one_line");
  EXPECT_FALSE(checked(Error{"one"}).ok());
}

}  // namespace
}  // namespace tandem::fuzz
