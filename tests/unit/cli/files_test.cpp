// Real files in a scratch folder: what appears when, what stays, and each way to fail.
#include "tools/cli/files.hpp"

#include <chrono>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/cli/scratch_folder.hpp"

namespace tandem::cli {
namespace {

namespace fs = std::filesystem;
using test::read_whole;
using test::ScratchFolder;
using test::write_whole;

std::span<const std::byte> as_bytes(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

class PosixFiles : public ::testing::Test {
 protected:
  std::unique_ptr<OutputFile> create(const std::string& path) {
    Result<std::unique_ptr<OutputFile>> file = files_->create(path);
    EXPECT_TRUE(file.ok()) << (file.ok() ? "" : file.error().text);
    return file.ok() ? std::move(file).value() : nullptr;
  }
  std::string create_error(const std::string& path) {
    const Result<std::unique_ptr<OutputFile>> file = files_->create(path);
    return file.ok() ? "" : file.error().text;
  }
  std::string open_error(const std::string& path) {
    const Result<std::unique_ptr<InputFile>> file = files_->open(path);
    return file.ok() ? "" : file.error().text;
  }

  ScratchFolder folder_;
  std::unique_ptr<FileSystem> files_ = make_posix_files();
};

TEST_F(PosixFiles, OutputThenItsNameAppearsAtCloseOnly) {
  const std::string path = folder_ / "run.tbt";
  write_whole(path, "old");
  const auto file = create(path);
  ASSERT_TRUE(file->write(as_bytes("new ")).ok());
  ASSERT_TRUE(file->flush().ok());
  ASSERT_TRUE(file->write(as_bytes("bytes")).ok());
  EXPECT_EQ(read_whole(path), "old");
  EXPECT_EQ(read_whole(path + ".part"), "new bytes");
  ASSERT_TRUE(file->close().ok());
  EXPECT_EQ(read_whole(path), "new bytes");
  EXPECT_FALSE(fs::exists(path + ".part"));
  EXPECT_EQ(file->size_bytes(), 9U);
}

TEST_F(PosixFiles, AbandonedAfterACompleteBlockThenPartHoldsTheBlock) {
  const std::string path = folder_ / "run.tbt";
  const auto file = create(path);
  ASSERT_TRUE(file->write(as_bytes("block")).ok());
  ASSERT_TRUE(file->flush().ok());
  ASSERT_TRUE(file->write(as_bytes("half")).ok());
  EXPECT_EQ(file->abandon(), path + ".part");
  EXPECT_EQ(read_whole(path + ".part"), "block");
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(PosixFiles, AbandonedBeforeACompleteBlockThenNothingStays) {
  const std::string path = folder_ / "run.tbt";
  const auto file = create(path);
  ASSERT_TRUE(file->write(as_bytes("half")).ok());
  EXPECT_EQ(file->abandon(), "");
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(PosixFiles, DestroyedWithoutCloseThenAbandoned) {
  const std::string path = folder_ / "run.tbt";
  create(path).reset();
  EXPECT_TRUE(fs::is_empty(folder_.path()));
}

TEST_F(PosixFiles, LeftOverPartThenItIsOverwritten) {
  const std::string path = folder_ / "run.tbt";
  write_whole(path + ".part", "left by a killed run, longer than the new one");
  const auto file = create(path);
  ASSERT_TRUE(file->write(as_bytes("new")).ok());
  ASSERT_TRUE(file->close().ok());
  EXPECT_EQ(read_whole(path), "new");
}

TEST_F(PosixFiles, SecondWriterOfANameThenItIsRefused) {
  const std::string path = folder_ / "run.tbt";
  const auto first = create(path);
  EXPECT_NE(create_error(path).find("another run is writing"), std::string::npos);
  ASSERT_TRUE(first->write(as_bytes("first")).ok());
  ASSERT_TRUE(first->close().ok());
  EXPECT_EQ(read_whole(path), "first");
  EXPECT_EQ(create_error(path), "");
}

TEST_F(PosixFiles, FolderAsOutputThenRefused) {
  EXPECT_NE(create_error(folder_.path()).find("a folder, want"), std::string::npos);
}

TEST_F(PosixFiles, MissingParentThenRefusedWithRemedy) {
  const std::string text = create_error(folder_ / "none/run.tbt");
  EXPECT_NE(text.find("none/run.tbt.part: no such file or folder"), std::string::npos) << text;
  EXPECT_NE(text.find("make the folder"), std::string::npos) << text;
}

TEST_F(PosixFiles, FullDeviceThenTheWriteFails) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "/dev/full is absent";
  const auto file = create("/dev/full");
  const Status status = file->write(as_bytes("x"));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().text,
            "/dev/full: no space left on the device, want a file that can be written; free some or "
            "write elsewhere");
}

TEST_F(PosixFiles, DeviceAsOutputThenItIsNotReplaced) {
  const auto file = create("/dev/null");
  ASSERT_TRUE(file->write(as_bytes("x")).ok());
  ASSERT_TRUE(file->close().ok());
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(PosixFiles, LinkAsOutputThenItsTargetIsReplaced) {
  const std::string target = folder_ / "target.tbt";
  const std::string link = folder_ / "link.tbt";
  write_whole(target, "old");
  fs::create_symlink(target, link);
  const auto file = create(link);
  ASSERT_TRUE(file->write(as_bytes("new")).ok());
  ASSERT_TRUE(file->close().ok());
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_EQ(read_whole(target), "new");
}

TEST_F(PosixFiles, ReleasedRangesThenBytesAreStillReadable) {
  const std::string path = folder_ / "big";
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += std::to_string(i);
  write_whole(path, text);
  Result<std::unique_ptr<InputFile>> file = files_->open(path);
  ASSERT_TRUE(file.ok());
  const InputFile& input = *file.value();
  ASSERT_EQ(input.bytes().size(), text.size());
  for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{65'537},
                                     std::uint64_t{400'000}, std::uint64_t{1} << 40U}) {
    input.release(offset, 70'000);
  }
  EXPECT_EQ(std::memcmp(input.bytes().data(), text.data(), text.size()), 0);
}

TEST_F(PosixFiles, EmptyFileThenNoBytes) {
  write_whole(folder_ / "empty", "");
  Result<std::unique_ptr<InputFile>> file = files_->open(folder_ / "empty");
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE(file.value()->bytes().empty());
}

TEST_F(PosixFiles, MissingInputThenTheSentenceNamesIt) {
  EXPECT_EQ(open_error(folder_ / "none.tbt"),
            folder_ / "none.tbt" +
                ": no such file or folder, want a file that can be read; check the path");
}

TEST_F(PosixFiles, MissingInputBesideItsPartThenTheRemedyNamesThePart) {
  write_whole(folder_ / "run.tbt.part", "x");
  EXPECT_NE(open_error(folder_ / "run.tbt").find("run.tbt.part is there"), std::string::npos);
}

TEST_F(PosixFiles, FolderAsInputThenRefused) {
  EXPECT_NE(open_error(folder_.path()).find(": a folder, want"), std::string::npos);
}

TEST_F(PosixFiles, PipeAsInputThenItIsReadToItsEnd) {
  const std::string path = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  // Opened for both directions, so that neither side waits for the other.
  const int fd = ::open(path.c_str(), O_RDWR);
  ASSERT_GE(fd, 0);
  ASSERT_EQ(::write(fd, "piped", 5), 5);
  std::thread closer([fd] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    ::close(fd);
  });
  const Result<std::string> text = files_->read_text(path);
  closer.join();
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(text.value(), "piped");
}

}  // namespace
}  // namespace tandem::cli
