// 64-bit mixing and chained digests: the one hash behind token digests, plan segments and draws.
//
// mix64 is the finaliser of SplitMix64 (a bijection on 64 bits). Nothing here is cryptographic: the
// key of a digest hides token ids from a casual reader, not from an attacker.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace tandem {

constexpr std::uint64_t kGolden64 = 0x9E3779B97F4A7C15ULL;  // 2^64 / golden ratio, odd

constexpr std::uint64_t mix64(std::uint64_t x) {
  x ^= x >> 30U;
  x *= 0xBF58476D1CE4E5B9ULL;
  x ^= x >> 27U;
  x *= 0x94D049BB133111EBULL;
  x ^= x >> 31U;
  return x;
}

/// Order-dependent: chain(chain(h, a), b) differs from chain(chain(h, b), a).
constexpr std::uint64_t hash_chain(std::uint64_t h, std::uint64_t value) {
  return mix64((h + kGolden64) ^ (value * 0xD6E8FEB86659FD93ULL));
}

constexpr std::uint64_t hash_text(std::string_view text) {
  std::uint64_t h = 0xCBF29CE484222325ULL;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return mix64(h);
}

/// Keyed digest of a token row (architecture 4.1 "Digests"); `bits` of it are kept, 1..32. The
/// digest of an empty row is 0, that of a non-empty one may be 0 too.
constexpr std::uint32_t token_row_digest(std::uint64_t key, std::span<const std::int64_t> tokens,
                                         unsigned bits) {
  if (tokens.empty()) return 0;
  std::uint64_t h = key;
  for (const std::int64_t token : tokens) h = hash_chain(h, static_cast<std::uint64_t>(token));
  return static_cast<std::uint32_t>(h >> (64U - bits));
}

}  // namespace tandem
