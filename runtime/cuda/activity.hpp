// ActivityLog: when the operations of a run were really executed, as CUPTI tells it.
//
// Reports come in buffers of their own time, on a thread of CUPTI's, so a step's spans are in the
// book some steps later, or after flush().
#pragma once

#include "runtime/cuda/activity_book.hpp"

namespace tandem::cuda {

/// At most one in a process. The constructor and flush() throw CudaFailure.
class ActivityLog {
 public:
  /// True where this build has CUPTI; without it the constructor throws.
  [[nodiscard]] static bool is_available();

  /// Starts. Times are those of std::chrono::steady_clock in nanoseconds: CUPTI relates the
  /// device's clock to it.
  ActivityLog();
  ActivityLog(const ActivityLog&) = delete;
  ActivityLog& operator=(const ActivityLog&) = delete;
  ~ActivityLog();

  /// After the device is idle: brings whatever has not been reported; the rest is lost.
  void flush();

  [[nodiscard]] ActivityBook& book() { return book_; }

 private:
  ActivityBook book_;
  void* subscriber_ = nullptr;
};

}  // namespace tandem::cuda
