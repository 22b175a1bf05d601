// Markov profiles: counting transitions, exact shares, keyed draws and the JSON form.
#include "scenarios/accept_markov.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "scenarios/accept_file.hpp"
#include "scenarios/exact_number.hpp"
#include "scenarios/json_tree.hpp"
#include "traces/base/random.hpp"

namespace tandem {
namespace {

constexpr std::uint32_t kMillion = 1'000'000;

using Lists = std::vector<std::vector<std::int32_t>>;

/// Counts as shares that sum to 10^6: rounded down, then the largest remainders get one more each,
/// of equal ones the first. All counts 0: all shares 0.
std::vector<std::uint32_t> shares_of(const std::vector<std::int64_t>& counts) {
  const std::int64_t sum = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
  std::vector<std::uint32_t> shares(counts.size(), 0);
  if (sum == 0) return shares;
  std::vector<std::size_t> order(counts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::uint32_t given = 0;
  for (const std::size_t i : order) {
    shares[i] = static_cast<std::uint32_t>(counts[i] * kMillion / sum);
    given += shares[i];
  }
  std::stable_sort(order.begin(), order.end(), [&counts, sum](std::size_t a, std::size_t b) {
    return counts[a] * kMillion % sum > counts[b] * kMillion % sum;
  });
  for (std::size_t k = 0; given < kMillion; ++k, ++given) ++shares[order[k]];
  return shares;
}

std::size_t pick(const std::vector<std::uint32_t>& shares, std::uint64_t draw) {
  auto at = static_cast<std::uint32_t>((draw >> 32U) * kMillion >> 32U);  // in [0, 10^6)
  std::size_t i = 0;
  while (i + 1 < shares.size() && at >= shares[i]) at -= shares[i++];
  return i;
}

Result<std::vector<std::uint32_t>> parse_shares(const JsonNode& node, std::size_t size,
                                                const std::string& place) {
  const std::string wanted = fmt::format("a list of {} integers that sum to {}", size, kMillion);
  if (node.kind != JsonKind::array || node.items.size() != size) {
    return Error::make(place, "got " + shown(node), wanted, "give one share for each state");
  }
  std::vector<std::uint32_t> shares;
  std::int64_t sum = 0;
  for (const JsonNode& item : node.items) {
    const auto value =
        item.kind == JsonKind::integer ? exact_integer(item.text) : std::optional<std::int64_t>{};
    if (!value || *value < 0 || *value > kMillion) {
      return Error::make(fmt::format("{}/{}", place, shares.size()), "got " + shown(item),
                         fmt::format("an integer in [0, {}]", kMillion));
    }
    shares.push_back(static_cast<std::uint32_t>(*value));
    sum += *value;
  }
  if (sum != kMillion) {
    return Error::make(place, fmt::format("got shares that sum to {}", sum),
                       fmt::format("{}", kMillion), "shares are in millionths");
  }
  return shares;
}

Result<std::vector<std::int32_t>> parse_states(const JsonNode& node, const std::string& place) {
  if (node.kind != JsonKind::array || node.items.empty() || node.items.size() > kMarkovStatesMax) {
    return Error::make(place, "got " + shown(node),
                       fmt::format("a list of 1 to {} integers", kMarkovStatesMax));
  }
  std::vector<std::int32_t> states;
  for (const JsonNode& item : node.items) {
    const auto value =
        item.kind == JsonKind::integer ? exact_integer(item.text) : std::optional<std::int64_t>{};
    const std::int32_t min = states.empty() ? 1 : states.back() + 1;
    if (!value || *value < min || *value > kCommitMax) {
      return Error::make(fmt::format("{}/{}", place, states.size()), "got " + shown(item),
                         fmt::format("an integer in [{}, {}]", min, kCommitMax),
                         "states rise; each counts the target's own token");
    }
    states.push_back(static_cast<std::int32_t>(*value));
  }
  return states;
}

std::string list_text(const auto& values) {
  std::string out;
  for (const auto value : values) out += fmt::format("{}{}", out.empty() ? "" : ", ", value);
  return "[" + out + "]";
}

}  // namespace

MarkovFit measure_lists(const Lists& lists) {
  MarkovFit out;
  std::int64_t sum = 0;
  std::int64_t pairs = 0;
  for (const auto& list : lists) {
    ++out.lists;
    out.steps += static_cast<std::int64_t>(list.size());
    pairs += list.empty() ? 0 : static_cast<std::int64_t>(list.size()) - 1;
    for (const std::int32_t value : list) sum += value;
  }
  if (out.steps == 0) return out;
  const double mean = static_cast<double>(sum) / static_cast<double>(out.steps);
  out.mean_millionths = std::llround(mean * kMillion);
  double variance = 0;
  double covariance = 0;
  for (const auto& list : lists) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      const double here = list[i] - mean;
      variance += here * here;
      if (i > 0) covariance += here * (list[i - 1] - mean);
    }
  }
  if (pairs == 0 || variance == 0) return out;
  const double lag1 =
      covariance / static_cast<double>(pairs) / (variance / static_cast<double>(out.steps));
  out.lag1_millionths = std::llround(lag1 * kMillion);
  return out;
}

