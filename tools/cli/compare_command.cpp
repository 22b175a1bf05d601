// `tandem compare`: the gate of a CI: did the candidate get slower than the base?
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "scenarios/config_keys.hpp"
#include "scenarios/exact_number.hpp"
#include "tools/cli/commands.hpp"
#include "tools/cli/compare.hpp"
#include "tools/cli/documents.hpp"
#include "tools/cli/options.hpp"
#include "tools/cli/trace_input.hpp"

namespace tandem::cli {
namespace {

struct CompareArguments {
  std::string base;
  std::string candidate;
  std::string max_regression = "2";
  std::string seed = "1";
  std::string json;
  std::string junit;
  bool strict = false;
};

/// A trace that has been read through.
struct ReadRun {
  TraceHeader header;
  sim::RunNotes notes;
};

Result<ReadRun> read_run(Io& io, const std::string& path) {
  TANDEM_TRY(const OpenTrace trace, open_trace_file(io, path, {}));
  const TraceReader& reader = *trace.reader;
  ReadRun run;
  run.header = reader.header();
  for (const plan::Segment& segment : reader.segments()) run.notes.add_segment(segment);
  const auto note = [&run](const StepRecord& record) -> Status {
    run.notes.add(record);
    return {};
  };
  TANDEM_RETURN_IF_ERROR(read_all_records(io, reader, note));
  return run;
}

ComparedRun side_of(const std::string& path, const ReadRun& run) {
  ComparedRun side;
  side.path = path;
  side.device = run.header.device;
  side.counter_digest = run.notes.counter_digest();
  side.deviations = run.notes.deviations();
  std::vector<std::int64_t> times;
  times.reserve(run.notes.steps().size());
  for (const sim::RunNotes::Step& step : run.notes.steps()) times.push_back(step.wall_ns);
  side.step_ns = sim::spread_of(times);
  return side;
}

/// Both lists hold the same keys in the order of the schema.
std::vector<ConfigChange> config_changes(const RunConfig& base, const RunConfig& candidate) {
  std::vector<ConfigChange> changes;
  const std::vector<ConfigKey> a = config_keys(base);
  const std::vector<ConfigKey> b = config_keys(candidate);
  for (const ConfigKey& key : a) {
    for (const ConfigKey& other : b) {
      if (other.key == key.key && other.value != key.value) {
        changes.push_back({key.key, key.value, other.value});
      }
    }
  }
  return changes;
}

Result<sim::CompareOptions> checked(const CompareArguments& o) {
  sim::CompareOptions options;
  const std::optional<std::int64_t> allowed = exact_units(o.max_regression, 4);
  if (!allowed || *allowed < 0 || *allowed > 1'000'000) {
    return Error::make("--max-regression", "got '" + o.max_regression + "'",
                       "a number of percent in [0, 100]");
  }
  options.allowed_millionths = *allowed;
  TANDEM_TRY(options.seed, parse_unsigned("--seed", o.seed));
  if (o.json == "-" && o.junit == "-") {
    return Error::make("--junit", "got '-' beside --json -", "one document on standard output");
  }
  return options;
}

Result<CompareReport> compare(Io& io, const CompareArguments& o,
                              const sim::CompareOptions& options) {
  TANDEM_TRY(const ReadRun base, read_run(io, o.base));
  TANDEM_TRY(const ReadRun candidate, read_run(io, o.candidate));
  CompareReport report;
  report.base = side_of(o.base, base);
  report.candidate = side_of(o.candidate, candidate);
  report.allowed_millionths = options.allowed_millionths;
  report.strict = o.strict;
  report.config = config_changes(base.header.config, candidate.header.config);
  report.result = sim::compare_runs(base.notes, candidate.notes, options);
  return report;
}

int compare_main(Io& io, const CompareArguments& o) {
  const Result<sim::CompareOptions> options = checked(o);
  if (!options) return fail(io, options.error());
  Result<Document> json = Document::open(io, "--json", o.json);
  if (!json) return fail(io, json.error());
  Result<Document> junit = Document::open(io, "--junit", o.junit);
  if (!junit) return fail(io, junit.error());
  const Result<CompareReport> report = compare(io, o, options.value());
  if (!report && is_interruption(io, report.error())) {
    return interrupted(io, o.candidate, "nothing was written");
  }
  if (!report) return fail(io, report.error());
  const bool quiet = json.value().to_stdout() || junit.value().to_stdout();
  if (!quiet) io.out.write(compare_text(report.value(), io.out.style()));
  if (json.value().wanted()) {
    const Status written = json.value().write(io, compare_json(report.value()));
    if (!written) return fail(io, written.error().within("--json"));
  }
  if (junit.value().wanted()) {
    const Status written = junit.value().write(io, compare_junit(report.value()));
    if (!written) return fail(io, written.error().within("--junit"));
  }
  return report.value().exit_code();
}

}  // namespace

void add_compare_command(CLI::App& app, Io& io, int& exit_code) {
  auto o = std::make_shared<CompareArguments>();
  CLI::App* sub = app.add_subcommand(
      "compare", "Say whether one run is slower than another, and what its plan does anew");
  sub->add_option("BASE", o->base, "a trace of --record timeline")->required();
  sub->add_option("CANDIDATE", o->candidate, "another, of the same work at best")->required();
  sub->add_option("--max-regression", o->max_regression, "percent that count as no change")
      ->option_text("PCT");
  sub->add_option("--seed", o->seed, "of the draws behind the interval")->option_text("N");
  sub->add_flag("--strict", o->strict, "exit code 1 also where it cannot be told");
  sub->add_option("--json", o->json, "write it as JSON; - is standard output")->option_text("FILE");
  sub->add_option("--junit", o->junit, "write it as JUnit XML; - is standard output")
      ->option_text("FILE");
  set_help(*sub, "BASE CANDIDATE [options]",
           {"tandem run decode-small --record timeline -o base.tbt",
            "tandem run decode-small --record timeline --schedule sync -o sync.tbt",
            "tandem compare base.tbt base.tbt",
            "tandem compare base.tbt sync.tbt --max-regression 5 --json -"});
  sub->callback([o, &io, &exit_code] { exit_code = compare_main(io, *o); });
}

}  // namespace tandem::cli
