// Header differences, and a TraceDiff as text and JSON.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/cli/diff.hpp"
#include "tools/cli/report.hpp"
#include "traces/header_json.hpp"

namespace tandem::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kFieldsShown = 20;
constexpr const char* kAbsent = "absent";

/// Keys and values of a header in its order: members of objects one by one as "config.seed", rows
/// as "config.rows.R2", other lists whole.
void list_members(const Json& value, const std::string& key, Json& out) {
  if (value.is_object()) {
    for (const auto& [name, member] : value.items()) {
      list_members(member, key.empty() ? name : fmt::format("{}.{}", key, name), out);
    }
  } else if (key == "config.rows") {
    for (std::size_t i = 0; i < value.size(); ++i) out[fmt::format("{}.R{}", key, i)] = value[i];
  } else {
    out[key] = value;
  }
}

Json members_of(const TraceHeader& header) {
  Json out = Json::object();
  list_members(Json::parse(header_to_json(header)), "", out);  // our own text: it parses
  return out;
}

bool starts_with(const std::string& text, const char* start) { return text.rfind(start, 0) == 0; }

HeaderDifference make_difference(const std::string& key, const std::string& a,
                                 const std::string& b) {
  HeaderDifference difference{key, a, b, true, false};
  difference.counts = key != "producer" && key != "device" && key != "executor";
  difference.is_schedule = starts_with(key, "config.rows.") || key == "config.policy";
  return difference;
}

std::vector<std::pair<std::string, std::uint64_t>> fields_by_count(const TraceDiff& diff) {
  std::vector<std::pair<std::string, std::uint64_t>> fields;
  for (std::size_t i = 0; i < kFieldCount; ++i) {
    if (diff.per_field[i] == 0) continue;
    fields.emplace_back(field_path(static_cast<Field>(i)), diff.per_field[i]);
  }
  std::stable_sort(fields.begin(), fields.end(),
                   [](const auto& x, const auto& y) { return x.second > y.second; });
  return fields;
}

std::string schedule_text(const TraceDiff& diff) {
  if (!diff.is_same_schedule()) {
    std::string keys;
    for (const HeaderDifference& d : diff.header) {
      if (d.is_schedule) keys += (keys.empty() ? "" : ", ") + d.key.substr(d.key.find('.') + 1);
    }
    return "not comparable step by step: " + keys +
           " differ; across schedules and policies only token streams compare";
  }
  const bool config = std::any_of(diff.header.begin(), diff.header.end(), [](const auto& d) {
    return starts_with(d.key, "config.") && d.key != "config.scenario";
  });
  return config ? "equal rows and policy, but other runs: the configurations differ"
                : "comparable: equal rows, policy and configuration";
}

std::string surplus_text(const Surplus& surplus) {
  if (surplus.steps == 0) return "0 steps";
  return fmt::format("{} step{}, from {} to {}", grouped(surplus.steps),
                     surplus.steps == 1 ? "" : "s", surplus.first, surplus.last);
}

std::string sides_text(const std::string& a, const std::string& b, const Style& style) {
  return style.side_a(row("  A", a)) + style.side_b(row("  B", b));
}

std::string lines_text(const char* name, const LinePair& lines, const Style& style) {
  std::string text = row(name, fmt::format("step {}", lines.step));
  if (lines.a == lines.b) return text + row("  A and B", lines.a);
  return text + sides_text(lines.a.empty() ? "no such step" : lines.a,
                           lines.b.empty() ? "no such step" : lines.b, style);
}

std::string first_text(const FirstDifference& first, const Style& style) {
  std::string text = row(
      "first", fmt::format("step {}, {}{}", first.step, first.field.path,
                           first.field.slot < 0 ? "" : fmt::format(", slot {}", first.field.slot)));
  text += sides_text(first.field.a, first.field.b, style);
  if (first.before) text += lines_text("before", *first.before, style);
  text += lines_text("there", first.at, style);
  if (first.after) text += lines_text("after", *first.after, style);
  return text;
}

std::string header_text(const TraceDiff& diff) {
  std::string text;
  for (const HeaderDifference& d : diff.header) {
    text += row(text.empty() ? "header" : "",
                fmt::format("{}: {}, {}{}", d.key, d.a, d.b, d.counts ? "" : " (does not count)"));
  }
  return text.empty() ? row("header", "equal") : text;
}

std::string keyframes_text(const KeyframeTally& k) {
  std::string text = fmt::format("{} before the same step in both", grouped(k.compared));
  if (k.differing == 0) return text + (k.compared == 0 ? "" : ", equal");
  return text + fmt::format(", {} differ, first before step {} in {}", grouped(k.differing),
                            k.first_step, k.first_member);
}

/// A number where the text is one, so that readers need not parse.
Json value_json(const std::string& text) {
  const Json value = Json::parse(text, nullptr, false);
  return value.is_number_integer() || value.is_boolean() ? value : Json(text);
}

Json lines_json(const std::optional<LinePair>& lines) {
  if (!lines) return {};
  const auto line = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  return {{"step", lines->step}, {"a", line(lines->a)}, {"b", line(lines->b)}};
}