Result<MarkovFit> fit_markov(const Lists& lists) {
  MarkovFit fit = measure_lists(lists);
  std::vector<std::int32_t>& states = fit.profile.states;
  for (const auto& list : lists) {
    for (const std::int32_t value : list) {
      const auto at = std::lower_bound(states.begin(), states.end(), value);
      if (at != states.end() && *at == value) continue;
      if (value < 1 || value > kCommitMax) {
        return Error{fmt::format("got a step of {} tokens, want 1 to {}", value, kCommitMax)};
      }
      if (states.size() == kMarkovStatesMax) {
        return Error{
            fmt::format("got steps of more than {0} lengths, want {0} at most", kMarkovStatesMax)};
      }
      states.insert(at, value);
    }
  }
  if (states.empty()) return Error{"got no step, want one at least to fit"};
  const auto index = [&states](std::int32_t value) {
    return static_cast<std::size_t>(std::lower_bound(states.begin(), states.end(), value) -
                                    states.begin());
  };
  std::vector<std::int64_t> first(states.size(), 0);
  std::vector<std::int64_t> all(states.size(), 0);
  std::vector<std::vector<std::int64_t>> moves(states.size(), first);
  for (const auto& list : lists) {
    if (!list.empty()) ++first[index(list.front())];
    for (std::size_t i = 0; i < list.size(); ++i) {
      ++all[index(list[i])];
      if (i > 0) ++moves[index(list[i - 1])][index(list[i])];
    }
  }
  fit.profile.initial = shares_of(first);
  for (const auto& row : moves) {
    const bool left = std::any_of(row.begin(), row.end(), [](std::int64_t n) { return n > 0; });
    fit.profile.transitions.push_back(shares_of(left ? row : all));
  }
  return fit;
}

std::vector<std::int32_t> draw_markov(const MarkovProfile& profile, std::uint64_t seed,
                                      std::uint64_t request, std::int64_t tokens) {
  TANDEM_CHECK(!profile.states.empty());
  const std::uint64_t stream = hash_text("accept_markov");
  std::vector<std::int32_t> out;
  std::size_t state = 0;
  do {
    const std::uint64_t draw = keyed_draw(seed, stream, request, out.size());
    state = pick(out.empty() ? profile.initial : profile.transitions[state], draw);
    out.push_back(profile.states[state]);
    tokens -= out.back();
  } while (tokens > 0 && out.size() < kMarkovListMax);
  return out;
}

Result<MarkovProfile> parse_markov(std::string_view text, const std::string& name) {
  TANDEM_TRY(const JsonNode root, parse_json(text, name));
  const JsonNode* states = root.find("states");
  const JsonNode* initial = root.find("initial");
  const JsonNode* transitions = root.find("transitions");
  if (states == nullptr || initial == nullptr || transitions == nullptr) {
    return Error::make(name, "got " + shown(root), "an object of states, initial and transitions",
                       "see scenarios/profiles for examples");
  }
  for (const JsonMember& member : root.members) {
    constexpr std::string_view kKnown[] = {"states",          "initial",        "transitions",
                                           "source",          "lists",          "steps",
                                           "mean_millionths", "lag1_millionths"};
    if (std::find(std::begin(kKnown), std::end(kKnown), member.key) == std::end(kKnown)) {
      return Error::make(fmt::format("{}:{}", name, pointer_join("", member.key)),
                         "got an unknown key",
                         "states, initial, transitions, source, lists, steps, mean_millionths or "
                         "lag1_millionths",
                         "delete it");
    }
  }
  MarkovProfile out;
  TANDEM_TRY(out.states, parse_states(*states, name + ":/states"));
  TANDEM_TRY(out.initial, parse_shares(*initial, out.states.size(), name + ":/initial"));
  if (transitions->kind != JsonKind::array || transitions->items.size() != out.states.size()) {
    return Error::make(name + ":/transitions", "got " + shown(*transitions),
                       fmt::format("a list of {} lists", out.states.size()),
                       "give one row for each state");
  }
  for (const JsonNode& row : transitions->items) {
    const std::string place = fmt::format("{}:/transitions/{}", name, out.transitions.size());
    TANDEM_TRY(std::vector<std::uint32_t> shares, parse_shares(row, out.states.size(), place));
    out.transitions.push_back(std::move(shares));
  }
  return out;
}

std::string markov_text(const MarkovFit& fit, std::string_view source) {
  std::string rows;
  for (const auto& row : fit.profile.transitions) {
    rows += fmt::format("{}\n    {}", rows.empty() ? "" : ",", list_text(row));
  }
  return fmt::format(
      "{{\n  \"source\": {},\n  \"lists\": {},\n  \"steps\": {},\n  \"mean_millionths\": {},\n"
      "  \"lag1_millionths\": {},\n  \"states\": {},\n  \"initial\": {},\n"
      "  \"transitions\": [{}\n  ]\n}}\n",
      nlohmann::json(source).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace),
      fit.lists, fit.steps, fit.mean_millionths, fit.lag1_millionths, list_text(fit.profile.states),
      list_text(fit.profile.initial), rows);
}

}  // namespace tandem
