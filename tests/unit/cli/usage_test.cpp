// The command line itself: help, version, usage errors, examples, outputs that fail.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/cli/fake_io.hpp"

namespace tandem::cli {
namespace {

using test::FakeMachine;
using test::lines_of;

/// The first word of each entry of a section of help.
std::vector<std::string> entries(const std::string& help, const std::string& section) {
  std::vector<std::string> names;
  bool inside = false;
  for (const std::string& line : lines_of(help)) {
    if (line == section + ":") {
      inside = true;
    } else if (line.empty()) {
      inside = false;
    } else if (inside && line[2] != ' ') {
      names.push_back(line.substr(2, line.find(' ', 2) - 2));
    }
  }
  return names;
}

std::vector<std::string> all_commands() {
  FakeMachine m;
  EXPECT_EQ(m("--help"), kExitClean);
  return entries(m.out.text, "commands");
}

/// Exit code 2, nothing on standard output, one line on standard error that starts so.
void expect_one_error_line(FakeMachine& m, const std::string& line, const std::string& start) {
  EXPECT_EQ(m(line), kExitBadInput) << line;
  EXPECT_EQ(m.out.text, "") << line;
  ASSERT_EQ(lines_of(m.err.text).size(), 1U) << line << "\n" << m.err.text;
  EXPECT_EQ(m.err.text.rfind("error: " + start, 0), 0U) << line << "\n" << m.err.text;
}

TEST(Usage, VersionThenNameAndNumber) {
  FakeMachine m;
  EXPECT_EQ(m("--version"), kExitClean);
  EXPECT_EQ(m.out.text, "tandem 0.0.0-test\n");
}

TEST(Usage, HelpOfEverySubcommandThenWithin80ColumnsWithExamples) {
  FakeMachine m;
  std::vector<std::string> lines{"--help"};
  for (const std::string& sub : all_commands()) lines.push_back(sub + " --help");
  ASSERT_GE(lines.size(), 12U);
  for (const std::string& line : lines) {
    EXPECT_EQ(m(line), kExitClean) << line;
    EXPECT_EQ(m.err.text, "");
    EXPECT_EQ(m.out.text.rfind("usage: tandem", 0), 0U) << m.out.text;
    EXPECT_NE(m.out.text.find("\nexamples:\n  "), std::string::npos) << m.out.text;
    for (const std::string& printed : lines_of(m.out.text)) {
      EXPECT_LE(printed.size(), 80U) << printed;
      EXPECT_TRUE(printed.empty() || printed.back() != ' ') << "'" << printed << "'";
    }
  }
}

TEST(Usage, HelpThenOptionsByGroupWithValuesAndDefaults) {
  FakeMachine m;
  ASSERT_EQ(m("run --help"), kExitClean);
  for (const char* text :
       {"\nscenario options:\n", "\nexecution options:\n", "\noutput options:\n",
        "--schedule sync|overlap", "--record off|state|timeline|full", "(default: state)",
        "knows: exact,", "\nnames that SCENARIO may be:\n", " decode-small,"}) {
    EXPECT_NE(m.out.text.find(text), std::string::npos) << text << m.out.text;
  }
  EXPECT_EQ(m.out.text.find("\n\n\n"), std::string::npos) << "an empty section";
}

TEST(Usage, HelpOfTheProgramThenEveryExitCode) {
  FakeMachine m;
  ASSERT_EQ(m("--help"), kExitClean);
  EXPECT_EQ(entries(m.out.text, "exit codes"),
            (std::vector<std::string>{"0", "1", "2", "3", "130"}));
}

TEST(Usage, UnknownOrSurplusThenOneLineWithRemedy) {
  FakeMachine m;
  expect_one_error_line(m, "", "tandem: got no command, want one of run, verify");
  expect_one_error_line(m, "fly", "tandem: got 'fly', want one of run, verify");
  expect_one_error_line(m, "--fast run azure-conv", "tandem: got '--fast'");
  expect_one_error_line(m, "run azure-conv --fast",
                        "tandem run: got '--fast', want an option that it has; see tandem run "
                        "--help");
  expect_one_error_line(m, "run azure-conv extra",
                        "tandem run: got 'extra', want no further argument; see tandem run --help");
  expect_one_error_line(m, "info a b", "tandem info: got 'b', want no further argument");
  expect_one_error_line(m, "dump a.tbt b.tbt", "tandem dump: got 'b.tbt'");
  expect_one_error_line(m, "run", "tandem run: ");
  expect_one_error_line(m, "verify", "tandem verify: ");
  expect_one_error_line(m, "info", "tandem info: ");
  expect_one_error_line(m, "run azure-conv --seed", "tandem run: ");
  expect_one_error_line(m, "run azure-conv --seed 1 --seed 2", "tandem run: ");
}

TEST(Usage, BadValuesThenOptionFoundAndWanted) {
  FakeMachine m;
  expect_one_error_line(m, "run azure-conv --device gpu",
                        "--device: got 'gpu', want one of auto, host, cuda");
  expect_one_error_line(m, "run azure-conv --executor x",
                        "--executor: got 'x', want one of det, threads");
  expect_one_error_line(m, "run azure-conv --schedule x", "--schedule: got 'x'");
  expect_one_error_line(m, "run azure-conv --policy best",
                        "--policy: got 'best', want one of exact, predict-sum");
  expect_one_error_line(m, "run azure-conv --seed x", "--seed: got 'x'");
  expect_one_error_line(m, "run azure-conv --steps 0", "--steps: got '0'");
  expect_one_error_line(m, "run azure-conv --record all", "--record: got 'all'");
  expect_one_error_line(m, "run azure-conv --record off -o x.tbt", "-o: got 'x.tbt' with --record");
  expect_one_error_line(m, "run azure-conv --compress xz", "--compress: got 'xz'");
  expect_one_error_line(m, "run azure-conv -o -", "-o: got '-'");
  expect_one_error_line(m, "plan azure-conv --color red",
                        "--color: got 'red', want one of auto, always, never");
  expect_one_error_line(m, "completion tcsh", "SHELL: got 'tcsh', want one of bash, zsh, fish");
  expect_one_error_line(m, "verify x.tbt --jobs 0", "--jobs: got '0'");
  expect_one_error_line(m, "verify x.tbt --require V99", "--require: got 'V99'");
  expect_one_error_line(m, "plan azure-conv --dot --json", "tandem plan: got --dot and --json");
  EXPECT_TRUE(m.files.files.empty()) << "a refused command line wrote a file";
}

TEST(Usage, CudaInABuildWithoutItThenExitCode3) {
  FakeMachine m;
  EXPECT_EQ(m("run azure-conv --device cuda"), kExitNoDevice);
  EXPECT_EQ(m.out.text, "");
  EXPECT_EQ(lines_of(m.err.text).size(), 1U) << m.err.text;
}

TEST(Usage, StandardOutputFullThenExitCode2) {
  FakeMachine m;
  m.out.full = true;
  EXPECT_EQ(m("plan azure-conv"), kExitBadInput);
  EXPECT_NE(m.err.text.find("standard output: no space left"), std::string::npos) << m.err.text;
}

TEST(Usage, ReaderGoneThenQuietAndTheRightCode) {
  FakeMachine m;
  m.out.reader_reads = 10;
  EXPECT_EQ(m("plan azure-conv"), kExitClean);
  EXPECT_EQ(m.err.text, "");
  EXPECT_LE(m.out.text.size(), 10U);
}

}  // namespace
}  // namespace tandem::cli
