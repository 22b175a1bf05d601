// Lines of a file of any length in constant memory, with the place of each for errors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "traces/base/result.hpp"

namespace tandem {

/// Longest line a request trace may hold: a row that lists the token ids of a prompt of
/// max_model_len fits, a file without line feeds does not fill the memory.
constexpr std::size_t kLineBytesMax = std::size_t{16} << 20U;

/// Bytes in order, handed over in pieces.
class ByteSource {
 public:
  ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;
  virtual ~ByteSource() = default;
  /// Fills a part of `out` from its start; 0 only at the end, or where `out` is empty.
  [[nodiscard]] virtual Result<std::size_t> read(std::span<char> out) = 0;
};

/// Opens a file a scenario names without holding all of it.
using SourceOpener = std::function<Result<std::unique_ptr<ByteSource>>(const std::string& path)>;

[[nodiscard]] std::unique_ptr<ByteSource> make_text_source(std::string text);

/// A line ends in LF or CR LF, the last one in nothing. A byte order mark at the start of the file
/// is no part of its first line.
class LineReader {
 public:
  LineReader(std::string path, std::unique_ptr<ByteSource> source)
      : path_(std::move(path)), source_(std::move(source)) {}

  /// The next line without its end, valid until the next call; nullopt at the end of the file. An
  /// Error for a line of more than kLineBytesMax bytes, and where the source has one.
  [[nodiscard]] Result<std::optional<std::string_view>> next();

  /// True where next() would hand out nothing.
  [[nodiscard]] Result<bool> at_end();

  [[nodiscard]] std::int64_t line() const { return line_; }  ///< last handed out, 1-based
  [[nodiscard]] const std::string& path() const { return path_; }

  /// `path:line:column: got FOUND, want WANTED; REMEDY`. Columns count bytes from 1.
  [[nodiscard]] Error fail_at(std::int64_t line, std::size_t column, std::string_view found,
                              std::string_view wanted, std::string_view remedy = {}) const;
  /// The same in the last line handed out.
  [[nodiscard]] Error fail(std::size_t column, std::string_view found, std::string_view wanted,
                           std::string_view remedy = {}) const {
    return fail_at(line_, column, found, wanted, remedy);
  }

 private:
  /// Appends a piece of the source; false at its end.
  Result<bool> fill();

  std::string path_;
  std::unique_ptr<ByteSource> source_;
  std::string buffer_;
  std::size_t begin_ = 0;  ///< first byte of buffer_ that was not handed out
  std::int64_t line_ = 0;
  bool ended_ = false;
};

}  // namespace tandem
