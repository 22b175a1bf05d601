// Which leading prompt blocks an earlier request of a trace had, in bounded memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "traces/base/hash.hpp"

namespace tandem {

/// Remembers prefixes: a block counts together with all blocks in front of it, so equal ids behind
/// different ones are different prefixes. Holds 2^20 prefixes as 64-bit hashes (8 MiB) in 2^16 sets
/// of 16; where a set is full, the one of it that was used least recently is forgotten.
class PrefixBlocks {
 public:
  static constexpr std::size_t kSets = std::size_t{1} << 16U;
  static constexpr std::size_t kWays = 16;

  /// The hash of a prefix extended by one block; 0 is the empty prefix.
  [[nodiscard]] static constexpr std::uint64_t extend(std::uint64_t prefix, std::int64_t id) {
    const std::uint64_t next = hash_chain(prefix, static_cast<std::uint64_t>(id));
    return next == 0 ? 1 : next;  // 0 marks a free entry
  }

  /// `prefixes` are those of one request, the shortest first. Returns how many of them, from the
  /// first on, were known, and remembers all.
  [[nodiscard]] std::size_t take(std::span<const std::uint64_t> prefixes);

 private:
  /// True where the prefix was there; it is the most recent of its set afterwards.
  bool use(std::uint64_t prefix);

  std::vector<std::uint64_t> entries_;  ///< empty until first used; each set most recent first
};

}  // namespace tandem
