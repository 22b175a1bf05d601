// Integer arrays in fewer bytes, and back: a width, then the values in as many bytes each.
//
// Widths are 1, 2, 4 or 8 bytes, the least that holds value + 1 modulo 2^bits (-1 is what engines
// write for "none"), and 0 where all values are equal: then one follows as it is. Loops for AVX2
// are in detail/narrow_avx2.hpp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace tandem::recorder {

template <class T>
using Unsigned = std::make_unsigned_t<T>;

/// Bytes that an array may take.
template <class T>
constexpr std::size_t narrowed_max(std::size_t count) {
  return 1 + std::max(count, std::size_t{1}) * sizeof(T);
}

/// The width that holds all values whose shifted forms have these bits. Two bytes hold 15 of them:
/// AVX2 packs with signed saturation.
constexpr unsigned width_of(std::uint64_t bits) {
  if (bits < 1U << 8U) return 1;
  if (bits < 1U << 15U) return 2;
  return bits < 1ULL << 32U ? 4 : 8;
}

template <class T>
std::size_t put_equal(std::byte* to, T value) {
  to[0] = std::byte{0};
  std::memcpy(to + 1, &value, sizeof value);
  return 1 + sizeof value;
}

/// The bits in which values differ from the first. count > 0.
template <class T>
std::uint64_t differing(const T* values, std::size_t count) {
  Unsigned<T> seen = 0;
  for (std::size_t i = 0; i < count; ++i) {
    seen |= static_cast<Unsigned<T>>(values[i]) ^ static_cast<Unsigned<T>>(values[0]);
  }
  return seen;
}

/// Writes shifted values as `To`. Returns the bits of all of them before they were cut to it.
template <class To, class T>
std::uint64_t narrow_to(std::byte* to, const T* values, std::size_t count) {
  Unsigned<T> seen = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto shifted = static_cast<Unsigned<T>>(static_cast<Unsigned<T>>(values[i]) + 1U);
    seen |= shifted;
    const auto part = static_cast<To>(shifted);
    std::memcpy(to + i * sizeof(To), &part, sizeof part);
  }
  return seen;
}

/// Writes count > 0 values, of 1, 4 or 8 bytes. Returns the bytes written, at most narrowed_max().
/// `guess`: the width to try first, that of the array which was written last; set to what sufficed.
template <class T>
std::size_t narrow(std::byte* to, const T* values, std::size_t count, std::uint8_t& guess) {
  unsigned width = std::min<unsigned>(guess, sizeof(T));
  if (width == 0 && differing(values, count) == 0) return put_equal(to, values[0]);
  unsigned wanted = std::max(width, 1U);
  do {
    width = wanted;
    std::uint64_t bits = 0;
    switch (width) {
      case 1:
        bits = narrow_to<std::uint8_t>(to + 1, values, count);
        break;
      case 2:
        bits = narrow_to<std::uint16_t>(to + 1, values, count);
        break;
      case 4:
        bits = narrow_to<std::uint32_t>(to + 1, values, count);
        break;
      default:
        bits = narrow_to<Unsigned<T>>(to + 1, values, count);
    }
    wanted = std::max(width, width_of(bits));
  } while (wanted != width);
  to[0] = static_cast<std::byte>(width);
  guess = static_cast<std::uint8_t>(width);
  return 1 + count * width;
}

template <class From, class T>
void widen_from(T* values, const std::byte* from, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    From part;
    std::memcpy(&part, from + i * sizeof part, sizeof part);
    values[i] = static_cast<T>(static_cast<Unsigned<T>>(part) - 1U);
  }
}

/// The reverse of narrow(). Returns the bytes read.
template <class T>
std::size_t widen(T* values, const std::byte* from, std::size_t count) {
  const auto width = static_cast<unsigned>(from[0]);
  switch (width) {
    case 0: {
      T value;
      std::memcpy(&value, from + 1, sizeof value);
      std::fill_n(values, count, value);
      return 1 + sizeof value;
    }
    case 1:
      widen_from<std::uint8_t>(values, from + 1, count);
      break;
    case 2:
      widen_from<std::uint16_t>(values, from + 1, count);
      break;
    case 4:
      widen_from<std::uint32_t>(values, from + 1, count);
      break;
    default:
      widen_from<Unsigned<T>>(values, from + 1, count);
  }
  return 1 + count * width;
}

/// Least and greatest of an array.
struct Range {
  std::int64_t least, greatest;
};

/// count > 0.
inline Range range_of(const std::int64_t* values, std::size_t count) {
  const auto [least, greatest] = std::minmax_element(values, values + count);
  return {*least, *greatest};
}

}  // namespace tandem::recorder
