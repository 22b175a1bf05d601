// A trace held in memory, for tests: written to any RecordSink, read back from any TraceReader.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "traces/fields.hpp"
#include "traces/tbt.hpp"

namespace tandem::test {

/// Keeps what is written; remembers how long it was at every flush.
class MemorySink : public ByteSink {
 public:
  std::vector<std::byte> bytes;
  std::vector<std::size_t> flushed;

  Status write(std::span<const std::byte> more) override {
    bytes.insert(bytes.end(), more.begin(), more.end());
    return {};
  }
  Status flush() override {
    flushed.push_back(bytes.size());
    return {};
  }
  [[nodiscard]] std::string text() const {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
};

struct SampleBlock {
  std::vector<plan::Segment> segments;  ///< new ones, handed over before the keyframe
  Keyframe keyframe;
  std::vector<StepRecord> steps;
};

struct SampleTrace {
  TraceHeader header;
  std::vector<SampleBlock> blocks;
  std::vector<RequestRow> unadmitted;
  Keyframe last;
};

inline Status write_trace(const SampleTrace& trace, RecordSink& sink) {
  TANDEM_RETURN_IF_ERROR(sink.begin(trace.header));
  for (const SampleBlock& block : trace.blocks) {
    TANDEM_RETURN_IF_ERROR(sink.keyframe(block.keyframe));
    for (const plan::Segment& segment : block.segments) {
      TANDEM_RETURN_IF_ERROR(sink.segment(segment));
    }
    for (const StepRecord& step : block.steps) TANDEM_RETURN_IF_ERROR(sink.step(step));
  }
  for (const RequestRow& row : trace.unadmitted) TANDEM_RETURN_IF_ERROR(sink.unadmitted(row));
  return sink.end(trace.last);
}

inline Result<std::vector<std::byte>> to_tbt(const SampleTrace& trace,
                                             const TbtOptions& options = {}) {
  MemorySink out;
  TANDEM_TRY(const auto writer, make_tbt_writer(out, options));
  TANDEM_RETURN_IF_ERROR(write_trace(trace, *writer));
  return std::move(out.bytes);
}

inline Result<std::vector<std::byte>> to_jsonl(const SampleTrace& trace) {
  MemorySink out;
  TANDEM_RETURN_IF_ERROR(write_trace(trace, *make_jsonl_writer(out)));
  return std::move(out.bytes);
}

/// Reads everything; segments come with the first block. One record is reused for all steps, as
/// consumers do.
inline Result<SampleTrace> read_trace(const TraceReader& reader) {
  SampleTrace trace;
  trace.header = reader.header();
  StepRecord record;
  for (std::size_t i = 0; i < reader.blocks().size(); ++i) {
    TANDEM_TRY(const auto block, reader.open_block(i));
    SampleBlock& out = trace.blocks.emplace_back();
    out.keyframe = block->keyframe();
    while (true) {
      TANDEM_TRY(const bool more, block->next(record));
      if (!more) break;
      out.steps.push_back(record);
    }
  }
  if (!trace.blocks.empty()) trace.blocks.front().segments = reader.segments();
  trace.unadmitted = reader.unadmitted();
  if (reader.last() != nullptr) trace.last = *reader.last();
  return trace;
}

inline Result<SampleTrace> read_trace(std::span<const std::byte> bytes) {
  TANDEM_TRY(const auto reader, open_trace(bytes, "sample"));
  if (reader->damage() != nullptr) return Error{reader->damage()->what};
  return read_trace(*reader);
}

/// Notes the fields whose values differ.
class FieldDifference {
 public:
  explicit FieldDifference(const StepRecord& other) { visit_fields(other, *this); }

  template <class T>
  void operator()(Field field, const T& value) {
    auto& known = values_[static_cast<std::size_t>(field)];
    if (known == nullptr) {
      known = &value;
    } else if (!(*static_cast<const T*>(known) == value)) {
      text += field_path(field) + " ";
    }
  }
  template <class T, class Each>
  void list(Field field, const std::vector<T>& value, Each /*each*/) {
    (*this)(field, value);
  }
  std::string text;

 private:
  const void* values_[kFieldCount] = {};
};

/// "" where the traces are equal, else the first place where they are not.
inline std::string first_difference(const SampleTrace& a, const SampleTrace& b) {
  if (!(a.header == b.header)) return "header";
  if (a.blocks.size() != b.blocks.size()) return "number of blocks";
  std::vector<plan::Segment> segments_a;
  std::vector<plan::Segment> segments_b;
  for (std::size_t i = 0; i < a.blocks.size(); ++i) {
    const SampleBlock& x = a.blocks[i];
    const SampleBlock& y = b.blocks[i];
    const std::string place = "block " + std::to_string(i);
    segments_a.insert(segments_a.end(), x.segments.begin(), x.segments.end());
    segments_b.insert(segments_b.end(), y.segments.begin(), y.segments.end());
    if (!(x.keyframe == y.keyframe)) return place + ", keyframe";
    if (x.steps.size() != y.steps.size()) return place + ", number of steps";
    for (std::size_t k = 0; k < x.steps.size(); ++k) {
      if (x.steps[k] == y.steps[k]) continue;
      FieldDifference difference(x.steps[k]);
      visit_fields(y.steps[k], difference);
      return place + ", step " + std::to_string(k) + ": " + difference.text;
    }
  }
  if (!(segments_a == segments_b)) return "segments";
  if (!(a.unadmitted == b.unadmitted)) return "unadmitted";
  return a.last == b.last ? "" : "last keyframe";
}

}  // namespace tandem::test
