// zlib's inflate behind GzipReader; without zlib a sentence.
#include "tools/cli/gunzip.hpp"

#include <algorithm>
#include <limits>

#ifdef TANDEM_WITH_ZLIB
#include <zlib.h>
#endif

namespace tandem::cli {
namespace {

constexpr std::byte kMagic0{0x1F};
constexpr std::byte kMagic1{0x8B};

#ifdef TANDEM_WITH_ZLIB

constexpr std::size_t kChunkBytes = std::size_t{1} << 18U;
constexpr int kGzipOnly = 16 + MAX_WBITS;  // window bits plus 16: a gzip header is expected

class ZlibReader final : public GzipReader {
 public:
  ZlibReader(std::span<const std::byte> bytes, std::string name)
      : bytes_(bytes), name_(std::move(name)) {}
  ~ZlibReader() override {
    if (open_) inflateEnd(&stream_);
  }

  Status open() {
    if (inflateInit2(&stream_, kGzipOnly) != Z_OK) {
      return Error::make(name_, "no memory to unpack it", "a smaller file", "gunzip it first");
    }
    open_ = true;
    return {};
  }

  Result<bool> append_to(std::string& out) override {
    if (member_ended_ && bytes_.empty()) return false;
    if (member_ended_) {
      inflateReset(&stream_);
      member_ended_ = false;
    }
    const std::size_t filled = out.size();
    out.resize(filled + kChunkBytes);
    const std::size_t offered =
        std::min<std::size_t>(bytes_.size(), std::numeric_limits<uInt>::max());
    // zlib's interface takes a pointer to non-const and does not write through it.
    stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes_.data()));
    stream_.avail_in = static_cast<uInt>(offered);
    stream_.next_out = reinterpret_cast<Bytef*>(out.data() + filled);
    stream_.avail_out = static_cast<uInt>(kChunkBytes);
    const int code = inflate(&stream_, Z_NO_FLUSH);
    const std::size_t used = offered - stream_.avail_in;
    const std::size_t made = kChunkBytes - stream_.avail_out;
    out.resize(filled + made);
    bytes_ = bytes_.subspan(used);
    offset_ += used;
    member_ended_ = code == Z_STREAM_END;
    if (member_ended_ || code == Z_OK) return true;
    const bool is_cut = code == Z_BUF_ERROR && bytes_.empty();
    return Error::make(name_ + ": byte " + std::to_string(offset_),
                       is_cut ? "the end of a gzip file that is cut" : "damaged gzip data",
                       "a whole gzip file", "fetch or pack it again");
  }

 private:
  std::span<const std::byte> bytes_;
  std::string name_;
  z_stream stream_{};
  std::uint64_t offset_ = 0;
  bool open_ = false;
  bool member_ended_ = false;
};

#endif

}  // namespace

bool is_gzip(std::span<const std::byte> bytes) {
  return bytes.size() >= 2 && bytes[0] == kMagic0 && bytes[1] == kMagic1;
}

#ifdef TANDEM_WITH_ZLIB

bool gzip_available() { return true; }

Result<std::unique_ptr<GzipReader>> make_gzip_reader(std::span<const std::byte> bytes,
                                                     const std::string& name) {
  auto reader = std::make_unique<ZlibReader>(bytes, name);
  TANDEM_RETURN_IF_ERROR(reader->open());
  return std::unique_ptr<GzipReader>(std::move(reader));
}

#else

bool gzip_available() { return false; }

Result<std::unique_ptr<GzipReader>> make_gzip_reader(std::span<const std::byte> /*bytes*/,
                                                     const std::string& name) {
  return Error::make(name, "gzip, which this build does not read", "plain JSON lines",
                     "gunzip it, or install zlib1g-dev and build again");
}

#endif

}  // namespace tandem::cli
