// How often this program has allocated memory.
#pragma once

#include <cstdint>

namespace tandem::test {

[[nodiscard]] std::int64_t allocations();

}  // namespace tandem::test
