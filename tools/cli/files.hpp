// The only place that opens files: mapped input, and output that gets its name when it is whole.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "traces/base/result.hpp"
#include "traces/tbt.hpp"

namespace tandem::cli {

/// The last word of the error of whatever did not go on because of the stop flag.
constexpr const char* kInterrupted = "interrupted";

/// A whole file in memory; a regular one is mapped.
class InputFile {
 public:
  InputFile() = default;
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  virtual ~InputFile() = default;
  [[nodiscard]] virtual std::span<const std::byte> bytes() const = 0;
  /// Copies bytes from `offset` on to `out` without touching bytes(). Thread-safe. An Error where
  /// the file has become shorter or cannot be read.
  virtual Status fetch(std::uint64_t offset, std::span<std::byte> out) const;
  /// These bytes were consumed: their pages may leave memory. They stay readable. Thread-safe.
  virtual void release(std::uint64_t offset, std::uint64_t size_bytes) const = 0;
};

/// Written as NAME.part. close() makes it durable and renames it to NAME. Without close() NAME is
/// never touched: NAME.part stays, cut behind the last complete block, where flush() marked one,
/// and is removed where nothing complete was written.
class OutputFile : public ByteSink {
 public:
  virtual Status close() = 0;
  /// Ends without close(). The name of the file that stays, or "" when none does. Idempotent.
  virtual std::string abandon() = 0;
  [[nodiscard]] virtual std::uint64_t size_bytes() const = 0;
};

class FileSystem {
 public:
  FileSystem() = default;
  FileSystem(const FileSystem&) = delete;
  FileSystem& operator=(const FileSystem&) = delete;
  virtual ~FileSystem() = default;
  [[nodiscard]] virtual Result<std::unique_ptr<InputFile>> open(const std::string& path) = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<OutputFile>> create(const std::string& path) = 0;
  /// A file that open() would find; a folder counts, so that its name is not taken for something
  /// else.
  [[nodiscard]] virtual bool exists(const std::string& path) = 0;

  [[nodiscard]] Result<std::string> read_text(const std::string& path);
};

/// `stop`, where given: once it is set, a wait for bytes of a pipe ends with error kInterrupted.
[[nodiscard]] std::unique_ptr<FileSystem> make_posix_files(const std::atomic<bool>* stop = nullptr);

/// Why the system refused, as our sentences say it: "no space left on the device".
[[nodiscard]] std::string errno_text(int error_number);

}  // namespace tandem::cli
