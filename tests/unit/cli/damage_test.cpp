// Damaged and foreign traces through every subcommand that reads one: code 2, a sentence, no more.
#include <cstdint>
#include <span>
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/cli/fake_io.hpp"
#include "traces/base/random.hpp"
#include "traces/detail/crc32c.hpp"

namespace tandem::cli {
namespace {

using test::FakeMachine;
using test::lines_of;

class DamagedTrace : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(m_("run decode-small -o whole.tbt"), kExitClean) << m_.err.text;
    whole_ = m_.files.files["whole.tbt"];
    ASSERT_GT(whole_.size(), 1000U);
  }

  /// All readers refuse `bytes` or report its damage.
  void expect_bad(const std::string& bytes, const std::string& why) {
    m_.files.files["x.tbt"] = bytes;
    for (const char* command : {"verify x.tbt", "info x.tbt", "dump x.tbt", "dump x.tbt --jsonl"}) {
      EXPECT_EQ(m_(command), kExitBadInput) << command << ": " << why;
      ASSERT_FALSE(m_.err.text.empty()) << command << ": " << why;
      for (const std::string& line : lines_of(m_.err.text)) {
        EXPECT_EQ(line.rfind("error: x.tbt", 0), 0U) << why << ": " << line;
        EXPECT_NE(line.find(", want "), std::string::npos) << why << ": " << line;
      }
    }
  }

  FakeMachine m_;
  std::string whole_;
};

TEST_F(DamagedTrace, EmptyOrForeignThenRefused) {
  expect_bad("", "empty");
  expect_bad("PK\x03\x04 something else entirely", "foreign");
  expect_bad(std::string(4096, '\0'), "zeros");
  expect_bad("{\"no\": \"header\"}\n", "JSON of something else");
}

TEST_F(DamagedTrace, TruncatedAnywhereThenCode2) {
  for (std::size_t k = 1; k <= 40; ++k) {
    const std::size_t size = whole_.size() * k / 41;
    expect_bad(whole_.substr(0, size), "cut to " + std::to_string(size));
  }
  expect_bad(whole_.substr(0, whole_.size() - 1), "last byte gone");
}

TEST_F(DamagedTrace, BitFlippedAnywhereThenCode2) {
  RandomStream random(1, "flips");
  for (int i = 0; i < 60; ++i) {
    std::string bytes = whole_;
    const std::size_t at = random.below(bytes.size());
    const auto bit = static_cast<unsigned>(random.below(8));
    bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ (1U << bit));
    expect_bad(bytes, "byte " + std::to_string(at) + " bit " + std::to_string(bit));
  }
}

TEST_F(DamagedTrace, WrongVersionThenRefusedByNumber) {
  // As a newer build would write it: version at byte 8, the head's checksum in bytes 20 to 23.
  std::string bytes = whole_;
  bytes[8] = 99;
  const std::uint32_t crc =
      detail::crc32c(std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), 20));
  for (unsigned i = 0; i < 4; ++i) bytes[20 + i] = static_cast<char>(crc >> (8U * i));
  m_.files.files["x.tbt"] = bytes;
  EXPECT_EQ(m_("verify x.tbt"), kExitBadInput);
  EXPECT_NE(m_.err.text.find("got version 99"), std::string::npos) << m_.err.text;

  ASSERT_EQ(m_("dump whole.tbt --jsonl"), kExitClean);
  std::string twin = m_.out.text;
  const std::size_t at = twin.find("\"version\":2");
  ASSERT_NE(at, std::string::npos);
  twin.replace(at, 11, "\"version\":99");
  m_.files.files["x.jsonl"] = twin;
  EXPECT_EQ(m_("verify x.jsonl"), kExitBadInput);
  EXPECT_NE(m_.err.text.find("99"), std::string::npos) << m_.err.text;
}

TEST_F(DamagedTrace, DamagedTailThenTheVerdictOfThePrefixIsPrinted) {
  m_.files.files["x.tbt"] = whole_.substr(0, whole_.size() - 1);
  EXPECT_EQ(m_("verify x.tbt"), kExitBadInput);
  EXPECT_NE(m_.out.text.find("\ndamaged "), std::string::npos) << m_.out.text;
  EXPECT_NE(m_.out.text.find("\nverdict         clean"), std::string::npos) << m_.out.text;
}

TEST_F(DamagedTrace, DamagedAndDivergedThenCode1) {
  ASSERT_EQ(m_("run dnode-short-drafts --policy predict-sum --unguarded -o bad.tbt"),
            kExitDiverged);
  const std::string bad = m_.files.files["bad.tbt"];
  m_.files.files["x.tbt"] = bad.substr(0, bad.size() - 1);
  EXPECT_EQ(m_("verify x.tbt"), kExitDiverged) << m_.out.text;
  EXPECT_NE(m_.out.text.find("\ndivergence check=V"), std::string::npos) << m_.out.text;
}

}  // namespace
}  // namespace tandem::cli
