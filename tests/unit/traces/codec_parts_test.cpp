// The parts of the codec: checksums, integers, columns, arrays, chunk ids.
#include <limits>
#include <set>
#include <string_view>

#include <gtest/gtest.h>

#include "traces/base/random.hpp"
#include "traces/detail/chunk_ids.hpp"
#include "traces/detail/crc32c.hpp"
#include "traces/detail/int_column.hpp"

namespace tandem::detail {
namespace {

ByteView bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

TEST(Crc32c, KnownTextGivesKnownChecksum) {
  EXPECT_EQ(crc32c_portable(bytes_of("123456789")), 0xE3069283U);
  EXPECT_EQ(crc32c(bytes_of("123456789")), 0xE3069283U);
  EXPECT_EQ(crc32c({}), 0U);
}

TEST(Crc32c, InstructionEqualsPortableAtEveryLengthAndOffset) {
  if (!crc32c_has_instruction()) GTEST_SKIP() << "this processor has no CRC-32C instruction";
  RandomStream draws(1, "crc");
  Bytes bytes(100);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(draws.next());
  for (std::size_t offset = 0; offset < 9; ++offset) {
    for (std::size_t size = 0; size + offset <= bytes.size(); ++size) {
      const ByteView view = ByteView(bytes).subspan(offset, size);
      ASSERT_EQ(crc32c_by_instruction(view), crc32c_portable(view)) << offset << " " << size;
    }
  }
}

TEST(Varint, EveryMagnitudeComesBack) {
  Bytes bytes;
  std::vector<std::int64_t> values{0,
                                   1,
                                   -1,
                                   63,
                                   64,
                                   -64,
                                   -65,
                                   std::numeric_limits<std::int64_t>::min(),
                                   std::numeric_limits<std::int64_t>::max()};
  for (unsigned bit = 0; bit < 63; ++bit) values.push_back(std::int64_t{1} << bit);
  for (const std::int64_t value : values) put_signed(bytes, value);
  ByteCursor in(bytes);
  for (const std::int64_t value : values) EXPECT_EQ(in.varint_signed(), value);
  EXPECT_TRUE(in.ok() && in.at_end());
}

TEST(Varint, OverlongAndTruncatedOnesFail) {
  const Bytes overlong(11, 0xFF);
  ByteCursor long_one(overlong);
  EXPECT_EQ(long_one.varint(), 0U);
  EXPECT_FALSE(long_one.ok());
  const Bytes truncated{0x80, 0x80};
  ByteCursor short_one(truncated);
  EXPECT_EQ(short_one.varint(), 0U);
  EXPECT_FALSE(short_one.ok());
}

struct Encoded {
  std::uint8_t encoding = 0;
  Bytes payload;  // kReadSlack zeros behind it
  ByteView view;
};

/// The chunk that a builder wrote; encoding 0 where it wrote none.
Encoded chunk_of(const Bytes& out) {
  Encoded result;
  if (out.empty()) return result;
  ByteCursor in(out);
  EXPECT_EQ(in.fixed<std::uint16_t>(), 7U);
  result.encoding = in.fixed<std::uint8_t>();
  const ByteView payload = in.take(in.varint());
  EXPECT_TRUE(in.ok() && in.at_end());
  result.payload.assign(payload.begin(), payload.end());
  const std::size_t size = result.payload.size();
  result.payload.resize(size + kReadSlack);
  result.view = ByteView(result.payload).first(size);
  return result;
}

/// Rows through a RowColumnBuilder and back through a ColumnCursor, on top of a base of i.
void expect_rows_come_back(const std::vector<std::vector<std::int32_t>>& rows, int encoding) {
  RowColumnBuilder builder;
  for (const auto& row : rows) builder.add(row.data(), row.size());
  Bytes out;
  Bytes scratch;
  builder.emit(out, 7, scratch);
  const Encoded chunk = chunk_of(out);
  EXPECT_EQ(chunk.encoding, encoding);
  ColumnCursor cursor;
  const std::size_t width = rows.front().size();
  if (encoding != 0) {
    ASSERT_TRUE(cursor.open(chunk.encoding, chunk.view, rows.size() * width, 32));
  }
  for (const auto& row : rows) {
    std::vector<std::int32_t> values(width);
    for (std::size_t i = 0; i < width; ++i) values[i] = static_cast<std::int32_t>(i);
    cursor.add_to(values.data(), width);
    for (std::size_t i = 0; i < width; ++i) {
      const auto sum = static_cast<std::uint32_t>(row[i]) + static_cast<std::uint32_t>(i);
      ASSERT_EQ(values[i], static_cast<std::int32_t>(sum));
    }
  }
  EXPECT_TRUE(cursor.finished());
}

TEST(Column, ZerosTakeNoChunk) { expect_rows_come_back({{0, 0, 0}, {0, 0, 0}}, 0); }

TEST(Column, FewValuesAreSparse) {
  std::vector<std::vector<std::int32_t>> rows(40, std::vector<std::int32_t>(9, 0));
  rows[3][8] = 5;
  rows[4][0] = -7;
  rows[39][8] = std::numeric_limits<std::int32_t>::min();
  expect_rows_come_back(rows, static_cast<int>(Encoding::sparse));
}

TEST(Column, ManyValuesArePackedAtEveryWidth) {
  RandomStream draws(2, "column");
  for (unsigned width = 1; width <= 32; ++width) {
    std::vector<std::vector<std::int32_t>> rows(6, std::vector<std::int32_t>(13));
    for (auto& row : rows) {
      for (auto& value : row) {
        value = static_cast<std::int32_t>(static_cast<std::uint32_t>(draws.next() >> (64 - width)));
      }
    }
    rows[2].assign(13, 0);  // a row of zeros among others
    rows[1][1] |= 1 << (width - 1);
    expect_rows_come_back(rows, static_cast<int>(Encoding::packed));
  }
}

TEST(Column, OneRepeatedValueIsPackedIntoNoBits) {
  expect_rows_come_back({{4, 4, 4, 4}, {4, 4, 4, 4}}, static_cast<int>(Encoding::packed));
}

TEST(Column, ScalarsOfSixtyFourBitsComeBack) {
  const std::vector<std::int64_t> values{std::numeric_limits<std::int64_t>::min(), 0, -1,
                                         std::numeric_limits<std::int64_t>::max(), 1, 77};
  ValueColumnBuilder builder;
  for (const std::int64_t value : values) builder.add(value);
  Bytes out;
  Bytes scratch;
  builder.emit(out, 7, scratch);
  const Encoded chunk = chunk_of(out);
  ColumnCursor cursor;
  ASSERT_TRUE(cursor.open(chunk.encoding, chunk.view, values.size(), 64));
  for (const std::int64_t value : values) EXPECT_EQ(cursor.next(), value);
  EXPECT_TRUE(cursor.finished());
}

TEST(Column, PayloadsOfWrongSizeCountOrWidthAreRefused) {
  Bytes payload;
  put_varint(payload, 16);
  put_signed(payload, 0);
  payload.push_back(8);
  payload.resize(payload.size() + 16 + kReadSlack);
  const ByteView exact = ByteView(payload).first(payload.size() - kReadSlack);
  const auto packed = static_cast<std::uint8_t>(Encoding::packed);
  EXPECT_TRUE(ColumnCursor().open(packed, exact, 16, 32));
  EXPECT_FALSE(ColumnCursor().open(packed, exact, 15, 32));
  EXPECT_FALSE(ColumnCursor().open(packed, exact.first(exact.size() - 1), 16, 32));
  EXPECT_FALSE(ColumnCursor().open(packed, exact, 16, 7));
  EXPECT_FALSE(ColumnCursor().open(9, exact, 16, 32));
  const Bytes huge{0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0, 8};
  EXPECT_FALSE(ColumnCursor().open(packed, huge, ColumnCursor::kAnyCount, 32));
  EXPECT_FALSE(ColumnCursor().open(static_cast<std::uint8_t>(Encoding::sparse), huge, 16, 32));
}

TEST(Array, AnyValuesComeBackAndLengthsAloneAllocateNothing) {
  const std::vector<std::int64_t> values{std::numeric_limits<std::int64_t>::min(), 5,
                                         std::numeric_limits<std::int64_t>::max()};
  const std::vector<std::int32_t> same(70'000, -3);
  Bytes bytes;
  put_array(bytes, values.data(), values.size());
  put_array(bytes, same.data(), same.size());
  put_array(bytes, values.data(), 0);
  ByteCursor in(bytes);
  std::vector<std::int64_t> wide;
  std::vector<std::int32_t> narrow;
  get_array(in, wide);
  EXPECT_EQ(wide, values);
  get_array(in, narrow);
  EXPECT_EQ(narrow, same);
  get_array(in, wide);
  EXPECT_TRUE(wide.empty() && in.ok() && in.at_end());

  Bytes lie;
  put_varint(lie, std::uint64_t{1} << 40U);
  put_signed(lie, 0);
  lie.push_back(0);
  ByteCursor lying(lie);
  get_array(lying, wide);
  EXPECT_FALSE(lying.ok());
  EXPECT_TRUE(wide.empty());
}

TEST(ChunkIds, NumbersAreUniqueAndEveryFieldOfAStepHasOne) {
  std::set<int> numbers;
  FieldSet covered;
#define TANDEM_CHECK_CHUNK(name, number, field)        \
  EXPECT_TRUE(numbers.insert(number).second) << #name; \
  covered.set(static_cast<std::size_t>(Field::field));
  TANDEM_SCALAR_CHUNKS(TANDEM_CHECK_CHUNK)
  TANDEM_COLUMN_CHUNKS(TANDEM_CHECK_CHUNK)
#undef TANDEM_CHECK_CHUNK
  EXPECT_LT(*numbers.rbegin(), static_cast<int>(kSubstepBase));
  for (std::size_t k = 0; k < static_cast<std::size_t>(SubChunk::count); ++k) {
    covered.set(static_cast<std::size_t>(field_of(stream_of(0, static_cast<SubChunk>(k)))));
  }
  // The kind is the record's shape; sub-steps and tokens are no column of their own.
  for (const Field field :
       {Field::kind, Field::substeps, Field::p1_tokens, Field::p2_tokens, Field::p4_tokens}) {
    EXPECT_FALSE(covered.test(static_cast<std::size_t>(field)));
    covered.set(static_cast<std::size_t>(field));
  }
  EXPECT_TRUE(covered.all());
}

}  // namespace
}  // namespace tandem::detail
