// POSIX files: mmap for input; for output a locked NAME.part, fsync and rename.
#include "tools/cli/files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tandem::cli {

std::string errno_text(int error_number) {
  switch (error_number) {
    case ENOENT:
      return "no such file or folder";
    case EISDIR:
      return "a folder";
    case ENOTDIR:
      return "a path through something that is no folder";
    case EACCES:
    case EPERM:
      return "permission denied";
    case EROFS:
      return "a read-only file system";
    case ENOSPC:
    case EDQUOT:
      return "no space left on the device";
    case EFBIG:
      return "the limit of a file's size reached";
    case ENAMETOOLONG:
      return "a name that is too long";
    default:
      return std::generic_category().message(error_number);
  }
}

namespace {

using StopFlag = const std::atomic<bool>*;

bool is_set(StopFlag stop) { return stop != nullptr && stop->load(std::memory_order_relaxed); }

Error cannot_read(const std::string& path, int error_number, std::string_view remedy = {}) {
  return Error::make(path, errno_text(error_number), "a file that can be read", remedy);
}

Error cannot_write(const std::string& path, int error_number, std::string_view remedy = {}) {
  return Error::make(path, errno_text(error_number), "a file that can be written", remedy);
}

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool ok() const { return fd_ >= 0; }
  void reset() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

/// A pipe without a partner makes open() wait: a signal ends that wait once `stop` is set.
int open_retrying(const std::string& path, int flags, StopFlag stop) {
  for (;;) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
    if (fd >= 0 || errno != EINTR || is_set(stop)) return fd;
  }
}

class MappedFile final : public InputFile {
 public:
  MappedFile(Descriptor fd, void* address, std::size_t size_bytes)
      : fd_(std::move(fd)), address_(address), size_bytes_(size_bytes) {}
  ~MappedFile() override { ::munmap(address_, size_bytes_); }

  [[nodiscard]] std::span<const std::byte> bytes() const override {
    return {static_cast<const std::byte*>(address_), size_bytes_};
  }

  Status fetch(std::uint64_t offset, std::span<std::byte> out) const override {
    while (!out.empty()) {
      const ssize_t got = ::pread(fd_.get(), out.data(), out.size(), static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return Error{std::string("cannot be read: ") + std::strerror(errno)};
      if (got == 0) return Error{"got the end of the file, want the length it had when opened"};
      offset += static_cast<std::uint64_t>(got);
      out = out.subspan(static_cast<std::size_t>(got));
    }
    return {};
  }

  void release(std::uint64_t offset, std::uint64_t size_bytes) const override {
    // A fault maps the whole page-cache folio, up to 2 MiB: a margin on both sides takes back what
    // faults beside the range brought in. Whoever still reads there faults once more.
    constexpr std::uint64_t kFolioMax = std::uint64_t{2} << 20U;
    const std::uint64_t from = offset / kFolioMax * kFolioMax;
    const std::uint64_t begin = from >= kFolioMax ? from - kFolioMax : 0;
    const std::uint64_t end = std::min<std::uint64_t>(offset + size_bytes + kFolioMax, size_bytes_);
    if (begin >= end) return;
    ::madvise(static_cast<std::byte*>(address_) + begin, end - begin, MADV_DONTNEED);
  }

 private:
  Descriptor fd_;
  void* address_;
  std::size_t size_bytes_;
};

/// What cannot be mapped: a pipe, a device, an empty file.
class LoadedFile final : public InputFile {
 public:
  explicit LoadedFile(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {}
  [[nodiscard]] std::span<const std::byte> bytes() const override { return bytes_; }
  void release(std::uint64_t /*offset*/, std::uint64_t /*size_bytes*/) const override {}

 private:
  std::vector<std::byte> bytes_;
};

Result<std::unique_ptr<InputFile>> load(int fd, const std::string& path, StopFlag stop) {
  constexpr std::size_t kChunk = std::size_t{1} << 20U;
  std::vector<std::byte> bytes;
  for (;;) {
    const std::size_t filled = bytes.size();
    bytes.resize(filled + kChunk);
    const ssize_t got = ::read(fd, bytes.data() + filled, kChunk);
    bytes.resize(filled + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) break;
    if (got < 0 && errno != EINTR) return cannot_read(path, errno);
    if (got < 0 && is_set(stop)) return Error{path + ": " + kInterrupted};
  }
  return std::unique_ptr<InputFile>(std::make_unique<LoadedFile>(std::move(bytes)));
}

class PosixOutput final : public OutputFile {
 public:
  /// `part` is empty where bytes go straight to a device or a pipe.
  PosixOutput(Descriptor fd, std::string path, std::string part)
      : fd_(std::move(fd)), path_(std::move(path)), part_(std::move(part)) {}
  ~PosixOutput() override { abandon(); }

