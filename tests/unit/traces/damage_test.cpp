// Truncated, flipped, foreign and outdated files: found, named, never a crash.
#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/random_records.hpp"
#include "tests/support/sample_trace.hpp"
#include "traces/detail/crc32c.hpp"
#include "traces/detail/tbt_frame.hpp"

namespace tandem::test {
namespace {

using Bytes = std::vector<std::byte>;

SampleTrace small_trace() {
  SampleTrace trace =
      RandomRecords(77, small_header(RecordLevel::state, 2, 2), Chaos::mild).trace(3, 4);
  for (SampleBlock& block : trace.blocks) {
    if (block.segments.empty()) block.segments.push_back({plan::SegmentKind::front, {}});
  }
  trace.unadmitted.resize(2);
  return trace;
}

std::span<const std::byte> first(const Bytes& bytes, std::size_t size) {
  return std::span(bytes).first(size);
}

/// Opens and reads everything there is; false where any part was refused or is damaged.
bool reads_whole(std::span<const std::byte> bytes, std::string* why = nullptr) {
  const auto trace = read_trace(bytes);
  if (!trace.ok() && why != nullptr) *why = trace.error().text;
  return trace.ok();
}

void expect_one_line(const std::string& text) {
  EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  EXPECT_NE(text.find(", want "), std::string::npos) << text;
  EXPECT_NE(text.find("got "), std::string::npos) << text;
}

void expect_blocks_before(const SampleTrace& whole, std::span<const std::byte> bytes) {
  const auto reader = open_trace(bytes, "cut");
  if (!reader.ok()) return expect_one_line(reader.error().text);
  ASSERT_NE(reader.value()->damage(), nullptr) << bytes.size();
  expect_one_line(reader.value()->damage()->what);
  EXPECT_LE(reader.value()->damage()->offset, bytes.size());
  const auto read = read_trace(*reader.value());
  ASSERT_TRUE(read.ok()) << read.error().text;
  ASSERT_LE(read.value().blocks.size(), whole.blocks.size());
  std::size_t complete = 0;
  for (const BlockInfo& block : reader.value()->blocks()) {
    const SampleBlock& expected = whole.blocks[complete];
    EXPECT_EQ(read.value().blocks[complete].keyframe, expected.keyframe);
    EXPECT_EQ(read.value().blocks[complete].steps, expected.steps);
    EXPECT_LE(block.offset + block.size_bytes, bytes.size());
    ++complete;
  }
}

TEST(TraceDamage, TbtCutAtAnyByteReadsBackEveryCompleteBlock) {
  const SampleTrace trace = small_trace();
  const Bytes whole = to_tbt(trace).value();
  const auto reader = open_trace(whole, "whole").value();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto cut = first(whole, size);
    expect_blocks_before(trace, cut);
    const auto opened = open_trace(cut, "cut");
    if (!opened.ok()) continue;
    std::size_t complete = 0;
    for (const BlockInfo& block : reader->blocks()) {
      complete += block.offset + block.size_bytes <= size ? 1U : 0U;
    }
    EXPECT_EQ(opened.value()->blocks().size(), complete) << "cut at " << size;
    EXPECT_EQ(opened.value()->segments().size() >= complete, true);
  }
}

TEST(TraceDamage, CompressedTbtCutAtAnyByteReadsBackEveryCompleteBlock) {
  if (!zstd_available()) GTEST_SKIP() << "this build has no zstd";
  const SampleTrace trace = small_trace();
  TbtOptions options;
  options.compression = TbtOptions::Compression::zstd;
  const Bytes whole = to_tbt(trace, options).value();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    expect_blocks_before(trace, first(whole, size));
  }
}

TEST(TraceDamage, JsonlCutAtAnyByteReadsBackEveryWholeLine) {
  const SampleTrace trace = small_trace();
  const Bytes whole = to_jsonl(trace).value();
  for (std::size_t size = 0; size + 1 < whole.size(); size += 7) {
    const auto reader = open_trace(first(whole, size), "cut");
    if (!reader.ok()) {
      expect_one_line(reader.error().text);
      continue;
    }
    ASSERT_NE(reader.value()->damage(), nullptr) << size;
    const auto read = read_trace(*reader.value());
    ASSERT_TRUE(read.ok()) << read.error().text;
    for (std::size_t b = 0; b < read.value().blocks.size(); ++b) {
      const auto& steps = read.value().blocks[b].steps;
      const auto& expected = trace.blocks[b].steps;
      ASSERT_LE(steps.size(), expected.size());
      EXPECT_TRUE(std::equal(steps.begin(), steps.end(), expected.begin()));
    }
  }
}

