// Prints the structures of a trace as JSON text, without a document in between.
#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "traces/detail/members.hpp"
#include "traces/fields.hpp"

namespace tandem::detail {

/// Integers beyond it do not survive readers that hold numbers as doubles.
constexpr std::uint64_t kJsonExactMax = 1ULL << 53U;

inline void put_json(std::string& out, const std::string& text) {
  constexpr const char* kHex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += "\\u00";
      out += kHex[byte >> 4U];
      out += kHex[byte & 15U];
    } else {
      out += c;
    }
  }
  out += '"';
}

inline void put_json(std::string& out, bool value) { out += value ? "true" : "false"; }

template <std::integral T>
void put_json(std::string& out, T value) {
  std::array<char, 24> digits{};
  if constexpr (std::is_same_v<T, std::uint64_t>) {
    if (value > kJsonExactMax) {  // as text, in hexadecimal
      const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr;
      out += "\"0x";
      out.append(digits.data(), end);
      out += '"';
      return;
    }
  }
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

template <class T>
requires std::is_enum_v<T>
void put_json(std::string& out, T value) {
  out += '"';
  out += to_name(value);
  out += '"';
}

// Declared before they are used: arguments from std find nothing here by themselves.
template <class T>
requires std::is_class_v<T>
void put_json(std::string& out, const T& value);
template <class T>
void put_json(std::string& out, const std::vector<T>& list);
template <class T, std::size_t kCount>
void put_json(std::string& out, const std::array<T, kCount>& list);

void put_json(std::string& out, const plan::BufferUse& use);

inline void put_json(std::string& out, const RowRun& run) {
  out += '[';
  put_json(out, run.slot);
  out += ',';
  put_json(out, run.rows);
  out += ']';
}

template <class List>
void put_json_list(std::string& out, const List& list) {
  out += '[';
  const char* separator = "";
  for (const auto& item : list) {
    out += separator;
    put_json(out, item);
    separator = ",";
  }
  out += ']';
}

template <class T>
void put_json(std::string& out, const std::vector<T>& list) {
  put_json_list(out, list);
}

template <class T, std::size_t kCount>
void put_json(std::string& out, const std::array<T, kCount>& list) {
  put_json_list(out, list);
}

/// Visitor that prints members as "name":value, separated by commas.
class JsonMembers {
 public:
  explicit JsonMembers(std::string& out, bool first = true) : out_(out), first_(first) {}

  template <class T>
  void operator()(const char* name, const T& value) {
    if (leaves_out(value)) return;
    key(name);
    put_json(out_, value);
  }
  void key(const char* name) {
    out_ += first_ ? "\"" : ",\"";
    out_ += name;
    out_ += "\":";
    first_ = false;
  }

 private:
  std::string& out_;
  bool first_;

  // Most operations of a plan wait on nothing and touch few buffers: it would be mostly defaults.
  template <class T>
  static bool leaves_out(const T& value) {
    if constexpr (std::is_same_v<T, plan::EventRef>) return value == T{};
    if constexpr (std::is_same_v<T, std::vector<plan::BufferUse>>) return value.empty();
    return false;
  }
};

inline void put_json(std::string& out, const plan::BufferUse& use) {
  out += '{';
  JsonMembers members(out);
  members("buffer", use.buffer);
  if (use.ring) members("ring", use.ring);
  if (use.step_offset != 0) members("step_offset", use.step_offset);
  out += '}';
}

template <class T>
requires std::is_class_v<T>
void put_json(std::string& out, const T& value) {
  out += '{';
  JsonMembers members(out);
  visit_members(value, members);
  out += '}';
}

/// What a reader starts from before it applies a step's keys.
struct StepDefaults {
  RecordLevel level = RecordLevel::state;
  std::int32_t slots = 0;
  std::int32_t substeps = 0;
  std::int32_t row_width = 0;
  FieldSet present;
  StepRecord record;  ///< after reset()

  explicit StepDefaults(const TraceHeader& header)
      : level(header.level),
        slots(header.config.max_num_seqs),
        substeps(header.config.num_model_steps),
        row_width(header.config.row_width()),
        present(present_fields(header)) {
    record.reset(level, slots, substeps, row_width);
  }
};

/// Visitor that prints a step's fields. Columns and lists that equal the default are left out.
class JsonStep {
 public:
  /// `first`: no member of the same object was printed before.
  JsonStep(std::string& out, const StepDefaults& defaults, bool first)
      : out_(out), members_(out, first), defaults_(defaults) {}

  template <class T>
  void operator()(Field field, const T& value) {
    if (holds(field)) members_(field_info(field).name, value);
  }
  template <class T>
  void operator()(Field field, const std::vector<T>& values) {
    if (holds(field) && !is_default(field, values)) members_(field_info(field).name, values);
  }
  template <class Each>
  void list(Field field, const std::vector<DraftSubstep>& substeps, Each each) {
    if (!holds(field) || substeps == defaults_.record.substeps) return;
    members_.key(field_info(field).name);
    out_ += '[';
    const char* separator = "";
    for (const DraftSubstep& substep : substeps) {
      out_ += separator;
      out_ += '{';
      JsonStep inner(out_, defaults_, true);
      each(substep, inner);
      out_ += '}';
      separator = ",";
    }
    out_ += ']';
  }

 private:
  std::string& out_;
  JsonMembers members_;
  const StepDefaults& defaults_;

  [[nodiscard]] bool holds(Field field) const {
    return defaults_.present.test(static_cast<std::size_t>(field));
  }
  template <class T>
  [[nodiscard]] bool is_default(Field field, const std::vector<T>& values) const {
    std::size_t size = 0;
    if constexpr (std::is_same_v<T, std::int32_t>) {
      const bool packing = field == Field::cu_seqlens_q || field == Field::cu_seqlens_q_output;
      size = packing ? 0 : defaults_.record.p1.q.size();
    }
    if constexpr (std::is_same_v<T, std::int64_t>) size = defaults_.record.p1_tokens.size();
    if (values.size() != size) return false;
    if constexpr (std::integral<T>) {
      for (const T value : values) {
        if (value != 0) return false;
      }
    }
    return true;
  }
};

}  // namespace tandem::detail
