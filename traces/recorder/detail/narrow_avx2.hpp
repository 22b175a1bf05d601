// narrow() and range_of() in AVX2, for a caller that asked the processor: same bytes, same results.
//
// Every function is compiled for AVX2 whatever the rest of the file is compiled for, so that an
// engine needs no compiler option. The last values of an array that fill no register are read with
// those in front of them once more.
#pragma once

#include "traces/recorder/detail/narrow.hpp"

#if defined(__x86_64__) && defined(__GNUC__)
#define TANDEM_RECORDER_AVX2 1
#else
#define TANDEM_RECORDER_AVX2 0
#endif

#if TANDEM_RECORDER_AVX2

#include <immintrin.h>

#define TANDEM_AVX2 __attribute__((target("avx2")))
#define TANDEM_AVX2_INLINE __attribute__((target("avx2"), always_inline)) inline

namespace tandem::recorder::avx2 {

constexpr std::size_t kBytes = 32;  // of a register

TANDEM_AVX2_INLINE __m256i load(const void* from) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(from));
}

/// The bits that any 64-bit lane has.
TANDEM_AVX2_INLINE std::uint64_t bits_of(__m256i seen) {
  const __m128i half =
      _mm_or_si128(_mm256_castsi256_si128(seen), _mm256_extracti128_si256(seen, 1));
  return static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm_or_si128(half, _mm_srli_si128(half, 8))));
}

template <class T>
TANDEM_AVX2_INLINE bool all_equal(const T* values, std::size_t count) {
  constexpr std::size_t kLanes = kBytes / sizeof(T);
  if (count < kLanes) return differing(values, count) == 0;
  __m256i first;
  if constexpr (sizeof(T) == 1) {
    first = _mm256_set1_epi8(static_cast<char>(values[0]));
  } else if constexpr (sizeof(T) == 4) {
    first = _mm256_set1_epi32(values[0]);
  } else {
    first = _mm256_set1_epi64x(values[0]);
  }
  __m256i seen = _mm256_xor_si256(load(values + count - kLanes), first);
  for (std::size_t i = 0; i + kLanes <= count; i += kLanes) {
    seen = _mm256_or_si256(seen, _mm256_xor_si256(load(values + i), first));
  }
  return _mm256_testz_si256(seen, seen) != 0;
}

/// Shifted values from a place on, with the bits that they have.
template <class T>
struct Lanes {
  const T* values;
  __m256i seen;

  TANDEM_AVX2_INLINE __m256i next() {
    const __m256i one_less = _mm256_set1_epi32(-1);
    const __m256i v = load(values);
    __m256i shifted;
    if constexpr (sizeof(T) == 8) {
      shifted = _mm256_sub_epi64(v, one_less);
    } else if constexpr (sizeof(T) == 4) {
      shifted = _mm256_sub_epi32(v, one_less);
    } else {
      shifted = _mm256_sub_epi8(v, one_less);
    }
    values += kBytes / sizeof(T);
    seen = _mm256_or_si256(seen, shifted);
    return shifted;
  }
  // 8, 16, 32 values that fill a register. What does not fit shows in `seen`.
  TANDEM_AVX2_INLINE __m256i eight() {
    if constexpr (sizeof(T) == 4) return next();
    return in_order(any_eight());
  }
  TANDEM_AVX2_INLINE __m256i sixteen() {
    const __m256i low = eight();
    return in_order(_mm256_packs_epi32(low, eight()));
  }
  TANDEM_AVX2_INLINE __m256i thirty_two() {
    const __m256i low = sixteen();
    return in_order(_mm256_packus_epi16(low, sixteen()));
  }
  /// Eight of 64 bits, in another order.
  TANDEM_AVX2_INLINE __m256i any_eight() {
    const __m256 low = _mm256_castsi256_ps(next());
    const __m256 high = _mm256_castsi256_ps(next());
    return _mm256_castps_si256(_mm256_shuffle_ps(low, high, _MM_SHUFFLE(2, 0, 2, 0)));
  }
  /// Packing takes turns between its operands by halves of a register.
  TANDEM_AVX2_INLINE static __m256i in_order(__m256i packed) {
    return _mm256_permute4x64_epi64(packed, _MM_SHUFFLE(3, 1, 2, 0));
  }
};

