// Sleeping and ringing, hidden from ThreadSanitizer.
#include "runtime/host/doorbell.hpp"

#if defined(__SANITIZE_THREAD__)
#define TANDEM_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TANDEM_THREAD_SANITIZER 1
#endif
#endif

#ifdef TANDEM_THREAD_SANITIZER
// Of the sanitizer's runtime library, which has no header for it.
extern "C" {
void AnnotateIgnoreSyncBegin(const char* file, int line);  // NOLINT(readability-identifier-naming)
void AnnotateIgnoreSyncEnd(const char* file, int line);    // NOLINT(readability-identifier-naming)
}
#endif

namespace tandem {
namespace {

#ifdef TANDEM_THREAD_SANITIZER
void begin_ignoring() { AnnotateIgnoreSyncBegin(__FILE__, __LINE__); }
void end_ignoring() { AnnotateIgnoreSyncEnd(__FILE__, __LINE__); }
#else
void begin_ignoring() {}
void end_ignoring() {}
#endif

/// While it lives, nothing that the thread locks counts as order.
class IgnoredSync {
 public:
  IgnoredSync() { begin_ignoring(); }
  ~IgnoredSync() { end_ignoring(); }
  IgnoredSync(const IgnoredSync&) = delete;
  IgnoredSync& operator=(const IgnoredSync&) = delete;
};

}  // namespace

void Doorbell::ring() {
  const IgnoredSync ignored;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    rung_.store(true, std::memory_order_relaxed);
  }
  rung_again_.notify_one();
}

void Doorbell::sleep() {
  const IgnoredSync ignored;
  std::unique_lock<std::mutex> lock(mutex_);
  rung_again_.wait(lock, [this] { return rung_.load(std::memory_order_relaxed); });
  rung_.store(false, std::memory_order_relaxed);
}

}  // namespace tandem
