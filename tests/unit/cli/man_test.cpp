// The manual page: complete, the same each time, and clean for the formatters that are installed.
#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/cli/executable.hpp"
#include "tests/unit/cli/fake_io.hpp"
#include "tools/cli/exit_codes.hpp"
#include "tools/cli/man_page.hpp"

namespace tandem::cli {
namespace {

using test::FakeMachine;
using test::lines_of;

TEST(Man, PageThenEveryCommandOptionAndExitCode) {
  FakeMachine m;
  ASSERT_EQ(m("man"), kExitClean);
  const std::string page = m.out.text;
  EXPECT_TRUE(std::all_of(page.begin(), page.end(),
                          [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); }));
  for (const char* heading :
       {"NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "EXIT STATUS", "ENVIRONMENT", "FILES"}) {
    EXPECT_NE(page.find(std::string("\n.SH ") + heading + "\n"), std::string::npos) << heading;
  }
  for (const ExitCode& code : kExitCodes) {
    EXPECT_NE(page.find("\n\\fB" + std::to_string(code.code) + "\\fR\n"), std::string::npos);
  }
  EXPECT_NE(page.find("\\fB\\%\\-o\\fR, \\fB\\%\\-\\-output\\fR \\fIFILE\\fR\n"),
            std::string::npos);
  ASSERT_EQ(m("man"), kExitClean);
  EXPECT_EQ(m.out.text, page);

  ASSERT_EQ(m("--help"), kExitClean);
  bool inside = false;
  int command_count = 0;
  for (const std::string& line : lines_of(m.out.text)) {
    inside = line == "commands:" || (inside && !line.empty());
    if (!inside || line[0] != ' ' || line[2] == ' ') continue;
    ++command_count;
    const std::string start = "\n.SS \"tandem " + line.substr(2, line.find(' ', 2) - 2);
    EXPECT_NE(page.find(start), std::string::npos) << start;
  }
  EXPECT_GE(command_count, 11);
}

TEST(Man, TextThatRoffWouldObeyThenItIsPrinted) {
  CommandTree tree;
  tree.program.name = "prog";
  tree.program.description = "Does x";
  CommandEntry go;
  go.name = "go";
  go.title = "prog go";
  go.usage = "\"A\"";
  go.description = ".so /etc/passwd \\n 'it' `x` ^ ~ well-known";
  go.examples = {".de x"};
  tree.commands = {go};
  const std::string page = man_page(tree, "1.2");
  EXPECT_NE(page.find(".TH TANDEM 1 \"\" \"prog 1.2\""), std::string::npos) << page;
  EXPECT_NE(page.find("prog \\- does x\n"), std::string::npos);
  EXPECT_NE(page.find(".SS \"prog go \\(dqA\\(dq\"\n"), std::string::npos);
  EXPECT_NE(page.find("\n\\&.so /etc/passwd \\en \\(aqit\\(aq \\(gax\\(ga \\(ha \\(ti "
                      "\\%well\\-known.\n"),
            std::string::npos)
      << page;
  EXPECT_NE(page.find("\n\\&.de x\n"), std::string::npos);
}

class ManPage : public test::Executable {};

TEST_F(ManPage, FormattedThenNoWarningAndWithin80Columns) {
  ASSERT_EQ(shell("$T man > tandem.1"), 0);
  int formatters = 0;
  for (const char* command : {"groff -Tutf8 -man -ww -rLL=80n tandem.1 > out",
                              "MANWIDTH=80 man --warnings -l tandem.1 > out"}) {
    const std::string name = std::string(command).find("groff ") == 0 ? "groff" : "man";
    if (!has_program(name)) continue;
    ++formatters;
    EXPECT_EQ(shell(command), 0) << command;
    EXPECT_EQ(err_, "") << command;
    // What a terminal shows: no escapes, nothing overstruck, and a hyphen of three bytes is one.
    EXPECT_EQ(shell("LC_ALL=C sed -e 's/\\x1b\\[[0-9;]*m//g' -e 's/.\\x08//g' "
                    "-e 's/\\xe2\\x80\\x90/-/g' out | awk 'length > 80'"),
              0);
    EXPECT_EQ(out_, "") << command;
  }
  if (formatters == 0) GTEST_SKIP() << "groff and man are absent";
}

}  // namespace
}  // namespace tandem::cli
