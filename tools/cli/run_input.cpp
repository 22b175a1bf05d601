// Finds and reads the scenario of a run, and turns options into overrides.
#include "tools/cli/run_input.hpp"

#include <CLI/CLI.hpp>

#include "tools/cli/option_values.hpp"
#include "tools/cli/options.hpp"

namespace tandem::cli {
namespace {

constexpr std::string_view kAzureHeader = "TIMESTAMP,ContextTokens,GeneratedTokens";
constexpr std::string_view kAzureBase = "azure-conv";

bool starts_as_azure_csv(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark) {
    text.remove_prefix(kByteOrderMark.size());
  }
  return text.substr(0, kAzureHeader.size()) == kAzureHeader;
}

/// The file's name without folder and ending, in the characters a run's name may have.
std::string run_name(const std::string& path) {
  std::string name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0: the whole path
  if (name.rfind('.') != std::string::npos && name.rfind('.') > 0) name.resize(name.rfind('.'));
  name.resize(std::min<std::size_t>(name.size(), 128));
  for (char& c : name) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '_' || c == '-';
    if (!fits) c = '_';
  }
  return name;
}

struct Source {
  std::string text;
  std::string name;
  std::vector<std::string> overrides;  ///< that make the embedded base read a CSV
};

Result<Source> find_source(Io& io, const std::string& scenario) {
  if (const auto embedded = catalog_scenario(scenario)) {
    return Source{std::string(*embedded), scenario, {}};
  }
  const bool path_like = scenario.find_first_of("/.") != std::string::npos;
  if (!path_like && !io.files.exists(scenario)) {
    return Error::make(scenario, "neither a file nor a name of the catalogue",
                       "a JSON scenario, an Azure CSV, or a name of the catalogue",
                       "tandem run --help lists the names");
  }
  TANDEM_TRY(std::string text, io.files.read_text(scenario));
  if (!starts_as_azure_csv(text)) return Source{std::move(text), scenario, {}};
  const auto base = catalog_scenario(kAzureBase);
  TANDEM_CHECK(base.has_value());
  return Source{std::string(*base),
                scenario,
                {"name=" + run_name(scenario), "workload.kind=azure-csv",
                 "workload.path=" + scenario, "workload.requests=0"}};
}

std::vector<std::string_view> policy_names() {
  std::vector<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(PolicyKind::all_accepted); ++i) {
    names.emplace_back(to_name(static_cast<PolicyKind>(i)));
  }
  return names;
}

}  // namespace

void add_scenario_options(CLI::App& app, ScenarioOptions& options) {
  app.add_option("SCENARIO", options.scenario,
                 "a JSON scenario, an Azure CSV, or a name of the catalogue")
      ->required()
      ->check(suggest_or_file(catalog_names()));
  app.option_defaults()->group("scenario");
  app.add_option("--schedule", options.schedule, "every row that the scenario leaves open")
      ->check(one_of({"sync", "overlap"}));
  app.add_option("--policy", options.policy, "what the host believes before it knows")
      ->option_text("POLICY")
      ->check(one_of(policy_names()));
  app.add_option("--set", options.sets, "change one key of the scenario; may be repeated")
      ->option_text("KEY=VALUE")
      ->allow_extra_args(false);
  app.add_option("--seed", options.seed, "root of every random draw")->option_text("N");
}

Result<Scenario> load_scenario(Io& io, const ScenarioOptions& options) {
  TANDEM_TRY(Source source, find_source(io, options.scenario));
  std::vector<std::string> overrides = std::move(source.overrides);
  if (!options.schedule.empty()) overrides.push_back("schedule=" + options.schedule);
  if (!options.policy.empty()) overrides.push_back("policy=" + options.policy);
  if (!options.seed.empty()) {
    TANDEM_RETURN_IF_ERROR(parse_unsigned("--seed", options.seed));
    overrides.push_back("seed=" + options.seed);
  }
  if (!options.steps.empty()) {
    TANDEM_RETURN_IF_ERROR(parse_integer("--steps", options.steps, 1, 1'000'000'000'000));
    overrides.push_back("limits.steps=" + options.steps);
  }
  if (options.unguarded) overrides.push_back("unguarded=true");
  overrides.insert(overrides.end(), options.sets.begin(), options.sets.end());
  return parse_scenario(source.text, source.name, overrides);
}

FileLoader scenario_loader(Io& io, const ScenarioOptions& options) {
  const std::string folder = options.scenario.substr(0, options.scenario.rfind('/') + 1);
  FileSystem* files = &io.files;
  return [files, folder](const std::string& path) -> Result<std::string> {
    const bool relative = !path.empty() && path.front() != '/';
    if (relative && !folder.empty() && files->exists(folder + path)) {
      return files->read_text(folder + path);
    }
    return files->read_text(path);
  };
}

}  // namespace tandem::cli
