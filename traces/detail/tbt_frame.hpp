// The outer form of a `.tbt` file: file head, frames (blocks, tail, index), trailer.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "traces/base/result.hpp"
#include "traces/detail/bytes.hpp"
#include "traces/tbt.hpp"

namespace tandem::detail {

constexpr std::uint32_t kTbtVersion = 2;

/// The first byte is no text, CR LF and LF change in transfers that mistake the file for text.
constexpr std::array<std::uint8_t, 8> kTbtMagic{0x8F, 'T', 'B', 'T', 0x0D, 0x0A, 0x1A, 0x0A};
constexpr std::size_t kFileHeadBytes = 24;
constexpr std::size_t kFrameHeadBytes = 64;
constexpr std::size_t kTrailerBytes = 16;
constexpr std::size_t kHeaderBytesMax = std::size_t{1} << 26U;
constexpr std::size_t kPlanBytesMax = std::size_t{1} << 26U;  ///< of one frame
constexpr std::uint64_t kRawBytesMax = 1ULL << 28U;           ///< of one block, before compression
constexpr std::uint64_t kBlockRecordsMax = 1ULL << 18U;       ///< records of one block

constexpr std::uint32_t four_letters(const char (&text)[5]) {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < 4; ++i) {
    value |= static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])) << (8U * i);
  }
  return value;
}

constexpr std::uint32_t kBlockMagic = four_letters("TBLK");
constexpr std::uint32_t kTailMagic = four_letters("TTAI");
constexpr std::uint32_t kIndexMagic = four_letters("TIDX");
constexpr std::uint32_t kTrailerMagic = four_letters("TEND");
constexpr std::uint32_t kFlagZstd = 1;

struct FrameHead {
  std::uint32_t magic = 0;
  std::uint32_t flags = 0;
  std::uint32_t plan_size = 0;  ///< bytes of the plan part, which follows the head
  std::uint32_t plan_crc = 0;
  std::uint64_t stored_size = 0;  ///< bytes of the payload in the file, behind the plan part
  std::uint64_t raw_size = 0;     ///< the same before compression
  std::int64_t first_step = 0;
  std::int64_t step_count = 0;
  std::uint64_t record_count = 0;
  std::uint32_t payload_crc = 0;  ///< of the stored payload

  [[nodiscard]] std::uint64_t frame_size() const {
    return kFrameHeadBytes + plan_size + stored_size;
  }
};

/// Appends magic, version, length and checksums, then the header's JSON.
void put_file_head(Bytes& out, const std::string& header_json);
/// The header's JSON, or why this is not a file that can be read. `end`: first byte behind it.
[[nodiscard]] Result<std::string> get_file_head(ByteView file, std::uint64_t& end);

/// Sizes, checksums and flags of `head` are filled in here.
void put_frame(Bytes& out, FrameHead head, const std::string& plan, ByteView stored);

/// A frame whose head is sound and that lies inside the file; parts are views into the file.
struct Frame {
  FrameHead head;
  ByteView plan;
  ByteView stored;
};
/// Errors say what is wrong, not where. The payload's checksum is verified by frame_payload().
[[nodiscard]] Result<Frame> get_frame(ByteView file, std::uint64_t offset);
/// Verifies the plan part and returns its text.
[[nodiscard]] Result<std::string> frame_plan(const Frame& frame);
/// Verifies the payload's checksum only.
[[nodiscard]] Status check_payload(const Frame& frame);
/// Verifies the payload and decompresses it into `buffer` where needed; a view of the raw bytes.
[[nodiscard]] Result<ByteView> frame_payload(const Frame& frame, Bytes& buffer);

struct IndexEntry {
  BlockInfo info;
  std::uint32_t flags = 0;
  std::uint32_t plan_size = 0;
};

struct FileIndex {
  std::vector<IndexEntry> blocks;
  std::uint64_t tail_offset = 0;
  std::uint64_t tail_size = 0;
  std::uint64_t offset = 0;  ///< of the index frame itself
};

void put_index_payload(Bytes& out, const FileIndex& index);
/// Finds the trailer and reads the index it names; blocks must fill the file from `first_offset`.
/// Errors say what is wrong, not where; `damage_offset` is where.
[[nodiscard]] Result<FileIndex> get_index(ByteView file, std::uint64_t first_offset,
                                          std::uint64_t& damage_offset);
void put_trailer(Bytes& out, std::uint64_t index_offset);

}  // namespace tandem::detail
