// The threaded executor: one worker thread a stream, real concurrency, seeded jitter.
//
// For ThreadSanitizer and soak. The only order between threads is that of the model: an enqueue
// (OneWayQueue), a record and the waits bound to it (one atomic each), a drain. So an edge that the
// plan lacks is a data race in the operations themselves. Sleeping (Doorbell), the end of steps and
// everything of the recorder's order nothing.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include "runtime/host/doorbell.hpp"
#include "runtime/host/executor.hpp"
#include "runtime/host/one_way_queue.hpp"
#include "traces/base/random.hpp"

namespace tandem {

class ThreadsExecutor final : public Executor {
 public:
  /// `copy_stream` false: nothing is enqueued in the copy lane, which then has no thread. Throws
  /// std::system_error where a thread cannot be started.
  ThreadsExecutor(std::uint64_t seed, Execute execute, bool copy_stream);
  ~ThreadsExecutor() override;

  [[nodiscard]] bool finished(std::int64_t step) const override;
  void halt() override;

 protected:
  void submit(std::size_t lane, Item item) override;
  void await_record(plan::EventName name, EventSerial serial) override;
  void await_empty() override;

 private:
  struct Entry {
    Item item;
    std::uint64_t fence = 0;  ///< not 0: tell that everything in front of it is done
    bool last = false;        ///< the thread ends
  };
  struct Stream {
    Stream(std::uint64_t seed, std::string_view name) : jitter(seed, name) {}
    OneWayQueue<Entry> queue;
    Doorbell entry_bell;  ///< the thread sleeps here for an entry,
    Doorbell event_bell;  ///< and here for an event
    RandomStream jitter;
    std::atomic<std::int64_t> ended_step{-1};
    std::atomic<std::uint64_t> fence{0};
    std::exception_ptr failure;  ///< what an operation threw; those behind it do not run
    std::atomic<bool> failed{false};
    std::thread thread;
  };
  /// A record that is so many behind the latest of its name counts as executed with that one.
  static constexpr std::size_t kRecordsKept = 64;

  void push(Stream& stream, Entry entry);
  void work(Stream& stream);
  void run(Stream& stream, const Item& item);
  void delay(Stream& stream);
  void record(const Stream& stream, plan::EventName name, EventSerial serial);
  [[nodiscard]] bool is_done(plan::EventName name, EventSerial serial) const;
  void await_fence();
  void rethrow_failure();
  void join();

  std::vector<std::unique_ptr<Stream>> streams_;  ///< by lane
  std::array<std::array<std::atomic<EventSerial>, kRecordsKept>, kEventNames> done_{};
  Doorbell host_bell_;
  std::atomic<bool> halted_{false};
  std::uint64_t fences_ = 0;
};

}  // namespace tandem
