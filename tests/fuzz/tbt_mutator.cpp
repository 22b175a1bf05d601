// Takes a `.tbt` apart into header, plans and chunks, changes one part, and puts it together again.
#include "tests/fuzz/tbt_mutator.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "traces/base/random.hpp"
#include "traces/detail/block_zstd.hpp"
#include "traces/detail/crc32c.hpp"
#include "traces/detail/tbt_frame.hpp"

namespace tandem::fuzz {
namespace {

using detail::ByteCursor;
using detail::ByteView;
using detail::Frame;
using detail::FrameHead;

struct Part {
  FrameHead head;
  std::string plan;
  Bytes payload;  ///< before compression
};

struct TbtFile {
  std::string header;
  std::vector<Part> parts;  ///< blocks and the tail
  bool closed = false;      ///< has an index and a trailer
};

std::optional<TbtFile> take_apart(ByteView bytes) {
  TbtFile file;
  std::uint64_t offset = 0;
  const Result<std::string> header = detail::get_file_head(bytes, offset);
  if (!header.ok()) return std::nullopt;
  file.header = header.value();
  while (offset < bytes.size()) {
    const Result<Frame> frame = detail::get_frame(bytes, offset);
    if (!frame.ok()) break;
    if (frame.value().head.magic == detail::kIndexMagic) {
      file.closed = true;
      break;
    }
    Part part;
    part.head = frame.value().head;
    part.plan.assign(frame.value().plan.begin(), frame.value().plan.end());
    Bytes buffer;
    const Result<ByteView> payload = detail::frame_payload(frame.value(), buffer);
    if (!payload.ok()) break;
    part.payload.assign(payload.value().begin(), payload.value().end());
    offset += part.head.frame_size();
    file.parts.push_back(std::move(part));
  }
  return file;
}

void put_part(Bytes& out, const Part& part) {
  FrameHead head = part.head;
  Bytes packed;
  const bool zstd =
      (head.flags & detail::kFlagZstd) != 0 && detail::compress_block(part.payload, 1, packed);
  head.flags = zstd ? detail::kFlagZstd : 0;
  const Bytes& stored = zstd ? packed : part.payload;
  head.stored_size = stored.size();
  head.raw_size = part.payload.size();
  head.payload_crc = detail::crc32c(stored);
  head.plan_size = static_cast<std::uint32_t>(part.plan.size());
  head.plan_crc = detail::crc32c(
      ByteView(reinterpret_cast<const std::uint8_t*>(part.plan.data()), part.plan.size()));
  detail::put_frame(out, head, part.plan, stored);
}

Bytes put_together(const TbtFile& file) {
  Bytes out;
  detail::put_file_head(out, file.header);
  detail::FileIndex index;
  for (const Part& part : file.parts) {
    const std::uint64_t offset = out.size();
    put_part(out, part);
    if (part.head.magic == detail::kTailMagic) {
      index.tail_size = out.size() - offset;
      continue;
    }
    detail::IndexEntry entry;
    entry.info.size_bytes = out.size() - offset;
    entry.flags = part.head.flags;
    entry.plan_size = static_cast<std::uint32_t>(part.plan.size());
    entry.info.first_step = part.head.first_step;
    entry.info.step_count = part.head.step_count;
    entry.info.record_count = static_cast<std::int64_t>(part.head.record_count);
    index.blocks.push_back(entry);
  }
  if (!file.closed) return out;
  const std::uint64_t index_offset = out.size();
  Part part;
  part.head.magic = detail::kIndexMagic;
  detail::put_index_payload(part.payload, index);
  put_part(out, part);
  detail::put_trailer(out, index_offset);
  return out;
}

// -- changes --------------------------------------------------------------------------------------

struct Chunk {
  std::uint16_t id = 0;
  std::uint8_t encoding = 0;
  Bytes bytes;
};

/// Empty where the payload is no sequence of chunks.
std::vector<Chunk> chunks_of(ByteView payload) {
  std::vector<Chunk> out;
  ByteCursor in(payload);
  while (!in.at_end()) {
    Chunk& chunk = out.emplace_back();
    chunk.id = in.fixed<std::uint16_t>();
    chunk.encoding = in.fixed<std::uint8_t>();
    const ByteView bytes = in.take(in.varint());
    if (!in.ok()) return {};
    chunk.bytes.assign(bytes.begin(), bytes.end());
  }
  return out;
}

Bytes joined(const std::vector<Chunk>& chunks) {
  Bytes out;
  for (const Chunk& chunk : chunks) {
    detail::put_fixed(out, chunk.id);
    detail::put_fixed(out, chunk.encoding);
    detail::put_varint(out, chunk.bytes.size());
    detail::put_bytes(out, chunk.bytes);
  }
  return out;
}

class Change {
 public:
  Change(std::size_t size_max, std::uint64_t seed, const ByteMutator& mutate)
      : size_max_(size_max), draws_(seed, "tbt_mutator"), mutate_(mutate) {}

