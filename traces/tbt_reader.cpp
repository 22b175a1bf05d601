// The `.tbt` reader: by the index where the file is whole, frame by frame where its end is lost.
#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "traces/detail/json_decode.hpp"
#include "traces/detail/plain_codec.hpp"
#include "traces/detail/step_decoder.hpp"
#include "traces/detail/tbt_frame.hpp"
#include "traces/detail/trace_readers.hpp"
#include "traces/header_json.hpp"

namespace tandem::detail {
namespace {

std::string place_of(const std::string& name, std::uint64_t offset) {
  return fmt::format("{}, offset {}", name, offset);
}

Error no_zstd(const std::string& place) {
  return Error::make(place, "got a block compressed with zstd", "plain blocks",
                     "this build has no zstd: install libzstd-dev and build again, or record "
                     "without compression");
}

class TbtBlockReader : public BlockReader {
 public:
  TbtBlockReader(std::unique_ptr<StepDecoder> decoder, Bytes buffer, std::string place)
      : buffer_(std::move(buffer)), decoder_(std::move(decoder)), place_(std::move(place)) {}

  const Keyframe& keyframe() const override { return decoder_->keyframe(); }
  Result<bool> next(StepRecord& record) override {
    Result<bool> more = decoder_->next(record);
    if (!more.ok()) return more.error().within(place_);
    return more;
  }

 private:
  Bytes buffer_;  // what the decoder reads, where the block is compressed
  std::unique_ptr<StepDecoder> decoder_;
  std::string place_;
};

class TbtReader : public TraceReader {
 public:
  TbtReader(ByteView file, std::string name, BlockFetch fetch)
      : file_(file), name_(std::move(name)), fetch_(std::move(fetch)) {}

  Status open() {
    std::uint64_t end = 0;
    const Result<std::string> json = get_file_head(file_, end);
    if (!json.ok()) return json.error().within(name_);
    Result<TraceHeader> header = header_from_json(json.value());
    if (!header.ok()) return header.error().within(name_);
    header_ = std::move(header).value();
    std::uint64_t damage_offset = 0;
    const Result<FileIndex> index = get_index(file_, end, damage_offset);
    if (index.ok()) return use_index(index.value());
    TANDEM_RETURN_IF_ERROR(scan(end));
    // What the scan found comes first in the file, so it is reported first.
    if (!damage_) note_damage(damage_offset, index.error());
    return {};
  }

  const TraceHeader& header() const override { return header_; }
  const std::vector<BlockInfo>& blocks() const override { return blocks_; }
  const std::vector<plan::Segment>& segments() const override { return segments_; }
  const std::vector<RequestRow>& unadmitted() const override { return unadmitted_; }
  const Keyframe* last() const override { return last_ ? &*last_ : nullptr; }
  const TraceDamage* damage() const override { return damage_ ? &*damage_ : nullptr; }

  Result<std::unique_ptr<BlockReader>> open_block(std::size_t index) const override {
    TANDEM_CHECK(index < blocks_.size());
    const BlockInfo& info = blocks_[index];
    std::string place = place_of(name_, info.offset);
    auto reader = open_block_at(info, place);
    if (!reader.ok()) return reader.error().within(place);
    return reader;
  }

 private:
  ByteView file_;
  std::string name_;
  BlockFetch fetch_;
  TraceHeader header_;
  std::vector<BlockInfo> blocks_;
  std::vector<plan::Segment> segments_;
  std::vector<RequestRow> unadmitted_;
  std::optional<Keyframe> last_;
  std::optional<TraceDamage> damage_;

  void note_damage(std::uint64_t offset, const Error& error) {
    if (damage_) return;
    damage_ = TraceDamage{offset, error.within(place_of(name_, offset)).text};
  }

  Result<std::unique_ptr<BlockReader>> open_block_at(const BlockInfo& info,
                                                     const std::string& place) const {
    Bytes copy;
    if (fetch_) {
      copy.resize(info.size_bytes);
      TANDEM_RETURN_IF_ERROR(fetch_(info.offset, std::as_writable_bytes(std::span(copy))));
    }
    TANDEM_TRY(const Frame frame, fetch_ ? get_frame(copy, 0) : get_frame(file_, info.offset));
    const FrameHead& head = frame.head;
    const bool agrees = head.magic == kBlockMagic && head.frame_size() == info.size_bytes &&
                        head.first_step == info.first_step && head.step_count == info.step_count &&
                        head.record_count == static_cast<std::uint64_t>(info.record_count) &&
                        ((head.flags & kFlagZstd) != 0) == info.compressed;
    if (!agrees) return Error{"got a block that is not the index's, want the same sizes and steps"};
    TANDEM_RETURN_IF_ERROR(frame_plan(frame));
    Bytes buffer;
    TANDEM_TRY(const ByteView payload, frame_payload(frame, buffer));
    if (buffer.empty())
      buffer = std::move(copy);  // a stored payload is read where it was copied to
    TANDEM_TRY(auto decoder, StepDecoder::open(header_, payload, head.record_count));
    return std::unique_ptr<BlockReader>(
        std::make_unique<TbtBlockReader>(std::move(decoder), std::move(buffer), place));
  }

  Status take_plan(const Frame& frame) {
    if (frame.plan.empty()) return {};
    TANDEM_TRY(const std::string plan, frame_plan(frame));
    return json_to_segments(plan, segments_);
  }

