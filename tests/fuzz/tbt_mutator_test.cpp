// The mutator of `.tbt` gets behind checksums, where plain damage does not.
#include "tests/fuzz/tbt_mutator.hpp"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "tests/fuzz/seed_traces.hpp"
#include "traces/base/random.hpp"

namespace tandem::fuzz {
namespace {

constexpr std::size_t kSizeMax = 1U << 16U;
constexpr int kRounds = 400;

Bytes sample() {
  const std::string text = tbt_text(seed_traces().front(), TbtOptions::Compression::none);
  return {text.begin(), text.end()};
}

bool stops_at_a_checksum(const Bytes& file) {
  const auto reader = open_trace(std::as_bytes(std::span(file)), "m");
  std::string text = reader.ok() ? "" : reader.error().text;
  if (reader.ok() && reader.value()->damage() != nullptr) text = reader.value()->damage()->what;
  for (std::size_t i = 0; reader.ok() && i < reader.value()->blocks().size(); ++i) {
    const auto block = reader.value()->open_block(i);
    if (!block.ok()) text += block.error().text;
  }
  return text.find("got checksum") != std::string::npos;
}

ByteMutator flipping(RandomStream& draws) {
  return [&draws](Bytes& bytes, std::size_t /*size_max*/) {
    if (!bytes.empty())
      bytes[draws.below(bytes.size())] ^= static_cast<std::uint8_t>(1U << draws.below(8));
  };
}

TEST(TbtMutator, FlippedBitsGetBehindTheChecksums) {
  RandomStream draws(1, "flips");
  const ByteMutator flip = flipping(draws);
  const Bytes file = sample();
  int plain = 0;
  int mended = 0;
  std::set<Bytes> results;
  for (int i = 0; i < kRounds; ++i) {
    Bytes flipped = file;
    flip(flipped, kSizeMax);
    plain += stops_at_a_checksum(flipped) ? 1 : 0;
    const Bytes mutated = mutate_tbt(file, kSizeMax, static_cast<std::uint64_t>(i), flip);
    mended += stops_at_a_checksum(mutated) ? 1 : 0;
    results.insert(mutated);
  }
  EXPECT_GT(plain, kRounds / 2);
  EXPECT_LT(mended, kRounds / 10);
  EXPECT_GT(results.size(), std::size_t{kRounds} / 2);
}

TEST(TbtMutator, SizeStaysWithinTheLimit) {
  const Bytes file = sample();
  const ByteMutator grow = [](Bytes& bytes, std::size_t size_max) { bytes.resize(size_max, 7); };
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    EXPECT_LE(mutate_tbt(file, file.size(), seed, grow).size(), file.size());
  }
}

TEST(TbtMutator, BytesThatAreNoTraceAreMutatedAsTheyAre) {
  const ByteMutator mark = [](Bytes& bytes, std::size_t /*size_max*/) { bytes.push_back(9); };
  EXPECT_EQ(mutate_tbt({1, 2, 3}, 8, 1, mark), (Bytes{1, 2, 3, 9}));
}

}  // namespace
}  // namespace tandem::fuzz
