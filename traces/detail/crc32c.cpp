// CRC-32C by Boost.CRC, and by the processor's instruction where it has one.
#include "traces/detail/crc32c.hpp"

#include <boost/crc.hpp>

#include "traces/base/check.hpp"

#if defined(__x86_64__)
#include <cstring>

#include <nmmintrin.h>
#endif

namespace tandem::detail {

std::uint32_t crc32c_portable(ByteView bytes) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return crc.checksum();
}

#if defined(__x86_64__)

bool crc32c_has_instruction() { return __builtin_cpu_supports("sse4.2") != 0; }

__attribute__((target("sse4.2"))) std::uint32_t crc32c_by_instruction(ByteView bytes) {
  std::uint64_t crc = 0xFFFFFFFFU;
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    crc = _mm_crc32_u64(crc, word);
  }
  auto narrow = static_cast<std::uint32_t>(crc);
  for (; left > 0; --left, ++at) narrow = _mm_crc32_u8(narrow, *at);
  return ~narrow;
}

#else

bool crc32c_has_instruction() { return false; }

std::uint32_t crc32c_by_instruction(ByteView bytes) {
  TANDEM_CHECK(crc32c_has_instruction());
  return crc32c_portable(bytes);
}

#endif

std::uint32_t crc32c(ByteView bytes) {
  static const bool has_instruction = crc32c_has_instruction();
  return has_instruction ? crc32c_by_instruction(bytes) : crc32c_portable(bytes);
}

}  // namespace tandem::detail
