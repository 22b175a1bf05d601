// How long a forward lasts by its rows: a straight line, or the shape of a kind of model.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "traces/base/ids.hpp"

namespace tandem {

/// A forward over `rows` rows lasts `ns`; between two points straight lines, behind the last one
/// the line through the last two, in front of the first its value.
struct CostPoint {
  std::int32_t rows = 0;
  Nanos ns = 0;

  bool operator==(const CostPoint&) const = default;
};

/// `points` are in rising order of rows, two or more. Whole nanoseconds, rounded down.
[[nodiscard]] Nanos cost_at(const std::vector<CostPoint>& points, std::int32_t rows);

struct ForwardShape {
  std::vector<CostPoint> target;
  std::vector<CostPoint> draft;  ///< one sub-step of the MTP head

  bool operator==(const ForwardShape&) const = default;
};

/// The shape of that name (scenarios/SCHEMA.md, `timing.model`); nullopt where there is none.
[[nodiscard]] std::optional<ForwardShape> forward_shape(std::string_view name);

}  // namespace tandem
