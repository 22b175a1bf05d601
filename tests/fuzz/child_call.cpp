// fork and a pipe: the child writes its steps and its sentence, the parent reads to the end.
#include "tests/fuzz/child_call.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "traces/base/check.hpp"

namespace tandem::fuzz {
namespace {

[[noreturn]] void answer_and_leave(const std::function<Answer()>& work, int fd) {
  const Answer answer = work();
  const std::string text = std::to_string(answer.steps) + "\n" + answer.wrong;
  std::size_t sent = 0;
  while (sent < text.size()) {
    const ssize_t put = ::write(fd, text.data() + sent, text.size() - sent);
    if (put < 0 && errno != EINTR) ::_exit(3);
    if (put > 0) sent += static_cast<std::size_t>(put);
  }
  ::_exit(0);  // without the destructors and buffers of the parent
}

std::string read_all(int fd) {
  std::string text;
  char buffer[4096];
  for (;;) {
    const ssize_t got = ::read(fd, buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
  }
}

}  // namespace

ChildCall::ChildCall(const std::function<Answer()>& work) {
  int ends[2] = {-1, -1};
  TANDEM_CHECK(::pipe(ends) == 0);
  std::fflush(nullptr);
  pid_ = ::fork();
  TANDEM_CHECK(pid_ >= 0);
  if (pid_ == 0) {
    ::close(ends[0]);
    answer_and_leave(work, ends[1]);
  }
  ::close(ends[1]);
  fd_ = ends[0];
}

ChildCall::ChildCall(ChildCall&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), fd_(std::exchange(other.fd_, -1)) {}

ChildCall& ChildCall::operator=(ChildCall&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(fd_, other.fd_);
  return *this;
}

ChildCall::~ChildCall() {
  if (pid_ < 0) return;
  kill();
  static_cast<void>(finish());
}

void ChildCall::kill() { ::kill(pid_, SIGKILL); }

Answer ChildCall::finish() {
  const std::string text = read_all(fd_);
  ::close(std::exchange(fd_, -1));
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  Answer answer;
  const std::size_t line_end = text.find('\n');
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && line_end != std::string::npos) {
    answer.steps = std::strtoll(text.c_str(), nullptr, 10);
    answer.wrong = text.substr(line_end + 1);
  } else if (WIFSIGNALED(status)) {
    answer.wrong = "the run ended with signal " + std::to_string(WTERMSIG(status));
  } else {
    answer.wrong = "the run ended without an answer";
  }
  return answer;
}

Answer call_in_child(const std::function<Answer()>& work, int seconds) {
  ChildCall call(work);
  pollfd wait{call.descriptor(), POLLIN, 0};
  int ready = ::poll(&wait, 1, seconds * 1000);
  while (ready < 0 && errno == EINTR) ready = ::poll(&wait, 1, seconds * 1000);
  if (ready > 0) return call.finish();
  return {"no answer within " + std::to_string(seconds) + " s", 0};
}

}  // namespace tandem::fuzz