  Status write(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const ssize_t done = ::write(fd_.get(), bytes.data(), bytes.size());
      if (done < 0 && errno == EINTR) continue;
      if (done < 0) {
        const int error_number = errno;
        const bool full = error_number == ENOSPC || error_number == EDQUOT;
        return cannot_write(shown(), error_number, full ? "free some or write elsewhere" : "");
      }
      written_ += static_cast<std::uint64_t>(done);
      bytes = bytes.subspan(static_cast<std::size_t>(done));
    }
    return {};
  }

  Status flush() override {
    complete_ = written_;
    return {};
  }

  Status close() override {
    if (part_.empty()) {
      fd_.reset();
      return {};
    }
    if (::fsync(fd_.get()) != 0) return cannot_write(part_, errno);
    if (::rename(part_.c_str(), path_.c_str()) != 0) return cannot_write(path_, errno);
    fd_.reset();
    sync_folder();
    return {};
  }

  std::string abandon() override {
    if (!fd_.ok()) return kept_;
    if (!part_.empty()) {
      if (complete_ > 0) {
        kept_ = part_;
        // Failing to cut leaves a partial block behind the complete ones, which readers expect
        // anyway.
        [[maybe_unused]] const int cut = ::ftruncate(fd_.get(), static_cast<off_t>(complete_));
      } else {
        ::unlink(part_.c_str());
      }
    }
    fd_.reset();
    return kept_;
  }

  [[nodiscard]] std::uint64_t size_bytes() const override { return written_; }

 private:
  [[nodiscard]] const std::string& shown() const { return part_.empty() ? path_ : part_; }

  void sync_folder() const {
    const std::size_t slash = path_.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path_.substr(0, slash + 1);
    const Descriptor descriptor(open_retrying(folder, O_RDONLY | O_DIRECTORY, nullptr));
    // Not every file system can: the file itself is durable already.
    if (descriptor.ok()) ::fsync(descriptor.get());
  }

  Descriptor fd_;
  std::string path_;
  std::string part_;
  std::string kept_;
  std::uint64_t written_ = 0;
  std::uint64_t complete_ = 0;
};

/// Opens and locks `part`. Two runs that write one name would mix their bytes; the second is
/// refused.
Result<Descriptor> open_part(const std::string& part) {
  for (;;) {
    Descriptor fd(open_retrying(part, O_WRONLY | O_CREAT, nullptr));
    if (!fd.ok()) {
      return cannot_write(part, errno, errno == ENOENT ? "make the folder first" : "");
    }
    struct stat opened {};
    struct stat named {};
    if (::fstat(fd.get(), &opened) != 0) return cannot_write(part, errno);
    if (!S_ISREG(opened.st_mode)) {
      return Error::make(part, "something that is no regular file", "a name that is free",
                         "remove it or write elsewhere");
    }
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
      return Error::make(part, "a file that another run is writing",
                         "a name of its own for each run", "wait for that run or write elsewhere");
    }
    // Between open and lock the other run may have renamed it: then this is its finished file.
    if (::stat(part.c_str(), &named) != 0 || named.st_ino != opened.st_ino ||
        named.st_dev != opened.st_dev) {
      continue;
    }
    if (::ftruncate(fd.get(), 0) != 0) return cannot_write(part, errno);
    return fd;
  }
}

