// Compression of block payloads by zstd, in builds that have it.
#pragma once

#include "traces/base/result.hpp"
#include "traces/detail/bytes.hpp"

namespace tandem::detail {

/// False where zstd is missing, fails, or does not make `raw` smaller; then `out` is unspecified.
[[nodiscard]] bool compress_block(ByteView raw, int level, Bytes& out);

/// Decompresses `stored` to exactly `raw_size` bytes. `out` grows with what really comes out, never
/// by the size alone. Errors say what is wrong, not where.
[[nodiscard]] Status decompress_block(ByteView stored, std::uint64_t raw_size, Bytes& out);

}  // namespace tandem::detail
