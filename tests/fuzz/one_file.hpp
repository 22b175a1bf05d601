// What the command line is given while it is fuzzed: one file, whatever its name; nothing kept.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "tests/fuzz/targets.hpp"
#include "tools/cli/io.hpp"

namespace tandem::fuzz {

/// One file, the input.
class OneFile final : public cli::FileSystem {
 public:
  explicit OneFile(Input bytes) : bytes_(bytes) {}
  Result<std::unique_ptr<cli::InputFile>> open(const std::string& /*path*/) override {
    return std::unique_ptr<cli::InputFile>(std::make_unique<File>(bytes_));
  }
  Result<std::unique_ptr<cli::OutputFile>> create(const std::string& /*path*/) override {
    return Error{"nothing is written"};
  }
  bool exists(const std::string& /*path*/) override { return true; }

 private:
  class File final : public cli::InputFile {
   public:
    explicit File(Input bytes) : bytes_(bytes) {}
    [[nodiscard]] std::span<const std::byte> bytes() const override { return bytes_; }
    void release(std::uint64_t /*offset*/, std::uint64_t /*size_bytes*/) const override {}

   private:
    Input bytes_;
  };

  Input bytes_;
};

/// Drops what is printed.
class NoStream final : public cli::OutStream {
 public:
  [[nodiscard]] bool is_terminal() const override { return false; }

 protected:
  Put put(std::string_view /*bytes*/, Error& /*error*/) override { return Put::done; }
};

/// Keeps what is printed.
class KeptStream final : public cli::OutStream {
 public:
  std::string text;
  [[nodiscard]] bool is_terminal() const override { return false; }

 protected:
  Put put(std::string_view bytes, Error& /*error*/) override {
    text += bytes;
    return Put::done;
  }
};

/// `input` outlives it.
struct OneFileMachine {
  explicit OneFileMachine(Input input) : files(input) {}

  NoStream out;
  KeptStream err;
  OneFile files;
  std::atomic<bool> stop{false};
  cli::Io io{out, err, files, stop, "fuzz"};
};

}  // namespace tandem::fuzz
