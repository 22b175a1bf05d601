// The `.tbt` writer: blocks of columns, one frame a keyframe, then tail, index and trailer.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "traces/detail/block_zstd.hpp"
#include "traces/detail/json_emit.hpp"
#include "traces/detail/plain_codec.hpp"
#include "traces/detail/step_encoder.hpp"
#include "traces/detail/tbt_frame.hpp"
#include "traces/header_json.hpp"
#include "traces/tbt.hpp"

namespace tandem {
namespace {

using detail::Bytes;
using detail::ByteView;

/// Readers refuse what would take more memory.
Status check_size(const std::string& what, std::uint64_t size, std::uint64_t size_max,
                  const char* unit) {
  if (size <= size_max) return {};
  return Error::make("trace, " + what, fmt::format("got {} {}", size, unit),
                     fmt::format("at most {}", size_max));
}

Status check_lists(const std::string& what, std::uint64_t words) {
  return check_size(what, words, detail::kListWordsMax, "words of lists");
}

class TbtWriter : public RecordSink {
 public:
  TbtWriter(ByteSink& out, const TbtOptions& options) : out_(out), options_(options) {}

  Status begin(const TraceHeader& header) override {
    TANDEM_CHECK(encoder_ == nullptr);
    const std::string json = header_to_json(header);
    // Reading it back refuses what no reader could accept, text that is no UTF-8 among it.
    const Result<TraceHeader> read_back = header_from_json(json);
    if (!read_back.ok()) return read_back.error().within("trace header");
    TANDEM_RETURN_IF_ERROR(check_size("header", json.size(), detail::kHeaderBytesMax, "bytes"));
    encoder_ = std::make_unique<detail::StepEncoder>(header);
    frame_.clear();
    detail::put_file_head(frame_, json);
    return write_frame();
  }

  Status segment(const plan::Segment& segment) override {
    TANDEM_CHECK(encoder_ != nullptr);
    plan_ += plan_.empty() ? "[" : ",\n";
    detail::put_json(plan_, segment);
    return check_size("segments behind one keyframe", plan_.size() + 1, detail::kPlanBytesMax,
                      "bytes");
  }

  Status keyframe(const Keyframe& keyframe) override {
    TANDEM_CHECK(encoder_ != nullptr);
    TANDEM_RETURN_IF_ERROR(end_block());
    TANDEM_RETURN_IF_ERROR(check_lists("keyframe", detail::list_words(keyframe)));
    encoder_->start(keyframe);
    in_block_ = true;
    step_count_ = 0;
    return {};
  }

  Status step(const StepRecord& record) override {
    TANDEM_CHECK(in_block_);
    if (encoder_->record_count() == detail::kBlockRecordsMax) {
      return Error::make(
          fmt::format("trace, step {}", record.t),
          fmt::format("got more than {} records behind one keyframe", detail::kBlockRecordsMax),
          "a keyframe at least as often");
    }
    TANDEM_RETURN_IF_ERROR(
        check_lists(fmt::format("step {}", record.t), detail::list_words(record)));
    if (encoder_->record_count() == 0) first_step_ = record.t;
    step_count_ += static_cast<std::uint64_t>(record.repeat);
    encoder_->add(record);
    return {};
  }

  Status unadmitted(const RequestRow& row) override {
    TANDEM_CHECK(encoder_ != nullptr);
    detail::put_plain(unadmitted_, row);
    ++unadmitted_count_;
    tail_words_ += detail::words_of<RequestRow>(1) + detail::list_words(row);
    return check_size("requests never admitted", tail_words_, detail::kTailWordsMax,
                      "words of lists");
  }

