// Recorded acceptance: Spec-Bench's answers beside the flat form.
#include "scenarios/accept_file.hpp"

#include <gtest/gtest.h>

namespace tandem {
namespace {

using Lists = std::vector<std::vector<std::int32_t>>;

Result<Lists> read(const std::string& text) {
  return read_accept_file(LineReader("a", make_text_source(text)));
}

TEST(AcceptFile, AnswersAreCutIntoTurns) {
  const std::string answer =
      R"({"question_id": 4, "choices": [{"index": 0, "turns": ["x", "y"], )"
      R"("decoding_steps": [2, 0, 1], "new_tokens": [4, 0, 2], "wall_time": [0.5, 0, 0.25], )"
      R"("accept_lengths": [3, 1, 2]}], "tstamp": 1.5})";
  const auto lists = read(answer + "\n\n{\"accept_lengths\": [7]}\n");
  ASSERT_TRUE(lists.ok()) << lists.error().text;
  EXPECT_EQ(lists.value(), (Lists{{3, 1}, {2}, {7}}));
  const auto uncut = read(R"({"choices": [{"accept_lengths": [3, 1, 2]}]})");
  ASSERT_TRUE(uncut.ok());
  EXPECT_EQ(uncut.value(), (Lists{{3, 1, 2}}));
}

TEST(AcceptFile, BadAnswersAreRefusedByPlace) {
  struct Case {
    const char* text;
    const char* error;
  };
  for (const Case& c :
       {Case{R"({"choices": 3})", "a:1:/choices: got 3, want a list with an answer"},
        Case{R"({"choices": []})", "a:1:/choices: got a list of 0 values"},
        Case{R"({"choices": [{"decoding_steps": [4]}]})", "a:1: got no accept_lengths"},
        Case{R"({"choices": [{"accept_lengths": []}]})", "a:1: got a list of 0 values"},
        Case{R"({"choices": [{"accept_lengths": [1, 0]}]})",
             "a:1:/choices/0/accept_lengths/1: got 0, want an integer in [1, 1024]"},
        Case{R"({"choices": [{"accept_lengths": [1, 2], "decoding_steps": [1]}]})",
             "a:1:/choices/0/decoding_steps: got 1 steps in all, want 2, one for each"},
        Case{R"({"choices": [{"accept_lengths": [1, 2], "decoding_steps": [3, -1]}]})",
             "a:1:/choices/0/decoding_steps/1: got -1"},
        Case{"[]", "a:1: got no accept_lengths"}}) {
    const auto lists = read(c.text);
    ASSERT_FALSE(lists.ok()) << c.text;
    EXPECT_EQ(lists.error().text.rfind(c.error, 0), 0U) << lists.error().text;
  }
}

}  // namespace
}  // namespace tandem
