// Runs the real executable: arguments in, exit code and both streams out; or starts and signals it.
#pragma once

#include <cerrno>
#include <string>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/cli/scratch_folder.hpp"
#include "traces/base/check.hpp"

namespace tandem::test {

/// One run of the executable with its streams in files of a scratch folder.
class ChildProcess {
 public:
  struct Limits {
    rlim_t file_bytes = RLIM_INFINITY;  ///< of any file it writes
  };

  ChildProcess(const ScratchFolder& folder, const std::vector<std::string>& args)
      : ChildProcess(folder, args, Limits{}) {}

  ChildProcess(const ScratchFolder& folder, const std::vector<std::string>& args, Limits limits)
      : out_(folder / "stdout"), err_(folder / "stderr") {
    std::vector<std::string> words{TANDEM_EXECUTABLE};
    words.insert(words.end(), args.begin(), args.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    TANDEM_CHECK(pid_ >= 0);
    if (pid_ == 0) start(folder.path(), argv.data(), limits);
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      wait();
    }
  }

  void signal(int number) const { ::kill(pid_, number); }

  /// The exit code, or 1000 + the signal that ended it.
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  }

  [[nodiscard]] std::string out() const { return read_whole(out_); }
  [[nodiscard]] std::string err() const { return read_whole(err_); }

 private:
  [[noreturn]] void start(const std::string& folder, char* const* argv, Limits limits) const {
    const rlimit file_size{limits.file_bytes, limits.file_bytes};
    const int out = ::open(out_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const int err = ::open(err_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    const bool ready = ::chdir(folder.c_str()) == 0 && ::dup2(out, 1) == 1 && ::dup2(err, 2) == 2 &&
                       ::setrlimit(RLIMIT_FSIZE, &file_size) == 0;
    if (ready) ::execv(argv[0], argv);
    ::_exit(127);
  }

  std::string out_;
  std::string err_;
  pid_t pid_ = -1;
};

}  // namespace tandem::test
