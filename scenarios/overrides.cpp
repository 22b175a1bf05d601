// Overrides of the form key=value: puts them into a scenario's tree before it is checked.
#include <algorithm>
#include <charconv>
#include <cstddef>

#include <fmt/format.h>

#include "scenarios/schema.hpp"

namespace tandem {
namespace {

constexpr std::size_t kOverridesMax = 1'000;

struct NewKind {
  std::string path;  ///< of the object that holds `kind`
  std::string before;
};

bool is_number(std::string_view key) {
  return !key.empty() &&
         std::all_of(key.begin(), key.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// The path as the table writes it: indices become "*".
std::string table_path(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('.'), path.size());
    const std::string_view key = path.substr(0, end);
    if (!out.empty()) out += '.';
    out += is_number(key) ? std::string_view{"*"} : key;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return out;
}

bool is_known(std::string_view path) {
  return std::any_of(schema().begin(), schema().end(),
                     [path](const KeySpec& spec) { return spec.path == path; });
}

bool is_textual(std::string_view path) {
  for (const KeySpec& spec : schema()) {
    if (spec.path == path) return spec.type == KeyType::text || spec.type == KeyType::choice;
  }
  return false;
}

void mark(JsonNode& node, int override_index) {
  node.override_index = override_index;
  for (JsonNode& item : node.items) mark(item, override_index);
  for (auto& [key, value] : node.members) mark(value, override_index);
}

JsonNode text_node(std::string_view text) {
  JsonNode node;
  node.kind = JsonKind::text;
  node.text = text;
  return node;
}

/// A text key takes the value as it is typed, unless it is typed as a JSON string; any other key
/// takes JSON. What is no JSON stays text, so that the check against the table names it.
JsonNode value_of(std::string_view raw, std::string_view path) {
  auto parsed = parse_json(raw, "override");
  if (!parsed.ok()) return text_node(raw);
  JsonNode node = std::move(parsed).value();
  const bool keeps = node.kind == JsonKind::text || node.kind == JsonKind::null;
  return is_textual(path) && !keeps ? text_node(raw) : node;
}

/// The object or list entry that `path` names, made where an object is absent.
Result<JsonNode*> descend(JsonNode& root, std::string_view path, int override_index,
                          const std::string& place) {
  JsonNode* node = &root;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('.'), path.size());
    const std::string key(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
    if (node->kind == JsonKind::array) {
      std::size_t index = node->items.size();
      if (is_number(key)) std::from_chars(key.data(), key.data() + key.size(), index);
      if (index >= node->items.size()) {
        return Error::make(place, "got index " + shown_text(key),
                           fmt::format("0 to {} of a list", node->items.size() - 1),
                           "override the whole list to make it longer");
      }
      node = &node->items[index];
      continue;
    }
    if (node->kind != JsonKind::object) {
      return Error::make(place, fmt::format("got a key below {}", shown(*node)), "an object there",
                         "override the whole value");
    }
    JsonNode* next = node->find(key);
    if (next == nullptr) {
      node->members.push_back({key, {}});
      next = &node->members.back().value;
      next->kind = JsonKind::object;
      next->override_index = override_index;
    }
    node = next;
  }
  return node;
}

void erase_key(JsonNode& parent, std::string_view key) {
  const auto has_key = [key](const auto& entry) { return entry.key == key; };
  parent.members.erase(std::remove_if(parent.members.begin(), parent.members.end(), has_key),
                       parent.members.end());
}

Status apply_one(Document& document, int index, std::vector<NewKind>& kinds) {
  const std::string& text = document.overrides[static_cast<std::size_t>(index)];
  const std::string place = "override " + shown_text(text);
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return Error::make(place, "got no key and value", "key=value",
                       "write it like engine.block_size=16");
  }
  const std::string_view path = std::string_view(text).substr(0, equals);
  const auto parts = static_cast<std::size_t>(std::count(path.begin(), path.end(), '.'));
  if (parts >= static_cast<std::size_t>(kJsonDepthMax) || path.front() == '.' ||
      path.back() == '.' || path.find("..") != std::string_view::npos) {
    return Error::make(place, "got a malformed key", "names joined by dots",
                       "write it like engine.block_size=16");
  }
  const std::size_t dot = path.rfind('.');
  const std::string_view parent_path =
      dot == std::string_view::npos ? std::string_view{} : path.substr(0, dot);
  const std::string_view key = dot == std::string_view::npos ? path : path.substr(dot + 1);
  JsonNode value = value_of(std::string_view(text).substr(equals + 1), table_path(path));
  mark(value, index);
  TANDEM_TRY(JsonNode * parent, descend(document.root, parent_path, index, place));
  if (parent->kind == JsonKind::array) {
    TANDEM_TRY(JsonNode * item, descend(*parent, key, index, place));
    *item = std::move(value);
    return {};
  }
  if (parent->kind != JsonKind::object) {
    return Error::make(place, fmt::format("got a key below {}", shown(*parent)), "an object there",
                       "override the whole value");
  }
  if (value.kind == JsonKind::null && is_known(table_path(path))) {
    erase_key(*parent, key);
    return {};
  }
  JsonNode* old = parent->find(key);
  if (key == "kind") {
    kinds.push_back({std::string(parent_path), old == nullptr ? std::string{} : old->text});
  }
  if (old == nullptr) {
    parent->members.push_back({std::string(key), {}});
    old = &parent->members.back().value;
  }
  *old = std::move(value);
  return {};
}

void drop_unused(Document& document, const NewKind& change) {
  auto found = descend(document.root, change.path, -1, {});
  if (!found.ok()) return;
  JsonNode& group = *found.value();
  const JsonNode* kind = group.find("kind");
  if (kind == nullptr || kind->text == change.before) return;
  const std::string now = kind->text;
  std::vector<std::string> unused;
  for (const auto& [key, value] : group.members) {
    if (value.override_index >= 0) continue;
    const std::string path = table_path(change.path) + "." + key;
    bool known = false;
    bool used = false;
    for (const KeySpec& spec : schema()) {
      if (spec.path != path) continue;
      known = true;
      used = used || (applies(spec, now) && fits_type(spec, value));
    }
    if (known && !used) unused.push_back(key);
  }
  for (const std::string& key : unused) erase_key(group, key);
}

}  // namespace

Status apply_overrides(Document& document) {
  if (document.overrides.size() > kOverridesMax) {
    return Error::make("overrides", fmt::format("got {}", document.overrides.size()),
                       fmt::format("at most {}", kOverridesMax), "put them into the scenario");
  }
  std::vector<NewKind> kinds;
  for (std::size_t i = 0; i < document.overrides.size(); ++i) {
    TANDEM_RETURN_IF_ERROR(apply_one(document, static_cast<int>(i), kinds));
  }
  for (const NewKind& change : kinds) drop_unused(document, change);
  return {};
}

}  // namespace tandem
