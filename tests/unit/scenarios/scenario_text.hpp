// Texts of small scenarios that the tests of this folder change one key at a time.
#pragma once

#include <string>
#include <vector>

#include "scenarios/scenario.hpp"

namespace tandem::test {

/// The least a scenario may say.
inline std::string least_scenario() {
  return R"({"workload": {"kind": "poisson", "requests": 3, "gap_steps": 2,
                          "prompt": 10, "output": 5}})";
}

/// `least_scenario` with overrides.
inline Result<Scenario> parse_with(const std::vector<std::string>& overrides) {
  return parse_scenario(least_scenario(), "x.json", overrides);
}

inline std::string error_of(const Result<Scenario>& result) {
  return result.ok() ? std::string("(no error)") : result.error().text;
}

/// A loader that knows one file.
inline FileLoader one_file(std::string path, std::string text) {
  return [path = std::move(path),
          text = std::move(text)](const std::string& asked) -> Result<std::string> {
    if (asked == path) return text;
    return Error::make(asked, "got no such file", "a file");
  };
}

struct Drained {
  std::vector<RequestSpec> requests;
  std::string error;  ///< of the row that ended it, if one did
  std::int64_t dropped = 0;
};

inline Drained drain(const Scenario& scenario, const FileLoader& load) {
  Drained out;
  auto workload = make_workload(scenario, load);
  if (!workload.ok()) {
    out.error = workload.error().text;
    return out;
  }
  for (;;) {
    auto request = workload.value()->next();
    if (!request.ok()) {
      out.error = request.error().text;
      break;
    }
    if (!request.value()) break;
    out.requests.push_back(*request.value());
  }
  out.dropped = workload.value()->dropped();
  return out;
}

}  // namespace tandem::test
