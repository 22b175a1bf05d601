// Option values: what parses, and the sentence of what does not.
#include "tools/cli/options.hpp"

#include <string>

#include <gtest/gtest.h>

namespace tandem::cli {
namespace {

TEST(ParseInteger, InRangeThenTheValue) {
  EXPECT_EQ(parse_integer("--jobs", "1", 1, 256).value(), 1);
  EXPECT_EQ(parse_integer("--jobs", "256", 1, 256).value(), 256);
}

TEST(ParseInteger, AnythingElseThenOptionFoundAndWanted) {
  for (const std::string text : {"0", "257", "", "4x", " 4", "+4", "4.0", "99999999999999999999"}) {
    const auto result = parse_integer("--jobs", text, 1, 256);
    ASSERT_FALSE(result.ok()) << text;
    EXPECT_EQ(result.error().text, "--jobs: got '" + text + "', want an integer in [1, 256]");
  }
}

TEST(ParseUnsigned, WholeRangeThenTheValue) {
  EXPECT_EQ(parse_unsigned("--seed", "18446744073709551615").value(), UINT64_MAX);
  EXPECT_FALSE(parse_unsigned("--seed", "18446744073709551616").ok());
  EXPECT_FALSE(parse_unsigned("--seed", "-1").ok());
}

TEST(ParseDuration, UnitsThenExactNanoseconds) {
  const auto ns = [](const char* text) { return parse_duration("--from", text).value(); };
  EXPECT_EQ(ns("0"), 0);
  EXPECT_EQ(ns("90"), 90'000'000'000);
  EXPECT_EQ(ns("90s"), 90'000'000'000);
  EXPECT_EQ(ns("1.5m"), 90'000'000'000);
  EXPECT_EQ(ns("2h"), 7'200'000'000'000);
  EXPECT_EQ(ns("250ms"), 250'000'000);
  EXPECT_EQ(ns("0.3us"), 300);
  EXPECT_EQ(ns("7ns"), 7);
  EXPECT_EQ(ns("1e3s"), 1'000'000'000'000);
  EXPECT_EQ(ns("1000000000"), 1'000'000'000'000'000'000);
}

TEST(ParseDuration, AnythingElseThenRefused) {
  for (const std::string text : {"", "s", "-1s", "10d", "10 s", "1:30", "1e", "1000000001",
                                 "277778h", "99999999999999999999h"}) {
    const auto result = parse_duration("--from", text);
    ASSERT_FALSE(result.ok()) << text;
    EXPECT_EQ(result.error().text,
              "--from: got '" + text +
                  "', want a time of at most 10^18 ns like 90, 90s, 1.5m, 2h, 250ms or 10us");
  }
}

TEST(ParseSteps, FormsThenHalfOpenRanges) {
  const auto range = [](const char* text) {
    const StepRange r = parse_steps("--steps", text).value();
    return std::pair(r.begin, r.end);
  };
  EXPECT_EQ(range("3:9"), std::pair(std::int64_t{3}, std::int64_t{9}));
  EXPECT_EQ(range("3:"), std::pair(std::int64_t{3}, INT64_MAX));
  EXPECT_EQ(range(":9"), std::pair(std::int64_t{0}, std::int64_t{9}));
  EXPECT_EQ(range("3"), std::pair(std::int64_t{3}, std::int64_t{4}));
}

TEST(ParseSteps, EmptyOrBackwardsThenRefused) {
  for (const char* text : {"", "9:3", "3:3", "a:b", "-1:4", "1:2:3", "1:-4"}) {
    EXPECT_FALSE(parse_steps("--steps", text).ok()) << text;
  }
}

TEST(ParseChoice, UnknownThenAllNamesAreListed) {
  EXPECT_EQ(parse_choice("--device", "host", {"auto", "host"}).value(), 1U);
  EXPECT_EQ(parse_choice("--device", "gpu", {"auto", "host"}).error().text,
            "--device: got 'gpu', want one of auto, host");
}

TEST(ParseChecks, NamesThenChecksAndNoneIsEmpty) {
  EXPECT_EQ(parse_checks("--require", "V1,V2,V6").value(),
            (std::vector{sim::CheckId::V1, sim::CheckId::V2, sim::CheckId::V6}));
  EXPECT_TRUE(parse_checks("--require", "none").value().empty());
}

TEST(ParseChecks, UnknownOrUnimplementedThenRefusedByName) {
  for (const char* text : {"V99", "V1,", "", "V1,,V2", "v1"}) {
    EXPECT_FALSE(parse_checks("--require", text).ok()) << text;
  }
  ASSERT_FALSE(sim::check_info(sim::CheckId::V27).implemented);
  EXPECT_NE(parse_checks("--require", "V1,V27").error().text.find("got 'V27'"), std::string::npos);
}

TEST(Wrap, LongTextThenLinesFitAndWordsStay) {
  EXPECT_EQ(wrap("a b", 2, 80), "a b");
  EXPECT_EQ(wrap("one two three", 2, 7), "one two\n  three");
  EXPECT_EQ(wrap("  lead word", 4, 10), "  lead\n    word");
  EXPECT_EQ(wrap("a-word-longer-than-the-line b", 1, 8), "a-word-longer-than-the-line\n b");
  EXPECT_EQ(wrap("", 2, 8), "");
}

}  // namespace
}  // namespace tandem::cli
