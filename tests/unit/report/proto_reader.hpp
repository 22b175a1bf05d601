// A decoder of protobuf's wire form that knows no schema: fields in order, by number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::test {

struct ProtoField {
  std::uint32_t number = 0;
  std::uint32_t type = 0;   ///< 0 varint, 1 fixed64, 2 length-delimited
  std::uint64_t value = 0;  ///< types 0 and 1
  std::string_view bytes;   ///< type 2
};

/// Fields of one message; `ok` is false where the bytes are none.
class ProtoReader {
 public:
  explicit ProtoReader(std::string_view bytes) {
    while (ok && !bytes.empty()) read(bytes);
  }

  bool ok = true;
  std::vector<ProtoField> fields;

  /// The first with this number; null where there is none.
  [[nodiscard]] const ProtoField* find(std::uint32_t number) const {
    for (const ProtoField& field : fields) {
      if (field.number == number) return &field;
    }
    return nullptr;
  }
  [[nodiscard]] std::vector<ProtoField> all(std::uint32_t number) const {
    std::vector<ProtoField> found;
    for (const ProtoField& field : fields) {
      if (field.number == number) found.push_back(field);
    }
    return found;
  }
  [[nodiscard]] std::uint64_t value(std::uint32_t number) const {
    const ProtoField* field = find(number);
    return field == nullptr ? 0 : field->value;
  }
  [[nodiscard]] std::string text(std::uint32_t number) const {
    const ProtoField* field = find(number);
    return field == nullptr ? std::string() : std::string(field->bytes);
  }

 private:
  bool varint(std::string_view& bytes, std::uint64_t& value) {
    value = 0;
    for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes.front());
      bytes.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }

  void read(std::string_view& bytes) {
    std::uint64_t tag = 0;
    ok = varint(bytes, tag) && (tag >> 3U) > 0;
    if (!ok) return;
    ProtoField field;
    field.number = static_cast<std::uint32_t>(tag >> 3U);
    field.type = static_cast<std::uint32_t>(tag & 7U);
    std::uint64_t length = 8;
    if (field.type == 0) {
      ok = varint(bytes, field.value);
    } else if (field.type == 1 || field.type == 2) {
      if (field.type == 2) ok = varint(bytes, length);
      ok = ok && length <= bytes.size();
      if (!ok) return;
      field.bytes = bytes.substr(0, static_cast<std::size_t>(length));
      bytes.remove_prefix(static_cast<std::size_t>(length));
      for (std::size_t i = 0; field.type == 1 && i < 8; ++i) {
        field.value |= std::uint64_t{static_cast<unsigned char>(field.bytes[i])} << (8 * i);
      }
    } else {
      ok = false;
    }
    if (ok) fields.push_back(field);
  }
};

}  // namespace tandem::test
