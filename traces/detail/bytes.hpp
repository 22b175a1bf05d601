// Growing byte buffers and bounded cursors: little-endian numbers, varints and zigzag.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tandem::detail {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

/// Signed to unsigned so that small magnitudes stay small: 0, -1, 1, -2, .. become 0, 1, 2, 3, ..
constexpr std::uint64_t zigzag(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  return (bits << 1U) ^ (value < 0 ? ~0ULL : 0ULL);
}

constexpr std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>((value >> 1U) ^ (0 - (value & 1U)));
}

template <class T>
void put_fixed(Bytes& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    out.push_back(static_cast<std::uint8_t>(static_cast<std::uint64_t>(value) >> (8U * i)));
  }
}

inline void put_varint(Bytes& out, std::uint64_t value) {
  for (; value >= 0x80U; value >>= 7U) out.push_back(static_cast<std::uint8_t>(value | 0x80U));
  out.push_back(static_cast<std::uint8_t>(value));
}

inline void put_signed(Bytes& out, std::int64_t value) { put_varint(out, zigzag(value)); }

inline void put_bytes(Bytes& out, ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

template <class T>
T get_fixed(const std::uint8_t* at) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) value |= std::uint64_t{at[i]} << (8U * i);
  return static_cast<T>(value);
}

/// What lists may take in memory, in words of 4 bytes: few bytes may stand for long lists, so that
/// the size of a file says nothing. Far above what runs need; writers refuse more.
constexpr std::uint64_t kListWordsMax = 1ULL << 24U;  ///< of one record or keyframe
constexpr std::uint64_t kTailWordsMax = 1ULL << 27U;  ///< of the tail

/// Words that `count` elements of T take, without what hangs on them.
template <class T>
constexpr std::uint64_t words_of(std::uint64_t count) {
  return count * ((sizeof(T) + 3) / 4);
}

/// Reads forward through bytes it does not own. Past the end, and at a varint that does not fit 64
/// bits, it gives zeros and ok() turns false for good: callers test once, at the end.
class ByteCursor {
 public:
  ByteCursor() = default;
  explicit ByteCursor(ByteView bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return at_ == end_; }
  [[nodiscard]] std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  void fail() {
    ok_ = false;
    at_ = end_;
  }

  /// From here on lists may take this much.
  void allow(std::uint64_t words) { words_left_ = words; }
  /// Fails where a list of that size is not allowed any more. Ask before making it.
  void spend(std::uint64_t words) {
    if (words > words_left_) return fail();
    words_left_ -= words;
  }

  template <class T>
  T fixed() {
    if (left() < sizeof(T)) {
      fail();
      return 0;
    }
    const T value = get_fixed<T>(at_);
    at_ += sizeof(T);
    return value;
  }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (at_ == end_) break;
      const std::uint64_t byte = *at_++;
      const std::uint64_t low = byte & 0x7FU;
      if (shift == 63 && low > 1) break;
      value |= low << shift;
      if (byte < 0x80U) return value;
    }
    fail();
    return 0;
  }

  std::int64_t varint_signed() { return unzigzag(varint()); }

  /// The next `size` bytes; empty and failed where fewer are left.
  ByteView take(std::uint64_t size) {
    if (size > left()) {
      fail();
      return {};
    }
    const ByteView view(at_, static_cast<std::size_t>(size));
    at_ += size;
    return view;
  }

 private:
  const std::uint8_t* at_ = nullptr;
  const std::uint8_t* end_ = nullptr;
  std::uint64_t words_left_ = kListWordsMax;
  bool ok_ = true;
};

}  // namespace tandem::detail
