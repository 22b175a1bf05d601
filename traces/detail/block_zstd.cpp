// zstd behind two functions; without it nothing compresses and compressed blocks are refused.
#include "traces/detail/block_zstd.hpp"

#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "traces/tbt.hpp"

#if defined(TANDEM_WITH_ZSTD)
#include <zstd.h>
#endif

namespace tandem {

#if defined(TANDEM_WITH_ZSTD)

bool zstd_available() { return true; }

namespace detail {

bool compress_block(ByteView raw, int level, Bytes& out) {
  out.resize(raw.size());
  const std::size_t size = ZSTD_compress(out.data(), out.size(), raw.data(), raw.size(), level);
  if (ZSTD_isError(size) != 0 || size >= raw.size()) return false;
  out.resize(size);
  return true;
}

Status decompress_block(ByteView stored, std::uint64_t raw_size, Bytes& out) {
  constexpr std::uint64_t kFirstBytes = 1U << 20U;
  const std::unique_ptr<ZSTD_DStream, decltype(&ZSTD_freeDStream)> stream(ZSTD_createDStream(),
                                                                          &ZSTD_freeDStream);
  ZSTD_inBuffer in{stored.data(), stored.size(), 0};
  out.resize(static_cast<std::size_t>(std::min(raw_size, kFirstBytes)));
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  while (true) {
    const std::size_t before = to.pos;
    const std::size_t consumed = in.pos;
    const std::size_t left = ZSTD_decompressStream(stream.get(), &to, &in);
    if (ZSTD_isError(left) != 0) {
      return Error{fmt::format("got zstd data that does not decompress ({}), want {} bytes",
                               ZSTD_getErrorName(left), raw_size)};
    }
    if (left == 0) break;
    if (to.pos == to.size && to.size < raw_size) {
      out.resize(static_cast<std::size_t>(std::min<std::uint64_t>(raw_size, to.size * 2)));
      to.dst = out.data();
      to.size = out.size();
    } else if (to.pos == before && in.pos == consumed) {
      break;  // it wants more input or more room, and there is none
    }
  }
  if (to.pos != raw_size || in.pos != in.size) {
    return Error{fmt::format("got {} bytes of zstd data, want {}", to.pos, raw_size)};
  }
  return {};
}

}  // namespace detail

#else

bool zstd_available() { return false; }

namespace detail {

bool compress_block(ByteView /*raw*/, int /*level*/, Bytes& /*out*/) { return false; }

Status decompress_block(ByteView /*stored*/, std::uint64_t /*raw_size*/, Bytes& /*out*/) {
  return Error{"got a block compressed with zstd, want a plain one"};
}

}  // namespace detail

#endif

}  // namespace tandem
