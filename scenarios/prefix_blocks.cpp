// PrefixBlocks: a set-associative table, so that forgetting needs no list through all entries.
#include "scenarios/prefix_blocks.hpp"

#include <algorithm>

namespace tandem {

bool PrefixBlocks::use(std::uint64_t prefix) {
  const auto set = entries_.begin() + static_cast<std::ptrdiff_t>(prefix % kSets * kWays);
  const auto end = set + static_cast<std::ptrdiff_t>(kWays);
  const auto found = std::find(set, end, prefix);
  const bool known = found != end;
  const auto last = known ? found : end - 1;
  *last = prefix;
  std::rotate(set, last, last + 1);
  return known;
}

std::size_t PrefixBlocks::take(std::span<const std::uint64_t> prefixes) {
  if (entries_.empty()) entries_.resize(kSets * kWays);
  std::size_t known = 0;
  bool leading = true;
  for (const std::uint64_t prefix : prefixes) {
    leading = use(prefix) && leading;
    if (leading) ++known;
  }
  return known;
}

}  // namespace tandem
