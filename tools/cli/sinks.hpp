// RecordSinks that join a runtime to its consumers: one to many, and one on a thread of its own.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "traces/sink.hpp"

namespace tandem::cli {

/// Hands every call to each target in turn, and counts. The first failure is returned; targets
/// behind the one that failed do not see that call.
class FanOutSink final : public RecordSink {
 public:
  /// `targets` outlive it.
  explicit FanOutSink(std::vector<RecordSink*> targets) : targets_(std::move(targets)) {}

  Status begin(const TraceHeader& header) override;
  Status segment(const plan::Segment& segment) override;
  Status keyframe(const Keyframe& keyframe) override;
  Status step(const StepRecord& record) override;
  Status unadmitted(const RequestRow& row) override;
  Status end(const Keyframe& last) override;

  [[nodiscard]] std::int64_t slot_steps() const { return slot_steps_; }

 private:
  std::vector<RecordSink*> targets_;
  std::int64_t slot_steps_ = 0;
};

/// Runs `target` on a thread of its own. Calls are copied into a ring whose entries keep their
/// memory; a full ring makes the caller wait. A failure of the target is returned by a later call,
/// end() at the latest. end() and join() return when the target has seen everything.
class ParallelSink final : public RecordSink {
 public:
  /// `target` outlives it. `entries_max` >= 1 calls are under way at most.
  ParallelSink(RecordSink& target, std::size_t entries_max);
  ~ParallelSink() override;

  Status begin(const TraceHeader& header) override;
  Status segment(const plan::Segment& segment) override;
  Status keyframe(const Keyframe& keyframe) override;
  Status step(const StepRecord& record) override;
  Status unadmitted(const RequestRow& row) override;
  Status end(const Keyframe& last) override;

  /// Ends a run that did not reach end(): the target sees what was handed over, then the thread
  /// ends.
  Status join();

 private:
  enum class Call : std::uint8_t { begin, segment, keyframe, step, unadmitted, end };

  struct Entry {
    Call call = Call::begin;
    TraceHeader header;
    plan::Segment segment;
    Keyframe keyframe;
    StepRecord record;
    RequestRow row;
  };

  /// Waits for a free entry; null when the target has failed or the thread is gone.
  Entry* reserve(Call call);
  Status publish();
  Status failure() const;
  void consume();
  Status hand_over(const Entry& entry);

  RecordSink& target_;
  std::vector<Entry> ring_;
  std::thread thread_;

  mutable std::mutex mutex_;
  std::condition_variable not_empty_;
  std::condition_variable not_full_;
  std::uint64_t written_ = 0;  ///< entries published
  std::uint64_t read_ = 0;     ///< entries the target is done with
  bool closed_ = false;        ///< nothing more will be published
  bool failed_ = false;
  Error error_;
};

}  // namespace tandem::cli
