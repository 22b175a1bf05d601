// Reader: typed access to a scenario's tree once it has passed the schema.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/scenario.hpp"
#include "scenarios/schema.hpp"

namespace tandem {

/// Typed access to a tree that has passed check_against_schema: what is asked for is there.
class Reader {
 public:
  explicit Reader(const Document& document) : document_(document) {}

  [[nodiscard]] bool has(std::string_view path) const { return document_.at(path) != nullptr; }
  [[nodiscard]] const JsonNode& node(std::string_view path) const {
    const JsonNode* found = document_.at(path);
    TANDEM_CHECK(found != nullptr);
    return *found;
  }
  [[nodiscard]] std::int64_t integer(std::string_view path) const { return integer_of(node(path)); }
  [[nodiscard]] std::int32_t int32(std::string_view path) const {
    return static_cast<std::int32_t>(integer(path));
  }
  [[nodiscard]] std::int32_t int32_or(std::string_view path, std::int32_t otherwise) const {
    return has(path) ? int32(path) : otherwise;
  }
  [[nodiscard]] bool boolean(std::string_view path) const { return node(path).text == "true"; }
  [[nodiscard]] const std::string& text(std::string_view path) const { return node(path).text; }
  [[nodiscard]] std::int64_t units(std::string_view path, int digits) const {
    return fixed_point(node(path).text, digits).units;
  }
  [[nodiscard]] std::vector<std::int32_t> int32s(std::string_view path) const {
    return int32s_of(node(path));
  }
  [[nodiscard]] static std::int64_t integer_of(const JsonNode& node) {
    std::int64_t value = 0;
    std::from_chars(node.text.data(), node.text.data() + node.text.size(), value);
    return value;
  }
  [[nodiscard]] static std::vector<std::int32_t> int32s_of(const JsonNode& list) {
    std::vector<std::int32_t> out;
    out.reserve(list.items.size());
    for (const JsonNode& item : list.items) {
      out.push_back(static_cast<std::int32_t>(integer_of(item)));
    }
    return out;
  }
  [[nodiscard]] std::vector<std::uint32_t> millionths(std::string_view path) const {
    std::vector<std::uint32_t> out;
    for (const JsonNode& item : node(path).items) {
      out.push_back(static_cast<std::uint32_t>(fixed_point(item.text, 6).units));
    }
    return out;
  }
  template <class Enum>
  [[nodiscard]] Enum choice(std::string_view path) const {
    Enum value{};
    TANDEM_CHECK(from_name(text(path), value));  // the table lists exactly the names
    return value;
  }

 private:
  const Document& document_;
};

/// Reads the group `workload`; config and accept lists of `out` are already read.
[[nodiscard]] Status read_workload(const Document& document, Scenario& out);

}  // namespace tandem
