// Fan-out of records, and the bounded ring between a run and the judge beside it.
#include "tools/cli/sinks.hpp"

#include <algorithm>
#include <exception>
#include <string>
#include <system_error>

namespace tandem::cli {

Status FanOutSink::begin(const TraceHeader& header) {
  for (RecordSink* target : targets_) TANDEM_RETURN_IF_ERROR(target->begin(header));
  return {};
}

Status FanOutSink::segment(const plan::Segment& segment) {
  for (RecordSink* target : targets_) TANDEM_RETURN_IF_ERROR(target->segment(segment));
  return {};
}

Status FanOutSink::keyframe(const Keyframe& keyframe) {
  for (RecordSink* target : targets_) TANDEM_RETURN_IF_ERROR(target->keyframe(keyframe));
  return {};
}

Status FanOutSink::step(const StepRecord& record) {
  for (RecordSink* target : targets_) TANDEM_RETURN_IF_ERROR(target->step(record));
  slot_steps_ += record.real_bsz;
  return {};
}

Status FanOutSink::unadmitted(const RequestRow& row) {
  for (RecordSink* target : targets_) TANDEM_RETURN_IF_ERROR(target->unadmitted(row));
  return {};
}

Status FanOutSink::end(const Keyframe& last) {
  for (RecordSink* target : targets_) TANDEM_RETURN_IF_ERROR(target->end(last));
  return {};
}

ParallelSink::ParallelSink(RecordSink& target, std::size_t entries_max)
    : target_(target), ring_(entries_max) {
  TANDEM_CHECK(entries_max >= 1);
}

ParallelSink::~ParallelSink() { static_cast<void>(join()); }

Status ParallelSink::begin(const TraceHeader& header) {
  TANDEM_CHECK(!thread_.joinable());
  try {
    thread_ = std::thread([this] { consume(); });
  } catch (const std::system_error& error) {
    closed_ = true;
    return Error{std::string("verifying thread: cannot be started (") + error.what() +
                 "); run with --no-verify and verify the file"};
  }
  Entry* entry = reserve(Call::begin);
  if (entry == nullptr) return failure();
  entry->header = header;
  return publish();
}

Status ParallelSink::segment(const plan::Segment& segment) {
  Entry* entry = reserve(Call::segment);
  if (entry == nullptr) return failure();
  entry->segment = segment;
  return publish();
}

Status ParallelSink::keyframe(const Keyframe& keyframe) {
  Entry* entry = reserve(Call::keyframe);
  if (entry == nullptr) return failure();
  entry->keyframe = keyframe;
  return publish();
}

Status ParallelSink::step(const StepRecord& record) {
  Entry* entry = reserve(Call::step);
  if (entry == nullptr) return failure();
  entry->record = record;
  return publish();
}

Status ParallelSink::unadmitted(const RequestRow& row) {
  Entry* entry = reserve(Call::unadmitted);
  if (entry == nullptr) return failure();
  entry->row = row;
  return publish();
}

Status ParallelSink::end(const Keyframe& last) {
  Entry* entry = reserve(Call::end);
  if (entry == nullptr) return failure();
  entry->keyframe = last;
  TANDEM_RETURN_IF_ERROR(publish());
  return join();
}

Status ParallelSink::join() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closed_ = true;
  }
  not_empty_.notify_one();
  if (thread_.joinable()) thread_.join();
  return failure();
}

ParallelSink::Entry* ParallelSink::reserve(Call call) {
  std::unique_lock<std::mutex> lock(mutex_);
  not_full_.wait(lock, [this] { return failed_ || written_ - read_ < ring_.size(); });
  if (failed_ || closed_) return nullptr;
  // The reader touches published entries only, so this one is the caller's until publish().
  Entry& entry = ring_[static_cast<std::size_t>(written_ % ring_.size())];
  entry.call = call;
  return &entry;
}

Status ParallelSink::publish() {
  bool wake = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++written_;
    // A wake-up costs more than handing over a record: the reader is woken for a quarter ring at
    // once. What stays below that is fetched at the next wake-up, at the latest by join().
    wake = written_ - read_ >= std::max<std::size_t>(1, ring_.size() / 4);
  }
  if (wake) not_empty_.notify_one();
  return {};
}

Status ParallelSink::failure() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return failed_ ? Status(error_) : Status();
}

void ParallelSink::consume() {
  const std::size_t batch = std::max<std::size_t>(1, ring_.size() / 4);
  std::uint64_t next = 0;
  std::uint64_t end = 0;
  for (;;) {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      read_ = next;
      if (written_ == next) {
        not_full_.notify_one();
        not_empty_.wait(lock, [&] { return closed_ || written_ - next >= batch; });
      }
      end = std::min<std::uint64_t>(written_, next + batch);
      if (next == end) return;  // closed and empty
    }
    not_full_.notify_one();
    Status status;
    for (; next < end && status.ok(); ++next) {
      status = hand_over(ring_[static_cast<std::size_t>(next % ring_.size())]);
    }
    if (!status.ok()) {
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        failed_ = true;
        error_ = status.error();
      }
      not_full_.notify_one();
      return;
    }
  }
}

Status ParallelSink::hand_over(const Entry& entry) {
  try {
    switch (entry.call) {
      case Call::begin:
        return target_.begin(entry.header);
      case Call::segment:
        return target_.segment(entry.segment);
      case Call::keyframe:
        return target_.keyframe(entry.keyframe);
      case Call::step:
        return target_.step(entry.record);
      case Call::unadmitted:
        return target_.unadmitted(entry.row);
      case Call::end:
        return target_.end(entry.keyframe);
    }
  } catch (const std::exception& error) {  // out of memory: nothing else throws
    return Error{std::string("verifying thread: ") + error.what()};
  }
  return {};
}

}  // namespace tandem::cli
