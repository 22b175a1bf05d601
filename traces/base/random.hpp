// Counter-based random draws: a draw is a pure function of (seed, stream, keys), never of a
// history.
//
// Every consumer has a named stream, so that adding one changes no other. Only integers leave this
// file: no floating point takes part, so a draw is equal on every machine.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

#include "traces/base/check.hpp"
#include "traces/base/hash.hpp"

namespace tandem {

/// The draw number (a, b) of the stream `name`; uniform over 64 bits.
constexpr std::uint64_t keyed_draw(std::uint64_t seed, std::uint64_t stream, std::uint64_t a,
                                   std::uint64_t b = 0) {
  return hash_chain(hash_chain(hash_chain(mix64(seed ^ 0x7461'6E64'656DULL), stream), a), b);
}

/// A sequence of draws for one consumer.
class RandomStream {
 public:
  RandomStream(std::uint64_t seed, std::string_view name) : seed_(seed), stream_(hash_text(name)) {}

  std::uint64_t next() { return keyed_draw(seed_, stream_, counter_++); }

  /// Uniform over [0, bound), without bias. bound > 0.
  std::uint64_t below(std::uint64_t bound) {
    TANDEM_CHECK(bound > 0);
    const std::uint64_t rest = (0 - bound) % bound;  // 2^64 mod bound: this many low values repeat
    for (;;) {
      const std::uint64_t draw = next();
      if (draw >= rest) return draw % bound;
    }
  }

  /// Exponential with the given mean, rounded down. Von Neumann's method: it compares uniform draws
  /// and needs no logarithm, whose last bit differs between C libraries. mean < 2^32.
  std::uint64_t exponential(std::uint64_t mean) {
    TANDEM_CHECK(mean < (1ULL << 32U));
    std::uint64_t whole = 0;
    for (;;) {
      const std::uint64_t first = next();
      std::uint64_t last = first;
      bool run_is_odd = true;  // length of the falling run that starts at `first`
      for (;;) {
        const std::uint64_t draw = next();
        if (draw >= last) break;
        last = draw;
        run_is_odd = !run_is_odd;
      }
      if (run_is_odd) return whole * mean + (mean * (first >> 32U) >> 32U);
      ++whole;
    }
  }

  /// How many draws were made: the last value of a run is compared between repetitions.
  [[nodiscard]] std::uint64_t count() const { return counter_; }

 private:
  std::uint64_t seed_;
  std::uint64_t stream_;
  std::uint64_t counter_ = 0;
};

/// A probability as a 32-bit threshold: true for a share of `millionths` / 10^6 of all draws.
constexpr bool draw_is_below(std::uint64_t draw, std::uint32_t millionths) {
  return ((draw >> 32U) * 1'000'000ULL >> 32U) < millionths;
}

}  // namespace tandem
