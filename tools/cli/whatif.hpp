// What a `tandem whatif` found: every point of the study, as text, JSON and CSV.
#pragma once

#include <string>
#include <vector>

#include "sim/whatif/study.hpp"
#include "sim/whatif/sweep.hpp"

namespace tandem::cli {

/// Where the durations of a study come from.
struct CostSource {
  std::string name;                    ///< "the scenario's timing", or the file they were fitted to
  std::int64_t error_millionths = -1;  ///< of a step's time, as measured; -1: not known
  bool exact = false;                  ///< virtual time: what `tandem run` shows on the host device
  std::vector<std::string> remarks;    ///< sentences for the user
};

struct WhatifReport {
  std::string source;                ///< SOURCE of the command line
  std::vector<std::string> changes;  ///< of every point: --set and what stands for it
  std::vector<sim::SweepAxis> axes;
  CostSource costs;
  sim::StudyResult base;                         ///< without changes
  std::vector<std::vector<std::string>> points;  ///< one value an axis
  std::vector<sim::StudyResult> results;         ///< of each point
};

/// The values that a study shows of a run, in the order of tables.
struct WhatifValue {
  const char* name;  ///< as in JSON and CSV
  std::int64_t (*of)(const sim::StudyResult& result);
};
[[nodiscard]] const std::vector<WhatifValue>& whatif_values();

/// A table of 80 columns where the axes leave room for it.
[[nodiscard]] std::string whatif_text(const WhatifReport& report);
[[nodiscard]] std::string whatif_json(const WhatifReport& report);
/// A header line, then one line a point: the axes' values, then the numbers of JSON.
[[nodiscard]] std::string whatif_csv(const WhatifReport& report);

}  // namespace tandem::cli
