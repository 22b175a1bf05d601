// What `run` and `plan` take as SCENARIO: a JSON file, a catalogue name or a request trace.
#pragma once

#include <string>
#include <vector>

#include "scenarios/scenario.hpp"
#include "tools/cli/io.hpp"

namespace CLI {
class App;
}  // namespace CLI

namespace tandem::cli {

/// Options that change a scenario; "" leaves it as it is. --set comes last and wins.
struct ScenarioOptions {
  std::string scenario;
  std::string schedule;
  std::string policy;
  std::string seed;
  std::string steps;
  std::string from;  ///< request traces: the slice that is run
  std::string until;
  std::string rate_scale;
  std::vector<std::string> sets;
  bool unguarded = false;
};

/// Declares SCENARIO, --schedule, --policy, --set and --seed. Options declared behind it belong to
/// the scenario too, until option_defaults() names another group.
void add_scenario_options(CLI::App& app, ScenarioOptions& options);

/// Declares --from, --until and --rate-scale.
void add_slice_options(CLI::App& app, ScenarioOptions& options);

[[nodiscard]] Result<Scenario> load_scenario(Io& io, const ScenarioOptions& options);

/// What a scenario rests on besides SCENARIO.
struct ScenarioBase {
  std::string text;                    ///< JSON, in the place of SCENARIO where that is not given
  std::string name;                    ///< of `text`, for errors
  std::vector<std::string> overrides;  ///< in front of those of the options
};
[[nodiscard]] Result<Scenario> load_scenario(Io& io, const ScenarioOptions& options,
                                             const ScenarioBase& base);

/// Reads the files a scenario names: beside the scenario's own file, else as the path stands.
[[nodiscard]] FileLoader scenario_loader(Io& io, const ScenarioOptions& options);

/// The same for a request trace, piece by piece.
[[nodiscard]] SourceOpener scenario_opener(Io& io, const ScenarioOptions& options);

}  // namespace tandem::cli
