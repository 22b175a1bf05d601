// Writing and checking the outer form of a `.tbt` file.
#include "traces/detail/tbt_frame.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "traces/detail/block_zstd.hpp"
#include "traces/detail/crc32c.hpp"

namespace tandem::detail {
namespace {

Error damaged(std::string_view what, std::uint32_t stored, std::uint32_t computed) {
  return Error{
      fmt::format("got checksum {:#010x} of the {}, want {:#010x}; these bytes were damaged "
                  "after they were written",
                  computed, what, stored)};
}

ByteView text_bytes(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

void put_file_head(Bytes& out, const std::string& header_json) {
  TANDEM_CHECK(header_json.size() <= kHeaderBytesMax);
  const std::size_t start = out.size();
  put_bytes(out, kTbtMagic);
  put_fixed(out, kTbtVersion);
  put_fixed(out, static_cast<std::uint32_t>(header_json.size()));
  put_fixed(out, crc32c(text_bytes(header_json)));
  put_fixed(out, crc32c(ByteView(out).subspan(start)));
  put_bytes(out, text_bytes(header_json));
}

Result<std::string> get_file_head(ByteView file, std::uint64_t& end) {
  if (file.size() < kFileHeadBytes) {
    return Error{
        fmt::format("got {} bytes, want a file head of {}; the file is cut off: record again",
                    file.size(), kFileHeadBytes)};
  }
  const std::uint32_t computed = crc32c(file.first(kFileHeadBytes - 4));
  const auto stored = get_fixed<std::uint32_t>(file.data() + kFileHeadBytes - 4);
  if (computed != stored) return damaged("file head", stored, computed);
  const auto version = get_fixed<std::uint32_t>(file.data() + 8);
  if (version != kTbtVersion) {
    return Error{
        fmt::format("got version {}, want {}, which this build reads; {}", version, kTbtVersion,
                    version > kTbtVersion ? "written by a newer build: update, or record again"
                                          : "written by an older build: record again")};
  }
  const auto size = get_fixed<std::uint32_t>(file.data() + 12);
  if (size > kHeaderBytesMax || size > file.size() - kFileHeadBytes) {
    return Error{
        fmt::format("got {} bytes behind the file head, want a header of {}; the file is cut "
                    "off: record again",
                    file.size() - kFileHeadBytes, size)};
  }
  const ByteView json = file.subspan(kFileHeadBytes, size);
  const auto json_crc = get_fixed<std::uint32_t>(file.data() + 16);
  if (crc32c(json) != json_crc) return damaged("header", json_crc, crc32c(json));
  end = kFileHeadBytes + size;
  return std::string(json.begin(), json.end());
}

void put_frame(Bytes& out, FrameHead head, const std::string& plan, ByteView stored) {
  TANDEM_CHECK(plan.size() <= kPlanBytesMax);
  const std::size_t start = out.size();
  put_fixed(out, head.magic);
  put_fixed(out, head.flags);
  put_fixed(out, static_cast<std::uint32_t>(plan.size()));
  put_fixed(out, crc32c(text_bytes(plan)));
  put_fixed(out, std::uint64_t{stored.size()});
  put_fixed(out, head.raw_size);
  put_fixed(out, head.first_step);
  put_fixed(out, head.step_count);
  put_fixed(out, head.record_count);
  put_fixed(out, crc32c(stored));
  put_fixed(out, crc32c(ByteView(out).subspan(start)));
  put_bytes(out, text_bytes(plan));
  put_bytes(out, stored);
}

Result<Frame> get_frame(ByteView file, std::uint64_t offset) {
  const std::uint64_t left = offset <= file.size() ? file.size() - offset : 0;
  if (left < kFrameHeadBytes) {
    return Error{fmt::format("got {} bytes, want a frame head of {}", left, kFrameHeadBytes)};
  }
  const ByteView bytes = file.subspan(static_cast<std::size_t>(offset));
  ByteCursor in(bytes.first(kFrameHeadBytes));
  Frame frame;
  FrameHead& head = frame.head;
  head.magic = in.fixed<std::uint32_t>();
  head.flags = in.fixed<std::uint32_t>();
  head.plan_size = in.fixed<std::uint32_t>();
  head.plan_crc = in.fixed<std::uint32_t>();
  head.stored_size = in.fixed<std::uint64_t>();
  head.raw_size = in.fixed<std::uint64_t>();
  head.first_step = in.fixed<std::int64_t>();
  head.step_count = in.fixed<std::int64_t>();
  head.record_count = in.fixed<std::uint64_t>();
  head.payload_crc = in.fixed<std::uint32_t>();
  const auto head_crc = in.fixed<std::uint32_t>();
  const std::uint32_t computed = crc32c(bytes.first(kFrameHeadBytes - 4));
  if (computed != head_crc) return damaged("frame head", head_crc, computed);
  if ((head.flags & ~kFlagZstd) != 0) {
    return Error{fmt::format("got frame flags {:#x}, want 0 or 1; written by a newer build: update",
                             head.flags)};
  }
  const bool plain = (head.flags & kFlagZstd) == 0;
  if (head.raw_size > kRawBytesMax || (plain && head.raw_size != head.stored_size)) {
    return Error{fmt::format("got a frame of {} raw and {} stored bytes, want at most {}",
                             head.raw_size, head.stored_size, kRawBytesMax)};
  }
  if (head.plan_size > kPlanBytesMax) {
    return Error{
        fmt::format("got a plan part of {} bytes, want at most {}", head.plan_size, kPlanBytesMax)};
  }
  const std::uint64_t body = left - kFrameHeadBytes;
  if (head.plan_size > body || head.stored_size > body - head.plan_size) {
    return Error{
        fmt::format("got {} bytes behind the frame head, want {}; the file is cut off here", body,
                    head.stored_size + head.plan_size)};
  }
  frame.plan = bytes.subspan(kFrameHeadBytes, head.plan_size);
  frame.stored =
      bytes.subspan(kFrameHeadBytes + head.plan_size, static_cast<std::size_t>(head.stored_size));
  return frame;
}

Result<std::string> frame_plan(const Frame& frame) {
  const std::uint32_t computed = crc32c(frame.plan);
  if (computed != frame.head.plan_crc) {
    return damaged("plan part", frame.head.plan_crc, computed);
  }
  return std::string(frame.plan.begin(), frame.plan.end());
}

Status check_payload(const Frame& frame) {
  const std::uint32_t computed = crc32c(frame.stored);
  if (computed != frame.head.payload_crc) {
    return damaged("payload", frame.head.payload_crc, computed);
  }
  return {};
}

Result<ByteView> frame_payload(const Frame& frame, Bytes& buffer) {
  TANDEM_RETURN_IF_ERROR(check_payload(frame));
  if ((frame.head.flags & kFlagZstd) == 0) return frame.stored;
  TANDEM_RETURN_IF_ERROR(decompress_block(frame.stored, frame.head.raw_size, buffer));
  return ByteView(buffer);
}

// -- index ----------------------------------------------------------------------------------------

void put_index_payload(Bytes& out, const FileIndex& index) {
  put_varint(out, index.blocks.size());
  std::int64_t expected_step = 0;
  for (const IndexEntry& block : index.blocks) {
    put_varint(out, block.info.size_bytes);
    put_varint(out, block.flags);
    put_varint(out, block.plan_size);
    put_signed(out, static_cast<std::int64_t>(static_cast<std::uint64_t>(block.info.first_step) -
                                              static_cast<std::uint64_t>(expected_step)));
    put_signed(out, block.info.step_count);
    put_signed(out, block.info.record_count);
    expected_step = static_cast<std::int64_t>(static_cast<std::uint64_t>(block.info.first_step) +
                                              static_cast<std::uint64_t>(block.info.step_count));
  }
  put_varint(out, index.tail_size);
}

void put_trailer(Bytes& out, std::uint64_t index_offset) {
  const std::size_t start = out.size();
  put_fixed(out, index_offset);
  put_fixed(out, crc32c(ByteView(out).subspan(start)));
  put_fixed(out, kTrailerMagic);
}

namespace {

Result<FileIndex> parse_index(ByteView payload, std::uint64_t first_offset,
                              std::uint64_t index_offset) {
  ByteCursor in(payload);
  FileIndex index;
  index.offset = index_offset;
  const std::uint64_t count = in.varint();
  const Error wrong{"got an index that does not describe the file, want traces/FORMAT.md's"};
  if (count > in.left()) return wrong;
  std::uint64_t offset = first_offset;
  std::int64_t expected_step = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    IndexEntry entry;
    entry.info.offset = offset;
    entry.info.size_bytes = in.varint();
    entry.flags = static_cast<std::uint32_t>(in.varint());
    entry.plan_size = static_cast<std::uint32_t>(in.varint());
    entry.info.first_step = static_cast<std::int64_t>(
        static_cast<std::uint64_t>(in.varint_signed()) + static_cast<std::uint64_t>(expected_step));
    entry.info.step_count = in.varint_signed();
    entry.info.record_count = in.varint_signed();
    expected_step = static_cast<std::int64_t>(static_cast<std::uint64_t>(entry.info.first_step) +
                                              static_cast<std::uint64_t>(entry.info.step_count));
    const std::uint64_t left = index_offset - offset;
    if (!in.ok() || entry.info.size_bytes < kFrameHeadBytes || entry.info.size_bytes > left) {
      return wrong;
    }
    offset += entry.info.size_bytes;
    index.blocks.push_back(entry);
  }
  index.tail_offset = offset;
  index.tail_size = in.varint();
  if (!in.ok() || !in.at_end() || index.tail_size != index_offset - offset) return wrong;
  return index;
}

}  // namespace

Result<FileIndex> get_index(ByteView file, std::uint64_t first_offset,
                            std::uint64_t& damage_offset) {
  damage_offset = file.size();
  if (file.size() < first_offset + kTrailerBytes) {
    return Error{
        "got the end of the file, want a tail, an index and a trailer; the trace was not "
        "closed"};
  }
  damage_offset = file.size() - kTrailerBytes;
  const ByteView trailer = file.last(kTrailerBytes);
  ByteCursor in(trailer);
  const auto index_offset = in.fixed<std::uint64_t>();
  const auto crc = in.fixed<std::uint32_t>();
  const auto magic = in.fixed<std::uint32_t>();
  if (magic != kTrailerMagic || crc != crc32c(trailer.first(8))) {
    return Error{
        "got no trailer at the end of the file, want one; the trace was not closed, or its "
        "end is lost"};
  }
  if (index_offset < first_offset || index_offset > damage_offset) {
    return Error{fmt::format("got an index at offset {}, want {}..{}", index_offset, first_offset,
                             damage_offset)};
  }
  damage_offset = index_offset;
  TANDEM_TRY(const Frame frame, get_frame(file, index_offset));
  const bool fills = index_offset + frame.head.frame_size() == file.size() - kTrailerBytes;
  if (frame.head.magic != kIndexMagic || !fills || !frame.plan.empty()) {
    return Error{"got another frame where the trailer names the index, want the index"};
  }
  Bytes buffer;
  TANDEM_TRY(const ByteView payload, frame_payload(frame, buffer));
  return parse_index(payload, first_offset, index_offset);
}

}  // namespace tandem::detail
