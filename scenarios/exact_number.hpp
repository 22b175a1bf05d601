// Decimal literals as exact integers in a smaller unit: seconds to nanoseconds without a double.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tandem {

/// `literal` (JSON's grammar of numbers) in units of 10^-digits, rounded to nearest, halves away
/// from zero; nullopt where it is no such literal or beyond +-(2^63 - 1) units. 0 <= digits <= 18.
/// Unix time in seconds fits as nanoseconds, in which a double would be off by 100 and more.
[[nodiscard]] std::optional<std::int64_t> exact_units(std::string_view literal, int digits);

/// A whole decimal integer: digits with an optional minus sign and nothing else.
[[nodiscard]] std::optional<std::int64_t> exact_integer(std::string_view text);

/// floor(value * 10^6 / millionths), exact; nullopt where that exceeds 2^63 - 1.
/// 0 <= value, 1 <= millionths <= 10^12.
[[nodiscard]] std::optional<std::int64_t> divide_by_millionths(std::int64_t value,
                                                               std::int64_t millionths);

}  // namespace tandem
