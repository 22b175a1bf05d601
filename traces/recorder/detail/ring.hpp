// The ring between the thread that runs steps and the one that prints them.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <thread>

#include "traces/recorder/detail/copies.hpp"

namespace tandem::recorder {

enum class Kind : std::uint64_t { skip, step, keyframe, end };

/// In front of each entry; its structure follows.
struct alignas(kAlign) Entry {
  std::uint64_t bytes;  // this head included
  Kind kind;
};

/// Entries in one piece of memory: one thread puts, one takes. `put` and `taken` count bytes since
/// the start; an entry that does not fit before the end is preceded by a skip.
class Ring {
 public:
  bool allocate(std::size_t bytes) {
    size_ = aligned(bytes);
    memory_.reset(new (std::nothrow) Entry[size_ / sizeof(Entry)]());
    return memory_ != nullptr;
  }
  /// The largest entry: with a skip in front it must fit into an empty ring.
  [[nodiscard]] std::size_t entry_max() const { return size_ / 2; }

  /// Where the next entry begins, and the bytes that are free behind it, which may be too few.
  Entry* next(std::size_t& bytes) {
    const std::uint64_t put = put_.load(std::memory_order_relaxed);
    const auto at = static_cast<std::size_t>(put % size_);
    if (put - seen_taken_ > size_ / 2) seen_taken_ = taken_.load(std::memory_order_acquire);
    bytes = std::min(size_ - at, size_ - static_cast<std::size_t>(put - seen_taken_));
    skip_ = 0;
    return head(at);
  }
  /// Room for an entry; waits while there is none and counts that once.
  Entry* reserve(std::size_t bytes, std::atomic<std::uint64_t>& stalls) {
    const std::size_t at = static_cast<std::size_t>(put_.load(std::memory_order_relaxed) % size_);
    skip_ = size_ - at < bytes ? size_ - at : 0;
    if (!has_room(skip_ + bytes)) {
      stalls.fetch_add(1, std::memory_order_relaxed);
      while (!has_room(skip_ + bytes)) std::this_thread::sleep_for(std::chrono::microseconds(20));
    }
    if (skip_ > 0) *head(at) = Entry{skip_, Kind::skip};
    return head(skip_ > 0 ? 0 : at);
  }
  void publish(std::size_t bytes) {
    put_.store(put_.load(std::memory_order_relaxed) + skip_ + bytes, std::memory_order_release);
  }

  /// The oldest entry, or null.
  [[nodiscard]] Entry* front() {
    for (;;) {
      const std::uint64_t taken = taken_.load(std::memory_order_relaxed);
      if (taken == put_.load(std::memory_order_acquire)) return nullptr;
      Entry* entry = head(static_cast<std::size_t>(taken % size_));
      if (entry->kind != Kind::skip) return entry;
      pop(entry);
    }
  }
  void pop(const Entry* entry) {
    taken_.store(taken_.load(std::memory_order_relaxed) + entry->bytes, std::memory_order_release);
  }

 private:
  std::unique_ptr<Entry[]> memory_;
  std::size_t size_ = 0;
  std::size_t skip_ = 0;  // of the entry under way
  alignas(64) std::atomic<std::uint64_t> put_{0};
  std::uint64_t seen_taken_ = 0;  // the producer's: reading taken_ each time would share its line
  alignas(64) std::atomic<std::uint64_t> taken_{0};

  Entry* head(std::size_t at) { return memory_.get() + at / sizeof(Entry); }
  bool has_room(std::size_t bytes) {
    const std::uint64_t wanted = put_.load(std::memory_order_relaxed) + bytes;
    if (wanted - seen_taken_ <= size_) return true;
    seen_taken_ = taken_.load(std::memory_order_acquire);
    return wanted - seen_taken_ <= size_;
  }
};

}  // namespace tandem::recorder
