// The wrapper that gives pages back: which ranges, when, and what the stop flag does.
#include "tools/cli/watched_reader.hpp"

#include <memory>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tandem::cli {
namespace {

class OneStepBlock final : public BlockReader {
 public:
  explicit OneStepBlock(std::int64_t t) : keyframe_(Keyframe::initial(t, 1)) {}
  [[nodiscard]] const Keyframe& keyframe() const override { return keyframe_; }
  [[nodiscard]] Result<bool> next(StepRecord& record) override {
    record.t = keyframe_.t;
    return std::exchange(left_, false);
  }

 private:
  Keyframe keyframe_;
  bool left_ = true;
};

class ThreeBlocks final : public TraceReader {
 public:
  ThreeBlocks() {
    for (std::uint64_t i = 0; i < 3; ++i) {
      BlockInfo info;
      info.offset = 100 + 1000 * i;
      info.size_bytes = 900 + i;
      blocks_.push_back(info);
    }
  }
  [[nodiscard]] const TraceHeader& header() const override { return header_; }
  [[nodiscard]] const std::vector<BlockInfo>& blocks() const override { return blocks_; }
  [[nodiscard]] Result<std::unique_ptr<BlockReader>> open_block(std::size_t i) const override {
    if (i == 2) return Error{"block 2: checksum"};
    return std::unique_ptr<BlockReader>(
        std::make_unique<OneStepBlock>(static_cast<std::int64_t>(i)));
  }
  [[nodiscard]] const std::vector<plan::Segment>& segments() const override { return segments_; }
  [[nodiscard]] const std::vector<RequestRow>& unadmitted() const override { return rows_; }
  [[nodiscard]] const Keyframe* last() const override { return nullptr; }
  [[nodiscard]] const TraceDamage* damage() const override { return nullptr; }

 private:
  TraceHeader header_;
  std::vector<BlockInfo> blocks_;
  std::vector<plan::Segment> segments_;
  std::vector<RequestRow> rows_;
};

class NotingInput final : public InputFile {
 public:
  mutable std::vector<std::pair<std::uint64_t, std::uint64_t>> released;
  [[nodiscard]] std::span<const std::byte> bytes() const override { return bytes_; }
  void release(std::uint64_t offset, std::uint64_t size_bytes) const override {
    released.emplace_back(offset, size_bytes);
  }

 private:
  std::vector<std::byte> bytes_ = std::vector<std::byte>(3500);
};

/// That the range [offset, offset + size) lies in the range `released`.
bool covers(const std::pair<std::uint64_t, std::uint64_t>& released, std::uint64_t offset,
            std::uint64_t size) {
  return released.first <= offset && offset + size <= released.first + released.second;
}

TEST(WatchedReader, BlockReaderDestroyedThenItsBytesAreReleasedOnce) {
  const ThreeBlocks inner;
  const NotingInput file;
  std::vector<std::size_t> done;
  ReaderHooks hooks;
  hooks.block_done = [&done](std::size_t count) { done.push_back(count); };
  const std::unique_ptr<TraceReader> reader = watch(inner, file, std::move(hooks));
  {
    auto first = reader->open_block(0);
    ASSERT_TRUE(first.ok());
    StepRecord record;
    EXPECT_TRUE(first.value()->next(record).value());
    EXPECT_FALSE(first.value()->next(record).value());
    auto second = reader->open_block(1);
    ASSERT_TRUE(second.ok());
    EXPECT_EQ(second.value()->keyframe().t, 1);
    EXPECT_TRUE(file.released.empty());
  }
  ASSERT_EQ(file.released.size(), 2U);
  EXPECT_TRUE(covers(file.released[0], 1100, 901));  // the block opened last is destroyed first
  EXPECT_TRUE(covers(file.released[1], 100, 900));
  EXPECT_EQ(done, (std::vector<std::size_t>{1, 2}));
}

TEST(WatchedReader, BlockThatFailsThenItsErrorAndNoRelease) {
  const ThreeBlocks inner;
  const NotingInput file;
  const std::unique_ptr<TraceReader> reader = watch(inner, file, {});
  const auto block = reader->open_block(2);
  ASSERT_FALSE(block.ok());
  EXPECT_EQ(block.error().text, "block 2: checksum");
  EXPECT_TRUE(file.released.empty());
}

TEST(WatchedReader, StopFlagSetThenNoFurtherBlockOpens) {
  const ThreeBlocks inner;
  const NotingInput file;
  std::atomic<bool> stop{false};
  ReaderHooks hooks;
  hooks.stop = &stop;
  const std::unique_ptr<TraceReader> reader = watch(inner, file, std::move(hooks));
  EXPECT_TRUE(reader->open_block(0).ok());
  stop = true;
  const auto block = reader->open_block(1);
  ASSERT_FALSE(block.ok());
  EXPECT_EQ(block.error().text, kInterrupted);
}

}  // namespace
}  // namespace tandem::cli
