// ActivityBook: which launch is of which operation, and when all of it was executed.
//
// The host thread says what it is about to launch; launched() gives that the correlation which
// executed() names later. A launch is complete when as many activities (kernels, copies) have been
// reported as it has. Knows nothing of who reports.
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

/// open() to end_step() and launched() belong to one host thread; the rest may come from another.
class ActivityBook {
 public:
  /// Every launch until close() is of this operation, whatever it launches: an activity each.
  void open(std::int64_t step, const LaunchPart& part);
  /// The next launch is a graph: a chain of activities, those of parts[0] first.
  void open_graph(std::int64_t step, std::vector<LaunchPart> parts);
  void close();
  /// Nothing more will be launched for steps up to `step`.
  void end_step(std::int64_t step) { ended_ = step; }
  /// A launch, under the number that its activities are reported with. Of no operation where
  /// nothing is open.
  void launched(std::uint32_t correlation);

  void executed(std::uint32_t correlation, Nanos start_ns, Nanos end_ns);
  /// So many reports were lost.
  void dropped(std::size_t records);
  /// No more reports will come of what was launched so far: what is missing is lost.
  void give_up();

  /// All activities of all launches of `step` have been reported, or given up.
  [[nodiscard]] bool is_complete(std::int64_t step) const;
  /// Moves the spans of a step out, by segment and operation; each from its first activity to the
  /// end of its last.
  [[nodiscard]] std::vector<Span> take(std::int64_t step);
  [[nodiscard]] std::int64_t lost() const;

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
};

}  // namespace tandem::cuda
