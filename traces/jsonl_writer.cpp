// The JSONL writer: one object a line, in the order of the calls.
#include <algorithm>
#include <utility>

#include "traces/detail/json_emit.hpp"
#include "traces/detail/tbt_frame.hpp"
#include "traces/header_json.hpp"
#include "traces/tbt.hpp"

namespace tandem {
namespace {

class JsonlWriter : public RecordSink {
 public:
  explicit JsonlWriter(ByteSink& out) : out_(out) {}

  Status begin(const TraceHeader& header) override {
    TANDEM_CHECK(defaults_ == nullptr);
    const std::string json = header_to_json(header);
    const Result<TraceHeader> read_back = header_from_json(json);
    if (!read_back.ok()) return read_back.error().within("trace header");
    defaults_ = std::make_unique<detail::StepDefaults>(header);
    line_ = R"({"type":"header","format":"tandem-trace","version":)";
    detail::put_json(line_, detail::kTbtVersion);
    line_ += ",\"header\":" + json + "}\n";
    TANDEM_RETURN_IF_ERROR(write());
    return out_.flush();
  }

  Status segment(const plan::Segment& segment) override {
    return write_member("segment", "segment", segment);
  }

  /// Held back until a step follows: a keyframe without steps opens no block.
  Status keyframe(const Keyframe& keyframe) override {
    TANDEM_RETURN_IF_ERROR(out_.flush());
    keyframe_ = R"({"type":"keyframe","keyframe":)";
    detail::put_json(keyframe_, keyframe);
    keyframe_ += "}\n";
    return {};
  }

  Status step(const StepRecord& record) override {
    line_ = std::exchange(keyframe_, {});
    line_ += R"({"type":"step")";
    detail::JsonStep fields(line_, *defaults_, false);
    visit_fields(record, fields);
    line_ += "}\n";
    return write();
  }

  Status unadmitted(const RequestRow& row) override {
    return write_member("unadmitted", "row", row);
  }

  Status end(const Keyframe& last) override {
    TANDEM_RETURN_IF_ERROR(write_member("end", "last", last));
    return out_.flush();
  }

 private:
  ByteSink& out_;
  std::unique_ptr<detail::StepDefaults> defaults_;
  std::string line_, keyframe_;

  template <class T>
  Status write_member(const char* type, const char* name, const T& value) {
    line_ = R"({"type":")";
    line_.append(type).append("\",\"").append(name).append("\":");
    detail::put_json(line_, value);
    line_ += "}\n";
    return write();
  }
  Status write() { return out_.write(std::as_bytes(std::span(line_.data(), line_.size()))); }
};

}  // namespace

std::unique_ptr<RecordSink> make_jsonl_writer(ByteSink& out) {
  return std::make_unique<JsonlWriter>(out);
}

}  // namespace tandem
