// The wire form of a protobuf message: varints, fixed 64-bit numbers, strings and messages in it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tandem::sim {

class ProtoMessage {
 public:
  void varint(std::uint32_t field, std::uint64_t value) {
    tag(field, kVarint);
    raw(value);
  }
  /// int64: two's complement, ten bytes where it is negative.
  void integer(std::uint32_t field, std::int64_t value) {
    varint(field, static_cast<std::uint64_t>(value));
  }
  void fixed64(std::uint32_t field, std::uint64_t value) {
    tag(field, kFixed64);
    for (unsigned shift = 0; shift < 64; shift += 8) {
      bytes_ += static_cast<char>((value >> shift) & 0xFFU);
    }
  }
  void text(std::uint32_t field, std::string_view value) {
    tag(field, kLengthDelimited);
    raw(value.size());
    bytes_ += value;
  }
  void message(std::uint32_t field, const ProtoMessage& value) { text(field, value.bytes_); }

  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  static constexpr std::uint32_t kVarint = 0;
  static constexpr std::uint32_t kFixed64 = 1;
  static constexpr std::uint32_t kLengthDelimited = 2;

  void tag(std::uint32_t field, std::uint32_t type) { raw((std::uint64_t{field} << 3U) | type); }
  void raw(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7U) bytes_ += static_cast<char>((value & 0x7FU) | 0x80U);
    bytes_ += static_cast<char>(value);
  }

  std::string bytes_;
};

}  // namespace tandem::sim
