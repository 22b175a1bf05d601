// Axes, grids and the threads that run their points.
#include "sim/whatif/sweep.hpp"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <optional>
#include <thread>

namespace tandem::sim {
namespace {

Error axis_error(const std::string& text, const std::string& wanted) {
  return Error::make("--sweep", "got '" + text + "'", wanted,
                     "such as k=1..5 or rows.R11=sync,overlap,bound");
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Result<std::vector<std::string>> range_of(const std::string& text, std::string_view first,
                                          std::string_view last) {
  const auto from = whole_number(first);
  const auto to = whole_number(last);
  constexpr std::int64_t kNumberMax = std::int64_t{1} << 60U;
  if (!from || !to || std::abs(*from) > kNumberMax || std::abs(*to) > kNumberMax) {
    return axis_error(text, "whole numbers on both sides of ..");
  }
  if (*from > *to) return axis_error(text, "a range that does not fall");
  if (*to - *from >= static_cast<std::int64_t>(kSweepPointsMax)) {
    return axis_error(text, "at most " + std::to_string(kSweepPointsMax) + " values");
  }
  std::vector<std::string> values;
  values.reserve(static_cast<std::size_t>(*to - *from) + 1);
  for (std::int64_t value = *from; value <= *to; ++value) values.push_back(std::to_string(value));
  return values;
}

}  // namespace

std::string full_key(std::string_view name) {
  constexpr std::pair<std::string_view, std::string_view> kShort[] = {
      {"k", "engine.num_speculative_tokens"},
      {"m", "engine.num_model_steps"},
      {"b", "engine.max_num_seqs"}};
  for (const auto& [brief, key] : kShort) {
    if (name == brief) return std::string(key);
  }
  return std::string(name);
}

Result<SweepAxis> parse_axis(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return axis_error(text, "KEY=VALUE,VALUE.. or KEY=A..B");
  }
  SweepAxis axis;
  axis.name = text.substr(0, equals);
  axis.key = full_key(axis.name);
  const std::string_view values = std::string_view(text).substr(equals + 1);
  const std::size_t dots = values.find("..");
  if (dots != std::string_view::npos) {
    TANDEM_TRY(axis.values, range_of(text, values.substr(0, dots), values.substr(dots + 2)));
    return axis;
  }
  for (std::size_t begin = 0; begin <= values.size();) {
    const std::size_t end = std::min(values.find(',', begin), values.size());
    if (end == begin) return axis_error(text, "no empty value");
    axis.values.emplace_back(values.substr(begin, end - begin));
    begin = end + 1;
  }
  if (axis.values.size() > kSweepPointsMax) {
    return axis_error(text, "at most " + std::to_string(kSweepPointsMax) + " values");
  }
  return axis;
}

Result<std::vector<std::vector<std::string>>> grid_of(const std::vector<SweepAxis>& axes) {
  std::size_t points = 1;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto same = [&](const SweepAxis& other) { return other.key == axes[i].key; };
    if (std::find_if(axes.begin() + static_cast<std::ptrdiff_t>(i) + 1, axes.end(), same) !=
        axes.end()) {
      return Error::make("--sweep", "got " + axes[i].key + " twice", "each key once",
                         "put all values behind one of them");
    }
    points *= axes[i].values.size();
    if (points > kSweepPointsMax) {
      return Error::make("--sweep", "got a grid of more than " + std::to_string(kSweepPointsMax),
                         "at most so many points", "leave out values, or run it in parts");
    }
  }
  std::vector<std::vector<std::string>> grid(points);
  for (std::size_t point = 0; point < points; ++point) {
    std::vector<std::string>& values = grid[point];
    values.resize(axes.size());
    std::size_t rest = point;
    for (std::size_t i = axes.size(); i-- > 0;) {
      values[i] = axes[i].values[rest % axes[i].values.size()];
      rest /= axes[i].values.size();
    }
  }
  return grid;
}

Result<std::vector<StudyResult>> run_points(
    std::size_t count, std::size_t jobs, const std::function<Result<StudyResult>(std::size_t)>& run,
    const std::function<void(std::size_t)>& done) {
  std::vector<std::optional<Result<StudyResult>>> results(count);
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> finished{0};
  std::atomic<bool> failed{false};
  const auto work = [&](bool tells) {
    while (!failed.load()) {
      const std::size_t i = next.fetch_add(1);
      if (i >= count) return;
      results[i].emplace(run(i));
      if (!*results[i]) failed = true;
      const std::size_t sum = finished.fetch_add(1) + 1;
      if (tells && done) done(sum);
    }
  };
  std::vector<std::thread> others;
  for (std::size_t j = 1; j < std::min(jobs, count); ++j) others.emplace_back(work, false);
  work(true);
  for (std::thread& other : others) other.join();
  std::vector<StudyResult> out;
  out.reserve(count);
  for (const auto& result : results) {
    // Points are begun in their order, so in front of one that was not begun one has failed.
    if (!result || !*result) {
      return result ? result->error() : Error{"sweep: ended early"};
    }
    out.push_back(result->value());
  }
  return out;
}

}  // namespace tandem::sim
