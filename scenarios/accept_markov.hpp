// Acceptance as a Markov chain over committed counts: fitted to recorded lists, drawn by keys.
//
// What a step commits depends on what the step before it did (lag-1 autocorrelations of 0.15 to
// 0.63 in public records); independent draws from the mean are another workload.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "traces/base/result.hpp"

namespace tandem {

/// Longest list drawn for one request; a longer output starts it again (AcceptKind::list).
constexpr std::size_t kMarkovListMax = 65'536;
constexpr std::size_t kMarkovStatesMax = 256;

/// Shares are in millionths; each row of them sums to 10^6.
struct MarkovProfile {
  std::vector<std::int32_t> states;    ///< tokens a step commits, rising, each >= 1
  std::vector<std::uint32_t> initial;  ///< of a request's first step
  std::vector<std::vector<std::uint32_t>> transitions;  ///< from state (row) to state (column)

  bool operator==(const MarkovProfile&) const = default;
};

/// A profile and what it was fitted to.
struct MarkovFit {
  MarkovProfile profile;
  std::int64_t lists = 0;
  std::int64_t steps = 0;
  std::int64_t mean_millionths = 0;  ///< tokens a step, times 10^6
  /// Lag-1 autocorrelation within lists, about the mean of all steps, times 10^6; 0 where all
  /// steps are alike or no list has two.
  std::int64_t lag1_millionths = 0;

  bool operator==(const MarkovFit&) const = default;
};

/// Counts the first entries and the transitions inside lists. A state that no transition leaves
/// goes on as an average step does. Shares are rounded by largest remainders, so that they sum to
/// 10^6. `lists` hold one entry or more, each in [1, 1024], of at most kMarkovStatesMax values.
[[nodiscard]] Result<MarkovFit> fit_markov(const std::vector<std::vector<std::int32_t>>& lists);

/// The numbers of a fit alone, without its profile: to compare drawn lists with recorded ones.
[[nodiscard]] MarkovFit measure_lists(const std::vector<std::vector<std::int32_t>>& lists);

/// Commits of `request`, step by step, until they sum to `tokens` or more; one at least,
/// kMarkovListMax at most. Entry j uses keyed_draw(seed, hash_text("accept_markov"), request, j):
/// the request's list does not depend on any other's, nor on how long it has to be.
[[nodiscard]] std::vector<std::int32_t> draw_markov(const MarkovProfile& profile,
                                                    std::uint64_t seed, std::uint64_t request,
                                                    std::int64_t tokens);

/// A JSON object of `states`, `initial` and `transitions`; `source`, `lists`, `steps`,
/// `mean_millionths` and `lag1_millionths` may say what it describes. Errors name `name` and the
/// pointer.
[[nodiscard]] Result<MarkovProfile> parse_markov(std::string_view text, const std::string& name);
/// The same object, of a fit, with a row of shares a line.
[[nodiscard]] std::string markov_text(const MarkovFit& fit, std::string_view source);

/// The JSON text of an embedded profile (scenarios/profiles), or nullopt.
[[nodiscard]] std::optional<std::string_view> embedded_profile(std::string_view name);
[[nodiscard]] std::vector<std::string_view> embedded_profile_names();  ///< sorted

}  // namespace tandem
