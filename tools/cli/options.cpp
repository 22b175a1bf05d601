// Parsing of option values, and wrapping of text.
#include "tools/cli/options.hpp"

#include <array>
#include <charconv>

#include "scenarios/exact_number.hpp"

namespace tandem::cli {
namespace {

Error got(std::string_view option, const std::string& text, std::string_view wanted) {
  return Error::make(option, "got '" + text + "'", wanted);
}

template <class Number>
bool parse_whole(std::string_view text, Number& out) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, out);
  return error == std::errc() && stop == end && !text.empty();
}

}  // namespace

Result<std::int64_t> parse_integer(std::string_view option, const std::string& text,
                                   std::int64_t min, std::int64_t max) {
  std::int64_t value = 0;
  if (parse_whole(text, value) && value >= min && value <= max) return value;
  return got(option, text,
             "an integer in [" + std::to_string(min) + ", " + std::to_string(max) + "]");
}

Result<std::uint64_t> parse_unsigned(std::string_view option, const std::string& text) {
  std::uint64_t value = 0;
  if (parse_whole(text, value)) return value;
  return got(option, text, "an integer in [0, 2^64)");
}

Result<Nanos> parse_duration(std::string_view option, const std::string& text) {
  struct Unit {
    std::string_view name;
    int digits;            // of 10^-digits s
    std::int64_t seconds;  // times that
  };
  constexpr std::array<Unit, 7> kUnits{Unit{"", 9, 1},     Unit{"s", 9, 1},  Unit{"m", 9, 60},
                                       Unit{"h", 9, 3600}, Unit{"ms", 6, 1}, Unit{"us", 3, 1},
                                       Unit{"ns", 0, 1}};
  constexpr std::int64_t kMax = 1'000'000'000'000'000'000;
  const std::size_t end = text.find_last_of("0123456789") + 1;  // npos + 1 is 0
  for (const Unit& unit : kUnits) {
    if (text.substr(end) != unit.name) continue;
    const auto value = exact_units(std::string_view(text).substr(0, end), unit.digits);
    if (!value || *value < 0 || *value > kMax / unit.seconds) break;
    return *value * unit.seconds;
  }
  return got(option, text, "a time of at most 10^18 ns like 90, 90s, 1.5m, 2h, 250ms or 10us");
}

Result<std::size_t> parse_choice(std::string_view option, const std::string& text,
                                 const std::vector<std::string_view>& names) {
  std::string wanted = "one of";
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (text == names[i]) return i;
    wanted.append(i == 0 ? " " : ", ").append(names[i]);
  }
  return got(option, text, wanted);
}

Result<StepRange> parse_steps(std::string_view option, const std::string& text) {
  const std::size_t colon = text.find(':');
  const std::string begin = text.substr(0, colon);
  const std::string end = colon == std::string::npos ? begin : text.substr(colon + 1);
  StepRange range;
  const bool begin_fits = begin.empty() || parse_whole(begin, range.begin);
  const bool end_fits = end.empty() || parse_whole(end, range.end);
  if (text.empty() || !begin_fits || !end_fits || range.begin < 0 || range.end < 0) {
    return got(option, text, "A:B, A:, :B or A with integers >= 0");
  }
  if (colon == std::string::npos && range.end < INT64_MAX) ++range.end;
  if (range.end <= range.begin) return got(option, text, "A:B with A < B (B is not included)");
  return range;
}

Result<std::vector<sim::CheckId>> parse_checks(std::string_view option, const std::string& text) {
  std::vector<sim::CheckId> checks;
  if (text == "none") return checks;
  std::size_t begin = 0;
  for (;;) {
    const std::size_t comma = text.find(',', begin);
    const std::string name = text.substr(begin, comma - begin);
    sim::CheckId id{};
    if (!sim::from_name(name, id)) {
      return got(option, name, "checks V0 to V39 separated by commas, or none");
    }
    if (!sim::check_info(id).implemented) {
      return got(option, name,
                 "a check that this version runs; this one comes with a later version");
    }
    checks.push_back(id);
    if (comma == std::string::npos) return checks;
    begin = comma + 1;
  }
}

std::string wrap(std::string_view text, std::size_t indent, std::size_t width) {
  std::string out;
  std::size_t column = 0;
  std::size_t begin = 0;
  while (begin < text.size()) {
    std::size_t end = text.find_first_not_of(' ', begin);  // leading blanks belong to the word
    if (end == std::string_view::npos) break;
    end = std::min(text.find(' ', end), text.size());
    std::string_view word = text.substr(begin, end - begin);
    if (column > 0 && column + word.size() > width) {
      word.remove_prefix(std::min(word.find_first_not_of(' '), word.size()));
      out.append("\n").append(indent, ' ');
      column = indent;
    }
    out.append(word);
    column += word.size();
    begin = end;
  }
  return out;
}

}  // namespace tandem::cli
