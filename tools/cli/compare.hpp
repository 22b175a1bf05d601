// What a `tandem compare` found of two traces, as text, JSON and JUnit.
#pragma once

#include <string>
#include <vector>

#include "sim/report/analysis.hpp"
#include "sim/report/comparison.hpp"
#include "tools/cli/style.hpp"

namespace tandem::cli {

/// One side of the comparison.
struct ComparedRun {
  std::string path;
  std::string device;
  sim::Spread step_ns;  ///< of launched steps
  std::uint64_t counter_digest = 0;
  std::int64_t deviations = 0;  ///< of the API log from the plan
};

/// A key of the configuration in which the two headers differ.
struct ConfigChange {
  std::string key;
  std::string base;
  std::string candidate;
};

struct CompareReport {
  ComparedRun base;
  ComparedRun candidate;
  std::int64_t allowed_millionths = 0;
  bool strict = false;  ///< ambiguous counts as slower
  std::vector<ConfigChange> config;
  sim::Comparison result;

  /// 0, or 1: slower, or ambiguous with --strict.
  [[nodiscard]] int exit_code() const;
};

[[nodiscard]] std::string compare_text(const CompareReport& report, const Style& style);
[[nodiscard]] std::string compare_json(const CompareReport& report);
[[nodiscard]] std::string compare_junit(const CompareReport& report);
/// The verdict in one line, the same in every output.
[[nodiscard]] std::string compare_line(const CompareReport& report);

}  // namespace tandem::cli
