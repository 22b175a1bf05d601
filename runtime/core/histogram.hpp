// A histogram of non-negative 64-bit values in constant memory; quantiles within 1/64 of the value.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "traces/base/check.hpp"

namespace tandem {

class Histogram {
 public:
  void add(std::int64_t value) {
    TANDEM_CHECK(value >= 0);
    ++buckets_[bucket_of(static_cast<std::uint64_t>(value))];
    ++count_;
  }

  [[nodiscard]] std::uint64_t count() const { return count_; }

  /// The lower edge of the bucket that holds the value of this rank; share in millionths, 1..10^6.
  [[nodiscard]] std::int64_t quantile(std::uint64_t share_millionths) const {
    if (count_ == 0) return 0;
    const std::uint64_t rank = (count_ * share_millionths + 999'999) / 1'000'000;
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      seen += buckets_[i];
      if (seen >= rank && seen > 0) return static_cast<std::int64_t>(lower_edge(i));
    }
    return 0;
  }

 private:
  // Values below 64 have a bucket each; above, every power of two is split into 64.
  static constexpr unsigned kBits = 6;
  static std::size_t bucket_of(std::uint64_t value) {
    if (value < (1U << kBits)) return static_cast<std::size_t>(value);
    const auto exponent = static_cast<unsigned>(std::bit_width(value)) - 1 - kBits;
    return ((std::size_t{exponent} + 1) << kBits) + ((value >> exponent) & ((1U << kBits) - 1));
  }
  static std::uint64_t lower_edge(std::size_t bucket) {
    if (bucket < (1U << kBits)) return bucket;
    const std::size_t exponent = (bucket >> kBits) - 1;
    return ((std::uint64_t{1} << kBits) + (bucket & ((1U << kBits) - 1))) << exponent;
  }

  std::array<std::uint64_t, (64 - kBits + 1) << kBits> buckets_{};
  std::uint64_t count_ = 0;
};

}  // namespace tandem
