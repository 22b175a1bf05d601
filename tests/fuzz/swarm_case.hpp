// Swarm cases: random cases from which a random half of the features is taken away.
//
// A case that has everything hides what needs one thing to be absent, and what breaks in it is hard
// to read; leaving features out at random reaches other states, case by case.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/unit/joined/random_check.hpp"

namespace tandem::fuzz {

/// Something a case may have, and how to take it away.
struct Feature {
  const char* name;
  bool (*is_in)(const test::RandomCase& drawn);
  void (*remove)(test::RandomCase& drawn);
};
[[nodiscard]] const std::vector<Feature>& all_features();

struct SwarmCase {
  test::RandomCase drawn;        ///< as the parser reads the case's file
  std::int64_t block_steps = 0;  ///< records between keyframes; 0: what `tandem run` takes
};

/// The same for a seed everywhere. Every case is legal: the parser takes its file.
[[nodiscard]] SwarmCase swarm_case(std::uint64_t seed);

/// The file of a case, with what is wrong in its description.
[[nodiscard]] std::string failure_text(const test::RandomCase& drawn, const std::string& wrong);

/// The command line that runs a case's file.
[[nodiscard]] std::string command_of(const std::string& path, RecordLevel level);

}  // namespace tandem::fuzz
