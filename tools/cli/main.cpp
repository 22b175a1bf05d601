// The `tandem` executable: standard streams, files, signals.
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tools/cli/cli.hpp"

namespace {

std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler stores to it");

void on_stop(int /*signal*/) { stop_requested.store(true, std::memory_order_relaxed); }

void on_bus_error(int /*signal*/) {
  // The only way a mapped input can fail: it became shorter, or its device cannot be read any more.
  constexpr char kText[] =
      "error: input file: cannot be read to its end, want a file that does not shrink meanwhile\n";
  [[maybe_unused]] const ssize_t done = ::write(STDERR_FILENO, kText, sizeof kText - 1);
  ::_exit(tandem::cli::kExitBadInput);
}

void install(int signal, void (*handler)(int), int flags) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(signal, &action, nullptr);
}

/// Gives a descriptor that the caller closed something to refuse on. Else the first file that is
/// opened would take its number, and what is meant for the stream would go into that file.
void occupy(int fd, int flags) {
  if (::fcntl(fd, F_GETFD) >= 0 || errno != EBADF) return;
  const int opened = ::open("/dev/null", flags);  // the lowest free number
  if (opened >= 0 && opened != fd) {
    ::dup2(opened, fd);
    ::close(opened);
  }
}

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

class DescriptorStream final : public tandem::cli::OutStream {
 public:
  DescriptorStream(int fd, const char* name)
      : fd_(fd), name_(name), terminal_(::isatty(fd) == 1 && environment("TERM") != "dumb") {}
  [[nodiscard]] bool is_terminal() const override { return terminal_; }
  [[nodiscard]] int columns() const override {
    winsize size{};  // asked each time: windows change
    const bool known = ::ioctl(fd_, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : OutStream::columns();
  }

 protected:
  Put put(std::string_view bytes, tandem::Error& error) override {
    while (!bytes.empty()) {
      const ssize_t done = ::write(fd_, bytes.data(), bytes.size());
      if (done >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(done));
        continue;
      }
      if (errno == EINTR) continue;
      if (errno == EAGAIN) {  // a pipe that another process made non-blocking
        pollfd ready{fd_, POLLOUT, 0};
        ::poll(&ready, 1, -1);
        continue;
      }
      if (errno == EPIPE) return Put::reader_gone;
      error = tandem::Error::make(name_, tandem::cli::errno_text(errno),
                                  "a stream that can be written");
      return Put::failed;
    }
    return Put::done;
  }

 private:
  int fd_;
  const char* name_;
  bool terminal_;
};

}  // namespace

int main(int argc, char** argv) {
  occupy(STDIN_FILENO, O_WRONLY);
  occupy(STDOUT_FILENO, O_RDONLY);
  occupy(STDERR_FILENO, O_RDONLY);
  // A second signal ends the process at once: the handler is gone after the first.
  install(SIGINT, on_stop, static_cast<int>(SA_RESETHAND));
  install(SIGTERM, on_stop, static_cast<int>(SA_RESETHAND));
  install(SIGBUS, on_bus_error, 0);
  install(SIGPIPE, SIG_IGN, 0);
  install(SIGXFSZ, SIG_IGN, 0);  // a limit on file sizes: write() then says so
  DescriptorStream out(STDOUT_FILENO, "standard output");
  DescriptorStream err(STDERR_FILENO, "standard error");
  const std::unique_ptr<tandem::cli::FileSystem> files =
      tandem::cli::make_posix_files(&stop_requested);
  tandem::cli::Io io{
      out, err, *files, stop_requested, TANDEM_VERSION, !environment("NO_COLOR").empty()};
  return tandem::cli::run_cli(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc), io);
}
