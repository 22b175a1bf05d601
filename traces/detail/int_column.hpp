// Columns of residuals: collected per block, stored as zeros, as sparse pairs or bit-packed.
//
// A column is a sequence of signed values, nearly always zero because a predictor ran before. It is
// stored in the smallest of three ways (traces/FORMAT.md, "Columns"):
//   nothing  all values are zero: no chunk at all
//   sparse   varint count, then per non-zero value varint gap and zigzag varint value
//   packed   varint count, zigzag varint bias, u8 width, then count x width bits, lowest bit first
#pragma once

#include <cstdint>
#include <limits>

#include "traces/detail/bytes.hpp"

namespace tandem::detail {

enum class Encoding : std::uint8_t { sparse = 1, packed = 2, raw = 3 };

/// Bytes that readers may touch behind a packed payload; every block ends in as many zeros.
constexpr std::size_t kReadSlack = 16;

/// Appends one chunk: id, encoding, size, payload.
void put_chunk(Bytes& out, std::uint16_t id, Encoding encoding, ByteView payload);

/// Residuals of a per-slot column. Rows of zeros take no memory.
class RowColumnBuilder {
 public:
  /// One record's residuals; every row of a block has the same size.
  void add(const std::int32_t* values, std::size_t count);
  void emit(Bytes& out, std::uint16_t id, Bytes& scratch) const;
  void clear();

 private:
  std::vector<std::uint32_t> row_;  // numbers of the rows that are kept
  std::vector<std::int32_t> values_;
  std::uint32_t row_count_ = 0;
  std::size_t row_size_ = 0;
};

/// One value after the other: scalars of records, and the selected values of masked columns.
class ValueColumnBuilder {
 public:
  void add(std::int64_t value) { values_.push_back(value); }
  void emit(Bytes& out, std::uint16_t id, Bytes& scratch) const;
  void clear() { values_.clear(); }

 private:
  std::vector<std::int64_t> values_;
};

/// Writes one array with its own length, packed; the form of arrays outside columns.
void put_array(Bytes& out, const std::int32_t* values, std::size_t count);
void put_array(Bytes& out, const std::int64_t* values, std::size_t count);
void put_array(Bytes& out, const std::uint64_t* values, std::size_t count);
/// Reads what put_array() wrote, or fails `in`.
void get_array(ByteCursor& in, std::vector<std::int32_t>& out);
void get_array(ByteCursor& in, std::vector<std::int64_t>& out);
void get_array(ByteCursor& in, std::vector<std::uint64_t>& out);

/// Decodes one column front to back. A default-constructed one is all zeros, without end.
class ColumnCursor {
 public:
  static constexpr std::uint64_t kAnyCount = std::numeric_limits<std::uint64_t>::max();

  /// False where the payload is not what a writer makes: wrong count, width or size.
  /// `payload` is followed by kReadSlack readable bytes. `count`: values the column must have.
  [[nodiscard]] bool open(std::uint8_t encoding, ByteView payload, std::uint64_t count,
                          unsigned width_max);

  [[nodiscard]] bool is_zero() const { return kind_ == Kind::zero; }
  /// Adds the next `count` values to out[0..count), modulo 2^32.
  void add_to(std::int32_t* out, std::size_t count) {
    if (kind_ == Kind::zero) return;
    if (kind_ == Kind::sparse) {
      add_sparse(out, count);
    } else {
      add_packed(out, count);
    }
  }
  /// The next value.
  std::int64_t next() {
    if (kind_ == Kind::zero) return 0;
    return kind_ == Kind::sparse ? next_sparse() : next_packed();
  }
  /// No read went past the end.
  [[nodiscard]] bool ok() const { return ok_; }
  /// Every value was read.
  [[nodiscard]] bool finished() const;

 private:
  enum class Kind : std::uint8_t { zero, sparse, packed };

  Kind kind_ = Kind::zero;
  bool ok_ = true;
  unsigned width_ = 0;
  std::uint64_t left_ = 0;  // packed: values; sparse: pairs behind the loaded one
  std::int64_t bias_ = 0;   // packed: added to each; sparse: value of the loaded pair
  const std::uint8_t* bits_ = nullptr;
  std::uint64_t bit_ = 0;
  ByteCursor pairs_;
  std::uint64_t gap_ = 0;  // zeros before the loaded pair
  bool loaded_ = false;

  void load_pair();
  void add_sparse(std::int32_t* out, std::size_t count);
  void add_packed(std::int32_t* out, std::size_t count);
  std::int64_t next_sparse();
  std::int64_t next_packed();
  [[nodiscard]] std::uint64_t read_bits(std::uint64_t at) const;
};

}  // namespace tandem::detail
