// Choosing, writing and reading the encodings of residual columns.
#include "traces/detail/int_column.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace tandem::detail {
namespace {

static_assert(std::endian::native == std::endian::little, "packed words are loaded as they lie");

// An array of constant width 0 takes no bytes per value; longer ones get width 1, so that a length
// is always bounded by the bytes that follow it.
constexpr std::uint64_t kWidthZeroMax = 65536;

std::uint64_t load_word(const std::uint8_t* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

std::uint64_t low_bits(unsigned width) { return width >= 64 ? ~0ULL : (1ULL << width) - 1; }

std::uint64_t packed_bytes(std::uint64_t count, unsigned width) {
  return (count / 8) * width + ((count % 8) * width + 7) / 8;
}

class BitWriter {
 public:
  explicit BitWriter(Bytes& out) : out_(out) {}
  void put(std::uint64_t value, unsigned width) {
    while (width > 0) {
      const unsigned room = std::min(width, 64 - used_);
      word_ |= (value & low_bits(room)) << used_;
      used_ += room;
      width -= room;
      value = room >= 64 ? 0 : value >> room;
      if (used_ == 64) flush_word(8);
    }
  }
  void finish() { flush_word((used_ + 7) / 8); }

 private:
  Bytes& out_;
  std::uint64_t word_ = 0;
  unsigned used_ = 0;

  void flush_word(unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i)
      out_.push_back(static_cast<std::uint8_t>(word_ >> (8 * i)));
    word_ = 0;
    used_ = 0;
  }
};

struct Range {
  std::int64_t low = 0;
  std::int64_t high = 0;
  [[nodiscard]] unsigned width() const {
    return static_cast<unsigned>(
        std::bit_width(static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low)));
  }
};

template <class T>
Range range_of(const T* values, std::size_t count) {
  if (count == 0) return {};
  const auto [low, high] = std::minmax_element(values, values + count);
  return {static_cast<std::int64_t>(*low), static_cast<std::int64_t>(*high)};
}

std::uint64_t above(std::int64_t value, std::int64_t bias) {
  return static_cast<std::uint64_t>(value) - static_cast<std::uint64_t>(bias);
}

void put_packed_head(Bytes& out, std::uint64_t count, const Range& range, unsigned width) {
  put_varint(out, count);
  put_signed(out, range.low);
  out.push_back(static_cast<std::uint8_t>(width));
}

/// Writes (position, value) pairs until they outgrow `bytes_max`.
class SparseWriter {
 public:
  SparseWriter(Bytes& out, std::uint64_t pairs, std::uint64_t bytes_max)
      : out_(out), bytes_max_(bytes_max) {
    put_varint(out_, pairs);
  }
  [[nodiscard]] bool fits() const { return out_.size() < bytes_max_; }
  void put(std::uint64_t position, std::int64_t value) {
    put_varint(out_, position - next_);
    put_signed(out_, value);
    next_ = position + 1;
  }

 private:
  Bytes& out_;
  std::uint64_t bytes_max_;
  std::uint64_t next_ = 0;
};

template <class T>
void put_array_of(Bytes& out, const T* values, std::size_t count) {
  put_varint(out, count);
  if (count == 0) return;
  // Unsigned 64-bit values are stored as the signed ones of the same bits.
  Range range;
  range.low = range.high = static_cast<std::int64_t>(values[0]);
  for (std::size_t i = 1; i < count; ++i) {
    range.low = std::min(range.low, static_cast<std::int64_t>(values[i]));
    range.high = std::max(range.high, static_cast<std::int64_t>(values[i]));
  }
  const unsigned width = std::max(range.width(), count > kWidthZeroMax ? 1U : 0U);
  put_signed(out, range.low);
  out.push_back(static_cast<std::uint8_t>(width));
  BitWriter bits(out);
  for (std::size_t i = 0; i < count; ++i) {
    bits.put(above(static_cast<std::int64_t>(values[i]), range.low), width);
  }
  bits.finish();
}

template <class T>
void get_array_of(ByteCursor& in, std::vector<T>& out) {
  out.clear();
  const std::uint64_t count = in.varint();
  if (count == 0) return;
  const std::int64_t bias = in.varint_signed();
  const unsigned width = in.fixed<std::uint8_t>();
  const bool absurd = width > 64 || (width == 0 && count > kWidthZeroMax) ||
                      (width > 0 && count / 8 > in.left() / width);
  if (!in.ok() || absurd) {
    in.fail();
    return;
  }
  in.spend(words_of<T>(count));
  const ByteView packed = in.take(packed_bytes(count, width));
  if (!in.ok()) return;
  out.reserve(static_cast<std::size_t>(count));
  std::uint64_t at = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    std::uint64_t value = 0;
    for (unsigned got = 0; got < width;) {
      const unsigned shift = static_cast<unsigned>(at % 8);
      const unsigned room = std::min(8 - shift, width - got);
      value |= ((std::uint64_t{packed[at / 8]} >> shift) & low_bits(room)) << got;
      got += room;
      at += room;
    }
    out.push_back(static_cast<T>(value + static_cast<std::uint64_t>(bias)));
  }
}

}  // namespace

