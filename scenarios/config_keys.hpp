// A RunConfig as the keys of a scenario: what a trace's header would look like as one.
#pragma once

#include <string>
#include <vector>

#include "traces/base/result.hpp"
#include "traces/run_config.hpp"

namespace tandem {

/// A key as an override names it ("rows.R2", "engine.block_size") and its value as JSON.
struct ConfigKey {
  std::string key;
  std::string value;

  bool operator==(const ConfigKey&) const = default;
};

/// Every key that a RunConfig was read from, in the order of the schema. Acceptance that a header
/// does not state is kind list. digest_key has no key: a scenario derives it from the seed.
[[nodiscard]] std::vector<ConfigKey> config_keys(const RunConfig& config);

/// A scenario of these keys with one small request, as JSON text: parse_scenario() gives a
/// RunConfig back, or names what in the configuration no run can have. `rows_open`: without the
/// rows of the synchronisation table, for `schedule` to fill.
[[nodiscard]] std::string config_scenario(const RunConfig& config, bool rows_open = false);

/// A workload of one small request, as JSON: for scenarios whose requests come from elsewhere.
/// `by_list`: acceptance.kind is list.
[[nodiscard]] std::string small_workload(bool by_list);

/// `text` in the characters that a run's name may have, and no longer than one may be.
[[nodiscard]] std::string as_run_name(std::string text);

}  // namespace tandem
