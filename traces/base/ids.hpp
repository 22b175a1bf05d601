// Small shared names: identifiers, time and the columns of a record.
#pragma once

#include <cstdint>
#include <vector>

namespace tandem {

using Nanos = std::int64_t;      ///< a time or a duration, nanoseconds
using RequestId = std::int32_t;  ///< index of a request in its workload
constexpr RequestId kNoRequest = -1;

/// One value a slot; index = slot. Every column of a record has B entries.
using Column = std::vector<std::int32_t>;

constexpr std::int32_t kPreemptMark = -9;  ///< token count that tells the engine "preempted" (5.14)

}  // namespace tandem
