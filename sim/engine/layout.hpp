// Layout: the lanes, events and contended resources that all task graphs of one run share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "traces/base/ids.hpp"
#include "traces/base/result.hpp"

namespace tandem::sim {

using LaneId = std::uint16_t;
using ResourceId = std::uint16_t;
using EventId = std::uint32_t;
using TaskId = std::uint32_t;  ///< index of a task in its graph: the order in which it was added

constexpr ResourceId kNoResource = 0xFFFF;
constexpr EventId kNoEvent = 0xFFFF'FFFF;
constexpr std::size_t kLanesMax = 4096;
constexpr std::size_t kResourcesMax = 4096;
constexpr int kStepsKeptMax = 15;
constexpr std::int32_t kCapacityMax = 1 << 16;

/// The time of an event that its step does not record: earlier than every time of a run.
constexpr Nanos kNever = INT64_MIN;

/// Numbers for names. Grows only; a graph built with a layout stays valid while the layout grows.
///
/// A lane runs its tasks one at a time, in the order in which they were added (a host thread, a
/// stream; architecture 2). An event is recorded by at most one task a step. A resource has
/// `capacity` units (copy engines, host cores); a task that names it holds one while it runs.
class Layout {
 public:
  /// Errors: more than kLanesMax.
  [[nodiscard]] Result<LaneId> add_lane(std::string name);
  /// steps_kept: how many steps back waits may reach, 0..kStepsKeptMax (architecture 4.1 uses 1).
  [[nodiscard]] Result<EventId> add_event(std::string name, int steps_kept = 0);
  /// capacity: units, 1..kCapacityMax. Errors: another capacity, more than kResourcesMax.
  [[nodiscard]] Result<ResourceId> add_resource(std::string name, std::int32_t capacity);

  [[nodiscard]] std::size_t lane_count() const { return lanes_.size(); }
  [[nodiscard]] std::size_t event_count() const { return events_.size(); }
  [[nodiscard]] std::size_t resource_count() const { return resources_.size(); }
  [[nodiscard]] const std::string& lane_name(LaneId lane) const { return lanes_[lane]; }
  [[nodiscard]] const std::string& event_name(EventId event) const { return events_[event].name; }
  [[nodiscard]] const std::string& resource_name(ResourceId r) const { return resources_[r].name; }
  [[nodiscard]] std::int32_t capacity(ResourceId r) const { return resources_[r].capacity; }
  [[nodiscard]] int steps_kept(EventId event) const { return events_[event].steps_kept; }
  [[nodiscard]] int steps_kept_max() const { return steps_kept_max_; }

  // -- where re-timing keeps the times of events --------------------------------------------------
  // Slot 0 is read by tasks that wait for nothing and never written; slot 1 is written by tasks
  // that record nothing and never read. An event has 1 + steps_kept slots in a row, newest first.

  static constexpr std::uint32_t kNeverSlot = 0;
  static constexpr std::uint32_t kUnreadSlot = 1;
  [[nodiscard]] std::uint32_t slot(EventId event) const { return events_[event].slot; }
  [[nodiscard]] std::uint32_t slot_count() const { return slot_count_; }
  /// Events with steps_kept > 0, in the order of their numbers.
  [[nodiscard]] const std::vector<EventId>& kept_events() const { return kept_events_; }

 private:
  struct Event {
    std::string name;
    int steps_kept = 0;
    std::uint32_t slot = 0;
  };
  struct Resource {
    std::string name;
    std::int32_t capacity = 1;
  };
  std::vector<std::string> lanes_;
  std::vector<Event> events_;
  std::vector<Resource> resources_;
  std::vector<EventId> kept_events_;
  std::uint32_t slot_count_ = 2;
  int steps_kept_max_ = 0;
};

}  // namespace tandem::sim
