// What help and README print as commands: each works as printed, in an empty folder.
#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/cli/executable.hpp"
#include "tests/unit/cli/fake_io.hpp"
#include "tools/cli/exit_codes.hpp"

namespace tandem::cli {
namespace {

namespace fs = std::filesystem;
using test::FakeMachine;
using test::lines_of;
using test::read_whole;

constexpr std::size_t kExampleColumnsMax = 71;  ///< what the manual page has room for

std::string source_file(const std::string& name) {
  return read_whole(std::string(TANDEM_SOURCE_DIR) + "/" + name);
}

/// The lines of one section of help, without their indent.
std::vector<std::string> section(const std::string& command, const std::string& name) {
  FakeMachine m;
  std::vector<std::string> args{"--help"};
  if (!command.empty()) args.insert(args.begin(), command);
  EXPECT_EQ(m.run(args), kExitClean) << m.err.text;
  std::vector<std::string> lines;
  bool inside = false;
  for (const std::string& line : lines_of(m.out.text)) {
    if (inside && !line.empty()) lines.push_back(line.substr(2));
    inside = line == name + ":" || (inside && !line.empty());
  }
  return lines;
}

/// The exit code that a command line says: "# exit code 1" behind it, else 0.
int stated_code(const std::string& line) {
  const std::string mark = "# exit code ";
  const std::size_t at = line.find(mark);
  return at == std::string::npos ? 0 : std::stoi(line.substr(at + mark.size()));
}

class Examples : public test::Executable {};

TEST_F(Examples, OfEveryHelpThenEachWorksAsPrintedInAnEmptyFolder) {
  std::vector<std::string> commands{""};
  for (const std::string& line : section("", "commands")) {
    if (line[0] != ' ') commands.push_back(line.substr(0, line.find(' ')));
  }
  ASSERT_GE(commands.size(), 12U);
  for (const std::string& command : commands) {
    const std::vector<std::string> examples = section(command, "examples");
    EXPECT_GE(examples.size(), 2U) << command;
    for (const fs::directory_entry& left : fs::directory_iterator(folder_.path())) {
      fs::remove(left.path());
    }
    for (const std::string& example : examples) {
      EXPECT_LE(example.size(), kExampleColumnsMax) << example;
      EXPECT_NE(example.find("tandem "), std::string::npos) << example;
      EXPECT_EQ(shell(example), stated_code(example)) << example << "\n" << err_;
      EXPECT_EQ(err_, "") << example;
    }
  }
}

std::string without_comment(const std::string& line) {
  const std::size_t comment = line.find("   #");
  return line.substr(0, line.find_last_not_of(' ', comment) + 1);
}

/// Lines of the fenced blocks of README; the block that shows a divergence apart.
std::vector<std::string> readme_commands() {
  std::vector<std::string> commands;
  bool inside = false;
  for (const std::string& line : lines_of(source_file("README.md"))) {
    if (line.rfind("```", 0) == 0) {
      inside = !inside;
    } else if (inside && line.rfind("divergence ", 0) != 0) {
      commands.push_back(line);
    }
  }
  return commands;
}

TEST_F(Examples, OfReadmeThenEachWorksAsPrinted) {
  int run_count = 0;
  const std::string recorder = "python3 traces/recorder/";
  const bool has_numpy = shell("python3 -c 'import numpy'") == 0;
  for (const std::string& line : readme_commands()) {
    SCOPED_TRACE(line);
    std::string command = without_comment(line);
    if (command.find("engine.") != std::string::npos && !has_numpy) continue;
    if (command.rfind(recorder, 0) == 0) {
      command.insert(8, std::string(TANDEM_SOURCE_DIR) + "/");
      EXPECT_EQ(shell(command), 0) << err_;
    } else if (command.rfind("tandem ", 0) == 0 || command.rfind("source ", 0) == 0 ||
               command.rfind("printf ", 0) == 0) {
      ++run_count;
      EXPECT_EQ(shell(command), stated_code(line)) << err_;
      EXPECT_EQ(err_, "");
    } else if (command.rfind("tools/", 0) == 0) {  // builds everything: it is there
      const std::string script = command.substr(0, command.find(' '));
      EXPECT_TRUE(fs::exists(std::string(TANDEM_SOURCE_DIR) + "/" + script));
    } else if (command.rfind("cmake --preset host", 0) == 0) {
      EXPECT_NE(source_file("CMakePresets.json").find("\"name\": \"host\""), std::string::npos);
    } else if (command.rfind("cmake --install ", 0) == 0) {  // of its own test
    } else {
      EXPECT_EQ(command, "alias tandem=build/host/tools/cli/tandem") << "who tests this line?";
    }
  }
  EXPECT_GE(run_count, 4);
}

TEST(Readme, ExitCodesThenThoseOfTheProgram) {
  std::vector<int> codes;
  for (const std::string& line : lines_of(source_file("README.md"))) {
    const bool is_row = line.size() > 2 && line.rfind("| ", 0) == 0 &&
                        std::isdigit(static_cast<unsigned char>(line[2])) != 0;
    if (is_row) codes.push_back(std::stoi(line.substr(2)));
  }
  std::vector<int> want;
  for (const ExitCode& code : kExitCodes) want.push_back(code.code);
  EXPECT_EQ(codes, want);
}

}  // namespace
}  // namespace tandem::cli
