// What is wrong with a random case, if anything: judged live, and beside its synchronous run.
#pragma once

#include <cstdint>
#include <string>

#include "tests/unit/joined/judged_run.hpp"
#include "tests/unit/joined/random_scenario.hpp"

namespace tandem::test {

/// The first divergence of the case, its error, or where its tokens differ from those of the same
/// requests with every row sync under policy exact; "" where there is none. `block_steps` is that
/// of both runs, 0 what `tandem run` takes. `steps` (may be null) grows by the launched steps of
/// the case, those of its synchronous run not counted.
[[nodiscard]] std::string wrong_with(const RandomCase& drawn, std::int64_t block_steps,
                                     std::int64_t* steps = nullptr);

/// Block length that a seed stands for, so that keyframes fall on steps of all kinds.
[[nodiscard]] std::int64_t block_steps_of(std::uint64_t seed);

}  // namespace tandem::test
