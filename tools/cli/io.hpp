// What a subcommand may touch: two streams, the files, the stop flag. Tests hand in fakes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tools/cli/exit_codes.hpp"
#include "tools/cli/files.hpp"
#include "tools/cli/style.hpp"
#include "traces/base/result.hpp"

namespace tandem::cli {

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
  /// Draws `text` over the last line drawn, and erases it before anything else is written. For a
  /// terminal only; `text` leaves its last column free.
  void draw(std::string_view text);
  void erase();
  [[nodiscard]] bool stopped() const { return gone_ || failed_; }
  /// The failure, or success; a reader that went away is success.
  [[nodiscard]] Status status() const;
  /// Somebody looks, at a screen whose lines can be drawn again.
  [[nodiscard]] virtual bool is_terminal() const = 0;
  /// Columns of the terminal; 80 where that is not known.
  [[nodiscard]] virtual int columns() const { return 80; }

  void set_colour(bool wanted) { style_ = Style(wanted); }
  [[nodiscard]] const Style& style() const { return style_; }

 protected:
  enum class Put : std::uint8_t { done, reader_gone, failed };
  /// Writes all bytes. On `failed`, `error` names the place and the reason.
  virtual Put put(std::string_view bytes, Error& error) = 0;

 private:
  std::string buffer_;
  Error error_;
  Style style_;
  bool drawn_ = false;
  bool gone_ = false;
  bool failed_ = false;
};

struct Io {
  OutStream& out;
  OutStream& err;
  FileSystem& files;
  const std::atomic<bool>& stop;  ///< set by SIGINT or SIGTERM: end at the next step boundary
  std::string version;
  bool no_colour = false;  ///< NO_COLOR is set in the environment
};

/// Prints "error: <text>" as one line on err.
void print_error(Io& io, const Error& error);
/// print_error and kExitBadInput; of an interruption kExitInterrupted.
[[nodiscard]] int fail(Io& io, const Error& error);

/// True for the error of what did not go on because of the stop flag: it ends with kInterrupted.
[[nodiscard]] bool is_interruption(const Io& io, const Error& error);
/// Prints "error: <place>: interrupted; <kept>", where `kept` says what is whole nevertheless.
/// kExitInterrupted.
[[nodiscard]] int interrupted(Io& io, std::string_view place, std::string_view kept);

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

/// One updating line on err while something long runs; silent unless err is a terminal. What is
/// written to err meanwhile erases it; end its life before much is written to out.
class Progress {
 public:
  explicit Progress(OutStream& err);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { clear(); }

  /// True when a new line is due; ask first where composing the text costs.
  [[nodiscard]] bool due();
  void show(const std::string& text);
  /// With a bar in front of the text. `share` of the work is done, in [0, 1].
  void show(double share, const std::string& text);
  /// "block 3 of 70" and whose, with a bar, where a new line is due.
  void show_blocks(std::size_t done, std::size_t total, const std::string& name = {});
  void clear();

 private:
  OutStream& err_;
  bool enabled_;
  std::int64_t next_ns_ = 0;
};

/// "[=====>    ]  62 % text", at most `columns` wide; without the bar where it leaves no room.
[[nodiscard]] std::string bar_line(double share, const std::string& text, int columns);

}  // namespace tandem::cli
