// Checks a scenario's tree against the schema table and puts defaults into it.
#include "scenarios/schema.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>

#include <fmt/format.h>

namespace tandem {
namespace {

bool is_in_list(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find('|'), list.size());
    if (list.substr(0, end) == word) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

std::string with_commas(std::string_view list) {
  std::string out;
  for (const char c : list) {
    if (c == '|') {
      out += ", ";
    } else {
      out += c;
    }
  }
  return out;
}

std::string path_join(std::string_view base, std::string_view key) {
  return base.empty() ? std::string(key) : fmt::format("{}.{}", base, key);
}

/// The key of `spec` where it stands directly below `base`, else "".
std::string_view child_key(const KeySpec& spec, std::string_view base) {
  std::string_view rest = spec.path;
  if (!base.empty()) {
    if (rest.size() <= base.size() + 1 || rest.substr(0, base.size()) != base) return {};
    if (rest[base.size()] != '.') return {};
    rest.remove_prefix(base.size() + 1);
  }
  return rest.find('.') == std::string_view::npos ? rest : std::string_view{};
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

std::string nearest_key(std::string_view base, std::string_view key) {
  std::string_view best;
  std::size_t best_distance = ~std::size_t{0};
  for (const KeySpec& spec : schema()) {
    const std::string_view candidate = child_key(spec, base);
    if (candidate.empty()) continue;
    const std::size_t distance = edit_distance(key.substr(0, 64), candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return std::string(best);
}

std::string found_text(const Document& document, const JsonNode& node) {
  std::string text = "got " + shown(node);
  if (node.override_index >= 0) {
    const std::string& override = document.overrides[static_cast<std::size_t>(node.override_index)];
    const std::string quoted = shown_text(override);
    text += " (set by " + quoted.substr(1, quoted.size() - 2) + ")";
  }
  return text;
}

bool integer_in_range(const JsonNode& node, std::int64_t min, std::int64_t max) {
  std::int64_t value = 0;
  const char* end = node.text.data() + node.text.size();
  const auto read = std::from_chars(node.text.data(), end, value);
  return node.kind == JsonKind::integer && read.ec == std::errc{} && read.ptr == end &&
         value >= min && value <= max;
}

bool decimal_in_range(const JsonNode& node, const KeySpec& spec) {
  if (node.kind != JsonKind::integer && node.kind != JsonKind::decimal) return false;
  const FixedPoint value = fixed_point(node.text, spec.digits);
  if (value.overflow || value.units < spec.min || value.units > spec.max) return false;
  return !(value.units == spec.max && value.remainder > 0) &&
         !(value.units == spec.min && value.remainder < 0);
}

bool seed_in_range(const JsonNode& node) {
  std::uint64_t value = 0;
  const char* end = node.text.data() + node.text.size();
  const auto read = std::from_chars(node.text.data(), end, value);
  return node.kind == JsonKind::integer && read.ec == std::errc{} && read.ptr == end;
}

/// A value that holds no keys of its own.
bool value_is_allowed(const KeySpec& spec, const JsonNode& node) {
  switch (spec.type) {
    case KeyType::integer:
    case KeyType::integers:
    case KeyType::lists:
      return integer_in_range(node, spec.min, spec.max);
    case KeyType::decimal:
    case KeyType::decimals:
      return decimal_in_range(node, spec);
    case KeyType::seed:
      return seed_in_range(node);
    case KeyType::choice:
      return is_in_list(spec.choices, node.text);
    case KeyType::text: {
      const auto size = static_cast<std::int64_t>(node.text.size());
      return size >= spec.min && size <= spec.max;
    }
    default:
      return true;
  }
}

/// Walks the tree beside the table.
class Checker {
 public:
  explicit Checker(Document& document) : document_(document) {}

  Status object(JsonNode& node, const std::string& path, const std::string& pointer) {
    fill_defaults(node, path);
    std::string kind;
    if (JsonNode* given = node.find("kind"); given != nullptr) {
      TANDEM_RETURN_IF_ERROR(member(*given, path, "kind", {}, pointer));
      kind = given->text;
      fill_defaults(node, path, kind);
    }
    for (auto& [key, value] : node.members) {
      TANDEM_RETURN_IF_ERROR(member(value, path, key, kind, pointer));
    }
    for (const KeySpec& spec : schema()) {
      const std::string_view key = child_key(spec, path);
      if (key.empty() || !spec.required || !applies(spec, kind) || node.find(key) != nullptr) {
        continue;
      }
      const std::string why = kind.empty() || spec.kinds.empty()
                                  ? "this key must be given"
                                  : fmt::format("kind {} needs this key", kind);
      return Error::make(place(pointer_join(pointer, key)), "got nothing",
                         wanted_here(spec.path, kind), why);
    }
    return {};
  }

 private:
  /// Absent keys of the given kind get their defaults; "" stands for keys of every kind.
  static void fill_defaults(JsonNode& node, std::string_view path, std::string_view kind = {}) {
    for (const KeySpec& spec : schema()) {
      const std::string_view key = child_key(spec, path);
      if (key.empty() || !applies(spec, kind) || node.find(key) != nullptr) continue;
      if (!spec.fallback.empty()) {
        auto value = parse_json(spec.fallback, "schema");
        TANDEM_CHECK(value.ok());
        node.members.push_back({std::string(key), std::move(value).value()});
      } else if (spec.type == KeyType::group && !spec.required) {
        node.members.push_back({std::string(key), {}});
        node.members.back().value.kind = JsonKind::object;
      }
    }
  }

  Status member(JsonNode& value, const std::string& path, std::string_view key,
                std::string_view kind, const std::string& pointer) {
    const std::string key_path = path_join(path, key);
    const std::string key_pointer = pointer_join(pointer, key);
    const KeySpec* spec =
        key.find('.') == std::string_view::npos ? find_spec(key_path, kind, value) : nullptr;
    if (spec == nullptr) return unknown_key(value, path, key, kind, pointer);
    if (!fits_type(*spec, value)) return refuse(value, *spec, kind, key_pointer);
    if (spec->type == KeyType::group) return object(value, key_path, key_pointer);
    if (value.kind == JsonKind::array) return list(value, *spec, kind, key_pointer);
    if (!value_is_allowed(*spec, value)) return refuse(value, *spec, kind, key_pointer);
    return {};
  }

  Status list(JsonNode& value, const KeySpec& spec, std::string_view kind,
              const std::string& pointer) {
    const auto size = static_cast<std::int64_t>(value.items.size());
    if (size < 1 || size > spec.size_max) return refuse(value, spec, kind, pointer);
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      JsonNode& item = value.items[i];
      const std::string item_pointer = fmt::format("{}/{}", pointer, i);
      KeySpec item_spec = spec;
      if (spec.type == KeyType::groups) {
        item_spec.type = KeyType::group;
        if (item.kind != JsonKind::object) return refuse(item, item_spec, {}, item_pointer);
        TANDEM_RETURN_IF_ERROR(object(item, std::string(spec.path) + ".*", item_pointer));
      } else if (spec.type == KeyType::lists) {
        item_spec.type = KeyType::integers;
        if (item.kind != JsonKind::array) return refuse(item, item_spec, {}, item_pointer);
        TANDEM_RETURN_IF_ERROR(list(item, item_spec, {}, item_pointer));
      } else {
        item_spec.type = spec.type == KeyType::decimals ? KeyType::decimal : KeyType::integer;
        if (!value_is_allowed(item_spec, item)) return refuse(item, item_spec, {}, item_pointer);
      }
    }
    return {};
  }

  [[nodiscard]] Error unknown_key(const JsonNode& value, std::string_view path,
                                  std::string_view key, std::string_view kind,
                                  const std::string& pointer) const {
    const std::string where = place(pointer_join(pointer, key));
    const std::string key_path = path_join(path, key);
    std::string kinds;
    for (const KeySpec& spec : schema()) {
      if (spec.path == key_path) kinds = with_commas(spec.kinds);
    }
    if (!kinds.empty()) {
      return Error::make(where, found_text(document_, value),
                         fmt::format("no such key where kind is {}", kind),
                         fmt::format("it belongs to kind {}: remove it, or change kind", kinds));
    }
    return Error::make(where, found_text(document_, value) + " for an unknown key",
                       path.empty() ? "a key of the schema" : fmt::format("a key of {}", path),
                       fmt::format("the nearest is \"{}\"", nearest_key(path, key)));
  }

  [[nodiscard]] Error refuse(const JsonNode& value, const KeySpec& spec, std::string_view kind,
                             const std::string& pointer) const {
    // The row says what fits; where a key has two rows, both are named.
    const bool is_row = &spec >= schema().data() && &spec < schema().data() + schema().size();
    const bool fits = fits_type(spec, value);
    const std::string wanted = is_row && !fits ? wanted_here(spec.path, kind) : wanted_text(spec);
    const std::string remedy = spec.fallback.empty() || spec.type == KeyType::group
                                   ? std::string{}
                                   : fmt::format("leave the key out for {}", spec.fallback);
    return Error::make(place(pointer), found_text(document_, value), wanted,
                       is_row ? remedy : std::string{});
  }

  static std::string wanted_here(std::string_view path, std::string_view kind) {
    std::string out;
    for (const KeySpec& spec : schema()) {
      if (spec.path != path || !applies(spec, kind)) continue;
      if (!out.empty()) out += ", or ";
      out += wanted_text(spec);
    }
    return out;
  }

  [[nodiscard]] std::string place(const std::string& pointer) const {
    return fmt::format("{}:{}", document_.name, pointer);
  }

  Document& document_;
};

}  // namespace

bool applies(const KeySpec& spec, std::string_view kind) {
  return spec.kinds.empty() || is_in_list(spec.kinds, kind);
}

bool fits_type(const KeySpec& spec, const JsonNode& value) {
  switch (spec.type) {
    case KeyType::group:
      return value.kind == JsonKind::object;
    case KeyType::boolean:
      return value.kind == JsonKind::boolean;
    case KeyType::integer:
    case KeyType::seed:
      return value.kind == JsonKind::integer;
    case KeyType::decimal:
      return value.kind == JsonKind::integer || value.kind == JsonKind::decimal;
    case KeyType::text:
    case KeyType::choice:
      return value.kind == JsonKind::text;
    default:
      return value.kind == JsonKind::array;
  }
}

const KeySpec* find_spec(std::string_view path, std::string_view kind, const JsonNode& value) {
  const KeySpec* first = nullptr;
  for (const KeySpec& spec : schema()) {
    if (spec.path != path || !applies(spec, kind)) continue;
    if (fits_type(spec, value)) return &spec;
    if (first == nullptr) first = &spec;
  }
  return first;
}

const JsonNode* Document::at(std::string_view path) const {
  const JsonNode* node = &root;
  while (!path.empty() && node != nullptr) {
    const std::size_t end = std::min(path.find('.'), path.size());
    const std::string_view key = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (node->kind == JsonKind::array) {
      std::size_t index = 0;
      std::from_chars(key.data(), key.data() + key.size(), index);
      node = index < node->items.size() ? &node->items[index] : nullptr;
    } else {
      node = node->find(key);
    }
  }
  return node;
}

Error Document::fail(std::string_view path, std::string_view found, std::string_view wanted,
                     std::string_view remedy) const {
  std::string pointer = "/" + std::string(path);
  std::replace(pointer.begin(), pointer.end(), '.', '/');
  return Error::make(fmt::format("{}:{}", name, pointer), fmt::format("got {}", found), wanted,
                     remedy);
}

Error Document::fail_value(std::string_view path, std::string_view wanted,
                           std::string_view remedy) const {
  const JsonNode* node = at(path);
  TANDEM_CHECK(node != nullptr);
  return fail(path, found_text(*this, *node).substr(4), wanted, remedy);
}

Status check_against_schema(Document& document) {
  if (document.root.kind != JsonKind::object) {
    return Error::make(document.name, "got " + shown(document.root), "a JSON object",
                       "see scenarios/SCHEMA.md");
  }
  return Checker(document).object(document.root, {}, {});
}

}  // namespace tandem
