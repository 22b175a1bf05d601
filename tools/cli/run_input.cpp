// Finds and reads the scenario of a run, and turns options into overrides.
#include "tools/cli/run_input.hpp"

#include <algorithm>
#include <memory>
#include <span>
#include <utility>

#include <CLI/CLI.hpp>

#include "scenarios/config_keys.hpp"
#include "scenarios/exact_number.hpp"
#include "scenarios/json_tree.hpp"
#include "scenarios/request_trace.hpp"
#include "tools/cli/option_values.hpp"
#include "tools/cli/options.hpp"

namespace tandem::cli {
namespace {

constexpr std::string_view kTraceBase = "azure-conv";
constexpr std::size_t kHeadBytes = std::size_t{64} << 10U;  // holds the first line of any trace

/// The file's name without folder and ending, in the characters a run's name may have.
std::string run_name(const std::string& path) {
  std::string name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0: the whole path
  if (name.rfind('.') != std::string::npos && name.rfind('.') > 0) name.resize(name.rfind('.'));
  return as_run_name(std::move(name));
}

struct Source {
  std::string text;
  std::string name;
  std::vector<std::string> overrides;  ///< that make the embedded base read a request trace
};

Result<std::string> read_head(Io& io, const std::string& path) {
  TANDEM_TRY(const std::unique_ptr<InputFile> file, io.files.open(path));
  std::string head(std::min(file->bytes().size(), kHeadBytes), '\0');
  const Status read = file->fetch(0, std::as_writable_bytes(std::span(head)));
  if (!read) return read.error().within(path);
  return head;
}

/// The embedded base with the file as its workload.
Source trace_source(const std::string& path, const TraceKind& trace) {
  const auto base = catalog_scenario(kTraceBase);
  TANDEM_CHECK(base.has_value());
  Source source{std::string(*base),
                path,
                {"name=" + run_name(path), "workload.kind=" + std::string(trace.name),
                 "workload.path=" + path, "workload.requests=0"}};
  // Long-context traces: prompts reach 191,378 tokens in the public ones.
  if (trace.kind == WorkloadKind::mooncake_jsonl || trace.kind == WorkloadKind::qwen_jsonl) {
    source.overrides.emplace_back("engine.max_model_len=262144");
  }
  return source;
}

Result<Source> find_source(Io& io, const std::string& scenario) {
  if (const auto embedded = catalog_scenario(scenario)) {
    return Source{std::string(*embedded), scenario, {}};
  }
  const bool path_like = scenario.find_first_of("/.") != std::string::npos;
  if (!path_like && !io.files.exists(scenario)) {
    return Error::make(scenario, "neither a file nor a name of the catalogue",
                       "a JSON scenario, a request trace, or a name of the catalogue",
                       "tandem run --help lists the names");
  }
  TANDEM_TRY(const std::string head, read_head(io, scenario));
  if (const TraceKind* trace = detect_trace(head)) return trace_source(scenario, *trace);
  const std::size_t first = head.find_first_not_of(" \t\r\n");
  if (first != std::string::npos && head[first] != '{') {
    const std::string line = head.substr(first, head.find_first_of("\r\n", first) - first);
    return Error::make(scenario, "got " + shown_text(line),
                       "a JSON scenario, or a request trace: " + trace_files_text());
  }
  TANDEM_TRY(std::string text, io.files.read_text(scenario));
  return Source{std::move(text), scenario, {}};
}

/// The path of a file a scenario names: beside the scenario's own file, else as it stands.
std::string beside(FileSystem& files, const std::string& folder, const std::string& path) {
  const bool relative = !path.empty() && path.front() != '/';
  return relative && !folder.empty() && files.exists(folder + path) ? folder + path : path;
}

/// A file read piece by piece: the whole of it is never in memory.
class FileSource final : public ByteSource {
 public:
  FileSource(std::unique_ptr<InputFile> file, std::string path)
      : file_(std::move(file)), path_(std::move(path)), size_bytes_(file_->bytes().size()) {}

  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t size = std::min<std::size_t>(out.size(), size_bytes_ - offset_);
    const Status read = file_->fetch(offset_, std::as_writable_bytes(out.first(size)));
    if (!read) return read.error().within(path_);
    offset_ += size;
    return size;
  }

