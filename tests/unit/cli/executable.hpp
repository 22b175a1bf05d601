// A fixture that runs the real executable in a folder of its own, by itself or through a shell.
#pragma once

#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/cli/child_process.hpp"
#include "tests/unit/cli/scratch_folder.hpp"

namespace tandem::test {

class Executable : public ::testing::Test {
 protected:
  int run(const std::vector<std::string>& args, ChildProcess::Limits limits = {}) {
    ChildProcess child(folder_, args, limits);
    const int code = child.wait();
    out_ = child.out();
    err_ = child.err();
    return code;
  }

  /// A bash script in the folder; the executable is $T, and `tandem` by its name. 1000: killed.
  int shell(const std::string& script) {
    const std::string program = TANDEM_EXECUTABLE;
    write_whole(folder_ / "script", "T='" + program + "'\nPATH='" +
                                        program.substr(0, program.rfind('/')) + "':$PATH\n" +
                                        script + "\n");
    const std::string command =
        "cd '" + folder_.path() + "' && bash ./script > stdout 2> stderr < /dev/null";
    const int status = std::system(command.c_str());
    out_ = read_whole(folder_ / "stdout");
    err_ = read_whole(folder_ / "stderr");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
  }

  /// Whether the machine has a program that only tests use.
  bool has_program(const std::string& name) { return shell("command -v " + name) == 0; }

  ScratchFolder folder_;
  std::string out_;
  std::string err_;
};

}  // namespace tandem::test