  Bytes of(const Bytes& file) {
    std::optional<TbtFile> parts = take_apart(file);
    if (!parts || one_in(24)) return raw(file);
    switch (draws_.below(8)) {
      case 0:
        change_text(parts->header);
        break;
      case 1:
        if (!parts->parts.empty()) change_text(any_part(*parts).plan);
        break;
      case 2:
        change_frames(*parts);
        break;
      case 3:
        return with_checksums(raw(put_together(*parts)));
      default:
        if (!parts->parts.empty()) change_payload(any_part(*parts));
        break;
    }
    Bytes out = put_together(*parts);
    return out.size() <= size_max_ ? out : raw(file);
  }

 private:
  std::size_t size_max_;
  RandomStream draws_;
  const ByteMutator& mutate_;

  bool one_in(std::uint64_t n) { return draws_.below(n) == 0; }
  Part& any_part(TbtFile& file) { return file.parts[draws_.below(file.parts.size())]; }

  void change(Bytes& bytes) { mutate_(bytes, std::min(size_max_, bytes.size() + 64)); }

  Bytes raw(Bytes bytes) {
    mutate_(bytes, size_max_);
    return bytes;
  }

  void change_text(std::string& text) {
    Bytes bytes(text.begin(), text.end());
    change(bytes);
    text.assign(bytes.begin(), bytes.end());
  }

  void change_payload(Part& part) {
    std::vector<Chunk> chunks;
    if (part.head.magic == detail::kBlockMagic) chunks = chunks_of(part.payload);
    if (chunks.empty() || one_in(6)) return change(part.payload);
    Chunk& chunk = chunks[draws_.below(chunks.size())];
    switch (draws_.below(10)) {
      case 0:
        chunk.encoding = static_cast<std::uint8_t>(draws_.below(5));
        break;
      case 1:
        chunks.erase(chunks.begin() + (&chunk - chunks.data()));
        break;
      case 2:
        std::swap(chunk.bytes, chunks[draws_.below(chunks.size())].bytes);
        break;
      default:
        change(chunk.bytes);
        break;
    }
    part.payload = joined(chunks);
  }

  void change_number(std::int64_t& value) {
    constexpr std::int64_t kOdd[] = {0, 1, -1, 255, 1 << 18, INT32_MAX, INT64_MAX, INT64_MIN};
    const std::uint64_t near = static_cast<std::uint64_t>(value) + draws_.below(5) - 2;
    value = one_in(2) ? kOdd[draws_.below(std::size(kOdd))] : static_cast<std::int64_t>(near);
  }

  void change_frames(TbtFile& file) {
    if (file.parts.empty()) return;
    Part& part = any_part(file);
    auto records = static_cast<std::int64_t>(part.head.record_count);
    switch (draws_.below(9)) {
      case 0:
        change_number(part.head.first_step);
        break;
      case 1:
        change_number(part.head.step_count);
        break;
      case 2:
        change_number(records);
        part.head.record_count = static_cast<std::uint64_t>(records);
        break;
      case 3:
        part.head.flags ^= detail::kFlagZstd;
        break;
      case 4:
        part.head.magic = one_in(2) ? detail::kTailMagic : detail::kBlockMagic;
        break;
      case 5:
        file.parts.push_back(part);
        break;
      case 6:
        std::swap(part, file.parts[draws_.below(file.parts.size())]);
        break;
      case 7:
        file.parts.erase(file.parts.begin() + (&part - file.parts.data()));
        break;
      default:
        file.closed = !file.closed;
        break;
    }
  }

  /// Mends what can be found: checksums of head, frames and trailer at the places that they name.
  static Bytes with_checksums(Bytes bytes) {
    const auto put = [&bytes](std::size_t at, std::uint32_t value) {
      for (unsigned i = 0; i < 4; ++i) bytes[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
    };
    const auto number = [&bytes](std::size_t at) {
      return std::size_t{detail::get_fixed<std::uint32_t>(bytes.data() + at)};
    };
    if (bytes.size() < detail::kFileHeadBytes) return bytes;
    std::size_t at = detail::kFileHeadBytes;
    const std::size_t header = number(12);
    if (header <= bytes.size() - at) put(16, detail::crc32c(ByteView(bytes).subspan(at, header)));
    put(at - 4, detail::crc32c(ByteView(bytes).first(at - 4)));
    for (at += header; at < bytes.size() && bytes.size() - at >= detail::kFrameHeadBytes;) {
      const std::size_t body = at + detail::kFrameHeadBytes;
      const std::size_t plan = number(at + 8);
      const std::size_t stored = number(at + 16);
      if (plan > bytes.size() - body || stored > bytes.size() - body - plan) break;
      put(at + 12, detail::crc32c(ByteView(bytes).subspan(body, plan)));
      put(at + 56, detail::crc32c(ByteView(bytes).subspan(body + plan, stored)));
      put(at + 60, detail::crc32c(ByteView(bytes).subspan(at, detail::kFrameHeadBytes - 4)));
      at = body + plan + stored;
    }
    if (bytes.size() >= detail::kTrailerBytes) {
      const std::size_t trailer = bytes.size() - detail::kTrailerBytes;
      put(trailer + 8, detail::crc32c(ByteView(bytes).subspan(trailer, 8)));
    }
    return bytes;
  }
};

}  // namespace

Bytes mutate_tbt(const Bytes& file, std::size_t size_max, std::uint64_t seed,
                 const ByteMutator& mutate) {
  return Change(size_max, seed, mutate).of(file);
}

}  // namespace tandem::fuzz
