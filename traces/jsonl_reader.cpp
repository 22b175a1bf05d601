// The JSONL reader: one pass finds the blocks, steps are parsed when they are asked for.
#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "traces/detail/json_decode.hpp"
#include "traces/detail/tbt_frame.hpp"
#include "traces/detail/trace_readers.hpp"
#include "traces/header_json.hpp"

namespace tandem::detail {
namespace {

constexpr const char* kFormat = "tandem-trace";

/// Lines of a text, with the offset of each; the last may lack its line end.
class LineCursor {
 public:
  LineCursor(std::string_view text, std::uint64_t offset) : text_(text), offset_(offset) {}

  /// The next line that is not empty, without its end; nullopt behind the last.
  std::optional<std::string_view> next() {
    while (offset_ < text_.size()) {
      start_ = offset_;
      const std::size_t end = text_.find('\n', start_);
      const bool whole = end != std::string_view::npos;
      offset_ = whole ? end + 1 : text_.size();
      std::string_view line = text_.substr(start_, (whole ? end : text_.size()) - start_);
      if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
      if (!line.empty()) return line;
    }
    return std::nullopt;
  }
  [[nodiscard]] std::uint64_t start() const { return start_; }  ///< of the line given last
  [[nodiscard]] std::uint64_t end() const { return offset_; }   ///< one past its end

 private:
  std::string_view text_;
  std::size_t offset_;
  std::size_t start_ = 0;
};

std::string line_place(const std::string& name, std::uint64_t offset) {
  return fmt::format("{}, offset {}", name, offset);
}

class JsonlBlockReader : public BlockReader {
 public:
  JsonlBlockReader(const TraceHeader& header, std::string_view text, const BlockInfo& info,
                   std::string name)
      : defaults_(header),
        lines_(text.substr(0, static_cast<std::size_t>(info.offset + info.size_bytes)),
               info.offset),
        name_(std::move(name)) {}

  Status open() {
    const auto line = lines_.next();
    if (!line) return Error{"got the end of the block, want its keyframe"};
    return keyframe_line(*line, defaults_.slots, keyframe_);
  }

  const Keyframe& keyframe() const override { return keyframe_; }

  Result<bool> next(StepRecord& record) override {
    while (const auto line = lines_.next()) {
      const Result<JsonLine> kind = inspect_line(*line);
      if (!kind.ok()) return kind.error().within(place());
      if (kind.value().type != "step") continue;
      const Status status = step_line(*line, defaults_, record);
      if (!status.ok()) return status.error().within(place());
      return true;
    }
    return false;
  }

 private:
  StepDefaults defaults_;
  LineCursor lines_;
  std::string name_;
  Keyframe keyframe_;

  [[nodiscard]] std::string place() const { return line_place(name_, lines_.start()); }
};

class JsonlReader : public TraceReader {
 public:
  JsonlReader(ByteView file, std::string name)
      : text_(reinterpret_cast<const char*>(file.data()), file.size()), name_(std::move(name)) {}

  Status open() {
    LineCursor lines(text_, 0);
    const auto first = lines.next();
    TANDEM_CHECK(first.has_value());
    const Status status = jsonl_first_line(*first, header_);
    if (!status.ok()) return status.error().within(line_place(name_, lines.start()));
    scan(lines);
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
    auto reader = std::make_unique<JsonlBlockReader>(header_, text_, info, name_);
    const Status status = reader->open();
    if (!status.ok()) return status.error().within(line_place(name_, info.offset));
    return std::unique_ptr<BlockReader>(std::move(reader));
  }

 private:
  std::string_view text_;
  std::string name_;
  TraceHeader header_;
  std::vector<BlockInfo> blocks_;
  std::vector<plan::Segment> segments_;
  std::vector<RequestRow> unadmitted_;
  std::optional<Keyframe> last_;
  std::optional<TraceDamage> damage_;
  BlockInfo open_;  // the block that the scan is in
  bool in_block_ = false;

  void scan(LineCursor& lines) {
    std::uint64_t sound_end = lines.end();
    while (const auto line = lines.next()) {
      const Status status = take_line(*line, lines, sound_end);
      if (!status.ok()) {
        close_block(sound_end);
        const std::string place = line_place(name_, lines.start());
        damage_ = TraceDamage{lines.start(), status.error().within(place).text};
        return;
      }
      sound_end = lines.end();
    }
    close_block(sound_end);
    if (last_) return;
    const Error error{
        "got the end of the file, want a line of type \"end\"; the trace was not closed"};
    damage_ = TraceDamage{sound_end, error.within(line_place(name_, sound_end)).text};
  }

  Status take_line(std::string_view line, const LineCursor& lines, std::uint64_t sound_end) {
    TANDEM_TRY(const JsonLine kind, inspect_line(line));
    if (last_) return Error{"got a line behind the one of type \"end\", want none"};
    if (kind.type == "step") return take_step(kind);
    if (kind.type == "segment") return segment_line(line, segments_.emplace_back());
    if (kind.type == "keyframe") {
      close_block(sound_end);
      in_block_ = true;
      open_ = BlockInfo{};
      open_.offset = lines.start();
      return {};
    }
    if (kind.type == "unadmitted") {
      close_block(sound_end);
      return unadmitted_line(line, unadmitted_.emplace_back());
    }
    if (kind.type == "end") {
      close_block(sound_end);
      Keyframe last;
      TANDEM_RETURN_IF_ERROR(end_line(line, header_.config.max_num_seqs, last));
      last_ = std::move(last);
      return {};
    }
    return Error::make("type", fmt::format("got \"{}\"", kind.type),
                       "segment, keyframe, step, unadmitted or end");
  }

  Status take_step(const JsonLine& line) {
    if (!in_block_)
      return Error{"got a step before any keyframe, want a line of type \"keyframe\""};
    if (open_.record_count == 0) open_.first_step = line.t;
    ++open_.record_count;
    open_.step_count = static_cast<std::int64_t>(static_cast<std::uint64_t>(open_.step_count) +
                                                 static_cast<std::uint64_t>(line.repeat));
    return {};
  }

  void close_block(std::uint64_t end) {
    if (in_block_ && open_.record_count > 0) {
      open_.size_bytes = end - open_.offset;
      blocks_.push_back(open_);
    }
    in_block_ = false;
  }
};

}  // namespace

Status jsonl_first_line(std::string_view line, TraceHeader& out) {
  TANDEM_TRY(const JsonLine kind, inspect_line(line));
  if (kind.type != "header" || kind.format != kFormat) {
    return Error::make("first line",
                       fmt::format("got type \"{}\", format \"{}\"", kind.type, kind.format),
                       fmt::format("type \"header\", format \"{}\"", kFormat),
                       "`tandem import` reads other formats");
  }
  if (kind.version != kTbtVersion) {
    return Error::make("first line", fmt::format("got version {}", kind.version),
                       fmt::format("{}, which this build reads", kTbtVersion),
                       kind.version > kTbtVersion
                           ? "written by a newer build: update, or record again"
                           : "written by an older build: record again");
  }
  TANDEM_RETURN_IF_ERROR(header_line(line, out));
  return check_header(out);
}

Result<std::unique_ptr<TraceReader>> open_jsonl(ByteView file, const std::string& name) {
  auto reader = std::make_unique<JsonlReader>(file, name);
  TANDEM_RETURN_IF_ERROR(reader->open());
  return std::unique_ptr<TraceReader>(std::move(reader));
}

}  // namespace tandem::detail
