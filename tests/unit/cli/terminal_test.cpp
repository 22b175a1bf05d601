// What only a terminal sees: the progress bar and colour; and what nobody else may see of them.
#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/cli/executable.hpp"
#include "tests/unit/cli/fake_io.hpp"

namespace tandem::cli {
namespace {

using Json = nlohmann::json;
using test::FakeMachine;
using test::lines_of;
using test::MemoryStream;
using test::without_escapes;

constexpr const char* kErase = "\r\x1b[K";
constexpr const char* kDiverging = "run dnode-short-drafts --policy predict-sum";

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// The lines drawn one over the other, without what draws them.
std::vector<std::string> drawn(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  while ((begin = text.find('\r', begin)) != std::string::npos) {
    const std::size_t end = text.find("\x1b[K", begin);
    if (end == std::string::npos) break;
    lines.push_back(text.substr(begin + 1, end - begin - 1));
    begin = end;
  }
  return lines;
}

TEST(BarLine, SharesThenTheBarFillsAndTheTextIsCut) {
  EXPECT_EQ(bar_line(0.0, "a", 79), "[>                   ]   0 % a");
  EXPECT_EQ(bar_line(0.5, "a", 79), "[==========>         ]  50 % a");
  EXPECT_EQ(bar_line(1.0, "a", 79), "[====================] 100 % a");
  EXPECT_EQ(bar_line(7.5, "a", 79), bar_line(1.0, "a", 79));
  EXPECT_EQ(bar_line(0.5, std::string(200, 'x'), 79).size(), 79U);
  EXPECT_EQ(bar_line(0.5, "some text", 10), " 50 % some") << "a narrow terminal has no room for it";
}

TEST(Progress, DrawnThenEachLineFitsAndIsErasedAtTheEnd) {
  MemoryStream err;
  err.terminal = true;
  for (const int width : {80, 40, 20}) {
    err.text.clear();
    err.width = width;
    {
      Progress progress(err);
      progress.show(0.25, "block 1 of 4, /a/long/folder/with/a/long/file/name/in/it/run.tbt");
      progress.show("\xC3\xA9\xC3\xA9 a\nb\x1b[2Jc");
    }
    const std::vector<std::string> lines = drawn(err.text);
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_LT(lines[0].size(), static_cast<std::size_t>(width));
    EXPECT_EQ(lines[1], "\xC3\xA9\xC3\xA9 a b [2Jc") << "nothing in a name moves the cursor";
    EXPECT_EQ(lines[2], "");
    EXPECT_TRUE(ends_with(err.text, kErase));
  }
}

TEST(Progress, NoTerminalThenNothing) {
  MemoryStream err;
  {
    Progress progress(err);
    EXPECT_FALSE(progress.due());
    progress.show(0.5, "text");
  }
  EXPECT_EQ(err.text, "");
}

TEST(Progress, SomethingElseIsPrintedThenTheLineIsErasedFirst) {
  MemoryStream err;
  err.terminal = true;
  Progress progress(err);
  progress.show("step 3");
  err.write("error: x\n");
  err.flush();
  EXPECT_EQ(err.text, std::string("\rstep 3\x1b[K") + kErase + "error: x\n");
}

TEST(Terminal, RunAndVerifyThenABarOnErrAndTheSameOutput) {
  FakeMachine m;
  for (const std::string line :
       {"run azure-conv --steps 3000 -o run.tbt", "verify run.tbt", "info run.tbt", "dump run.tbt",
        "dump run.tbt --jsonl", "diff run.tbt run.tbt"}) {
    ASSERT_EQ(m(line), kExitClean) << m.err.text;
    const std::string plain = m.out.text;
    EXPECT_EQ(m.err.text, "") << line;
    m.err.terminal = true;
    ASSERT_EQ(m(line), kExitClean) << m.err.text;
    EXPECT_EQ(m.out.text, plain) << line;
    const std::vector<std::string> lines = drawn(m.err.text);
    ASSERT_GE(lines.size(), 2U) << line;
    EXPECT_EQ(lines[0][0], '[') << lines[0];
    for (const std::string& bar : lines) EXPECT_LT(bar.size(), 80U) << bar;
    EXPECT_TRUE(ends_with(m.err.text, kErase)) << line;
    EXPECT_EQ(m.err.text.find('\n'), std::string::npos) << line;
    m.err.terminal = false;
  }
}

TEST(Terminal, JsonOnStandardOutputThenNothingElseThere) {
  FakeMachine m;
  m.out.terminal = m.err.terminal = true;
  ASSERT_EQ(m("run azure-conv --steps 1000 --json - -o run.tbt"), kExitClean);
  EXPECT_TRUE(Json::accept(m.out.text)) << m.out.text;
  ASSERT_EQ(m("verify run.tbt --json -"), kExitClean);
  EXPECT_TRUE(Json::accept(m.out.text)) << m.out.text;
  ASSERT_EQ(m("verify run.tbt --junit -"), kExitClean);
  EXPECT_EQ(m.out.text.rfind("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", 0), 0U);
  EXPECT_TRUE(ends_with(m.out.text, "</testsuites>\n"));
}

TEST(Colour, OnlyOnATerminalUnlessAskedFor) {
  FakeMachine m;
  ASSERT_EQ(m(kDiverging), kExitDiverged);
  const std::string plain = m.out.text;
  EXPECT_EQ(plain.find('\x1b'), std::string::npos);
  const auto coloured = [&](const std::string& options) {
    EXPECT_EQ(m(kDiverging + options), kExitDiverged);
    EXPECT_EQ(without_escapes(m.out.text), plain) << options;
    return m.out.text != plain;
  };
  EXPECT_TRUE(coloured(" --color always"));
  m.out.terminal = true;
  EXPECT_TRUE(coloured(""));
  EXPECT_FALSE(coloured(" --color never"));
  m.no_colour = true;
  EXPECT_FALSE(coloured(""));
  EXPECT_TRUE(coloured(" --color always"));
}

TEST(Colour, DivergenceAndDifferenceThenTheirLinesAreMarked) {
  FakeMachine m;
  m.out.terminal = true;
  ASSERT_EQ(m(std::string(kDiverging) + " -o a.tbt"), kExitDiverged);
  EXPECT_NE(m.out.text.find("\x1b[1;31mdivergence check="), std::string::npos) << m.out.text;
  EXPECT_NE(m.out.text.find("\x1b[1;31mdiverged\x1b[0m\n"), std::string::npos);
  EXPECT_NE(m.out.text.find("\x1b[1m> "), std::string::npos) << "the step of the divergence";
  ASSERT_EQ(m("run dnode-short-drafts --seed 3 -o b.tbt"), kExitClean);
  EXPECT_NE(m.out.text.find("\x1b[32mclean\x1b[0m\n"), std::string::npos);
  ASSERT_EQ(m("diff a.tbt b.tbt"), kExitDiverged);
  EXPECT_NE(m.out.text.find("\x1b[31m  A "), std::string::npos) << m.out.text;
  EXPECT_NE(m.out.text.find("\x1b[32m  B "), std::string::npos);
  EXPECT_NE(m.out.text.find("\x1b[1;31mdifferent\x1b[0m\n"), std::string::npos);
}

TEST(Colour, ErrorThenOnlyItsFirstWordAndOnlyOnATerminal) {
  FakeMachine m;
  EXPECT_EQ(m("info none.tbt"), kExitBadInput);
  EXPECT_EQ(m.err.text.rfind("error: none.tbt", 0), 0U);
  m.err.terminal = true;
  EXPECT_EQ(m("info none.tbt"), kExitBadInput);
  EXPECT_EQ(m.err.text.rfind("\x1b[1;31merror:\x1b[0m none.tbt", 0), 0U) << m.err.text;
}

class RealTerminal : public test::Executable {
 protected:
  /// Runs a command with all streams on a terminal of 80 columns; its output without line ends' CR.
  std::string on_terminal(const std::string& environment, const std::string& command) {
    EXPECT_EQ(shell("export TERM=xterm; unset NO_COLOR; " + environment +
                    "; script -qec \"stty cols 80; " + command + "\" /dev/null"),
              0)
        << out_ << err_;
    std::string text;
    for (std::size_t i = 0; i < out_.size(); ++i) {
      if (out_.compare(i, 2, "\r\n") != 0) text += out_[i];
    }
    return text;
  }
};

TEST_F(RealTerminal, RunThenBarAndColourAndNeitherOnADumbOne) {
  if (!has_program("script")) GTEST_SKIP() << "script (util-linux) is absent";
  const std::string command = "$T run azure-conv --steps 3000";
  ASSERT_EQ(shell(command), 0);
  const std::string plain = out_;
  const std::string seen = on_terminal("true", command);
  EXPECT_EQ(seen.rfind("\r[", 0), 0U) << seen;
  EXPECT_NE(seen.find("\x1b[32mclean\x1b[0m\n"), std::string::npos) << seen;
  const std::string after_bar = seen.substr(seen.rfind(kErase) + 4);
  EXPECT_EQ(without_escapes(after_bar), plain);
  const std::string without_colour = on_terminal("export NO_COLOR=1", command);
  EXPECT_EQ(without_colour.substr(without_colour.rfind(kErase) + 4), plain);
  EXPECT_EQ(on_terminal("export TERM=dumb", command), plain);
}

}  // namespace
}  // namespace tandem::cli
