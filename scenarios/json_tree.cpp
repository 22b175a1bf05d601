// JSON text to a tree through nlohmann's event reader, and exact decimal numbers.
#include "scenarios/json_tree.hpp"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tandem {
namespace {

constexpr std::size_t kShownMax = 60;

struct Position {
  std::size_t line = 1;
  std::size_t column = 1;
};

Position position_of(std::string_view text, std::size_t offset) {
  Position at;
  for (std::size_t i = 0; i < std::min(offset, text.size()); ++i) {
    if (text[i] == '\n') {
      ++at.line;
      at.column = 1;
    } else {
      ++at.column;
    }
  }
  return at;
}

/// Builds the tree and stops at the first thing that a scenario may not hold.
class TreeBuilder : public nlohmann::json_sax<nlohmann::json> {
 public:
  TreeBuilder(std::string_view text, const std::string& name) : text_(text), name_(name) {
    open_.push_back(&root_);
  }

  bool null() override { return add(JsonKind::null, "null"); }
  bool boolean(bool value) override { return add(JsonKind::boolean, value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override {
    return add(JsonKind::integer, fmt::format("{}", value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return add(JsonKind::integer, fmt::format("{}", value));
  }
  bool number_float(number_float_t /*value*/, const string_t& literal) override {
    return add(JsonKind::decimal, literal);
  }
  bool string(string_t& value) override { return add(JsonKind::text, value); }
  bool binary(binary_t& /*value*/) override { return false; }
  bool start_object(std::size_t /*size*/) override { return open(JsonKind::object); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t /*size*/) override { return open(JsonKind::array); }
  bool end_array() override { return close(); }

  bool key(string_t& value) override {
    if (open_.back()->find(value) != nullptr) {
      error_ = Error::make(name_ + ":" + pointer_join(pointer(), value), "got the key twice",
                           "each key once", "delete one of the two");
      return false;
    }
    if (open_.back()->members.size() == kJsonKeysMax) {
      error_ =
          Error::make(name_ + ":" + pointer(), fmt::format("got more than {} keys", kJsonKeysMax),
                      "a scenario's keys", "see scenarios/SCHEMA.md");
      return false;
    }
    open_.back()->members.push_back({value, {}});
    return true;
  }

  bool parse_error(std::size_t offset, const std::string& /*token*/,
                   const nlohmann::detail::exception& failure) override {
    const Position at = position_of(text_, offset == 0 ? 0 : offset - 1);
    std::string reason = failure.what();  // "[json.exception...] parse error at ..: the reason"
    const std::size_t start = reason.find(": ");
    if (start != std::string::npos) reason.erase(0, start + 2);
    error_ = Error::make(fmt::format("{}:{}:{}", name_, at.line, at.column), "got " + reason,
                         "one JSON document", "correct the syntax at this place");
    return false;
  }

  [[nodiscard]] Result<JsonNode> finish(bool complete) && {
    if (complete) return std::move(root_.items.front());
    return error_;
  }

 private:
  JsonNode* place() {
    JsonNode& parent = *open_.back();
    if (parent.kind == JsonKind::object) return &parent.members.back().value;
    parent.items.emplace_back();
    return &parent.items.back();
  }

  bool add(JsonKind kind, std::string text) {
    if (++values_ > kJsonValuesMax) {
      error_ = Error::make(name_, fmt::format("got more than {} values", kJsonValuesMax),
                           "a smaller document", "move long lists to a file of their own");
      return false;
    }
    JsonNode* node = place();
    node->kind = kind;
    node->text = std::move(text);
    return true;
  }

  bool open(JsonKind kind) {
    if (open_.size() > static_cast<std::size_t>(kJsonDepthMax)) {
      error_ = Error::make(name_ + ":" + pointer(),
                           fmt::format("got values nested deeper than {}", kJsonDepthMax),
                           "a flatter document", "see scenarios/SCHEMA.md");
      return false;
    }
    if (!add(kind, {})) return false;
    JsonNode& parent = *open_.back();
    open_.push_back(parent.kind == JsonKind::object ? &parent.members.back().value
                                                    : &parent.items.back());
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  /// Where the innermost open value stands; root_ is an array around the document.
  [[nodiscard]] std::string pointer() const {
    std::string text;
    for (std::size_t i = 1; i + 1 < open_.size(); ++i) {
      const JsonNode& parent = *open_[i];
      text = parent.kind == JsonKind::object
                 ? pointer_join(text, parent.members.back().key)
                 : pointer_join(text, fmt::format("{}", parent.items.size() - 1));
    }
    return text;
  }

  std::string_view text_;
  const std::string& name_;
  JsonNode root_{JsonKind::array, -1, {}, {}, {}};
  std::vector<JsonNode*> open_;  // a parent does not grow while a child of it is open
  std::size_t values_ = 0;
  Error error_{"no document"};
};

/// Digits of a literal without sign, point and exponent, and where the point stands behind them.
struct Digits {
  std::string text;
  std::int64_t exponent = 0;  ///< value = 0.text * 10^exponent
  bool negative = false;
};

Digits split_literal(std::string_view literal) {
  Digits out;
  std::size_t i = 0;
  if (i < literal.size() && literal[i] == '-') {
    out.negative = true;
    ++i;
  }
  bool behind_point = false;
  for (; i < literal.size() && literal[i] != 'e' && literal[i] != 'E'; ++i) {
    if (literal[i] == '.') {
      behind_point = true;
      continue;
    }
    if (!behind_point) ++out.exponent;
    out.text.push_back(literal[i]);
  }
  const std::size_t zeros = std::min(out.text.find_first_not_of('0'), out.text.size());
  out.text.erase(0, zeros);
  out.exponent -= static_cast<std::int64_t>(zeros);
  if (i < literal.size()) {
    bool down = false;
    std::int64_t exponent = 0;
    for (++i; i < literal.size(); ++i) {
      if (literal[i] == '-') down = true;
      if (literal[i] < '0' || literal[i] > '9') continue;
      exponent = std::min<std::int64_t>(exponent * 10 + (literal[i] - '0'), 1'000'000'000);
    }
    out.exponent += down ? -exponent : exponent;
  }
  return out;
}

}  // namespace

const JsonNode* JsonNode::find(std::string_view key) const {
  for (const auto& [name, node] : members) {
    if (name == key) return &node;
  }
  return nullptr;
}

JsonNode* JsonNode::find(std::string_view key) {
  for (auto& [name, node] : members) {
    if (name == key) return &node;
  }
  return nullptr;
}

Result<JsonNode> parse_json(std::string_view text, const std::string& name) {
  if (text.size() > kJsonBytesMax) {
    return Error::make(name, fmt::format("got {} bytes", text.size()),
                       fmt::format("at most {}", kJsonBytesMax),
                       "move long lists to a file of their own");
  }
  TreeBuilder builder(text, name);
  try {
    const bool complete = nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
    return std::move(builder).finish(complete);
  } catch (const nlohmann::json::exception& failure) {
    return Error::make(name, std::string("got ") + failure.what(), "one JSON document");
  }
}

std::string shown_text(std::string_view text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool inside_character = (byte & 0xC0U) == 0x80U;  // never cut a UTF-8 character in two
    if (out.size() > kShownMax && !inside_character) return out + "...\"";
    if (byte == '"' || byte == '\\') {
      out += '\\';
      out += text[i];
    } else if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(byte));
    } else {
      out += text[i];
    }
  }
  return out + "\"";
}

std::string shown(const JsonNode& node) {
  switch (node.kind) {
    case JsonKind::text:
      return shown_text(node.text);
    case JsonKind::array:
      return fmt::format("a list of {} {}", node.items.size(),
                         node.items.size() == 1 ? "value" : "values");
    case JsonKind::object:
      return fmt::format("an object with {} {}", node.members.size(),
                         node.members.size() == 1 ? "key" : "keys");
    default:
      break;
  }
  return node.text.size() <= kShownMax ? node.text : node.text.substr(0, kShownMax) + "...";
}

std::string pointer_join(const std::string& base, std::string_view key) {
  std::string out = base + "/";
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(byte));
    } else {
      out += c;
    }
  }
  return out;
}

