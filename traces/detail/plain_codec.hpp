// Plain binary: structures member by member. Keyframes, requests, odd records.
//
// traces/FORMAT.md, "Plain values". The encoder and the decoder are visitors for visit_members()
// and visit_fields(); both leave out the fields that a trace does not hold.
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include "traces/detail/int_column.hpp"
#include "traces/detail/members.hpp"
#include "traces/fields.hpp"

namespace tandem::detail {

template <class T>
concept ArrayElement = std::same_as<T, std::int32_t> || std::same_as<T, std::int64_t> ||
    std::same_as<T, std::uint64_t>;

class PlainEncoder {
 public:
  PlainEncoder(Bytes& out, const FieldSet& present) : out_(out), present_(present) {}

  template <class T>
  void operator()(const char* /*name*/, const T& value) {
    put(value);
  }
  template <class T>
  void operator()(Field field, const T& value) {
    if (holds(field)) put(value);
  }
  template <class T, class Each>
  void list(Field field, const std::vector<T>& values, Each each) {
    if (!holds(field)) return;
    put_varint(out_, values.size());
    for (const T& value : values) each(value, *this);
  }

 private:
  Bytes& out_;
  const FieldSet& present_;

  [[nodiscard]] bool holds(Field field) const {
    return present_.test(static_cast<std::size_t>(field));
  }
  template <class T>
  void put(const T& value) {
    if constexpr (std::is_enum_v<T> || std::is_same_v<T, bool>) {
      put_varint(out_, static_cast<std::uint64_t>(value));
    } else if constexpr (std::integral<T>) {
      put_signed(out_, static_cast<std::int64_t>(value));
    } else {
      visit_members(value, *this);
    }
  }
  template <class T>
  void put(const std::vector<T>& values) {
    if constexpr (ArrayElement<T>) {
      put_array(out_, values.data(), values.size());
    } else {
      put_varint(out_, values.size());
      for (const T& value : values) put(value);
    }
  }
};

class PlainDecoder {
 public:
  PlainDecoder(ByteCursor& in, const FieldSet& present) : in_(in), present_(present) {}

  template <class T>
  void operator()(const char* /*name*/, T& value) {
    get(value);
  }
  template <class T>
  void operator()(Field field, T& value) {
    if (holds(field)) get(value);
  }
  template <class T, class Each>
  void list(Field field, std::vector<T>& values, Each each) {
    if (!holds(field)) return;
    get_list(values, [this, &each](T& value) { each(value, *this); });
  }

 private:
  ByteCursor& in_;
  const FieldSet& present_;

  [[nodiscard]] bool holds(Field field) const {
    return present_.test(static_cast<std::size_t>(field));
  }
  // Grows with what is really there: a length alone never allocates.
  template <class T, class Each>
  void get_list(std::vector<T>& values, Each each) {
    values.clear();
    const std::uint64_t count = in_.varint();
    if (count > in_.left()) return in_.fail();
    in_.spend(words_of<T>(count));
    for (std::uint64_t i = 0; i < count && in_.ok(); ++i) each(values.emplace_back());
  }
  template <class T>
  void get(T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      const std::uint64_t raw = in_.varint();
      if (raw > 1) return in_.fail();
      value = raw != 0;
    } else if constexpr (std::is_enum_v<T>) {
      const std::uint64_t raw = in_.varint();
      if (raw >= EnumNames<T>::kNames.size()) return in_.fail();
      value = static_cast<T>(raw);
    } else if constexpr (std::integral<T>) {
      const std::int64_t raw = in_.varint_signed();
      if (raw < std::numeric_limits<T>::min() || raw > std::numeric_limits<T>::max()) {
        return in_.fail();
      }
      value = static_cast<T>(raw);
    } else {
      visit_members(value, *this);
    }
  }
  template <class T>
  void get(std::vector<T>& values) {
    if constexpr (ArrayElement<T>) {
      get_array(in_, values);
    } else {
      get_list(values, [this](T& value) { get(value); });
    }
  }
};

/// Counts the words that the lists of what it visits take: at least what a decoder spends on them.
class ListWords {
 public:
  template <class T>
  void operator()(const char* /*name*/, const T& value) {
    count(value);
  }
  template <class T>
  void operator()(Field /*field*/, const T& value) {
    count(value);
  }
  template <class T, class Each>
  void list(Field /*field*/, const std::vector<T>& values, Each each) {
    words_ += words_of<T>(values.size());
    for (const T& value : values) each(value, *this);
  }
  [[nodiscard]] std::uint64_t words() const { return words_; }

 private:
  std::uint64_t words_ = 0;

  template <class T>
  void count(const T& value) {
    if constexpr (!std::integral<T> && !std::is_enum_v<T>) visit_members(value, *this);
  }
  template <class T>
  void count(const std::vector<T>& values) {
    words_ += words_of<T>(values.size());
    if constexpr (!std::integral<T>) {
      for (const T& value : values) count(value);
    }
  }
};

/// Words of the lists of a keyframe or a row.
template <class T>
std::uint64_t list_words(const T& value) {
  ListWords words;
  visit_members(value, words);
  return words.words();
}
inline std::uint64_t list_words(const StepRecord& record) {
  ListWords words;
  visit_fields(record, words);
  return words.words();
}

/// Appends `value` in plain binary.
template <class T>
void put_plain(Bytes& out, const T& value) {
  const FieldSet none;
  PlainEncoder encoder(out, none);
  visit_members(value, encoder);
}

/// Reads what put_plain() wrote, or fails `in`.
template <class T>
void get_plain(ByteCursor& in, T& value) {
  const FieldSet none;
  PlainDecoder decoder(in, none);
  visit_members(value, decoder);
}

}  // namespace tandem::detail
