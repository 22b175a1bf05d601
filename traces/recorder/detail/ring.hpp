// The ring between the thread that runs steps and the one that prints them.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <thread>

// ThreadSanitizer does not see streaming stores; without them it checks the ring's protocol.
#if defined(__SANITIZE_THREAD__)
#define TANDEM_RECORDER_STREAMS 0
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TANDEM_RECORDER_STREAMS 0
#endif
#endif
#if !defined(TANDEM_RECORDER_STREAMS) && defined(__SSE2__)
#define TANDEM_RECORDER_STREAMS 1
#include <emmintrin.h>
#endif

namespace tandem::recorder {

enum class Kind : std::uint64_t { skip, step, keyframe, end };

/// In front of each entry; one cache line, and entries are whole ones.
struct alignas(64) Entry {
  std::uint64_t bytes;     // this head included
  std::uint64_t unpacked;  // memory that an Unpacker needs
  Kind kind;
};

constexpr std::size_t whole_lines(std::size_t bytes) {
  return (bytes + sizeof(Entry) - 1) / sizeof(Entry) * sizeof(Entry);
}

/// Copies whole lines past the caches: the lines of a ring are never there, and to fetch them
/// before they are overwritten is what costs.
inline void copy_lines(std::byte* to, const std::byte* from, std::size_t bytes) {
#if TANDEM_RECORDER_STREAMS
  auto* target = reinterpret_cast<__m128i*>(to);
  const auto* source = reinterpret_cast<const __m128i*>(from);
  for (std::size_t i = 0; i < bytes / sizeof(__m128i); ++i) {
    _mm_stream_si128(target + i, _mm_load_si128(source + i));
  }
  _mm_sfence();  // before the release store that publishes them
#else
  std::memcpy(to, from, bytes);
#endif
}

/// Entries in one piece of memory: one thread puts, one takes. `put` and `taken` count bytes since
/// the start; an entry that does not fit before the end is preceded by a skip. An entry is written
/// elsewhere first, when its length is known, and moved here in one go.
class Ring {
 public:
  bool allocate(std::size_t bytes) {
    size_ = whole_lines(bytes);
    memory_.reset(new (std::nothrow) Entry[size_ / sizeof(Entry)]());
    draft_.reset(new (std::nothrow) Entry[entry_max() / sizeof(Entry)]);
    return memory_ != nullptr && draft_ != nullptr;
  }
  /// The largest entry: with a skip in front it must fit into an empty ring.
  [[nodiscard]] std::size_t entry_max() const { return whole_lines(size_ / 2); }

  /// Where the next entry is written: entry_max() bytes, its head first.
  [[nodiscard]] std::byte* draft() { return reinterpret_cast<std::byte*>(draft_.get()); }

  /// Puts `bytes` of the draft; waits while there is no room and counts that once.
  void put(std::size_t bytes, std::uint64_t unpacked, Kind kind,
           std::atomic<std::uint64_t>& stalls) {
    const std::size_t lines = whole_lines(bytes);
    std::memset(draft() + bytes, 0, lines - bytes);
    draft_[0] = Entry{lines, unpacked, kind};
    const std::uint64_t put = put_.load(std::memory_order_relaxed);
    const auto at = static_cast<std::size_t>(put % size_);
    const std::size_t skip = size_ - at < lines ? size_ - at : 0;
    if (!has_room(put + skip + lines)) {
      stalls.fetch_add(1, std::memory_order_relaxed);
      while (!has_room(put + skip + lines)) {
        std::this_thread::sleep_for(std::chrono::microseconds(20));
      }
    }
    if (skip > 0) *head(at) = Entry{skip, 0, Kind::skip};
    copy_lines(reinterpret_cast<std::byte*>(head(skip > 0 ? 0 : at)), draft(), lines);
    put_.store(put + skip + lines, std::memory_order_release);
  }

  /// The oldest entry, or null.
  [[nodiscard]] const Entry* front() {
    for (;;) {
      const std::uint64_t taken = taken_.load(std::memory_order_relaxed);
      if (taken == put_.load(std::memory_order_acquire)) return nullptr;
      const Entry* entry = head(static_cast<std::size_t>(taken % size_));
      if (entry->kind != Kind::skip) return entry;
      pop(entry);
    }
  }
  void pop(const Entry* entry) {
    taken_.store(taken_.load(std::memory_order_relaxed) + entry->bytes, std::memory_order_release);
  }

 private:
  std::unique_ptr<Entry[]> memory_;
  std::unique_ptr<Entry[]> draft_;
  std::size_t size_ = 0;
  alignas(64) std::atomic<std::uint64_t> put_{0};
  std::uint64_t seen_taken_ = 0;  // the producer's: reading taken_ each time would share its line
  alignas(64) std::atomic<std::uint64_t> taken_{0};

  Entry* head(std::size_t at) { return memory_.get() + at / sizeof(Entry); }
  bool has_room(std::uint64_t wanted) {
    if (wanted - seen_taken_ <= size_) return true;
    seen_taken_ = taken_.load(std::memory_order_acquire);
    return wanted - seen_taken_ <= size_;
  }
};

}  // namespace tandem::recorder
