// Digit by digit, so that no rounding of a double enters a time.
#include "scenarios/exact_number.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string>

#include "traces/base/check.hpp"

namespace tandem {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes the digits at the front of `text`.
std::string_view take_digits(std::string_view& text) {
  std::size_t size = 0;
  while (size < text.size() && is_digit(text[size])) ++size;
  const std::string_view digits = text.substr(0, size);
  text.remove_prefix(size);
  return digits;
}

struct Parts {
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
  std::int64_t exponent = 0;
};

/// The exponent behind 'e', clamped: no literal we could be given has more digits than that.
std::optional<std::int64_t> take_exponent(std::string_view& text) {
  constexpr std::int64_t kClamp = std::int64_t{1} << 40U;
  bool negative = false;
  if (!text.empty() && (text.front() == '+' || text.front() == '-')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  const std::string_view digits = take_digits(text);
  if (digits.empty()) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : digits) value = std::min(value * 10 + (c - '0'), kClamp);
  return negative ? -value : value;
}

std::optional<Parts> split(std::string_view text) {
  Parts out;
  if (!text.empty() && text.front() == '-') {
    out.negative = true;
    text.remove_prefix(1);
  }
  out.whole = take_digits(text);
  if (out.whole.empty() || (out.whole.size() > 1 && out.whole.front() == '0')) return std::nullopt;
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    out.fraction = take_digits(text);
    if (out.fraction.empty()) return std::nullopt;
  }
  if (!text.empty() && (text.front() == 'e' || text.front() == 'E')) {
    text.remove_prefix(1);
    const auto exponent = take_exponent(text);
    if (!exponent) return std::nullopt;
    out.exponent = *exponent;
  }
  if (!text.empty()) return std::nullopt;
  return out;
}

}  // namespace

std::optional<std::int64_t> exact_units(std::string_view literal, int digits) {
  TANDEM_CHECK(digits >= 0 && digits <= 18);
  const auto parts = split(literal);
  if (!parts) return std::nullopt;
  const auto size = static_cast<std::int64_t>(parts->whole.size() + parts->fraction.size());
  const auto digit = [&parts](std::int64_t i) -> std::uint64_t {
    const auto at = static_cast<std::size_t>(i);
    const char c =
        at < parts->whole.size() ? parts->whole[at] : parts->fraction[at - parts->whole.size()];
    return static_cast<std::uint64_t>(c - '0');
  };
  std::int64_t first = 0;  // leading zeros carry nothing
  while (first < size && digit(first) == 0) ++first;
  if (first == size) return 0;
  const auto whole_size = static_cast<std::int64_t>(parts->whole.size());
  const std::int64_t end = whole_size + parts->exponent + digits;  // one past the last digit kept
  if (end - first > 19) return std::nullopt;
  constexpr auto kMax = static_cast<std::uint64_t>(INT64_MAX);
  std::uint64_t value = 0;
  for (std::int64_t i = first; i < end; ++i) {
    const std::uint64_t next = i < size ? digit(i) : 0;
    if (value > (kMax - next) / 10) return std::nullopt;
    value = value * 10 + next;
  }
  if (end >= first && end < size && digit(end) >= 5) ++value;
  if (value > kMax) return std::nullopt;
  const auto units = static_cast<std::int64_t>(value);
  return parts->negative ? -units : units;
}

std::optional<std::int64_t> exact_integer(std::string_view text) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  if (text.empty() || read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  return value;
}

std::optional<std::int64_t> divide_by_millionths(std::int64_t value, std::int64_t millionths) {
  constexpr std::int64_t kMillion = 1'000'000;
  TANDEM_CHECK(value >= 0 && millionths >= 1 && millionths <= kMillion * kMillion);
  const std::int64_t whole = value / millionths;
  const std::int64_t rest = (value % millionths) * kMillion / millionths;  // < 10^18 before it
  if (whole > (INT64_MAX - rest) / kMillion) return std::nullopt;
  return whole * kMillion + rest;
}

}  // namespace tandem