void put_chunk(Bytes& out, std::uint16_t id, Encoding encoding, ByteView payload) {
  put_fixed(out, id);
  out.push_back(static_cast<std::uint8_t>(encoding));
  put_varint(out, payload.size());
  put_bytes(out, payload);
}

void put_array(Bytes& out, const std::int32_t* v, std::size_t count) {
  put_array_of(out, v, count);
}
void put_array(Bytes& out, const std::int64_t* v, std::size_t count) {
  put_array_of(out, v, count);
}
void put_array(Bytes& out, const std::uint64_t* v, std::size_t count) {
  put_array_of(out, v, count);
}
void get_array(ByteCursor& in, std::vector<std::int32_t>& out) { get_array_of(in, out); }
void get_array(ByteCursor& in, std::vector<std::int64_t>& out) { get_array_of(in, out); }
void get_array(ByteCursor& in, std::vector<std::uint64_t>& out) { get_array_of(in, out); }

// -- writing --------------------------------------------------------------------------------------

void RowColumnBuilder::add(const std::int32_t* values, std::size_t count) {
  row_size_ = count;
  const std::uint32_t row = row_count_++;
  std::uint32_t any = 0;
  for (std::size_t i = 0; i < count; ++i) any |= static_cast<std::uint32_t>(values[i]);
  if (any == 0) return;
  row_.push_back(row);
  values_.insert(values_.end(), values, values + count);
}

void RowColumnBuilder::clear() {
  row_.clear();
  values_.clear();
  row_count_ = 0;
}

void RowColumnBuilder::emit(Bytes& out, std::uint16_t id, Bytes& scratch) const {
  if (row_.empty()) return;
  Range range = range_of(values_.data(), values_.size());
  if (row_.size() < row_count_) {
    range.low = std::min<std::int64_t>(range.low, 0);
    range.high = std::max<std::int64_t>(range.high, 0);
  }
  const unsigned width = range.width();
  const std::uint64_t total = std::uint64_t{row_count_} * row_size_;
  scratch.clear();
  put_packed_head(scratch, total, range, width);
  const std::uint64_t packed_size = scratch.size() + packed_bytes(total, width);

  scratch.clear();
  const auto pairs = static_cast<std::uint64_t>(
      std::count_if(values_.begin(), values_.end(), [](std::int32_t v) { return v != 0; }));
  SparseWriter sparse(scratch, pairs, packed_size);
  for (std::size_t r = 0; r < row_.size() && sparse.fits(); ++r) {
    const std::int32_t* row = values_.data() + r * row_size_;
    for (std::size_t i = 0; i < row_size_; ++i) {
      if (row[i] != 0) sparse.put(std::uint64_t{row_[r]} * row_size_ + i, row[i]);
    }
  }
  if (sparse.fits()) return put_chunk(out, id, Encoding::sparse, scratch);

  scratch.clear();
  put_packed_head(scratch, total, range, width);
  BitWriter bits(scratch);
  std::size_t kept = 0;
  for (std::uint32_t r = 0; r < row_count_; ++r) {
    const bool zero = kept == row_.size() || row_[kept] != r;
    const std::int32_t* row = zero ? nullptr : values_.data() + kept++ * row_size_;
    for (std::size_t i = 0; i < row_size_; ++i) {
      bits.put(above(zero ? 0 : row[i], range.low), width);
    }
  }
  bits.finish();
  put_chunk(out, id, Encoding::packed, scratch);
}

void ValueColumnBuilder::emit(Bytes& out, std::uint16_t id, Bytes& scratch) const {
  const auto pairs = static_cast<std::uint64_t>(
      std::count_if(values_.begin(), values_.end(), [](std::int64_t v) { return v != 0; }));
  if (pairs == 0) return;
  const Range range = range_of(values_.data(), values_.size());
  const unsigned width = range.width();
  scratch.clear();
  put_packed_head(scratch, values_.size(), range, width);
  const std::uint64_t packed_size = scratch.size() + packed_bytes(values_.size(), width);

  scratch.clear();
  SparseWriter sparse(scratch, pairs, packed_size);
  for (std::size_t i = 0; i < values_.size() && sparse.fits(); ++i) {
    if (values_[i] != 0) sparse.put(i, values_[i]);
  }
  if (sparse.fits()) return put_chunk(out, id, Encoding::sparse, scratch);

  scratch.clear();
  put_packed_head(scratch, values_.size(), range, width);
  BitWriter bits(scratch);
  for (const std::int64_t value : values_) bits.put(above(value, range.low), width);
  bits.finish();
  put_chunk(out, id, Encoding::packed, scratch);
}

