// ActivityLog: when the operations of a run were really executed, as CUPTI tells it.
//
// Each launch is announced with the operations it is made of, and is complete when as many
// activities (kernels, copies) have been reported. Reports come in buffers of their own time, on a
// thread of CUPTI's, so a step's spans are there some steps later, or after flush().
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "traces/base/ids.hpp"
#include "traces/record.hpp"

namespace tandem::cuda {

/// An operation of a step, and how many activities of a launch are its own.
struct LaunchPart {
  std::int32_t lane = 0;
  std::int32_t segment = 0;
  std::int32_t op = 0;
  std::size_t activities = 1;
};

/// At most one in a process, on one host thread. The constructor and flush() throw CudaFailure.
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

  /// Every launch until close() is of this operation, whatever it launches.
  void open(std::int64_t step, const LaunchPart& part);
  /// The next launch is a graph: a chain of activities, those of parts[0] first.
  void open_graph(std::int64_t step, std::vector<LaunchPart> parts);
  void close();
  /// Nothing more will be launched for steps up to `step`.
  void end_step(std::int64_t step) { ended_ = step; }

  /// After the device is idle: brings whatever has not been reported.
  void flush();
  /// All activities of all launches of `step` have been reported.
  [[nodiscard]] bool is_complete(std::int64_t step) const;
  /// Moves the spans of a step out, by segment and operation; from its first activity to the end of
  /// its last.
  [[nodiscard]] std::vector<Span> take(std::int64_t step);
  /// Records that CUPTI had no room for, and launches that were never reported by flush().
  [[nodiscard]] std::int64_t lost() const;

  // -- called by CUPTI ----------------------------------------------------------------------------
  void launched(std::uint32_t correlation);
  void executed(std::uint32_t correlation, Nanos start_ns, Nanos end_ns);
  void dropped(std::size_t records);

 private:
  struct Launch {
    std::int64_t step = 0;
    std::vector<LaunchPart> parts;
    std::size_t expected = 0;
    std::vector<std::pair<Nanos, Nanos>> activities;
  };
  struct StepActivity {
    std::int64_t open_launches = 0;
    std::vector<Span> spans;
  };

  void resolve(Launch& launch);

  mutable std::mutex mutex_;
  std::map<std::uint32_t, Launch> launches_;  ///< by correlation, until all has been reported
  std::map<std::int64_t, StepActivity> steps_;
  std::int64_t lost_ = 0;
  bool is_open_ = false;  ///< the host thread alone
  bool is_graph_ = false;
  std::int64_t step_ = 0;
  std::vector<LaunchPart> parts_;
  std::int64_t ended_ = -1;
  void* subscriber_ = nullptr;
};

}  // namespace tandem::cuda
