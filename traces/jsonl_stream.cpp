// Lines of a JSONL trace become calls of a RecordSink, one after the other.
#include "traces/jsonl_stream.hpp"

#include <optional>

#include <fmt/format.h>

#include "traces/detail/json_decode.hpp"
#include "traces/detail/trace_readers.hpp"

namespace tandem {

struct JsonlStream::Parsed {
  std::optional<detail::StepDefaults> defaults;  ///< once the header was read
  StepRecord record;
  Keyframe keyframe;
};

JsonlStream::JsonlStream(RecordSink& sink) : sink_(sink), parsed_(std::make_unique<Parsed>()) {}
JsonlStream::~JsonlStream() = default;

Status JsonlStream::first(std::string_view line) {
  TraceHeader header;
  TANDEM_RETURN_IF_ERROR(detail::jsonl_first_line(line, header));
  TANDEM_RETURN_IF_ERROR(sink_.begin(header));
  parsed_->defaults.emplace(header);
  return {};
}

Status JsonlStream::step(std::string_view line) {
  if (!in_block_) return Error{"got a step before any keyframe, want a line of type \"keyframe\""};
  StepRecord& record = parsed_->record;
  TANDEM_RETURN_IF_ERROR(detail::step_line(line, *parsed_->defaults, record));
  TANDEM_RETURN_IF_ERROR(sink_.step(record));
  ++records_;
  // A count of a file that may hold anything: it wraps instead of overflowing.
  steps_ = static_cast<std::int64_t>(static_cast<std::uint64_t>(steps_) +
                                     static_cast<std::uint64_t>(record.repeat));
  return {};
}

Status JsonlStream::line(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  if (line.empty()) return {};
  if (!parsed_->defaults) return first(line);
  if (ended_) return Error{"got a line behind the one of type \"end\", want none"};
  TANDEM_TRY(const detail::JsonLine kind, detail::inspect_line(line));
  const std::int32_t slots = parsed_->defaults->slots;
  if (kind.type == "step") return step(line);
  if (kind.type == "segment") {
    plan::Segment segment;
    TANDEM_RETURN_IF_ERROR(detail::segment_line(line, segment));
    return sink_.segment(segment);
  }
  if (kind.type == "keyframe") {
    TANDEM_RETURN_IF_ERROR(detail::keyframe_line(line, slots, parsed_->keyframe));
    in_block_ = true;
    return sink_.keyframe(parsed_->keyframe);
  }
  in_block_ = in_block_ && kind.type != "unadmitted" && kind.type != "end";
  if (kind.type == "unadmitted") {
    RequestRow row;
    TANDEM_RETURN_IF_ERROR(detail::unadmitted_line(line, row));
    return sink_.unadmitted(row);
  }
  if (kind.type == "end") {
    TANDEM_RETURN_IF_ERROR(detail::end_line(line, slots, parsed_->keyframe));
    ended_ = true;
    return sink_.end(parsed_->keyframe);
  }
  return Error::make("/type", fmt::format("got \"{}\"", kind.type),
                     "segment, keyframe, step, unadmitted or end");
}

Status JsonlStream::finish() const {
  if (!parsed_->defaults) return Error{"got no line, want a trace that starts with its header"};
  if (ended_) return {};
  return Error{"got the end of the file, want a line of type \"end\"; the trace was not closed"};
}

Status JsonlStream::keep() {
  if (!parsed_->defaults || ended_) return {};
  // A keyframe ends the block before it, and without steps behind it leaves nothing.
  return sink_.keyframe(Keyframe::initial(0, parsed_->defaults->slots));
}

}  // namespace tandem