TEST(TraceDamage, FlippedBitIsFoundWhereverItIs) {
  Bytes bytes = to_tbt(small_trace()).value();
  ASSERT_TRUE(reads_whole(bytes));
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const auto bit = static_cast<std::byte>(1U << (at % 8));
    bytes[at] ^= bit;
    std::string why;
    EXPECT_FALSE(reads_whole(bytes, &why)) << "bit " << at % 8 << " of byte " << at;
    EXPECT_NE(why.find("sample"), std::string::npos) << why;
    bytes[at] ^= bit;
  }
}

TEST(TraceDamage, FlippedBitInCompressedBlocksIsFoundWhereverItIs) {
  if (!zstd_available()) GTEST_SKIP() << "this build has no zstd";
  TbtOptions options;
  options.compression = TbtOptions::Compression::zstd;
  Bytes bytes = to_tbt(small_trace(), options).value();
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    bytes[at] ^= std::byte{0x10};
    EXPECT_FALSE(reads_whole(bytes)) << "byte " << at;
    bytes[at] ^= std::byte{0x10};
  }
}

/// Makes the checksums of block `index` right again, as a hostile or mistaken writer would.
void seal(Bytes& bytes, const BlockInfo& block) {
  auto* file = reinterpret_cast<std::uint8_t*>(bytes.data());
  std::uint8_t* head = file + block.offset;
  const auto plan = detail::get_fixed<std::uint32_t>(head + 8);
  const auto size = detail::get_fixed<std::uint64_t>(head + 16);
  const detail::ByteView payload(head + detail::kFrameHeadBytes + plan,
                                 static_cast<std::size_t>(size));
  detail::Bytes crc;
  detail::put_fixed(crc, detail::crc32c(payload));
  std::copy(crc.begin(), crc.end(), head + 56);
  crc.clear();
  detail::put_fixed(crc, detail::crc32c({head, detail::kFrameHeadBytes - 4}));
  std::copy(crc.begin(), crc.end(), head + 60);
}

TEST(TraceDamage, FalsePayloadWithTrueChecksumsNeverCrashes) {
  const SampleTrace trace =
      RandomRecords(78, small_header(RecordLevel::state, 2, 2), Chaos::wild).trace(1, 6);
  const Bytes whole = to_tbt(trace).value();
  const BlockInfo block = open_trace(whole, "t").value()->blocks()[0];
  RandomStream draws(5, "false_payload");
  std::size_t refused = 0;
  for (std::size_t at = detail::kFrameHeadBytes; at < block.size_bytes; ++at) {
    Bytes bytes = whole;
    for (std::uint64_t k = draws.below(3); k < 3; ++k) {
      const std::size_t target =
          k == 2
              ? at
              : detail::kFrameHeadBytes + draws.below(block.size_bytes - detail::kFrameHeadBytes);
      bytes[block.offset + target] = static_cast<std::byte>(draws.next());
    }
    seal(bytes, block);
    const auto read = read_trace(bytes);
    if (!read.ok()) {
      ++refused;
      expect_one_line(read.error().text);
    }
  }
  EXPECT_GT(refused, 0U);
}

