// The JSON tree: what it keeps, what it refuses, and exact decimals.
#include "scenarios/json_tree.hpp"

#include <gtest/gtest.h>

namespace tandem {
namespace {

std::string error_of(const std::string& text) {
  const auto tree = parse_json(text, "f.json");
  return tree.ok() ? std::string("(no error)") : tree.error().text;
}

TEST(JsonTree, KeepsOrderAndLiterals) {
  const auto tree = parse_json(R"({"b": 0.10, "a": [1, -2, 1e3, "x", null, true]})", "f.json");
  ASSERT_TRUE(tree.ok());
  const JsonNode& root = tree.value();
  ASSERT_EQ(root.members.size(), 2U);
  EXPECT_EQ(root.members[0].key, "b");
  EXPECT_EQ(root.members[0].value.text, "0.10");
  const JsonNode& list = *root.find("a");
  ASSERT_EQ(list.items.size(), 6U);
  EXPECT_EQ(list.items[1].text, "-2");
  EXPECT_EQ(list.items[1].kind, JsonKind::integer);
  EXPECT_EQ(list.items[2].text, "1e3");
  EXPECT_EQ(list.items[2].kind, JsonKind::decimal);
  EXPECT_EQ(list.items[4].kind, JsonKind::null);
  EXPECT_EQ(root.find("c"), nullptr);
}

TEST(JsonTree, SyntaxErrorNamesLineAndColumn) {
  EXPECT_EQ(error_of("{\n  \"a\": tru\n}").rfind("f.json:2:", 0), 0U) << error_of("{\n\"a\":tru}");
  EXPECT_EQ(error_of("").rfind("f.json:1:1: got ", 0), 0U) << error_of("");
  EXPECT_EQ(error_of("{} x").rfind("f.json:1:4: got ", 0), 0U) << error_of("{} x");
  EXPECT_EQ(error_of("{\"a\": 1e999}").rfind("f.json:1:", 0), 0U) << error_of("{\"a\": 1e999}");
  EXPECT_EQ(error_of("{\"a\nb\": 1}").find('\n'), std::string::npos);
}

TEST(JsonTree, DuplicateKeyIsRefusedByPointer) {
  EXPECT_EQ(error_of(R"({"a": {"b/c": [{"d": 1, "d": 2}]}})"),
            "f.json:/a/b~1c/0/d: got the key twice, want each key once; delete one of the two");
  EXPECT_EQ(error_of(R"({"a": {"d": 1}, "b": {"d": 1}})"), "(no error)");
}

TEST(JsonTree, LimitsAreRefused) {
  const std::string deep = std::string(17, '[') + std::string(17, ']');
  EXPECT_NE(error_of(deep).find("nested deeper than 16"), std::string::npos) << error_of(deep);
  EXPECT_EQ(error_of(std::string(16, '[') + std::string(16, ']')), "(no error)");
  const std::string large = "\"" + std::string(kJsonBytesMax, 'x') + "\"";
  EXPECT_NE(error_of(large).find("want at most 16777216"), std::string::npos);
  std::string keys = "{";
  for (int i = 0; i <= 256; ++i) keys += "\"k" + std::to_string(i) + "\": 1,";
  EXPECT_NE(error_of(keys).find("got more than 256 keys"), std::string::npos) << error_of(keys);
  std::string values = "[0";
  for (std::size_t i = 0; i < kJsonValuesMax; ++i) values += ",0";
  EXPECT_NE(error_of(values + "]").find("got more than 1000000 values"), std::string::npos);
}

TEST(JsonTree, ShownValuesAreShortAndOneLine) {
  JsonNode node;
  node.kind = JsonKind::text;
  node.text = "a\n\"" + std::string(200, 'y');
  const std::string text = shown(node);
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_LT(text.size(), 80U);
  EXPECT_EQ(text.rfind("\"a\\u000a\\\"yyy", 0), 0U) << text;
}

struct Decimal {
  const char* literal;
  int digits;
  std::int64_t units;
  int remainder;
};

TEST(FixedPoint, RoundsToNearestFromTheDigits) {
  for (const Decimal& c :
       {Decimal{"0", 6, 0, 0}, Decimal{"-0.0", 6, 0, 0}, Decimal{"1", 6, 1'000'000, 0},
        Decimal{"0.7", 6, 700'000, 0}, Decimal{"0.1234565", 6, 123'457, -1},
        Decimal{"0.12345649999", 6, 123'456, 1}, Decimal{"7e-1", 6, 700'000, 0},
        Decimal{"0.00007E4", 6, 700'000, 0}, Decimal{"1.0000001", 6, 1'000'000, 1},
        Decimal{"0.9999999", 6, 1'000'000, -1}, Decimal{"1e-9", 6, 0, 1}, Decimal{"5e-7", 6, 1, -1},
        Decimal{"-2.5", 0, -3, 1}, Decimal{"12.5e1", 0, 125, 0},
        Decimal{"1e-999999999999", 6, 0, 1}, Decimal{"5.53", 3, 5'530, 0},
        Decimal{"100", 0, 100, 0}}) {
    const FixedPoint value = fixed_point(c.literal, c.digits);
    EXPECT_EQ(value.units, c.units) << c.literal;
    EXPECT_EQ(value.remainder, c.remainder) << c.literal;
    EXPECT_FALSE(value.overflow) << c.literal;
  }
}

TEST(FixedPoint, TooLargeIsOverflow) {
  EXPECT_TRUE(fixed_point("1e13", 6).overflow);
  EXPECT_FALSE(fixed_point("1e11", 6).overflow);
  EXPECT_LT(fixed_point("-1e300", 6).units, 0);
}

}  // namespace
}  // namespace tandem
