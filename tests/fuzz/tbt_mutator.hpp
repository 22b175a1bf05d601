// Changes a `.tbt` where it matters and mends lengths and checksums behind it.
#pragma once

#include <cstdint>
#include <functional>

#include "traces/detail/bytes.hpp"

namespace tandem::fuzz {

using detail::Bytes;

/// Changes `bytes` in place, to at most `size_max` of them: libFuzzer's own mutation, or a test's.
using ByteMutator = std::function<void(Bytes& bytes, std::size_t size_max)>;

/// One change of a trace, drawn from `seed`: of the header, a plan, a chunk of a block, a frame's
/// numbers or their order, or of any bytes. Where the outer form could be read, all lengths and
/// checksums of the result are right, now and then left wrong on purpose. At most `size_max` bytes.
[[nodiscard]] Bytes mutate_tbt(const Bytes& file, std::size_t size_max, std::uint64_t seed,
                               const ByteMutator& mutate);

}  // namespace tandem::fuzz
