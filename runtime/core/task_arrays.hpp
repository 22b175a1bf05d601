// The task arrays of insert(t): what the host stages in pinned memory for the device to copy.
#pragma once

#include <cstdint>
#include <vector>

#include "traces/record.hpp"

namespace tandem {

/// 16-bit digest of the arrays that `tasks` are staged as. The digests of a D-node's tokens are not
/// part of them: the device delivers those (6.2).
[[nodiscard]] std::int32_t task_array_digest(const std::vector<Task>& tasks);

}  // namespace tandem
