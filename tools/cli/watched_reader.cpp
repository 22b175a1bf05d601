// Blocks whose pages leave memory when they have been read.
#include "tools/cli/watched_reader.hpp"

#include <mutex>
#include <utility>
#include <vector>

#include "tools/cli/io.hpp"

namespace tandem::cli {
namespace {

class WatchedReader;

class WatchedBlock final : public BlockReader {
 public:
  WatchedBlock(std::unique_ptr<BlockReader> inner, const WatchedReader& owner, std::size_t index)
      : inner_(std::move(inner)), owner_(owner), index_(index) {}
  ~WatchedBlock() override;

  [[nodiscard]] const Keyframe& keyframe() const override { return inner_->keyframe(); }
  [[nodiscard]] Result<bool> next(StepRecord& record) override { return inner_->next(record); }

 private:
  std::unique_ptr<BlockReader> inner_;
  const WatchedReader& owner_;
  std::size_t index_;
};

class WatchedReader final : public TraceReader {
 public:
  WatchedReader(const TraceReader& inner, const InputFile& file, ReaderHooks hooks)
      : inner_(inner), file_(file), hooks_(std::move(hooks)) {}

  [[nodiscard]] const TraceHeader& header() const override { return inner_.header(); }
  [[nodiscard]] const std::vector<BlockInfo>& blocks() const override { return inner_.blocks(); }
  [[nodiscard]] Result<std::unique_ptr<BlockReader>> open_block(std::size_t index) const override {
    if (hooks_.stop != nullptr && hooks_.stop->load(std::memory_order_relaxed)) {
      return Error{kInterrupted};
    }
    TANDEM_TRY(std::unique_ptr<BlockReader> block, inner_.open_block(index));
    return std::unique_ptr<BlockReader>(
        std::make_unique<WatchedBlock>(std::move(block), *this, index));
  }
  [[nodiscard]] const std::vector<plan::Segment>& segments() const override {
    return inner_.segments();
  }
  [[nodiscard]] const std::vector<RequestRow>& unadmitted() const override {
    return inner_.unadmitted();
  }
  [[nodiscard]] const Keyframe* last() const override { return inner_.last(); }
  [[nodiscard]] const TraceDamage* damage() const override { return inner_.damage(); }

  void closed(std::size_t index) const {
    const BlockInfo& info = inner_.blocks()[index];
    file_.release(info.offset, info.size_bytes);
    const std::lock_guard<std::mutex> lock(mutex_);
    ++done_;
    if (hooks_.block_done) hooks_.block_done(done_);
  }

 private:
  const TraceReader& inner_;
  const InputFile& file_;
  ReaderHooks hooks_;
  mutable std::mutex mutex_;
  mutable std::size_t done_ = 0;
};

WatchedBlock::~WatchedBlock() {
  inner_.reset();
  owner_.closed(index_);
}

}  // namespace

std::unique_ptr<TraceReader> watch(const TraceReader& inner, const InputFile& file,
                                   ReaderHooks hooks) {
  return std::make_unique<WatchedReader>(inner, file, std::move(hooks));
}

}  // namespace tandem::cli
