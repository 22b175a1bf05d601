// Rounds: several contestants measured in turn, so that a noisy machine disturbs all alike.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace tandem::bench {

/// One contestant. `run` does the whole work once and returns how much that was, in `unit`.
struct Contestant {
  std::string name;
  std::string unit;
  std::function<double()> run;
};

/// Rates in units a second over all rounds.
struct Rate {
  std::string name;
  std::string unit;
  double median = 0;
  double least = 0;
  double greatest = 0;
};

/// Runs every contestant once to warm up, then `rounds` times in turn.
inline std::vector<Rate> measure(const std::vector<Contestant>& contestants, int rounds) {
  using Clock = std::chrono::steady_clock;
  std::vector<std::vector<double>> rates(contestants.size());
  for (int round = -1; round < rounds; ++round) {
    for (std::size_t i = 0; i < contestants.size(); ++i) {
      const Clock::time_point start = Clock::now();
      const double amount = contestants[i].run();
      const std::chrono::duration<double> seconds = Clock::now() - start;
      if (round >= 0) rates[i].push_back(amount / seconds.count());
    }
  }
  std::vector<Rate> result;
  for (std::size_t i = 0; i < contestants.size(); ++i) {
    std::vector<double>& r = rates[i];
    std::sort(r.begin(), r.end());
    result.push_back(
        {contestants[i].name, contestants[i].unit, r[r.size() / 2], r.front(), r.back()});
  }
  return result;
}

}  // namespace tandem::bench