  Status end(const Keyframe& last) override {
    TANDEM_CHECK(encoder_ != nullptr);
    TANDEM_RETURN_IF_ERROR(end_block());
    const std::uint64_t tail_words = tail_words_ + detail::list_words(last);
    TANDEM_RETURN_IF_ERROR(check_size("tail", tail_words, detail::kTailWordsMax, "words of lists"));
    detail::FileIndex& index = index_;
    index.tail_offset = offset_;
    raw_.clear();
    detail::put_varint(raw_, unadmitted_count_);
    detail::put_bytes(raw_, unadmitted_);
    detail::put_plain(raw_, last);
    detail::FrameHead head;
    head.magic = detail::kTailMagic;
    TANDEM_RETURN_IF_ERROR(add_frame(head));
    index.tail_size = offset_ + frame_.size() - index.tail_offset;
    TANDEM_RETURN_IF_ERROR(write_frame());

    const std::uint64_t index_offset = offset_;
    raw_.clear();
    detail::put_index_payload(raw_, index);
    head.magic = detail::kIndexMagic;
    TANDEM_RETURN_IF_ERROR(add_frame(head));
    detail::put_trailer(frame_, index_offset);
    return write_frame();
  }

 private:
  ByteSink& out_;
  TbtOptions options_;
  std::unique_ptr<detail::StepEncoder> encoder_;
  std::string plan_;  // segments that no frame holds yet: a JSON list without its end
  bool in_block_ = false;
  std::int64_t first_step_ = 0;
  std::uint64_t step_count_ = 0;
  Bytes unadmitted_;
  std::uint64_t unadmitted_count_ = 0;
  std::uint64_t tail_words_ = 0;
  detail::FileIndex index_;
  std::uint64_t offset_ = 0;  // bytes written
  Bytes raw_, compressed_, frame_;

  /// Writes the open block. A keyframe without steps leaves nothing behind.
  Status end_block() {
    if (!in_block_ || encoder_->record_count() == 0) return {};
    in_block_ = false;
    detail::FrameHead head;
    head.magic = detail::kBlockMagic;
    head.first_step = first_step_;
    head.step_count = static_cast<std::int64_t>(step_count_);
    head.record_count = encoder_->record_count();
    raw_.clear();
    encoder_->finish(raw_);
    detail::IndexEntry entry;
    entry.info.offset = offset_;
    entry.plan_size = static_cast<std::uint32_t>(plan_.empty() ? 0 : plan_.size() + 1);
    TANDEM_RETURN_IF_ERROR(add_frame(head));
    entry.flags = used_flags_;
    entry.info.size_bytes = frame_.size();
    entry.info.first_step = head.first_step;
    entry.info.step_count = head.step_count;
    entry.info.record_count = static_cast<std::int64_t>(head.record_count);
    index_.blocks.push_back(entry);
    return write_frame();
  }

  std::uint32_t used_flags_ = 0;

  /// Puts raw_ and the waiting segments into frame_, compressed where that was asked for and helps.
  Status add_frame(detail::FrameHead head) {
    if (raw_.size() > detail::kRawBytesMax) {
      return Error::make(fmt::format("trace, step {}", head.first_step),
                         fmt::format("got {} bytes behind one keyframe", raw_.size()),
                         fmt::format("at most {}", detail::kRawBytesMax),
                         "take keyframes more often");
    }
    head.raw_size = raw_.size();
    const bool compressed = options_.compression == TbtOptions::Compression::zstd &&
                            detail::compress_block(raw_, options_.zstd_level, compressed_);
    head.flags = used_flags_ = compressed ? detail::kFlagZstd : 0;
    std::string plan;
    // The index has no plan part: readers look for segments in blocks and in the tail.
    if (!plan_.empty() && head.magic != detail::kIndexMagic) plan = std::exchange(plan_, {}) + "]";
    frame_.clear();
    detail::put_frame(frame_, head, plan, compressed ? ByteView(compressed_) : ByteView(raw_));
    return {};
  }

  Status write_frame() {
    offset_ += frame_.size();
    TANDEM_RETURN_IF_ERROR(out_.write(std::as_bytes(std::span(frame_))));
    return out_.flush();
  }
};

}  // namespace

Result<std::unique_ptr<RecordSink>> make_tbt_writer(ByteSink& out, const TbtOptions& options) {
  if (options.compression == TbtOptions::Compression::zstd && !zstd_available()) {
    return Error::make("compression", "got zstd", "none",
                       "this build has no zstd: install libzstd-dev and build again");
  }
  return std::unique_ptr<RecordSink>(std::make_unique<TbtWriter>(out, options));
}

}  // namespace tandem