// -- reading --------------------------------------------------------------------------------------

bool ColumnCursor::open(std::uint8_t encoding, ByteView payload, std::uint64_t count,
                        unsigned width_max) {
  ByteCursor in(payload);
  if (encoding == static_cast<std::uint8_t>(Encoding::sparse)) {
    kind_ = Kind::sparse;
    left_ = in.varint();
    pairs_ = in;
    // A pair is two bytes at least.
    if (!in.ok() || left_ == 0 || left_ > in.left() / 2) return false;
    load_pair();
    return ok_;
  }
  if (encoding != static_cast<std::uint8_t>(Encoding::packed)) return false;
  kind_ = Kind::packed;
  left_ = in.varint();
  bias_ = in.varint_signed();
  width_ = in.fixed<std::uint8_t>();
  if (!in.ok() || width_ > width_max || (count != kAnyCount && left_ != count)) return false;
  if (width_ > 0 && left_ / 8 > in.left() / width_) return false;
  if (in.left() != packed_bytes(left_, width_)) return false;
  bits_ = payload.data() + (payload.size() - in.left());
  return true;
}

bool ColumnCursor::finished() const {
  if (!ok_) return false;
  if (kind_ == Kind::sparse) return !loaded_ && left_ == 0 && pairs_.at_end();
  return kind_ == Kind::zero || left_ == 0;
}

void ColumnCursor::load_pair() {
  loaded_ = left_ > 0;
  if (!loaded_) return;
  --left_;
  gap_ = pairs_.varint();
  bias_ = pairs_.varint_signed();
  if (!pairs_.ok()) {
    ok_ = loaded_ = false;
    left_ = 0;
  }
}

void ColumnCursor::add_sparse(std::int32_t* out, std::size_t count) {
  std::uint64_t at = 0;
  while (loaded_ && gap_ < count - at) {
    at += gap_;
    out[at] = static_cast<std::int32_t>(static_cast<std::uint32_t>(out[at]) +
                                        static_cast<std::uint32_t>(bias_));
    ++at;
    load_pair();
  }
  if (loaded_) gap_ -= count - at;
}

std::int64_t ColumnCursor::next_sparse() {
  if (!loaded_) return 0;
  if (gap_ > 0) {
    --gap_;
    return 0;
  }
  const std::int64_t value = bias_;
  load_pair();
  return value;
}

std::uint64_t ColumnCursor::read_bits(std::uint64_t at) const {
  const std::uint8_t* byte = bits_ + at / 8;
  const unsigned shift = static_cast<unsigned>(at % 8);
  std::uint64_t value = load_word(byte) >> shift;
  if (shift + width_ > 64) value |= load_word(byte + 8) << (64 - shift);
  return value & low_bits(width_);
}

std::int64_t ColumnCursor::next_packed() {
  if (left_ == 0) {
    ok_ = false;
    return 0;
  }
  --left_;
  const std::uint64_t value = read_bits(bit_);
  bit_ += width_;
  return static_cast<std::int64_t>(value + static_cast<std::uint64_t>(bias_));
}

void ColumnCursor::add_packed(std::int32_t* __restrict out, std::size_t count) {
  if (left_ < count) {
    ok_ = false;
    return;
  }
  left_ -= count;
  const auto bias = static_cast<std::uint32_t>(bias_);
  const auto add = [out, bias](std::size_t i, std::uint32_t value) {
    out[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(out[i]) + bias + value);
  };
  const std::uint8_t* __restrict byte = bits_ + bit_ / 8;
  if (width_ == 0) {
    for (std::size_t i = 0; i < count; ++i) add(i, 0);
  } else if (width_ == 8) {
    for (std::size_t i = 0; i < count; ++i) add(i, byte[i]);
  } else if (width_ == 16) {
    for (std::size_t i = 0; i < count; ++i) add(i, get_fixed<std::uint16_t>(byte + 2 * i));
  } else {
    // Width <= 32 here, so one word always holds a value.
    const std::uint64_t mask = low_bits(width_);
    std::uint64_t at = bit_ % 8;
    for (std::size_t i = 0; i < count; ++i, at += width_) {
      add(i, static_cast<std::uint32_t>((load_word(byte + at / 8) >> (at % 8)) & mask));
    }
  }
  bit_ += count * width_;
}

}  // namespace tandem::detail
