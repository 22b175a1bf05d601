// Values of options, parsed; errors name the option, what was found and what is wanted.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/checks/verify.hpp"
#include "traces/base/ids.hpp"
#include "traces/base/result.hpp"

namespace CLI {
class App;
}  // namespace CLI

namespace tandem::cli {

[[nodiscard]] Result<std::int64_t> parse_integer(std::string_view option, const std::string& text,
                                                 std::int64_t min, std::int64_t max);
[[nodiscard]] Result<std::uint64_t> parse_unsigned(std::string_view option,
                                                   const std::string& text);
/// A time, 0 to 10^18 ns: a decimal number of s (also without a unit), m, h, ms, us or ns.
[[nodiscard]] Result<Nanos> parse_duration(std::string_view option, const std::string& text);
/// The index of `text` in `names`.
[[nodiscard]] Result<std::size_t> parse_choice(std::string_view option, const std::string& text,
                                               const std::vector<std::string_view>& names);

/// Steps [begin, end) of "A:B", "A:", ":B" or "A" (that step alone).
struct StepRange {
  std::int64_t begin = 0;
  std::int64_t end = INT64_MAX;
};
[[nodiscard]] Result<StepRange> parse_steps(std::string_view option, const std::string& text);

/// "V1,V2,V6"; "none" asks for no check.
[[nodiscard]] Result<std::vector<sim::CheckId>> parse_checks(std::string_view option,
                                                             const std::string& text);

/// Gives `app` its help, from which man page and completion are made too: each command calls it
/// once. `usage` is what follows the command's name. `examples` are shell commands that work as
/// printed, in their order, in an empty folder; one that does not end with exit code 0 says so
/// behind it: "  # exit code 1: why".
void set_help(CLI::App& app, const std::string& usage, const std::vector<std::string>& examples);

/// `text` in lines of at most `width` columns, each but the first indented by `indent` blanks.
[[nodiscard]] std::string wrap(std::string_view text, std::size_t indent, std::size_t width = 80);

}  // namespace tandem::cli
