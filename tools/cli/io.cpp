// Streams and error lines of the command line.
#include "tools/cli/io.hpp"

#include <chrono>
#include <cstdint>
#include <span>

namespace tandem::cli {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 16U;
constexpr std::int64_t kProgressGapNs = 200'000'000;

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

void OutStream::write(std::string_view text) {
  if (stopped()) return;
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

Status OutStream::status() const { return failed_ ? Status(error_) : Status(); }

void print_error(Io& io, const Error& error) {
  std::string line = "error: ";
  // One line whatever a file name or a parser's message holds.
  for (const char c : error.text) {
    const auto byte = static_cast<unsigned char>(c);
    line += byte < 0x20U || byte == 0x7FU ? ' ' : c;
  }
  line += '\n';
  io.out.flush();
  io.err.write(line);
  io.err.flush();
}

int fail(Io& io, const Error& error) {
  print_error(io, error);
  return kExitBadInput;
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
  err_.write("\r" + text.substr(0, 79) + "\x1b[K");
  err_.flush();
  shown_ = true;
  next_ns_ = now_ns() + kProgressGapNs;
}

void Progress::clear() {
  if (!shown_) return;
  err_.write("\r\x1b[K");
  err_.flush();
  shown_ = false;
}

}  // namespace tandem::cli
