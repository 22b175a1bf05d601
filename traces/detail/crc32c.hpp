// CRC-32C (Castagnoli), the checksum of every part of a `.tbt` file.
#pragma once

#include <cstdint>

#include "traces/detail/bytes.hpp"

namespace tandem::detail {

/// Polynomial 0x1EDC6F41, reflected, all-ones in and out: "123456789" gives 0xE3069283.
[[nodiscard]] std::uint32_t crc32c(ByteView bytes);

/// The two ways to compute it; the fast one needs SSE 4.2 and is asked for by crc32c() where the
/// processor has it.
[[nodiscard]] std::uint32_t crc32c_portable(ByteView bytes);
[[nodiscard]] bool crc32c_has_instruction();
[[nodiscard]] std::uint32_t crc32c_by_instruction(ByteView bytes);

}  // namespace tandem::detail
