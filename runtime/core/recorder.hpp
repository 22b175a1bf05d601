// Recorder: hands finished steps and keyframes to a RecordSink, in order, once host and device are
// done.
#pragma once

#include <deque>
#include <memory>
#include <set>
#include <vector>

#include "runtime/core/device.hpp"
#include "traces/sink.hpp"

namespace tandem {

class Recorder {
 public:
  /// `sink` may be null: steps are tracked, nothing is recorded. Arguments outlive the recorder.
  Recorder(const RunConfig& config, RecordSink* sink, RecordLevel level, std::int64_t block_steps);

  static constexpr std::int64_t kDrained = INT64_MAX;  ///< an end for flush()

  [[nodiscard]] bool recording() const { return sink_ != nullptr; }

  Status begin(const TraceHeader& header);
  /// A keyframe is wanted before the next step.
  [[nodiscard]] bool keyframe_due() const { return recording() && records_in_block_ == 0; }
  /// The keyframe in front of the step that is opened next; filled by host and device before it is
  /// done.
  [[nodiscard]] Keyframe& open_keyframe();
  /// A step in progress, reset. Stays in place until it is handed over.
  [[nodiscard]] PendingStep& open_step();
  /// The host is done with the step opened last.
  void close_step();
  /// A segment that is about to be executed.
  Status announce(const plan::Segment& segment, std::uint64_t hash);
  /// Hands over every closed step before `end` that the device has finished. `end` is a step that
  /// the host has waited for token_num of, or none where it has drained the device: what the device
  /// writes into records comes before that.
  Status flush(const Device& device, std::int64_t end);
  Status unadmitted(const RequestRow& row);
  /// After a drain: the rest, then `last`.
  Status end(const Device& device, const Keyframe& last);

 private:
  struct Entry {
    PendingStep step;
    Keyframe keyframe;
    bool has_keyframe = false;
    bool closed = false;
  };

  const RunConfig& config_;
  RecordSink* sink_;
  RecordLevel level_;
  std::int64_t block_steps_;
  std::int64_t records_in_block_ = 0;
  bool keyframe_open_ = false;
  std::deque<std::unique_ptr<Entry>> entries_;
  std::vector<std::unique_ptr<Entry>> spare_;
  std::set<std::uint64_t> announced_;

  Entry& fresh_entry();
};

}  // namespace tandem
