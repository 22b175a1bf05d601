// What the host references share: checked cells and rows, and the checks that name a bad tensor.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>

#include "traces/base/check.hpp"
#include "traces/base/result.hpp"

namespace tandem::kernels::detail {

constexpr std::int64_t kInt32Max = std::numeric_limits<std::int32_t>::max();
/// int64 counters (g, p) beyond this are refused: sums of a few of them cannot overflow.
constexpr std::int64_t kCounterMax = std::int64_t{1} << 60;

template <class T>
T& at(std::span<T> values, std::int64_t index) {
  TANDEM_CHECK(index >= 0 && index < static_cast<std::int64_t>(values.size()));
  return values[static_cast<std::size_t>(index)];
}

/// Column `column` of row `row` of a row-major matrix.
template <class T>
T& cell(std::span<T> matrix, std::int64_t row, std::int64_t width, std::int64_t column) {
  TANDEM_CHECK(row >= 0 && column >= 0 && column < width);
  return at(matrix, row * width + column);
}

template <class T>
std::span<T> row_of(std::span<T> matrix, std::int64_t row, std::int64_t width) {
  TANDEM_CHECK(row >= 0 && width >= 0);
  TANDEM_CHECK((row + 1) * width <= static_cast<std::int64_t>(matrix.size()));
  return matrix.subspan(static_cast<std::size_t>(row * width), static_cast<std::size_t>(width));
}

inline void copy_row(std::span<const std::byte> from, std::int64_t from_row,
                     std::span<std::byte> to, std::int64_t to_row, std::int64_t row_bytes) {
  const auto source = row_of(from, from_row, row_bytes);
  std::copy(source.begin(), source.end(), row_of(to, to_row, row_bytes).begin());
}

/// Sums are made in 64 bits; a garbage length wraps here instead of overflowing.
constexpr std::int32_t narrow(std::int64_t value) { return static_cast<std::int32_t>(value); }

inline bool contains(std::span<const std::int64_t> tokens, std::int64_t token) {
  return std::find(tokens.begin(), tokens.end(), token) != tokens.end();
}

/// Collects the checks of one call; keeps the first that fails. A failed check leaves the sizes
/// unproven: look at ok() before reading what they promise.
class Checks {
 public:
  explicit Checks(std::string_view op) : op_(op) {}

  void attr(std::string_view name, std::int64_t value, std::int64_t low,
            std::int64_t high = std::numeric_limits<std::int64_t>::max());

  /// `tensor` has at least rows * width entries. Both are checked to be >= 0 elsewhere.
  template <class T>
  void entries(std::string_view tensor, std::span<T> values, std::int64_t rows,
               std::int64_t width = 1) {
    entry_count(tensor, static_cast<std::int64_t>(values.size()), rows, width);
  }

  /// low <= value <= high, for `value` found in tensor[index].
  void value(std::string_view tensor, std::int64_t index, std::int64_t value, std::int64_t low,
             std::int64_t high);

  /// The same for a number made of several tensors; `what` says which, as "prompt_lens + step_idx".
  void fail(std::string_view place, std::string_view found, std::string_view wanted);

  [[nodiscard]] bool ok() const { return status_.ok(); }
  [[nodiscard]] const Status& status() const { return status_; }

 private:
  void entry_count(std::string_view tensor, std::int64_t found, std::int64_t rows,
                   std::int64_t width);

  std::string_view op_;
  Status status_;
};

/// Calling a reference with what its check refuses is our own bug: prints why and aborts.
void require(const Status& status);

}  // namespace tandem::kernels::detail
