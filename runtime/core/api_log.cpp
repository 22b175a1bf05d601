// Compares two logs of operations, lane by lane.
#include "runtime/core/api_log.hpp"

namespace tandem {
namespace {

using Ops = std::vector<plan::OpKind>;

std::int32_t number(const Ops& ops, std::size_t i) {
  return i < ops.size() ? static_cast<std::int32_t>(ops[i]) : -1;
}

void compare_lane(std::int32_t lane, const Ops& expected, const Ops& found,
                  std::vector<PlanDeviation>& out) {
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < expected.size() || j < found.size()) {
    const std::int32_t want = number(expected, i);
    const std::int32_t got = number(found, j);
    if (want == got) {
      ++i;
      ++j;
      continue;
    }
    const auto position = static_cast<std::int32_t>(j);
    if (want >= 0 && (got < 0 || number(expected, i + 1) == got)) {
      out.push_back({lane, position, want, -1});
      ++i;
    } else if (got >= 0 && (want < 0 || number(found, j + 1) == want)) {
      out.push_back({lane, position, -1, got});
      ++j;
    } else {
      out.push_back({lane, position, want, got});
      ++i;
      ++j;
    }
  }
}

}  // namespace

void ApiLog::append(const ApiLog& other) {
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) {
    lanes_[lane].insert(lanes_[lane].end(), other.lanes_[lane].begin(), other.lanes_[lane].end());
  }
}

void find_deviations(const ApiLog& expected, const ApiLog& found, std::vector<PlanDeviation>& out) {
  for (int lane = 0; lane < plan::kLaneCount; ++lane) {
    const auto which = static_cast<plan::Lane>(lane);
    compare_lane(lane, expected.lane(which), found.lane(which), out);
  }
}

}  // namespace tandem
