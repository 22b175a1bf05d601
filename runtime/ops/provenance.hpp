// What the scripted model's forwards see on every device: rows of provenance, and strays of ids.
#pragma once

#include <cstdint>
#include <limits>

#include "traces/base/ids.hpp"

namespace tandem {

/// Where a row comes from instead of what it means. 16 bytes, moved by the kernels as they are.
struct ProvenanceRow {
  std::int32_t request = kNoRequest;  ///< -1: a padding row, or one that was never written
  std::int32_t position = 0;          ///< text position of the row's input token
  std::int32_t phase = 0;             ///< 0: target; j: output of sub-step j - 1
  std::int32_t sound = 0;             ///< 1: its inputs were what the script says they must be
};

/// Level `full` (V11): no request, no batch id and no text position, so that whoever reads it
/// computes something wrong.
constexpr std::int32_t kPoison = -0x5A5A5A5B;

/// A token id as a record holds it: one that has no 32-bit form becomes the nearest that has.
constexpr std::int32_t as_recorded_id(std::int64_t id) {
  constexpr std::int64_t kLeast = std::numeric_limits<std::int32_t>::min();
  constexpr std::int64_t kGreatest = std::numeric_limits<std::int32_t>::max();
  return static_cast<std::int32_t>(id < kLeast ? kLeast : id > kGreatest ? kGreatest : id);
}

}  // namespace tandem
