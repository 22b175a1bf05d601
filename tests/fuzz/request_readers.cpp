// Fuzzed: the files that a scenario takes its requests from. One format is one row of functions.
#include "tests/fuzz/readers.hpp"
#include "tests/fuzz/workload_drain.hpp"

namespace tandem::fuzz {
namespace {

Scenario scenario_of(std::string_view text) {
  Result<Scenario> scenario = parse_scenario(text, "requests.json");
  TANDEM_CHECK(scenario.ok());
  return std::move(scenario).value();
}

/// Requests of `input` under a scenario that names one file, whatever its name.
Status drain_file(const Scenario& scenario, Input input) {
  return checked(drain(scenario, [input](const std::string& /*path*/) {
    return Result<std::string>(std::string(text_of(input)));
  }));
}

constexpr std::string_view kCsvRows =
    "2023-11-16 18:17:03.9799600,4808,10\n"
    "2023-11-16 18:17:04.0319600,110,27\n"
    "2023-11-16 18:17:04.0319600,0,3\n"
    "2024-02-29 23:59:59.9999999,1,1\n";

}  // namespace

Status run_azure_csv(Input input) {
  static const Scenario scenario =
      scenario_of(R"({"arrivals": "time", "workload": {"kind": "azure-csv", "path": "f"}})");
  return drain_file(scenario, input);
}

std::vector<std::string> azure_csv_seeds() {
  const std::string head = "TIMESTAMP,ContextTokens,GeneratedTokens\n";
  return {head + std::string(kCsvRows),
          "\xEF\xBB\xBFGeneratedTokens,other,ContextTokens,TIMESTAMP\r\n"
          "7,x,12,2023-11-16 18:17:03.9799600\r\n",
          head};
}

std::vector<std::string> azure_csv_words() {
  return {"TIMESTAMP",
          "ContextTokens",
          "GeneratedTokens",
          "\xEF\xBB\xBF",
          "\r\n",
          "2147483647",
          "2147483648",
          "0001-01-01 00:00:00.0000000",
          "9999-12-31 23:59:59.9999999",
          "2023-11-16 18:17:03.9799600",
          ",,"};
}

Status run_accept_file(Input input) {
  static const Scenario scenario = scenario_of(R"({"acceptance": {"kind": "list", "path": "f"},
                      "workload": {"kind": "poisson", "requests": 3, "gap_steps": 1,
                                   "prompt": 4, "output": 4}})");
  return drain_file(scenario, input);
}

std::vector<std::string> accept_file_seeds() {
  return {"{\"accept_lengths\": [1, 2, 1024]}\n\n{\"accept_lengths\": [3], \"id\": \"x\"}\r\n",
          R"({"question": {"turns": ["a"]}, "accept_lengths": [4, 4, 1]})"};
}

std::vector<std::string> accept_file_words() {
  return {"accept_lengths", "\"accept_lengths\":[", "1024", "1025", "1e3", "[[[[[[[[", "\\u0000"};
}

}  // namespace tandem::fuzz
