// Whether a runtime can take up the state of a keyframe at all.
#pragma once

#include <string>

#include "traces/base/result.hpp"
#include "traces/keyframe.hpp"
#include "traces/run_config.hpp"

namespace tandem {

/// Sizes of every column, one row for each occupied slot, and every counter within what the
/// device's tensors hold. `place` names the keyframe.
[[nodiscard]] Status check_start(const Keyframe& keyframe, const RunConfig& config,
                                 const std::string& place);

}  // namespace tandem
