// LineReader: a buffer that holds one line and the piece it came with.
#include "scenarios/line_reader.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace tandem {
namespace {

constexpr std::size_t kPieceBytes = std::size_t{64} << 10U;

class TextSource final : public ByteSource {
 public:
  explicit TextSource(std::string text) : text_(std::move(text)) {}
  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t size = text_.copy(out.data(), out.size(), offset_);
    offset_ += size;
    return size;
  }

 private:
  std::string text_;
  std::size_t offset_ = 0;
};

}  // namespace

std::unique_ptr<ByteSource> make_text_source(std::string text) {
  return std::make_unique<TextSource>(std::move(text));
}

Error LineReader::fail_at(std::int64_t line, std::size_t column, std::string_view found,
                          std::string_view wanted, std::string_view remedy) const {
  return Error::make(fmt::format("{}:{}:{}", path_, line, column), fmt::format("got {}", found),
                     wanted, remedy);
}

Result<bool> LineReader::fill() {
  if (ended_) return false;
  buffer_.erase(0, begin_);
  begin_ = 0;
  const std::size_t filled = buffer_.size();
  buffer_.resize(filled + kPieceBytes);
  const Result<std::size_t> size = source_->read(std::span(buffer_).subspan(filled));
  if (!size) {
    buffer_.resize(filled);
    return size.error();
  }
  buffer_.resize(filled + size.value());
  ended_ = size.value() == 0;
  return !ended_;
}

Result<bool> LineReader::at_end() {
  while (begin_ == buffer_.size()) {
    TANDEM_TRY(const bool more, fill());
    if (!more) return true;
  }
  return false;
}

Result<std::optional<std::string_view>> LineReader::next() {
  TANDEM_TRY(const bool ended, at_end());
  if (ended) return std::optional<std::string_view>{};
  ++line_;
  std::size_t seen = 0;  // bytes of this line that hold no line feed
  std::size_t size = 0;
  for (;;) {
    const std::size_t found = buffer_.find('\n', begin_ + seen);
    if (found != std::string::npos) {
      size = found - begin_;
      break;
    }
    seen = buffer_.size() - begin_;
    if (seen > kLineBytesMax) break;
    TANDEM_TRY(const bool more, fill());
    if (!more) {
      size = seen;
      break;
    }
  }
  if (std::max(size, seen) > kLineBytesMax) {
    return fail(kLineBytesMax + 1, "a line that goes on",
                fmt::format("lines of at most {} bytes", kLineBytesMax),
                "give a request trace with one row a line");
  }
  std::string_view line = std::string_view(buffer_).substr(begin_, size);
  begin_ = std::min(begin_ + size + 1, buffer_.size());
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (line_ == 1 && line.substr(0, kByteOrderMark.size()) == kByteOrderMark) {
    line.remove_prefix(kByteOrderMark.size());
  }
  return std::optional<std::string_view>{line};
}

}  // namespace tandem
