// Worker threads of the streams, and what the host thread waits for.
#include "runtime/host/threads_executor.hpp"

#include <utility>

#include "traces/base/check.hpp"

namespace tandem {

ThreadsExecutor::ThreadsExecutor(std::uint64_t seed, Execute execute, bool copy_stream)
    : Executor(std::move(execute)) {
  streams_.push_back(std::make_unique<Stream>(seed, "threads-executor compute"));
  if (copy_stream) streams_.push_back(std::make_unique<Stream>(seed, "threads-executor copy"));
  try {
    for (const auto& stream : streams_) {
      stream->thread = std::thread([this, &stream = *stream] { work(stream); });
    }
  } catch (...) {
    join();
    throw;
  }
}

ThreadsExecutor::~ThreadsExecutor() {
  halted_.store(true, std::memory_order_relaxed);
  join();
}

void ThreadsExecutor::join() {
  for (const auto& stream : streams_) {
    if (!stream->thread.joinable()) continue;
    Entry entry;
    entry.last = true;
    push(*stream, std::move(entry));
    stream->thread.join();
  }
}

// -- host thread ----------------------------------------------------------------------------------

void ThreadsExecutor::push(Stream& stream, Entry entry) {
  stream.queue.push(std::move(entry));
  stream.entry_bell.ring();
}

void ThreadsExecutor::submit(std::size_t lane, Item item) {
  if (lane >= streams_.size()) {
    TANDEM_CHECK(item.op == nullptr);
    return;
  }
  Entry entry;
  entry.item = std::move(item);
  push(*streams_[lane], std::move(entry));
}

void ThreadsExecutor::await_record(plan::EventName name, EventSerial serial) {
  host_bell_.sleep_until([this, name, serial] { return is_done(name, serial); });
  rethrow_failure();
}

void ThreadsExecutor::await_fence() {
  ++fences_;
  for (const auto& stream : streams_) {
    Entry entry;
    entry.fence = fences_;
    push(*stream, std::move(entry));
  }
  for (const auto& stream : streams_) {
    host_bell_.sleep_until([this, &stream = *stream] {
      return stream.fence.load(std::memory_order_acquire) == fences_;
    });
  }
}

void ThreadsExecutor::await_empty() {
  await_fence();
  rethrow_failure();
}

void ThreadsExecutor::rethrow_failure() {
  for (const auto& stream : streams_) {
    if (stream->failed.load(std::memory_order_acquire)) std::rethrow_exception(stream->failure);
  }
}

void ThreadsExecutor::halt() {
  halted_.store(true, std::memory_order_relaxed);
  await_fence();
}

bool ThreadsExecutor::finished(std::int64_t step) const {
  for (const auto& stream : streams_) {
    if (stream->ended_step.load(std::memory_order_relaxed) < step) return false;
  }
  return true;
}

// -- worker threads -------------------------------------------------------------------------------

void ThreadsExecutor::work(Stream& stream) {
  for (;;) {
    Entry entry;
    stream.entry_bell.sleep_until([&stream, &entry] { return stream.queue.pop(entry); });
    if (entry.last) return;
    if (entry.fence != 0) {
      stream.fence.store(entry.fence, std::memory_order_release);
      host_bell_.ring();
    } else {
      run(stream, entry.item);
    }
  }
}

/// Behind a failure, or once the host has given up, values do not matter any more; records still
/// happen, so that nobody waits in vain.
void ThreadsExecutor::run(Stream& stream, const Item& item) {
  delay(stream);
  if (waits(item)) {
    stream.event_bell.sleep_until(
        [this, &item] { return is_done(item.op->waits.name, item.serial); });
  } else if (records(item)) {
    record(stream, item.op->records.name, item.serial);
  } else if (item.ends_step >= 0) {
    stream.ended_step.store(item.ends_step, std::memory_order_relaxed);
  } else if (!stream.failed.load(std::memory_order_relaxed) &&
             !halted_.load(std::memory_order_relaxed)) {
    try {
      compute(item);
    } catch (...) {
      stream.failure = std::current_exception();
      stream.failed.store(true, std::memory_order_release);
    }
  }
}

/// One operation in eight is late: by up to 3 yields, or by up to 1023 idle loads (about 1 us).
void ThreadsExecutor::delay(Stream& stream) {
  const std::uint64_t draw = stream.jitter.next();
  if ((draw & 7U) != 0) return;
  if ((draw & 8U) != 0) {
    for (std::uint64_t left = (draw >> 4U) & 3U; left > 0; --left) std::this_thread::yield();
  } else {
    for (std::uint64_t left = (draw >> 4U) & 1023U; left > 0; --left) {
      static_cast<void>(halted_.load(std::memory_order_relaxed));
    }
  }
}

void ThreadsExecutor::record(const Stream& stream, plan::EventName name, EventSerial serial) {
  done_[static_cast<std::size_t>(name)][serial % kRecordsKept].store(serial,
                                                                     std::memory_order_release);
  host_bell_.ring();
  for (const auto& other : streams_) {
    if (other.get() != &stream) other->event_bell.ring();
  }
}

bool ThreadsExecutor::is_done(plan::EventName name, EventSerial serial) const {
  return done_[static_cast<std::size_t>(name)][serial % kRecordsKept].load(
             std::memory_order_acquire) >= serial;
}

}  // namespace tandem
