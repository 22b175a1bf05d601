// Streams and error lines of the command line.
#include "tools/cli/io.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <span>

#include <fmt/format.h>

namespace tandem::cli {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 16U;
constexpr std::int64_t kProgressGapNs = 200'000'000;
constexpr int kBarColumns = 20;       ///< between its brackets
constexpr int kBarColumnsLeast = 60;  ///< of a terminal that gets a bar

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// The part of `text` that fits into `columns`; what would move the cursor becomes a blank.
std::string cut(const std::string& text, int columns) {
  std::string out;
  int used = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool continues = (byte & 0xC0U) == 0x80U;  // a byte inside a UTF-8 character
    if (!continues && used++ >= columns) break;
    out += byte < 0x20U || byte == 0x7FU ? ' ' : c;
  }
  return out;
}

/// One line whatever a file name or a parser's message holds.
std::string one_line(std::string_view text) {
  std::string line(text);
  for (char& c : line) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20U || byte == 0x7FU) c = ' ';
  }
  return line;
}

}  // namespace

void OutStream::write(std::string_view text) {
  if (stopped()) return;
  erase();
  buffer_.append(text);
  if (buffer_.size() >= kBufferBytes) flush();
}

void OutStream::flush() {
  if (!stopped() && !buffer_.empty()) {
    const Put put_result = put(buffer_, error_);
    gone_ = put_result == Put::reader_gone;
    failed_ = put_result == Put::failed;
  }
  buffer_.clear();
}

void OutStream::draw(std::string_view text) {
  if (stopped()) return;
  buffer_.append("\r").append(text).append("\x1b[K");
  drawn_ = true;
  flush();
}

void OutStream::erase() {
  if (!drawn_) return;
  drawn_ = false;
  buffer_.append("\r\x1b[K");
  flush();
}

Status OutStream::status() const { return failed_ ? Status(error_) : Status(); }

void print_error(Io& io, const Error& error) {
  io.out.flush();
  io.err.write(io.err.style().bad("error:") + " " + one_line(error.text) + "\n");
  io.err.flush();
}

int fail(Io& io, const Error& error) {
  print_error(io, error);
  return is_interruption(io, error) ? kExitInterrupted : kExitBadInput;
}

bool is_interruption(const Io& io, const Error& error) {
  const std::string_view word = kInterrupted;
  const std::string_view text = error.text;
  return io.stop.load() && text.size() >= word.size() &&
         text.substr(text.size() - word.size()) == word;
}

int interrupted(Io& io, std::string_view place, std::string_view kept) {
  print_error(io, Error{fmt::format("{}: {}; {}", place, kInterrupted, kept)});
  return kExitInterrupted;
}

Status StreamSink::write(std::span<const std::byte> bytes) {
  out_.write({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (out_.stopped()) {
    TANDEM_RETURN_IF_ERROR(out_.status());
    return Error{"standard output: nobody reads it any more"};
  }
  return {};
}

Status StreamSink::flush() { return out_.status(); }

Progress::Progress(OutStream& err) : err_(err), enabled_(err.is_terminal()) {}

bool Progress::due() { return enabled_ && now_ns() >= next_ns_; }

void Progress::show(const std::string& text) {
  if (!enabled_) return;
  // The last column stays free: a terminal that wraps there would begin a new line.
  err_.draw(cut(text, err_.columns() - 1));
  next_ns_ = now_ns() + kProgressGapNs;
}

void Progress::show(double share, const std::string& text) {
  show(bar_line(share, text, err_.columns() - 1));
}

void Progress::show_blocks(std::size_t done, std::size_t total, const std::string& name) {
  if (!due()) return;
  const double share = total == 0 ? 0.0 : static_cast<double>(done) / static_cast<double>(total);
  show(share, fmt::format("block {} of {}{}{}", done, total, name.empty() ? "" : ", ", name));
}

void Progress::clear() { err_.erase(); }

std::string bar_line(double share, const std::string& text, int columns) {
  share = std::clamp(share, 0.0, 1.0);
  const auto percent = static_cast<int>(share * 100);
  if (columns < kBarColumnsLeast) return cut(fmt::format("{:>3} % {}", percent, text), columns);
  std::string bar(static_cast<std::size_t>(share * kBarColumns), '=');
  if (bar.size() < kBarColumns) bar += '>';
  bar.resize(kBarColumns, ' ');
  return cut(fmt::format("[{}] {:>3} % {}", bar, percent, text), columns);
}

}  // namespace tandem::cli
