// What every bookkeeping contract of this folder takes for granted, and their few constants.
//
// One header an operation: an aggregate of spans and scalars, `check_<op>` and `<op>_reference`;
// the CUDA launcher of the same contract comes beside them. Symbols (B, n, K, W, N, T, R, q, e, d,
// g, p, a, A, D, s, b) are those of section 1 of mtp-overlap-semantics.md ("the law"); member names
// are the tensor names of the op vectors. In the member comments "io" is read and written, "out"
// only written, and the rest only read; a shape in brackets is row-major, [B, W] has `draft_width`
// columns.
//
// Memory      All spans of one call lie in one memory space: host memory for the reference, device
//             memory for a launcher. No span may overlap another one unless the header says so.
// Sizes       A span may be longer than its shape says (a view [:n] of a buffer, a row buffer of
//             the largest size): what lies behind is neither read nor written.
// Cells       A cell that the contract does not mention as written keeps its value.
// Optional    spans have an initialiser `{}`: they may be left empty where the contract says so.
// Bool        is std::uint8_t: 0 is false, anything else true; written values are 0 and 1.
// Slots       0..n-1 are looked at; B is the number of slots and is given where it matters.
// Bad input   check_<op> (host memory only) names the first tensor that is too short or holds a
//             value that would lead outside a row. The reference calls it first and aborts on its
//             error: whoever takes tensors from outside the program calls it before.
// Waiting     The references run when called. Launchers will enqueue on a stream and never wait.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "traces/base/result.hpp"

namespace tandem::kernels {

constexpr std::int64_t kNoToken = -1;          ///< in a draft row: no draft here (law 1, D)
constexpr std::int32_t kPaddingSlot = -1;      ///< batch id of a row that no slot owns (law 4.7)
constexpr std::int64_t kDefaultPaddingId = 2;  ///< token id of such a row: a valid embedding
constexpr std::int64_t kSeedModulus = 9223372036854775806;  ///< MAX_SEED = 2^63 - 2 (law 5.4)

}  // namespace tandem::kernels