  Status take_tail(const Frame& frame) {
    TANDEM_RETURN_IF_ERROR(take_plan(frame));
    Bytes buffer;
    TANDEM_TRY(const ByteView payload, frame_payload(frame, buffer));
    ByteCursor in(payload);
    const std::uint64_t count = in.varint();
    std::vector<RequestRow> rows;
    in.allow(kTailWordsMax);
    if (count > in.left()) in.fail();
    if (in.ok()) in.spend(words_of<RequestRow>(count));
    for (std::uint64_t i = 0; i < count && in.ok(); ++i) get_plain(in, rows.emplace_back());
    Keyframe last;
    get_plain(in, last);
    if (!in.ok() || !in.at_end())
      return Error{
          "got a tail that cannot be decoded, want its requests "
          "and the last keyframe"};
    unadmitted_ = std::move(rows);
    last_ = std::move(last);
    return {};
  }

  Status use_index(const FileIndex& index) {
    for (const IndexEntry& block : index.blocks) {
      if ((block.flags & kFlagZstd) != 0 && !zstd_available()) {
        return no_zstd(place_of(name_, block.info.offset));
      }
      blocks_.push_back(block.info);
      blocks_.back().compressed = (block.flags & kFlagZstd) != 0;
      if (block.plan_size == 0) continue;
      const Result<Frame> frame = get_frame(file_, block.info.offset);
      const Status status = frame.ok() ? take_plan(frame.value()) : Status(frame.error());
      if (!status.ok()) note_damage(block.info.offset, status.error());
    }
    const Result<Frame> tail = get_frame(file_, index.tail_offset);
    Status status = tail.ok() ? Status() : Status(tail.error());
    if (tail.ok()) {
      const FrameHead& head = tail.value().head;
      const bool agrees = head.magic == kTailMagic && head.frame_size() == index.tail_size;
      if (agrees && (head.flags & kFlagZstd) != 0 && !zstd_available()) {
        return no_zstd(place_of(name_, index.tail_offset));
      }
      status = agrees ? take_tail(tail.value())
                      : Status(Error{"got another frame, want the tail that the index names"});
    }
    if (!status.ok()) note_damage(index.tail_offset, status.error());
    return {};
  }

  /// Lists complete blocks from `offset` on, up to the tail or the first frame that is not whole.
  Status scan(std::uint64_t offset) {
    while (offset < file_.size()) {
      const Result<Frame> found = get_frame(file_, offset);
      if (!found.ok()) {
        note_damage(offset, found.error());
        return {};
      }
      const Frame& frame = found.value();
      const FrameHead& head = frame.head;
      if ((head.flags & kFlagZstd) != 0 && !zstd_available())
        return no_zstd(place_of(name_, offset));
      const bool block = head.magic == kBlockMagic;
      if (!block && head.magic != kTailMagic) {
        note_damage(offset, Error{"got a frame that is no block, want a block or the tail"});
        return {};
      }
      Status status = check_payload(frame);
      if (status.ok()) status = block ? take_plan(frame) : take_tail(frame);
      if (!status.ok()) note_damage(offset, status.error());
      if (!status.ok() || !block) return {};
      blocks_.push_back({offset, head.frame_size(), head.first_step, head.step_count,
                         static_cast<std::int64_t>(head.record_count),
                         (head.flags & kFlagZstd) != 0});
      offset += head.frame_size();
    }
    return {};
  }
};

}  // namespace

Result<std::unique_ptr<TraceReader>> open_tbt(ByteView file, const std::string& name,
                                              BlockFetch fetch) {
  auto reader = std::make_unique<TbtReader>(file, name, std::move(fetch));
  TANDEM_RETURN_IF_ERROR(reader->open());
  return std::unique_ptr<TraceReader>(std::move(reader));
}

}  // namespace tandem::detail

namespace tandem {

bool is_trace(std::string_view head) {
  const auto& magic = detail::kTbtMagic;
  if (head.size() >= magic.size() &&
      std::equal(magic.begin(), magic.end(), head.begin(),
                 [](std::uint8_t a, char b) { return a == static_cast<std::uint8_t>(b); })) {
    return true;
  }
  const std::string_view line = head.substr(0, head.find('\n'));
  return line.starts_with('{') && line.find("\"tandem-trace\"") != std::string_view::npos;
}

Result<std::unique_ptr<TraceReader>> open_trace(std::span<const std::byte> bytes,
                                                const std::string& name, BlockFetch fetch) {
  const detail::ByteView file(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (file.empty()) {
    return Error::make(name, "got an empty file", "a .tbt or JSONL trace", "record again");
  }
  const auto& magic = detail::kTbtMagic;
  const std::size_t common = std::min(file.size(), magic.size());
  if (std::equal(magic.begin(), magic.begin() + static_cast<std::ptrdiff_t>(common),
                 file.begin())) {
    return detail::open_tbt(file, name, std::move(fetch));
  }
  if (file.front() == '{') return detail::open_jsonl(file, name);
  const bool text_damage =
      file.size() >= 4 && std::equal(magic.begin(), magic.begin() + 4, file.begin());
  if (text_damage) {
    return Error::make(name, "got a .tbt whose first line end was changed", "the bytes as written",
                       "copy it again in binary mode");
  }
  return Error::make(name, fmt::format("got first byte {:#04x}", file.front()),
                     "a .tbt (0x8f) or a JSONL trace ('{')", "`tandem import` reads other formats");
}

}  // namespace tandem
