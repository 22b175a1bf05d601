// The least random case that still fails: what a person reads first.
#pragma once

#include <functional>

#include "tests/unit/joined/random_scenario.hpp"

namespace tandem::test {

/// Drops requests, takes single features from those that stay, then sets one key of the scenario
/// after the other to its plainest value, as long as something gets less. Every case that
/// `is_wrong` is asked about is legal: the parser takes its file. `drawn` itself is wrong.
[[nodiscard]] RandomCase shrunk(RandomCase drawn,
                                const std::function<bool(const RandomCase&)>& is_wrong);

}  // namespace tandem::test
