// Accept lists by line: the flat form, and the nested one of Spec-Bench's answers.
#include "scenarios/accept_file.hpp"

#include <cstddef>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "scenarios/exact_number.hpp"
#include "scenarios/json_tree.hpp"

namespace tandem {
namespace {

using Lists = std::vector<std::vector<std::int32_t>>;

/// A list of integers in [min, max]; `pointer` names it in errors.
Result<std::vector<std::int32_t>> integers(const JsonNode& list, const std::string& pointer,
                                           std::int32_t min, std::int32_t max,
                                           std::string_view remedy) {
  std::vector<std::int32_t> out;
  out.reserve(list.items.size());
  for (const JsonNode& item : list.items) {
    const auto value =
        item.kind == JsonKind::integer ? exact_integer(item.text) : std::optional<std::int64_t>{};
    if (!value || *value < min || *value > max) {
      return Error::make(fmt::format("{}/{}", pointer, out.size()), "got " + shown(item),
                         fmt::format("an integer in [{}, {}]", min, max), remedy);
    }
    out.push_back(static_cast<std::int32_t>(*value));
  }
  return out;
}

Error no_list(const std::string& place, const JsonNode* list) {
  return Error::make(place, list == nullptr ? "got no accept_lengths" : "got " + shown(*list),
                     "an object whose accept_lengths is a list of integers",
                     "record the commits of each step, or delete the line");
}

Result<std::vector<std::int32_t>> commits(const JsonNode* list, const std::string& place,
                                          const std::string& pointer) {
  if (list == nullptr || list->kind != JsonKind::array || list->items.empty()) {
    return no_list(place, list);
  }
  return integers(*list, place + ":" + pointer, 1, kCommitMax,
                  "a step commits at least the target's own token");
}

/// An answer of Spec-Bench: one list for each turn.
Status add_answer(const JsonNode& choices, const std::string& place, Lists& out) {
  const JsonNode* first =
      choices.kind == JsonKind::array && !choices.items.empty() ? &choices.items.front() : nullptr;
  if (first == nullptr || first->kind != JsonKind::object) {
    return Error::make(place + ":/choices", "got " + shown(choices), "a list with an answer",
                       "give a file of Spec-Bench's answers");
  }
  TANDEM_TRY(std::vector<std::int32_t> all,
             commits(first->find("accept_lengths"), place, "/choices/0/accept_lengths"));
  const JsonNode* turns = first->find("decoding_steps");
  if (turns == nullptr || turns->kind != JsonKind::array) {
    out.push_back(std::move(all));
    return {};
  }
  const std::string pointer = place + ":/choices/0/decoding_steps";
  TANDEM_TRY(const std::vector<std::int32_t> steps,
             integers(*turns, pointer, 0, INT32_MAX, "a turn has 0 steps or more"));
  std::int64_t sum = 0;
  for (const std::int32_t count : steps) sum += count;
  if (sum != static_cast<std::int64_t>(all.size())) {
    return Error::make(pointer, fmt::format("got {} steps in all", sum),
                       fmt::format("{}, one for each of accept_lengths", all.size()),
                       "correct or delete the line");
  }
  auto at = all.begin();
  for (const std::int32_t count : steps) {
    if (count > 0) out.emplace_back(at, at + count);
    at += count;
  }
  return {};
}

}  // namespace

Result<Lists> read_accept_file(LineReader lines) {
  Lists out;
  std::size_t entries = 0;
  for (;;) {
    TANDEM_TRY(const std::optional<std::string_view> line, lines.next());
    if (!line) break;
    if (line->empty()) continue;
    const std::string place = fmt::format("{}:{}", lines.path(), lines.line());
    TANDEM_TRY(const JsonNode node, parse_json(*line, place));
    const std::size_t before = out.size();
    if (const JsonNode* choices = node.find("choices"); choices != nullptr) {
      TANDEM_RETURN_IF_ERROR(add_answer(*choices, place, out));
    } else {
      TANDEM_TRY(std::vector<std::int32_t> list,
                 commits(node.find("accept_lengths"), place, "/accept_lengths"));
      out.push_back(std::move(list));
    }
    for (std::size_t i = before; i < out.size(); ++i) entries += out[i].size();
    if (entries > kAcceptEntriesMax) {
      return Error::make(place, "got more steps", fmt::format("at most {}", kAcceptEntriesMax),
                         "give a part of the file");
    }
  }
  if (out.empty()) {
    return Error::make(lines.path(), "got no line", "JSON lines with accept_lengths",
                       "give a file that holds recorded acceptance");
  }
  return out;
}

}  // namespace tandem