TEST(TraceDamage, UnknownMandatoryChunkIsRefusedAndOptionalOneSkipped) {
  const SampleTrace trace = small_trace();
  const Bytes whole = to_tbt(trace).value();
  const BlockInfo block = open_trace(whole, "t").value()->blocks()[0];
  const auto* head = reinterpret_cast<const std::uint8_t*>(whole.data()) + block.offset;
  const auto plan = detail::get_fixed<std::uint32_t>(head + 8);
  const std::size_t payload = block.offset + detail::kFrameHeadBytes + plan;
  for (const std::uint8_t high : {std::uint8_t{0x0F}, std::uint8_t{0x80}}) {
    // A chunk in front of the others: id, encoding raw, one byte.
    const std::uint8_t chunk[] = {0x01, high, 3, 1, 0xAA};
    Bytes bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(payload));
    for (const std::uint8_t byte : chunk) bytes.push_back(static_cast<std::byte>(byte));
    bytes.insert(bytes.end(), whole.begin() + static_cast<std::ptrdiff_t>(payload),
                 whole.begin() + static_cast<std::ptrdiff_t>(block.offset + block.size_bytes));
    auto* grown = reinterpret_cast<std::uint8_t*>(bytes.data()) + block.offset;
    detail::Bytes sizes;
    const auto stored = detail::get_fixed<std::uint64_t>(grown + 16) + sizeof chunk;
    detail::put_fixed(sizes, stored);
    detail::put_fixed(sizes, stored);
    std::copy(sizes.begin(), sizes.end(), grown + 16);
    seal(bytes, block);
    const auto reader = open_trace(bytes, "t").value();
    ASSERT_EQ(reader->blocks().size(), 1U);
    const auto opened = reader->open_block(0);
    EXPECT_EQ(opened.ok(), high == 0x80);
    if (!opened.ok()) {
      EXPECT_NE(opened.error().text.find("chunk 0x0f01"), std::string::npos) << opened.error().text;
    }
  }
}

TEST(TraceDamage, EmptyAndForeignFilesAreRefusedWithASentence) {
  const std::string texts[] = {
      "",  "t,slot\n1,2\n", "\x7f\x45LF", "\x8fTBT\n\n\x1a\n....", "{\"traceEvents\":[]}",
      "{", "\x8fTB"};
  for (const std::string& text : texts) {
    const auto opened = open_trace(std::as_bytes(std::span(text.data(), text.size())), "x.tbt");
    ASSERT_FALSE(opened.ok()) << text;
    expect_one_line(opened.error().text);
    EXPECT_EQ(opened.error().text.compare(0, 5, "x.tbt"), 0) << opened.error().text;
  }
}

TEST(TraceDamage, OtherVersionsAreRefusedByNumber) {
  Bytes bytes = to_tbt(small_trace()).value();
  auto* head = reinterpret_cast<std::uint8_t*>(bytes.data());
  head[8] = 9;
  detail::Bytes crc;
  detail::put_fixed(crc, detail::crc32c({head, detail::kFileHeadBytes - 4}));
  std::copy(crc.begin(), crc.end(), head + detail::kFileHeadBytes - 4);
  const auto tbt = open_trace(bytes, "x.tbt");
  ASSERT_FALSE(tbt.ok());
  EXPECT_NE(tbt.error().text.find("got version 9, want 2"), std::string::npos) << tbt.error().text;

  std::string text =
      "{\"type\":\"header\",\"format\":\"tandem-trace\",\"version\":3,\"header\":{}}\n";
  const auto jsonl = open_trace(std::as_bytes(std::span(text.data(), text.size())), "x.jsonl");
  ASSERT_FALSE(jsonl.ok());
  EXPECT_NE(jsonl.error().text.find("got version 3, want 2"), std::string::npos);
}

TEST(TraceDamage, CompressionWithoutZstdIsRefused) {
  if (zstd_available()) GTEST_SKIP() << "this build has zstd";
  MemorySink out;
  TbtOptions options;
  options.compression = TbtOptions::Compression::zstd;
  const auto writer = make_tbt_writer(out, options);
  ASSERT_FALSE(writer.ok());
  EXPECT_NE(writer.error().text.find("zstd"), std::string::npos);

  // A file that has such a block: the flag of the first one, made by hand.
  Bytes bytes = to_tbt(small_trace()).value();
  const BlockInfo block = open_trace(bytes, "t").value()->blocks()[0];
  bytes[block.offset + 4] = std::byte{1};
  seal(bytes, block);
  bytes.resize(bytes.size() - 1);  // without its index, so that the heads are read
  const auto opened = open_trace(bytes, "t");
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.error().text.find("no zstd"), std::string::npos) << opened.error().text;
}

}  // namespace
}  // namespace tandem::test
