// JsonScanner: tokens and columns of sound values, the place of what is wrong, no recursion.
#include "scenarios/json_scanner.hpp"

#include <gtest/gtest.h>

#include "traces/base/random.hpp"

namespace tandem {
namespace {

/// Kinds as one letter each, with the text of scalars and keys.
std::string walk(std::string_view text) {
  constexpr std::string_view kLetters = "{}[]ktnb0.";
  JsonScanner scanner(text);
  std::string out;
  for (;;) {
    const auto token = scanner.next();
    if (!token) {
      const JsonFault& fault = scanner.fault();
      return out + "!" + std::to_string(fault.column) + " " + fault.found + " / " + fault.wanted;
    }
    const char letter = kLetters[static_cast<std::size_t>(token->kind)];
    out += letter;
    if (std::string_view("ktnb").find(letter) != std::string_view::npos) {
      out += std::string(token->text) + "@" + std::to_string(token->column) + " ";
    }
    if (token->kind == JsonTokenKind::end) return out;
  }
}

TEST(JsonScanner, SoundValuesGiveTheirTokens) {
  EXPECT_EQ(walk(R"({"a": 1, "b":[-2.5e+3,true,null,"x\"\u00e9"], "c": {}})"),
            R"({ka@2 n1@7 kb@10 [n-2.5e+3@15 btrue@23 0tx\"\u00e9@33 ]kc@47 {}}.)");
  EXPECT_EQ(walk(" [ ] \t\r\n"), "[].");
  EXPECT_EQ(walk("0"), "n0@1 .");
  EXPECT_EQ(walk("false "), "bfalse@1 .");
}

TEST(JsonScanner, BrokenValuesAreNamedByColumn) {
  struct Case {
    const char* text;
    const char* fault;
  };
  for (const Case& c : {Case{"", "!1 the end of the line / a value of JSON"},
                        Case{"{", "{!2 the end of the line / the rest of the object"},
                        Case{"[1", "[n1@2 !3 the end of the line / the rest of the list"},
                        Case{"[1,", "[n1@2 !4 the end of the line / what follows the comma"},
                        Case{"[1,]", "[n1@2 !4 \"]\" / a value of JSON"},
                        Case{"[,1]", "[!2 \",\" / a value of JSON"},
                        Case{"[1 2]", "[n1@2 !4 \"2\" / ',' or ']'"},
                        Case{"{\"a\" 1}", "{!6 \"1\" / ':'"},
                        Case{"{\"a\":}", "{ka@2 !6 \"}\" / a value of JSON"},
                        Case{"{\"a\":1,}", "{ka@2 n1@6 !8 \"}\" / a key in quotes"},
                        Case{"{1:2}", "{!2 \"1\" / a key in quotes"},
                        Case{"[1}", "[n1@2 !3 \"}\" / ',' or ']'"},
                        Case{"01", "!2 \"1\" / no digit behind a leading 0"},
                        Case{"-x", "!2 \"x\" / a digit"},
                        Case{"1.", "!3 the end of the line / a digit"},
                        Case{"1e+", "!4 the end of the line / a digit"},
                        Case{"nul", "!1 \"n\" / a value of JSON"},
                        Case{"NaN", "!1 \"N\" / a value of JSON"},
                        Case{"\"a", "!3 the end of the line / the quote that ends a text"},
                        Case{"\"\\x\"", "!3 \"x\" / an escape of JSON"},
                        Case{"\"\\u12G4\"", "!6 \"G\" / four hexadecimal digits"},
                        Case{"\"\\", "!3 the end of the line / an escape of JSON"},
                        Case{"1 2", "n1@1 !3 \"2\" / nothing behind the value"}}) {
    EXPECT_EQ(walk(c.text), c.fault) << c.text;
  }
  EXPECT_EQ(walk("\"a\tb\""), "!3 \"\\u0009\" / a text without control characters");
}

TEST(JsonScanner, DepthIsBounded) {
  const std::string deep(64, '[');
  EXPECT_EQ(walk(deep + std::string(64, ']')), deep + std::string(64, ']') + ".");
  EXPECT_EQ(walk(deep + "["), deep + "!65 \"[\" / at most 64 levels");
  EXPECT_EQ(walk(std::string(1'000'000, '[')), deep + "!65 \"[\" / at most 64 levels");
}

TEST(JsonScanner, SkipPassesOverOneValue) {
  JsonScanner scanner(R"([{"a":[1,{"b":2}]},7,[]])");
  ASSERT_EQ(scanner.next()->kind, JsonTokenKind::begin_array);
  const auto object = scanner.next();
  ASSERT_TRUE(scanner.skip(*object));
  const auto number = scanner.next();
  ASSERT_EQ(number->text, "7");
  ASSERT_TRUE(scanner.skip(*number));
  ASSERT_TRUE(scanner.skip(*scanner.next()));
  EXPECT_EQ(scanner.next()->kind, JsonTokenKind::end_array);
  JsonScanner cut("[[1,");
  ASSERT_EQ(cut.next()->kind, JsonTokenKind::begin_array);
  EXPECT_FALSE(cut.skip(*cut.next()));
  EXPECT_EQ(cut.next(), std::nullopt);
}

TEST(JsonScanner, AnyBytesEnd) {
  RandomStream draws(7, "scanner");
  constexpr std::string_view kBytes = "{}[]\",:\\u0123456789-+.eEtrufalsn \t\x01\xff";
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (std::uint64_t n = draws.below(40); n > 0; --n) text += kBytes[draws.below(kBytes.size())];
    JsonScanner scanner(text);
    std::size_t tokens = 0;
    for (;;) {
      const auto token = scanner.next();
      if (!token || token->kind == JsonTokenKind::end) break;
      ASSERT_LE(++tokens, text.size());
    }
    const std::size_t column = scanner.fault().column;
    EXPECT_LE(column, text.size() + 1);
  }
}

}  // namespace
}  // namespace tandem