Json surplus_json(const Surplus& surplus) {
  if (surplus.steps == 0) return {{"steps", 0}, {"first", nullptr}, {"last", nullptr}};
  return {{"steps", surplus.steps}, {"first", surplus.first}, {"last", surplus.last}};
}

Json first_json(const FirstDifference& first) {
  Json out;
  out["step"] = first.step;
  out["field"] = first.field.path;
  out["slot"] = first.field.slot < 0 ? Json() : Json(first.field.slot);
  out["a"] = value_json(first.field.a);
  out["b"] = value_json(first.field.b);
  out["before"] = lines_json(first.before);
  out["there"] = lines_json(first.at);
  out["after"] = lines_json(first.after);
  return out;
}

}  // namespace

std::vector<HeaderDifference> header_differences(const TraceHeader& a, const TraceHeader& b) {
  const Json members_a = members_of(a);
  const Json members_b = members_of(b);
  std::vector<HeaderDifference> differences;
  for (const auto& [key, value] : members_a.items()) {
    const bool in_both = members_b.contains(key);
    if (in_both && members_b.at(key) == value) continue;
    differences.push_back(
        make_difference(key, value.dump(), in_both ? members_b.at(key).dump() : kAbsent));
  }
  for (const auto& [key, value] : members_b.items()) {
    if (!members_a.contains(key))
      differences.push_back(make_difference(key, kAbsent, value.dump()));
  }
  return differences;
}

std::string diff_text(const TraceDiff& diff, const std::string& name_a, const std::string& name_b,
                      const Style& style) {
  std::string text = row("A", name_a) + row("B", name_b);
  text += row("schedules", schedule_text(diff));
  text += header_text(diff);
  text += row("steps", fmt::format("{} in both, {} of them differ", grouped(diff.compared),
                                   grouped(diff.differing)));
  text += row("only in A", surplus_text(diff.only_a));
  text += row("only in B", surplus_text(diff.only_b));
  text += row("keyframes", keyframes_text(diff.keyframes));
  if (diff.segments_only_a + diff.segments_only_b > 0) {
    text += row("plan segments", fmt::format("{} only in A, {} only in B", diff.segments_only_a,
                                             diff.segments_only_b));
  }
  if (diff.unadmitted_differ) text += row("requests", "those never admitted differ");
  if (diff.digest_a == diff.digest_b) {
    text += row("counter_digest", digest_text(diff.digest_a) + " in both");
  } else {
    text += row("counter_digest",
                digest_text(diff.digest_a) + " in A, " + digest_text(diff.digest_b) + " in B");
  }
  if (!diff.not_compared.empty()) {
    text += row("not compared", fmt::format("{}", fmt::join(diff.not_compared, " ")));
  }
  if (diff.first) text += first_text(*diff.first, style);
  const auto fields = fields_by_count(diff);
  std::string counts;
  for (std::size_t i = 0; i < std::min(fields.size(), kFieldsShown); ++i) {
    counts += fmt::format("{}{}={}", i == 0 ? "" : " ", fields[i].first, grouped(fields[i].second));
  }
  if (fields.size() > kFieldsShown) {
    counts += fmt::format(" and {} more", fields.size() - kFieldsShown);
  }
  if (!fields.empty()) text += row("steps by field", counts);
  return text + row("verdict", diff.differs() ? style.bad("different") : style.good("equal"));
}

std::string diff_json(const TraceDiff& diff, const std::string& name_a, const std::string& name_b) {
  Json out;
  out["a"] = name_a;
  out["b"] = name_b;
  out["equal"] = !diff.differs();
  out["same_schedule"] = diff.is_same_schedule();
  out["header"] = Json::array();
  for (const HeaderDifference& d : diff.header) {
    out["header"].push_back({{"key", d.key},
                             {"a", Json::parse(d.a, nullptr, false)},
                             {"b", Json::parse(d.b, nullptr, false)},
                             {"counts", d.counts}});
    for (const char* side : {"a", "b"}) {
      Json& value = out["header"].back()[side];
      if (value.is_discarded()) value = nullptr;  // absent there
    }
  }
  out["steps"] = {{"in_both", diff.compared},
                  {"differing", diff.differing},
                  {"only_in_a", surplus_json(diff.only_a)},
                  {"only_in_b", surplus_json(diff.only_b)}};
  out["keyframes"] = {{"compared", diff.keyframes.compared},
                      {"differing", diff.keyframes.differing}};
  out["segments"] = {{"only_in_a", diff.segments_only_a}, {"only_in_b", diff.segments_only_b}};
  out["unadmitted_differ"] = diff.unadmitted_differ;
  out["counter_digest"] = {{"a", digest_text(diff.digest_a)}, {"b", digest_text(diff.digest_b)}};
  out["not_compared"] = diff.not_compared;
  out["first_difference"] = diff.first ? first_json(*diff.first) : Json();
  out["fields"] = Json::object();
  for (const auto& [path, count] : fields_by_count(diff)) out["fields"][path] = count;
  return out.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tandem::cli
