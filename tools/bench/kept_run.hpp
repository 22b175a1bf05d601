// KeptRun: what a run hands to its sink, in memory, to be handed over again.
#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "tools/bench/load.hpp"
#include "traces/sink.hpp"
#include "traces/tbt.hpp"

namespace tandem::bench {

class BytesSink final : public ByteSink {
 public:
  std::vector<std::byte> bytes;
  Status write(std::span<const std::byte> more) override {
    bytes.insert(bytes.end(), more.begin(), more.end());
    return {};
  }
  Status flush() override { return {}; }
};

class KeptRun final : public RecordSink {
 public:
  Status begin(const TraceHeader& header) override {
    header_ = header;
    return {};
  }
  Status segment(const plan::Segment& segment) override { return keep(segment); }
  Status keyframe(const Keyframe& keyframe) override { return keep(keyframe); }
  Status step(const StepRecord& record) override { return keep(record); }
  Status unadmitted(const RequestRow& row) override { return keep(row); }
  Status end(const Keyframe& last) override {
    last_ = last;
    return {};
  }

  /// Everything again, in the same order.
  void play(RecordSink& sink) const {
    check(sink.begin(header_));
    for (const Call& call : calls_) {
      check(std::visit([&sink](const auto& value) { return hand(sink, value); }, call));
    }
    check(sink.end(last_));
  }

 private:
  using Call = std::variant<plan::Segment, Keyframe, StepRecord, RequestRow>;

  template <class T>
  Status keep(const T& value) {
    calls_.emplace_back(value);
    return {};
  }
  static void check(const Status& status) {
    if (!status) fail(status.error());
  }
  static Status hand(RecordSink& sink, const plan::Segment& x) { return sink.segment(x); }
  static Status hand(RecordSink& sink, const Keyframe& x) { return sink.keyframe(x); }
  static Status hand(RecordSink& sink, const StepRecord& x) { return sink.step(x); }
  static Status hand(RecordSink& sink, const RequestRow& x) { return sink.unadmitted(x); }

  TraceHeader header_;
  std::vector<Call> calls_;
  Keyframe last_;
};

}  // namespace tandem::bench
