// Doorbell: lets one thread sleep until another rings, and orders nothing between the two.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>

namespace tandem {

/// Belongs to the one thread that sleeps on it; any thread may ring. A ring is kept for the next
/// sleep, several count as one. Whoever wakes up must find out by itself, through an atomic with
/// acquire, whether what it waits for has happened.
///
/// The mutex inside would tell ThreadSanitizer that everything in front of a ring comes before
/// everything behind the sleep, and so hide a missing event; the sanitizer is told to ignore it.
class Doorbell {
 public:
  void ring();

  /// Returns when `ready()`, which is asked at once and after every ring.
  template <class Ready>
  void sleep_until(Ready ready) {
    while (!ready()) sleep();
  }

 private:
  void sleep();

  std::mutex mutex_;
  std::condition_variable rung_again_;
  std::atomic<bool> rung_{false};  ///< written under the mutex; atomic, as the mutex is ignored
};

}  // namespace tandem
