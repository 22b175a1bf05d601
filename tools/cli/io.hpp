// What a subcommand may touch: two streams, the files, the stop flag. Tests hand in fakes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tools/cli/files.hpp"
#include "traces/base/result.hpp"

namespace tandem::cli {

/// Exit codes (architecture 6). `interrupted` is the shell's 128 + SIGINT, also for SIGTERM.
constexpr int kExitClean = 0;
constexpr int kExitDiverged = 1;
constexpr int kExitBadInput = 2;
constexpr int kExitNoDevice = 3;
constexpr int kExitInterrupted = 130;

/// A buffered stream of bytes that remembers its first failure. A reader that went away (`| head`)
/// is not a failure: what is written afterwards is dropped, and stopped() tells loops to end.
class OutStream {
 public:
  OutStream() = default;
  OutStream(const OutStream&) = delete;
  OutStream& operator=(const OutStream&) = delete;
  virtual ~OutStream() = default;

  void write(std::string_view text);
  void flush();
  [[nodiscard]] bool stopped() const { return gone_ || failed_; }
  /// The failure, or success; a reader that went away is success.
  [[nodiscard]] Status status() const;
  [[nodiscard]] virtual bool is_terminal() const = 0;

 protected:
  enum class Put : std::uint8_t { done, reader_gone, failed };
  /// Writes all bytes. On `failed`, `error` names the place and the reason.
  virtual Put put(std::string_view bytes, Error& error) = 0;

 private:
  std::string buffer_;
  Error error_;
  bool gone_ = false;
  bool failed_ = false;
};

struct Io {
  OutStream& out;
  OutStream& err;
  FileSystem& files;
  const std::atomic<bool>& stop;  ///< set by SIGINT or SIGTERM: end at the next step boundary
  std::string version;
};

/// Prints "error: <text>" as one line on err.
void print_error(Io& io, const Error& error);
/// print_error and kExitBadInput.
[[nodiscard]] int fail(Io& io, const Error& error);

/// An OutStream as a ByteSink. A reader that went away ends the writer with an error: look at
/// io.out.stopped() before reporting it.
class StreamSink final : public ByteSink {
 public:
  explicit StreamSink(OutStream& out) : out_(out) {}
  Status write(std::span<const std::byte> bytes) override;
  Status flush() override;

 private:
  OutStream& out_;
};

/// One updating line on err while something long runs; silent unless err is a terminal.
class Progress {
 public:
  explicit Progress(OutStream& err);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { clear(); }

  /// True when a new line is due; ask first where composing the text costs.
  [[nodiscard]] bool due();
  void show(const std::string& text);
  void clear();

 private:
  OutStream& err_;
  bool enabled_;
  bool shown_ = false;
  std::int64_t next_ns_ = 0;
};

}  // namespace tandem::cli