template <class To, class T>
TANDEM_AVX2_INLINE void narrow_register(std::byte* to, Lanes<T>& lanes) {
  __m256i part;
  if constexpr (sizeof(To) == sizeof(T)) {
    part = lanes.next();
  } else if constexpr (sizeof(To) == 4) {
    part = lanes.eight();
  } else if constexpr (sizeof(To) == 2) {
    part = lanes.sixteen();
  } else {
    part = lanes.thirty_two();
  }
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), part);
}

template <class To, class T>
TANDEM_AVX2_INLINE std::uint64_t narrow_to(std::byte* to, const T* values, std::size_t count) {
  constexpr std::size_t kLanes = kBytes / sizeof(To);
  if (count < kLanes) return recorder::narrow_to<To>(to, values, count);
  Lanes<T> lanes{values, _mm256_setzero_si256()};
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) narrow_register<To>(to + i * sizeof(To), lanes);
  if (i < count) {
    lanes.values = values + count - kLanes;
    narrow_register<To>(to + (count - kLanes) * sizeof(To), lanes);
  }
  const std::uint64_t bits = bits_of(lanes.seen);
  if (sizeof(T) == 8) return bits;
  return sizeof(T) == 4 ? (bits | bits >> 32U) & 0xFFFFFFFFU : bits & 0xFFU;
}

/// As recorder::narrow(). Spelled out once more, since it can take in nothing that is not compiled
/// for AVX2 and a call an array is what counts here.
template <class T>
TANDEM_AVX2 std::size_t narrow(std::byte* to, const T* values, std::size_t count,
                               std::uint8_t& guess) {
  unsigned width = std::min<unsigned>(guess, sizeof(T));
  if (width == 0 && all_equal(values, count)) return put_equal(to, values[0]);
  unsigned wanted = std::max(width, 1U);
  do {
    width = wanted;
    std::uint64_t bits = 0;
    if (sizeof(T) == 1 || width == sizeof(T)) {
      bits = narrow_to<Unsigned<T>>(to + 1, values, count);
    } else if (width == 1) {
      bits = narrow_to<std::uint8_t>(to + 1, values, count);
    } else if (width == 2) {
      bits = narrow_to<std::uint16_t>(to + 1, values, count);
    } else {
      bits = narrow_to<std::uint32_t>(to + 1, values, count);
    }
    wanted = std::max(width, width_of(bits));
  } while (wanted != width);
  to[0] = static_cast<std::byte>(width);
  guess = static_cast<std::uint8_t>(width);
  return 1 + count * width;
}

/// As recorder::range_of().
TANDEM_AVX2 inline Range range_of(const std::int64_t* values, std::size_t count) {
  constexpr std::size_t kLanes = 8;
  if (count < kLanes) return recorder::range_of(values, count);
  Lanes<std::int64_t> lanes{values + count - kLanes, _mm256_setzero_si256()};
  __m256i least = lanes.any_eight();
  __m256i greatest = least;
  lanes.values = values;
  for (std::size_t i = 0; i + kLanes <= count; i += kLanes) {
    const __m256i ids = lanes.any_eight();
    least = _mm256_min_epu32(least, ids);
    greatest = _mm256_max_epu32(greatest, ids);
  }
  if (bits_of(lanes.seen) >= 1ULL << 32U) return recorder::range_of(values, count);
  std::uint32_t low[kLanes], high[kLanes];
  std::memcpy(low, &least, sizeof low);
  std::memcpy(high, &greatest, sizeof high);
  return {std::int64_t{*std::min_element(low, low + kLanes)} - 1,
          std::int64_t{*std::max_element(high, high + kLanes)} - 1};
}

inline bool is_there() { return __builtin_cpu_supports("avx2") != 0; }

}  // namespace tandem::recorder::avx2

#undef TANDEM_AVX2
#undef TANDEM_AVX2_INLINE

#endif
