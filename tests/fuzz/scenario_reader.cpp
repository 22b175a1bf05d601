// Fuzzed: the scenario parser with its overrides, and the workload that comes out of it.
#include "scenarios/scenario.hpp"
#include "scenarios/schema.hpp"
#include "tests/fuzz/readers.hpp"
#include "tests/fuzz/workload_drain.hpp"

namespace tandem::fuzz {
namespace {

constexpr char kOverrideMark = '\0';

/// No scenario may name a file of this machine.
Result<std::string> no_file(const std::string& /*path*/) { return Error{"no files here"}; }

void add_words(std::string_view list, char separator, std::vector<std::string>& out) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(separator), list.size());
    if (end > 0 && list.substr(0, end) != "*") out.emplace_back(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
}

}  // namespace

Status run_scenario_text(Input input) {
  std::vector<std::string> parts(1);
  for (const char c : text_of(input)) {
    if (c == kOverrideMark) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  const std::string text = std::move(parts.front());
  parts.erase(parts.begin());
  const Result<Scenario> scenario = parse_scenario(text, "fuzz.json", parts);
  if (!scenario.ok()) return checked(scenario.error());
  const bool names_file =
      !scenario.value().workload.path.empty() || !scenario.value().workload.accept_path.empty();
  if (names_file) return {};
  return checked(drain(scenario.value(), no_file));
}

std::vector<std::string> scenario_seeds() {
  std::vector<std::string> out;
  for (const std::string_view name : catalog_names()) out.emplace_back(*catalog_scenario(name));
  const std::string with_overrides = out.front();
  for (const char* overrides :
       {"rows.R11=sync",
        "workload.kind=poisson|workload.requests=3|workload.gap_steps=1.5|"
        "workload.prompt=4|workload.output=4",
        "acceptance.kind=list|acceptance.lists=[[1,2],[3]]", "engine.cuda_graphs=[8,4]"}) {
    std::string text = with_overrides + kOverrideMark + overrides;
    for (char& c : text) c = c == '|' ? kOverrideMark : c;
    out.push_back(std::move(text));
  }
  return out;
}

std::vector<std::string> scenario_words() {
  std::vector<std::string> out;
  for (const KeySpec& spec : schema()) {
    out.push_back(std::string(spec.path) + "=");
    add_words(spec.path, '.', out);
    add_words(spec.choices, '|', out);
    add_words(spec.kinds, '|', out);
  }
  for (const char* word : {"2147483647", "4294967296", "-9223372036854775808", "1e400", "0.000001",
                           "null", "true", "1000000000000"}) {
    out.emplace_back(word);
  }
  return out;
}

}  // namespace tandem::fuzz
