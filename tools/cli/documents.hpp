// Result documents of --json and --junit: a file that appears when it is whole, or standard output.
#pragma once

#include <memory>
#include <string>

#include "tools/cli/io.hpp"

namespace tandem::cli {

/// Opened before the work whose result it will hold, so that a bad path is found at once.
class Document {
 public:
  /// `path` "" is none, "-" standard output.
  [[nodiscard]] static Result<Document> open(Io& io, const std::string& option,
                                             const std::string& path);

  [[nodiscard]] bool wanted() const { return file_ != nullptr || to_stdout_; }
  [[nodiscard]] bool to_stdout() const { return to_stdout_; }
  Status write(Io& io, const std::string& text);

 private:
  std::unique_ptr<OutputFile> file_;
  bool to_stdout_ = false;
};

}  // namespace tandem::cli
