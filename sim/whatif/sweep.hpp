// Sweeps: the points of a grid, run by several threads, with the same results for any number of
// them.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/whatif/study.hpp"
#include "traces/base/result.hpp"

namespace tandem::sim {

/// One swept key and its values, as they go behind `key=` of an override.
struct SweepAxis {
  std::string name;  ///< as it was given
  std::string key;
  std::vector<std::string> values;

  bool operator==(const SweepAxis&) const = default;
};

/// Short names of keys that every study asks about: k, m, b (semantics, section 1). Other texts are
/// their own key.
[[nodiscard]] std::string full_key(std::string_view name);

/// "key=a,b,c" or "key=a..b" (whole numbers, both ends included). Errors: no key, no value, a range
/// that falls, an axis of more than kSweepPointsMax values.
[[nodiscard]] Result<SweepAxis> parse_axis(const std::string& text);

constexpr std::size_t kSweepPointsMax = 100'000;

/// Every combination, the last axis fastest: for each point one value an axis. Without an axis one
/// point without values. Errors: an axis given twice, more than kSweepPointsMax points.
[[nodiscard]] Result<std::vector<std::vector<std::string>>> grid_of(
    const std::vector<SweepAxis>& axes);

/// Calls `run(i)` for i in [0, count) on `jobs` threads, this one among them, and `done(n)` on this
/// one now and then. The results by index, or the error of the least index that has one; behind an
/// error no further points are begun. `run` must be safe to call from several threads.
[[nodiscard]] Result<std::vector<StudyResult>> run_points(
    std::size_t count, std::size_t jobs, const std::function<Result<StudyResult>(std::size_t)>& run,
    const std::function<void(std::size_t)>& done);

}  // namespace tandem::sim
