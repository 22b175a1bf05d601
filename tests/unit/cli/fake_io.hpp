// Streams and files in memory for tests of the command line, with faults that can be set.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/cli/cli.hpp"

namespace tandem::test {

class MemoryStream final : public cli::OutStream {
 public:
  std::string text;
  bool terminal = false;
  int width = 80;
  bool full = false;                    ///< every write fails
  std::size_t reader_reads = SIZE_MAX;  ///< bytes until the reader goes away
  [[nodiscard]] bool is_terminal() const override { return terminal; }
  [[nodiscard]] int columns() const override { return width; }

 protected:
  Put put(std::string_view bytes, Error& error) override {
    if (full) {
      error = Error::make("standard output", "no space left", "a stream that can be written");
      return Put::failed;
    }
    text.append(bytes.substr(0, reader_reads - std::min(reader_reads, text.size())));
    return text.size() >= reader_reads ? Put::reader_gone : Put::done;
  }
};

/// Files by name. Output appears under NAME.part and moves at close(), as on disk.
class MemoryFiles final : public cli::FileSystem {
 public:
  std::map<std::string, std::string> files;
  std::uint64_t space_bytes = UINT64_MAX;  ///< left for all output together
  std::function<void()> block_read;        ///< called when a reader is done with a block

  Result<std::unique_ptr<cli::InputFile>> open(const std::string& path) override {
    const auto found = files.find(path);
    if (found == files.end()) {
      return Error::make(path, "no such file or folder", "a file that can be read");
    }
    return std::unique_ptr<cli::InputFile>(std::make_unique<Input>(*this, found->second));
  }

  Result<std::unique_ptr<cli::OutputFile>> create(const std::string& path) override {
    if (path.substr(0, 8) == "missing/") {
      return Error::make(path, "no such file or folder", "a file that can be written");
    }
    return std::unique_ptr<cli::OutputFile>(std::make_unique<Output>(*this, path));
  }

  bool exists(const std::string& path) override { return files.count(path) > 0; }

 private:
  class Input final : public cli::InputFile {
   public:
    Input(MemoryFiles& owner, std::string text) : owner_(owner), text_(std::move(text)) {}
    [[nodiscard]] std::span<const std::byte> bytes() const override {
      return std::as_bytes(std::span(text_.data(), text_.size()));
    }
    void release(std::uint64_t /*offset*/, std::uint64_t /*size_bytes*/) const override {
      if (owner_.block_read) owner_.block_read();
    }

   private:
    MemoryFiles& owner_;
    std::string text_;
  };

  class Output final : public cli::OutputFile {
   public:
    Output(MemoryFiles& owner, std::string path) : owner_(owner), path_(std::move(path)) {
      owner_.files[path_ + ".part"] = "";
    }
    ~Output() override { abandon(); }
    Status write(std::span<const std::byte> bytes) override {
      if (bytes.size() > owner_.space_bytes) {
        return Error::make(path_ + ".part", "no space left on the device",
                           "a file that can be written");
      }
      owner_.space_bytes -= bytes.size();
      size_bytes_ += bytes.size();
      owner_.files[path_ + ".part"].append(reinterpret_cast<const char*>(bytes.data()),
                                           bytes.size());
      return {};
    }
    Status flush() override {
      complete_ = size_bytes_;
      return {};
    }
    Status close() override {
      open_ = false;
      owner_.files[path_] = owner_.files[path_ + ".part"];
      owner_.files.erase(path_ + ".part");
      return {};
    }
    std::string abandon() override {
      if (!open_) return kept_;
      open_ = false;
      if (complete_ == 0) {
        owner_.files.erase(path_ + ".part");
      } else {
        kept_ = path_ + ".part";
        owner_.files[kept_].resize(complete_);
      }
      return kept_;
    }
    [[nodiscard]] std::uint64_t size_bytes() const override { return size_bytes_; }

   private:
    MemoryFiles& owner_;
    std::string path_;
    std::string kept_;
    std::uint64_t size_bytes_ = 0;
    std::uint64_t complete_ = 0;
    bool open_ = true;
  };
};

/// Everything a command line needs, and what it left behind.
struct FakeMachine {
  MemoryStream out;
  MemoryStream err;
  MemoryFiles files;
  std::atomic<bool> stop{false};
  bool no_colour = false;

  /// Runs one command line; `out` and `err` hold what it printed.
  int run(const std::vector<std::string>& args) {
    out.text.clear();
    err.text.clear();
    cli::Io io{out, err, files, stop, "0.0.0-test", no_colour};
    return cli::run_cli(args, io);
  }

  /// The same, of words separated by blanks.
  int operator()(const std::string& line) {
    std::vector<std::string> args;
    std::size_t begin = 0;
    while ((begin = line.find_first_not_of(' ', begin)) != std::string::npos) {
      const std::size_t end = std::min(line.find(' ', begin), line.size());
      args.push_back(line.substr(begin, end - begin));
      begin = end;
    }
    return run(args);
  }
};

/// A text as it would be without colour.
inline std::string without_escapes(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b') {
      i = std::min(text.find('m', i), text.size());
    } else {
      out += text[i];
    }
  }
  return out;
}

/// Lines of a text, without their ends.
inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

}  // namespace tandem::test