FixedPoint fixed_point(std::string_view literal, int digits) {
  constexpr std::int64_t kLimit = 1'000'000'000'000'000'000;
  const Digits parts = split_literal(literal);
  const std::int64_t wanted = parts.exponent + digits;  // digits in front of the new point
  FixedPoint out;
  if (parts.text.empty()) return out;
  if (wanted > 18) {
    out.units = parts.negative ? -kLimit : kLimit;
    out.overflow = true;
    return out;
  }
  const auto digit = [&parts](std::int64_t i) {
    const auto size = static_cast<std::int64_t>(parts.text.size());
    return i >= 0 && i < size ? parts.text[static_cast<std::size_t>(i)] - '0' : 0;
  };
  for (std::int64_t i = 0; i < wanted; ++i) out.units = out.units * 10 + digit(i);
  const bool up = wanted >= 0 && digit(wanted) >= 5;
  const std::size_t first_cut = static_cast<std::size_t>(std::max<std::int64_t>(wanted, 0));
  const bool exact = parts.text.find_first_not_of('0', first_cut) == std::string::npos;
  if (up) ++out.units;
  if (!exact) out.remainder = up ? -1 : 1;
  if (parts.negative) {
    out.units = -out.units;
    out.remainder = -out.remainder;
  }
  return out;
}

}  // namespace tandem
