// The segments of a plan as text, as a Graphviz graph and as JSON.
#pragma once

#include <string>
#include <vector>

#include "runtime/core/plan_builder.hpp"
#include "traces/run_config.hpp"

namespace tandem::cli {

[[nodiscard]] std::string plan_text(const RunConfig& config,
                                    const std::vector<NamedSegment>& segments);
/// Lanes as edges, events as dashed edges; an event of the step before is labelled so.
[[nodiscard]] std::string plan_dot(const RunConfig& config,
                                   const std::vector<NamedSegment>& segments);
[[nodiscard]] std::string plan_json(const RunConfig& config,
                                    const std::vector<NamedSegment>& segments);

}  // namespace tandem::cli
