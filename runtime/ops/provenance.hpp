// ProvenanceRow: a row of hidden states in the scripted model, on every device.
#pragma once

#include <cstdint>

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

}  // namespace tandem
