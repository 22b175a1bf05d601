// Reads gzip through zlib, where the build has it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "traces/base/result.hpp"

namespace tandem::cli {

/// False in a build without zlib.
[[nodiscard]] bool gzip_available();

/// Told by the first bytes, not by a file's name.
[[nodiscard]] bool is_gzip(std::span<const std::byte> bytes);

/// Unpacks step by step, so that memory does not grow with the file. Members that follow each other
/// are one text, as gzip(1) has it.
class GzipReader {
 public:
  GzipReader() = default;
  GzipReader(const GzipReader&) = delete;
  GzipReader& operator=(const GzipReader&) = delete;
  virtual ~GzipReader() = default;
  /// Appends some more to `out`; false at the end. Errors name the file and the offset.
  [[nodiscard]] virtual Result<bool> append_to(std::string& out) = 0;
};

/// `bytes` outlive the reader; `name` stands in errors. Refused in a build without zlib.
[[nodiscard]] Result<std::unique_ptr<GzipReader>> make_gzip_reader(std::span<const std::byte> bytes,
                                                                   const std::string& name);

}  // namespace tandem::cli
