// A text file line by line, plain or gzip, in memory that does not grow with the file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "tools/cli/gunzip.hpp"
#include "tools/cli/io.hpp"

namespace tandem::cli {

/// A path as errors name it: "-" is standard input.
[[nodiscard]] std::string input_name(const std::string& path);
/// Opens a file, or standard input for "-".
[[nodiscard]] Result<std::unique_ptr<InputFile>> open_input(Io& io, const std::string& path);

class LineSource {
 public:
  [[nodiscard]] static Result<LineSource> open(Io& io, const std::string& path);

  /// The next line without its end; false behind the last. `line` is valid until the next call.
  [[nodiscard]] Result<bool> next(std::string& line);
  /// Of the line that next() gave, from 1 on.
  [[nodiscard]] std::int64_t number() const { return number_; }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  Status fill();

  std::string name_;
  std::unique_ptr<InputFile> file_;
  std::unique_ptr<GzipReader> unpacker_;  ///< null: the file is plain
  std::string held_;                      ///< unpacked and not yet handed out
  std::size_t begin_ = 0;                 ///< in held_, or in the file where it is plain
  std::size_t released_ = 0;              ///< bytes of a plain file that were given back
  bool ended_ = false;
  std::int64_t number_ = 0;
};

}  // namespace tandem::cli