 private:
  std::unique_ptr<InputFile> file_;
  std::string path_;
  std::size_t size_bytes_;
  std::size_t offset_ = 0;
};

/// Options of a request trace as overrides.
Status add_slice(const ScenarioOptions& options, std::vector<std::string>& overrides) {
  if (!options.from.empty()) {
    TANDEM_TRY(const Nanos time, parse_duration("--from", options.from));
    overrides.push_back("workload.from_ns=" + std::to_string(time));
  }
  if (!options.until.empty()) {
    TANDEM_TRY(const Nanos time, parse_duration("--until", options.until));
    if (time == 0) {
      return Error::make("--until", "got '" + options.until + "'", "a time above 0",
                         "leave it out for no end");
    }
    overrides.push_back("workload.until_ns=" + std::to_string(time));
  }
  if (!options.rate_scale.empty()) {
    const auto scale = exact_units(options.rate_scale, 6);
    if (!scale || *scale < 1 || *scale > 1'000'000'000'000) {
      return Error::make("--rate-scale", "got '" + options.rate_scale + "'",
                         "a number in [0.000001, 1000000]");
    }
    overrides.push_back("workload.rate_scale=" + options.rate_scale);
  }
  return {};
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
                 "a JSON scenario, a request trace (CSV or JSON lines), or a name of the catalogue")
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
  app.add_option("--seed", options.seed,
                 "root of every random draw; the scenario's where not given")
      ->option_text("N");
}

void add_slice_options(CLI::App& app, ScenarioOptions& options) {
  app.add_option("--from", options.from,
                 "leave out rows of a request trace before this time: 90, 90s, 1.5m, 250ms, 2h")
      ->option_text("TIME");
  app.add_option("--until", options.until, "end a request trace at this time")->option_text("TIME");
  app.add_option("--rate-scale", options.rate_scale, "arrivals at X times their rate")
      ->option_text("X");
}

Result<Scenario> load_scenario(Io& io, const ScenarioOptions& options) {
  return load_scenario(io, options, {});
}

Result<Scenario> load_scenario(Io& io, const ScenarioOptions& options, const ScenarioBase& base) {
  Source source{base.text, base.name, {}};
  if (!options.scenario.empty()) {
    TANDEM_TRY(source, find_source(io, options.scenario));
  }
  std::vector<std::string> overrides = std::move(source.overrides);
  overrides.insert(overrides.end(), base.overrides.begin(), base.overrides.end());
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
  TANDEM_RETURN_IF_ERROR(add_slice(options, overrides));
  overrides.insert(overrides.end(), options.sets.begin(), options.sets.end());
  return parse_scenario(source.text, source.name, overrides);
}

FileLoader scenario_loader(Io& io, const ScenarioOptions& options) {
  const std::string folder = options.scenario.substr(0, options.scenario.rfind('/') + 1);
  FileSystem* files = &io.files;
  return [files, folder](const std::string& path) {
    return files->read_text(beside(*files, folder, path));
  };
}

SourceOpener scenario_opener(Io& io, const ScenarioOptions& options) {
  const std::string folder = options.scenario.substr(0, options.scenario.rfind('/') + 1);
  FileSystem* files = &io.files;
  return [files, folder](const std::string& path) -> Result<std::unique_ptr<ByteSource>> {
    const std::string found = beside(*files, folder, path);
    TANDEM_TRY(std::unique_ptr<InputFile> file, files->open(found));
    return std::unique_ptr<ByteSource>(std::make_unique<FileSource>(std::move(file), found));
  };
}

}  // namespace tandem::cli
