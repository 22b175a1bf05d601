// Finds line ends in mapped bytes or in what is being unpacked.
#include "tools/cli/line_source.hpp"

#include <cstring>
#include <span>
#include <string_view>

namespace tandem::cli {
namespace {

// A packed file may claim anything: what no tensor may reach is not unpacked.
constexpr std::size_t kLineBytesMax = std::size_t{1} << 30U;

// Pages of a mapped file leave memory once this much of it was read.
constexpr std::size_t kReleaseBytes = std::size_t{16} << 20U;

}  // namespace

std::string input_name(const std::string& path) { return path == "-" ? "standard input" : path; }

Result<std::unique_ptr<InputFile>> open_input(Io& io, const std::string& path) {
  return io.files.open(path == "-" ? "/dev/stdin" : path);
}

Result<LineSource> LineSource::open(Io& io, const std::string& path) {
  LineSource source;
  source.name_ = input_name(path);
  TANDEM_TRY(source.file_, open_input(io, path));
  if (is_gzip(source.file_->bytes())) {
    TANDEM_TRY(source.unpacker_, make_gzip_reader(source.file_->bytes(), source.name_));
  }
  return source;
}

/// Unpacks until a line is whole or the file ends.
Status LineSource::fill() {
  held_.erase(0, begin_);
  begin_ = 0;
  std::size_t searched = 0;
  while (!ended_ && held_.find('\n', searched) == std::string::npos) {
    searched = held_.size();
    if (searched > kLineBytesMax) {
      return Error::make(name_ + ":" + std::to_string(number_ + 1), "a line of more than 1 GiB",
                         "shorter ones");
    }
    TANDEM_TRY(const bool more, unpacker_->append_to(held_));
    ended_ = !more;
  }
  return {};
}

Result<bool> LineSource::next(std::string& line) {
  std::string_view text;
  if (unpacker_ != nullptr) {
    if (held_.find('\n', begin_) == std::string::npos) TANDEM_RETURN_IF_ERROR(fill());
    text = held_;
  } else {
    const std::span<const std::byte> bytes = file_->bytes();
    text = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  if (begin_ >= text.size()) return false;
  const std::size_t end = std::min(text.find('\n', begin_), text.size());
  line.assign(text.substr(begin_, end - begin_));
  begin_ = end + 1;
  ++number_;
  if (unpacker_ == nullptr && begin_ - released_ >= kReleaseBytes) {
    file_->release(released_, begin_ - released_);
    released_ = begin_;
  }
  return true;
}

}  // namespace tandem::cli
