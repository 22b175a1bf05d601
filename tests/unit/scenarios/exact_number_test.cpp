// Exact numbers: every digit counts up to 2^63, and what is no number is none.
#include "scenarios/exact_number.hpp"

#include <string>

#include <gtest/gtest.h>

namespace tandem {
namespace {

TEST(ExactUnits, DigitsBecomeUnits) {
  EXPECT_EQ(exact_units("0", 9), 0);
  EXPECT_EQ(exact_units("-0", 9), 0);
  EXPECT_EQ(exact_units("1", 9), 1'000'000'000);
  EXPECT_EQ(exact_units("4.314579", 9), 4'314'579'000);
  EXPECT_EQ(exact_units("1787267980.0827403", 9), 1'787'267'980'082'740'300);
  EXPECT_EQ(exact_units("-1.5", 0), -2);
  EXPECT_EQ(exact_units("0.4999999999", 0), 0);
  EXPECT_EQ(exact_units("0.5", 0), 1);
  EXPECT_EQ(exact_units("0.0000000005", 9), 1);
  EXPECT_EQ(exact_units("0.0000000004999", 9), 0);
  EXPECT_EQ(exact_units("12e-1", 1), 12);
  EXPECT_EQ(exact_units("1.25E+2", 1), 1'250);
  EXPECT_EQ(exact_units("5e-05", 9), 50'000);
  EXPECT_EQ(exact_units("1e-999999999999999999999", 9), 0);
  EXPECT_EQ(exact_units("0e999999999999999999999", 9), 0);
  EXPECT_EQ(exact_units("0.00000000000000000000000000000012e40", 0), 1'200'000'000);
}

TEST(ExactUnits, LimitIsExact) {
  EXPECT_EQ(exact_units("9223372036.854775807", 9), INT64_MAX);
  EXPECT_EQ(exact_units("-9223372036.854775807", 9), -INT64_MAX);
  EXPECT_EQ(exact_units("9223372036854775807.4", 0), INT64_MAX);
  for (const char* text : {"9223372036.854775808", "9223372036854775807.5", "1e30",
                           "1e999999999999999999999", "99999999999999999999"}) {
    EXPECT_EQ(exact_units(text, std::string(text).find("036.") < 20 ? 9 : 0), std::nullopt) << text;
  }
}

TEST(ExactUnits, OtherTextIsNoNumber) {
  for (const char* text : {"", "-", "+1", "01", ".5", "1.", "1e", "1e+", "nan", "inf", "0x1", " 1",
                           "1 ", "1,5", "1.5.2", "--1", "1e5.5"}) {
    EXPECT_EQ(exact_units(text, 3), std::nullopt) << text;
  }
}

TEST(ExactInteger, TakesWholeNumbersOnly) {
  EXPECT_EQ(exact_integer("0"), 0);
  EXPECT_EQ(exact_integer("-7"), -7);
  EXPECT_EQ(exact_integer("9223372036854775807"), INT64_MAX);
  for (const char* text : {"", "9223372036854775808", "1.0", "1e3", " 1", "1 ", "+1", "x"}) {
    EXPECT_EQ(exact_integer(text), std::nullopt) << text;
  }
}

TEST(DivideByMillionths, IsExactAndRoundedDown) {
  EXPECT_EQ(divide_by_millionths(7, 1'000'000), 7);
  EXPECT_EQ(divide_by_millionths(7, 2'000'000), 3);
  EXPECT_EQ(divide_by_millionths(7, 500'000), 14);
  EXPECT_EQ(divide_by_millionths(1'000'000'000'000'000'000, 3'000'000), 333'333'333'333'333'333);
  EXPECT_EQ(divide_by_millionths(INT64_MAX, 1'000'000), INT64_MAX);
  EXPECT_EQ(divide_by_millionths(INT64_MAX, 999'999), std::nullopt);
  EXPECT_EQ(divide_by_millionths(INT64_MAX, 1'000'000'000'000), 9'223'372'036'854);
  EXPECT_EQ(divide_by_millionths(9'223'372'036'854, 1), 9'223'372'036'854'000'000);
  EXPECT_EQ(divide_by_millionths(9'223'372'036'855, 1), std::nullopt);
}

}  // namespace
}  // namespace tandem
