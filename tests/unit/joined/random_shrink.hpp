// The least random case that still fails: what a person reads first.
#pragma once

#include <functional>

#include "tests/unit/joined/random_scenario.hpp"

namespace tandem::test {

/// Drops requests as long as something is still wrong; ids stay the index, as in a file. `drawn`
/// itself is wrong.
[[nodiscard]] RandomCase shrunk(RandomCase drawn,
                                const std::function<bool(const RandomCase&)>& is_wrong);

}  // namespace tandem::test
