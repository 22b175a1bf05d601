// Result and Error: how bad input and a bad environment travel to the place that can report them.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "traces/base/check.hpp"

namespace tandem {

/// `text` with control characters as JSON escapes them: names out of a file may hold any.
inline std::string on_one_line(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7F) {
      out += c;
    } else {
      out.append("\\u00").append(1, kDigits[byte >> 4U]).append(1, kDigits[byte & 15U]);
    }
  }
  return out;
}

/// A failure that is not our bug: one line that names the place, what was found, what is wanted and
/// what to do. `place` is a file, a file and an offset, a JSON pointer or an option.
struct Error {
  std::string text;

  /// "place: found X, want Y; remedy" (the remedy and its separator are left out when empty).
  static Error make(std::string_view place, std::string_view found, std::string_view wanted,
                    std::string_view remedy = {}) {
    std::string text;
    text.append(place).append(": ").append(found).append(", want ").append(wanted);
    if (!remedy.empty()) text.append("; ").append(remedy);
    return Error{on_one_line(text)};
  }

  /// The same failure seen from further out: puts "place: " or "place" in front.
  [[nodiscard]] Error within(std::string_view place) const {
    const bool pointer = !text.empty() && text.front() == '/';
    return Error{on_one_line(std::string(place) + (pointer ? ":" : ": ") + text)};
  }
};

/// A value or an Error. Asking for the one that is not there is our own bug and aborts.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(*-explicit-*)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(*-explicit-*)

  [[nodiscard]] bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  [[nodiscard]] T& value() & {
    TANDEM_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] const T& value() const& {
    TANDEM_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] T&& value() && {
    TANDEM_CHECK(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  [[nodiscard]] const Error& error() const {
    TANDEM_CHECK(!ok());
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, Error> state_;
};

/// Success, or an Error.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)), ok_(false) {}  // NOLINT(*-explicit-*)

  [[nodiscard]] bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }
  [[nodiscard]] const Error& error() const {
    TANDEM_CHECK(!ok_);
    return error_;
  }

 private:
  Error error_;
  bool ok_ = true;
};

}  // namespace tandem

#define TANDEM_CONCAT_INNER(a, b) a##b
#define TANDEM_CONCAT(a, b) TANDEM_CONCAT_INNER(a, b)

/// Leaves the function with the error of a Status or Result that failed.
#define TANDEM_RETURN_IF_ERROR(expr)                       \
  do {                                                     \
    auto&& tandem_status = (expr);                         \
    if (!tandem_status.ok()) return tandem_status.error(); \
  } while (false)

/// TANDEM_TRY(auto x, f()): x is the value of f(), or the function is left with f()'s error.
#define TANDEM_TRY(declaration, expr) \
  TANDEM_TRY_INNER(TANDEM_CONCAT(tandem_result_, __LINE__), declaration, expr)
#define TANDEM_TRY_INNER(name, declaration, expr) \
  auto name = (expr);                             \
  if (!(name).ok()) return (name).error();        \
  declaration = std::move(name).value()
