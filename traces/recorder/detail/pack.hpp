// What a caller hands in as one piece of bytes, and back: two walks over the same members.
//
// detail/copies.hpp says once which members there are and how long; it walks with a Packer on the
// thread that runs steps and with an Unpacker on the one that prints them. Bytes cost the first of
// them most, so integers are narrowed; which members are known stands in the structures.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

#include "traces/recorder/detail/narrow.hpp"
#include "traces/recorder/detail/narrow_avx2.hpp"

namespace tandem::recorder {

/// A structure or array in unpacked memory begins at a multiple of this.
constexpr std::size_t kAlign = 16;

constexpr std::size_t aligned(std::size_t bytes) { return (bytes + kAlign - 1) / kAlign * kAlign; }

inline std::size_t count_marks(const std::uint8_t* marks, std::size_t rows) {
  return rows - static_cast<std::size_t>(std::count(marks, marks + rows, std::uint8_t{0}));
}

/// Writes structures and arrays one behind the other. The width that sufficed for the array of the
/// same place in the entry before is tried first, so that an array is read once as a rule.
class Packer {
 public:
  static constexpr bool kReads = false;

  /// `memory` and `bytes`: where entries are written, one at a time.
  void bind(std::byte* memory, std::size_t bytes) {
    begin_ = memory;
    end_ = memory + bytes;
  }
  /// Begins an entry. `is_step`: its arrays are those of the step before.
  void begin(bool is_step) {
    at_ = begin_;
    unpacked_ = 0;
    array_ = is_step ? 0 : kGuesses;
    // Anew now and then: an array that was wide once would stay so.
    if (is_step && steps_++ % kStepsAGuess == 0) guesses_.fill(0);
  }
  [[nodiscard]] bool fits() const { return at_ != nullptr; }
  [[nodiscard]] std::size_t bytes() const { return static_cast<std::size_t>(at_ - begin_); }
  /// Memory that the Unpacker will need.
  [[nodiscard]] std::size_t unpacked() const { return unpacked_; }

  /// An array of integers; null: not known, nothing is written.
  template <class T>
  [[gnu::always_inline]] inline void take(const T* array, std::size_t count) {
    if (array == nullptr || !reserve(count, sizeof(T))) return;
    pack(array, count, guess());
  }
  /// Column 0 of `rows` rows; the rest of each comes back as -1.
  void take_first(const std::int64_t* array, std::size_t rows, std::size_t width) {
    if (array == nullptr || !reserve(rows * width, sizeof(std::int64_t))) return;
    std::array<std::int64_t, kRowsMax> column;
    for (std::size_t i = 0; i < rows; ++i) column[i] = array[i * width];
    pack(column.data(), rows, guess());
  }
  /// An array of which nothing but the least and the greatest value is read.
  void take_range(const std::int64_t* array, std::size_t count) {
    if (array == nullptr || !reserve(count, sizeof(std::int64_t))) return;
    if (count == 0) return;
    const Range found = range(array, count);
    put(&found, sizeof found);
  }
  /// An array that nobody reads.
  void skip(const std::int64_t* array, std::size_t count) {
    if (array != nullptr) unpacked_ += aligned(count * sizeof(std::int64_t));
  }
  /// Of `array`, the rows of `width` values whose mark is not 0.
  void take_marked(const std::int32_t* array, const std::uint8_t* marks, std::size_t rows,
                   std::size_t width) {
    const std::size_t marked = count_marks(marks, rows);
    if (array == nullptr || !reserve(marked * width, sizeof(std::int32_t), marked)) return;
    const std::size_t place = guess();
    for (std::size_t i = 0; i < rows; ++i) {
      if (marks[i] != 0) pack(array + i * width, width, place);
    }
  }
  /// Members that nobody reads: they stay as they are.
  template <class... T>
  void forget(const T&... /*members*/) {}
  /// Structures; inner(one) takes the arrays of one.
  template <class T, class Inner>
  void take_each(const T* array, std::size_t count, Inner inner) {
    if (array == nullptr || !reserve(count, sizeof(T))) return;
    if (count > 0) put(array, count * sizeof(T));
    for (std::size_t i = 0; fits() && i < count; ++i) inner(array[i]);
  }
  /// The structure that an entry is of.
  template <class T, class Inner>
  void take_one(const T& structure, Inner inner) {
    take_each(&structure, 1, inner);
  }

 private:
  static constexpr std::size_t kRowsMax = 512;
  static constexpr std::size_t kGuesses = 256;  // more arrays than a step has, tasks aside
  static constexpr unsigned kStepsAGuess = 64;

  std::byte *begin_ = nullptr, *end_ = nullptr;
  std::byte* at_ = nullptr;  // null: the entry does not fit
  std::size_t unpacked_ = 0;
  std::array<std::uint8_t, kGuesses + 1> guesses_{};  // the last is for whatever comes behind
  std::size_t array_ = 0;
  unsigned steps_ = 0;
#if TANDEM_RECORDER_AVX2
  const bool has_avx2_ = avx2::is_there();
#endif

