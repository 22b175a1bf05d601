// Gives out the numbers of lanes, events and resources, and refuses those that cannot be.
#include "sim/engine/layout.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace tandem::sim {
namespace {

Error too_many(const std::string& kind, const std::string& name, std::size_t most) {
  return Error::make(fmt::format("{} '{}'", kind, name), fmt::format("number {}", most + 1),
                     fmt::format("at most {}", most));
}

}  // namespace

Result<LaneId> Layout::add_lane(std::string name) {
  if (lanes_.size() == kLanesMax) return too_many("lane", name, kLanesMax);
  lanes_.push_back(std::move(name));
  return static_cast<LaneId>(lanes_.size() - 1);
}

Result<EventId> Layout::add_event(std::string name, int steps_kept) {
  if (steps_kept < 0 || steps_kept > kStepsKeptMax) {
    return Error::make(fmt::format("event '{}'", name), fmt::format("{} steps kept", steps_kept),
                       fmt::format("0 to {}", kStepsKeptMax));
  }
  const auto slots = static_cast<std::uint32_t>(steps_kept) + 1;
  const std::size_t most = (kNoEvent - 2) / (static_cast<std::size_t>(kStepsKeptMax) + 1);
  if (events_.size() == most) return too_many("event", name, most);
  const auto id = static_cast<EventId>(events_.size());
  events_.push_back({std::move(name), steps_kept, slot_count_});
  slot_count_ += slots;
  if (steps_kept > 0) kept_events_.push_back(id);
  steps_kept_max_ = std::max(steps_kept_max_, steps_kept);
  return id;
}

Result<ResourceId> Layout::add_resource(std::string name, std::int32_t capacity) {
  if (capacity < 1 || capacity > kCapacityMax) {
    return Error::make(fmt::format("resource '{}'", name), fmt::format("capacity {}", capacity),
                       fmt::format("1 to {}", kCapacityMax));
  }
  if (resources_.size() == kResourcesMax) return too_many("resource", name, kResourcesMax);
  resources_.push_back({std::move(name), capacity});
  return static_cast<ResourceId>(resources_.size() - 1);
}

}  // namespace tandem::sim