class PosixFiles final : public FileSystem {
 public:
  explicit PosixFiles(StopFlag stop) : stop_(stop) {}

  Result<std::unique_ptr<InputFile>> open(const std::string& path) override {
    Descriptor fd(open_retrying(path, O_RDONLY, stop_));
    if (!fd.ok()) {
      const int error_number = errno;
      if (error_number == EINTR) return Error{path + ": " + kInterrupted};
      if (error_number == ENOENT && exists(path + ".part")) {
        return cannot_read(path, error_number,
                           path + ".part is there, left by an interrupted run: name that");
      }
      return cannot_read(path, error_number, error_number == ENOENT ? "check the path" : "");
    }
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0) return cannot_read(path, errno);
    if (S_ISDIR(info.st_mode)) return cannot_read(path, EISDIR, "name a file in it");
    if (!S_ISREG(info.st_mode) || info.st_size == 0) return load(fd.get(), path, stop_);
    const auto size_bytes = static_cast<std::size_t>(info.st_size);
    void* address = ::mmap(nullptr, size_bytes, PROT_READ, MAP_PRIVATE, fd.get(), 0);
    if (address == MAP_FAILED) return cannot_read(path, errno);
    return std::unique_ptr<InputFile>(
        std::make_unique<MappedFile>(std::move(fd), address, size_bytes));
  }

  Result<std::unique_ptr<OutputFile>> create(const std::string& path) override {
    struct stat info {};
    const bool there = ::stat(path.c_str(), &info) == 0;
    if (there && S_ISDIR(info.st_mode)) {
      return cannot_write(path, EISDIR, "name a file in it");
    }
    if (there && !S_ISREG(info.st_mode)) {  // renaming would replace the device or pipe
      Descriptor fd(open_retrying(path, O_WRONLY, stop_));
      if (!fd.ok() && errno == EINTR) return Error{path + ": " + kInterrupted};
      if (!fd.ok()) return cannot_write(path, errno);
      return std::unique_ptr<OutputFile>(
          std::make_unique<PosixOutput>(std::move(fd), path, std::string()));
    }
    const std::string target = there ? resolved(path) : path;
    const std::string part = target + ".part";
    TANDEM_TRY(Descriptor fd, open_part(part));
    return std::unique_ptr<OutputFile>(std::make_unique<PosixOutput>(std::move(fd), target, part));
  }

  bool exists(const std::string& path) override {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0;
  }

 private:
  /// A link is followed, so that the rename replaces what it points to and not the link.
  static std::string resolved(const std::string& path) {
    char* real = ::realpath(path.c_str(), nullptr);
    if (real == nullptr) return path;
    struct stat link {};
    std::string result = ::lstat(path.c_str(), &link) == 0 && S_ISLNK(link.st_mode) ? real : path;
    std::free(real);
    return result;
  }

  StopFlag stop_;
};

}  // namespace

Result<std::string> FileSystem::read_text(const std::string& path) {
  TANDEM_TRY(const std::unique_ptr<InputFile> file, open(path));
  const std::span<const std::byte> bytes = file->bytes();
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::unique_ptr<FileSystem> make_posix_files(const std::atomic<bool>* stop) {
  return std::make_unique<PosixFiles>(stop);
}

Status InputFile::fetch(std::uint64_t offset, std::span<std::byte> out) const {
  const std::span<const std::byte> all = bytes();
  if (offset > all.size() || out.size() > all.size() - offset) {
    return Error{"got the end of the file, want the length it had when opened"};
  }
  std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
  return {};
}

}  // namespace tandem::cli