  std::size_t guess() { return array_ < kGuesses ? array_++ : kGuesses; }

  /// Room for `count` elements as they are, in so many arrays: at least what they will take.
  [[gnu::always_inline]] inline bool reserve(std::size_t count, std::size_t element,
                                             std::size_t arrays = 1) {
    const std::size_t bytes = count * element;
    unpacked_ += aligned(bytes);
    const std::size_t most = bytes + arrays * narrowed_max<std::uint64_t>(1);
    if (fits() && static_cast<std::size_t>(end_ - at_) < most) at_ = nullptr;
    return fits();
  }
  void put(const void* from, std::size_t bytes) {
    std::memcpy(at_, from, bytes);
    at_ += bytes;
  }
  [[nodiscard]] Range range(const std::int64_t* values, std::size_t count) const {
#if TANDEM_RECORDER_AVX2
    if (has_avx2_) return avx2::range_of(values, count);
#endif
    return range_of(values, count);
  }
  template <class T>
  [[gnu::always_inline]] inline void pack(const T* values, std::size_t count, std::size_t place) {
    if (count == 0) return;
#if TANDEM_RECORDER_AVX2
    if (has_avx2_) {
      at_ += avx2::narrow(at_, values, count, guesses_[place]);
      return;
    }
#endif
    at_ += narrow(at_, values, count, guesses_[place]);
  }
};

/// Reads what a Packer wrote into memory of its own and lets the members point there.
class Unpacker {
 public:
  static constexpr bool kReads = true;

  /// Begins an entry whose bytes are at `from`; everything of the entry before is overwritten.
  void begin(const std::byte* from, std::size_t unpacked) {
    if (unpacked > size_) {
      size_ = 2 * unpacked;
      memory_ = std::make_unique<Piece[]>(size_ / sizeof(Piece) + 1);
    }
    from_ = from;
    to_ = reinterpret_cast<std::byte*>(memory_.get());
  }

  template <class T>
  void take(const T*& array, std::size_t count) {
    if (array == nullptr) return;
    T* target = room<T>(count);
    unpack(target, count);
    array = target;
  }
  void take_first(const std::int64_t*& array, std::size_t rows, std::size_t width) {
    if (array == nullptr) return;
    auto* target = room<std::int64_t>(rows * width);
    unpack(target, rows);
    for (std::size_t i = rows; i-- > 0;) {  // from the end: a row begins behind its value
      const std::int64_t first = target[i];
      std::fill_n(target + i * width, width, -1);
      target[i * width] = first;
    }
    array = target;
  }
  void take_range(const std::int64_t*& array, std::size_t count) {
    if (array == nullptr) return;
    auto* target = room<std::int64_t>(count);
    array = target;
    if (count == 0) return;
    Range range;
    get(&range, sizeof range);
    std::fill_n(target, count, range.least);
    target[count - 1] = range.greatest;
  }
  void skip(const std::int64_t*& array, std::size_t count) {
    if (array == nullptr) return;
    auto* target = room<std::int64_t>(count);
    std::fill_n(target, count, -1);
    array = target;
  }
  /// The marked rows, one behind the other.
  void take_marked(const std::int32_t*& array, const std::uint8_t* marks, std::size_t rows,
                   std::size_t width) {
    if (array == nullptr) return;
    const std::size_t marked = count_marks(marks, rows);
    auto* target = room<std::int32_t>(marked * width);
    array = target;
    for (std::size_t i = 0; i < marked; ++i) unpack(target + i * width, width);
  }
  template <class... T>
  void forget(T&... members) {
    ((members = T{}), ...);
  }
  template <class T, class Inner>
  void take_each(const T*& array, std::size_t count, Inner inner) {
    if (array == nullptr) return;
    T* target = room<T>(count);
    if (count > 0) get(target, count * sizeof(T));
    for (std::size_t i = 0; i < count; ++i) inner(target[i]);
    array = target;
  }
  template <class T, class Inner>
  const T& take_one(Inner inner) {
    T* target = room<T>(1);
    get(target, sizeof(T));
    inner(*target);
    return *target;
  }

 private:
  struct alignas(kAlign) Piece {
    std::byte bytes[kAlign];
  };
  std::unique_ptr<Piece[]> memory_;
  std::size_t size_ = 0;
  const std::byte* from_ = nullptr;
  std::byte* to_ = nullptr;

  template <class T>
  T* room(std::size_t count) {
    T* target = reinterpret_cast<T*>(to_);
    to_ += aligned(count * sizeof(T));
    return target;
  }
  void get(void* to, std::size_t bytes) {
    std::memcpy(to, from_, bytes);
    from_ += bytes;
  }
  template <class T>
  void unpack(T* values, std::size_t count) {
    if (count > 0) from_ += widen(values, from_, count);
  }
};

}  // namespace tandem::recorder
