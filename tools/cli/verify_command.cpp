// `tandem verify`: replays traces against the oracle and the checks.
#include <algorithm>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tools/cli/commands.hpp"
#include "tools/cli/documents.hpp"
#include "tools/cli/option_values.hpp"
#include "tools/cli/options.hpp"
#include "tools/cli/report.hpp"
#include "tools/cli/trace_input.hpp"

namespace tandem::cli {
namespace {

constexpr int kJobsMax = 256;

struct VerifyArguments {
  std::vector<std::string> traces;
  std::string jobs;
  std::string require = "V1,V2,V6";
  std::string json;
  std::string junit;
  bool all = false;
};

struct CheckedVerify {
  sim::VerifyOptions verify;
  std::vector<sim::CheckId> required;
};

Result<CheckedVerify> check_verify(const VerifyArguments& o) {
  CheckedVerify checked;
  if (o.jobs.empty()) {
    checked.verify.jobs =
        static_cast<int>(std::clamp<unsigned>(std::thread::hardware_concurrency(), 1, kJobsMax));
  } else {
    TANDEM_TRY(const std::int64_t jobs, parse_integer("--jobs", o.jobs, 1, kJobsMax));
    checked.verify.jobs = static_cast<int>(jobs);
  }
  TANDEM_TRY(checked.required, parse_checks("--require", o.require));
  if (o.all) checked.verify.divergences_max = kDivergencesMax;
  if (o.json == "-" && o.junit == "-") {
    return Error::make("--junit", "got '-' beside --json -", "one document on standard output");
  }
  return checked;
}

/// Required checks with a step in which they could not run, or with none in which they did.
std::vector<sim::CheckId> not_run(const sim::Verdict& verdict,
                                  const std::vector<sim::CheckId>& required) {
  std::vector<sim::CheckId> missing;
  for (const sim::CheckId id : required) {
    const auto index = static_cast<std::size_t>(id);
    const sim::CheckCount& count = verdict.checks[index];
    const bool satisfied = verdict.excluded[index] || (count.run > 0 && count.not_checkable == 0);
    if (!satisfied) missing.push_back(id);
  }
  return missing;
}

int exit_code_of(const TraceReport& report) {
  if (report.verdict.divergence_count > 0) return kExitDiverged;
  if (report.interrupted) return kExitInterrupted;
  const bool bad = !report.damage.empty() || !report.error.empty() || !report.missing.empty();
  return bad ? kExitBadInput : kExitClean;
}

/// The blocks around the divergence are read once more, without progress.
void look_around(Io& io, const OpenTrace& trace, TraceReport& report) {
  if (report.interrupted || report.verdict.divergences.empty()) return;
  ReaderHooks hooks;
  hooks.stop = &io.stop;
  const auto reader = watch(*trace.decoder, *trace.file, std::move(hooks));
  report.around = read_neighbourhood(*reader, report.verdict.divergences.front());
}

TraceReport verify_one(Io& io, const std::string& path, const CheckedVerify& options,
                       bool wants_neighbourhood) {
  TraceReport report;
  report.path = path;
  Progress progress(io.err);
  std::size_t block_count = 0;
  ReaderHooks hooks;
  hooks.block_done = [&](std::size_t done) { progress.show_blocks(done, block_count, path); };
  const Result<OpenTrace> trace = open_trace_file(io, path, std::move(hooks));
  if (!trace) {
    report.interrupted = is_interruption(io, trace.error());
    if (!report.interrupted) report.error = trace.error().text;
    report.exit_code = exit_code_of(report);
    return report;
  }
  const TraceReader& reader = *trace.value().reader;
  block_count = reader.blocks().size();
  report.opened = true;
  report.header = reader.header();
  if (reader.damage() != nullptr) report.damage = reader.damage()->what;
  Result<sim::Verdict> verdict = sim::verify_trace(reader, options.verify, &report.verdict);
  if (verdict) {
    report.verdict = std::move(verdict).value();
  } else if (is_interruption(io, verdict.error())) {
    report.interrupted = true;
  } else {
    report.error = verdict.error().text;
  }
  if (wants_neighbourhood) look_around(io, trace.value(), report);
  if (!report.interrupted) report.missing = not_run(report.verdict, options.required);
  report.exit_code = exit_code_of(report);
  return report;
}

/// The sentences of one report on err, for those who read only that.
void print_errors(Io& io, const TraceReport& report) {
  if (!report.error.empty()) print_error(io, Error{report.error});
  if (!report.damage.empty()) print_error(io, Error{report.damage});
  if (report.interrupted) {
    static_cast<void>(
        interrupted(io, report.path,
                    fmt::format("the verdict is that of {} steps", grouped(report.verdict.steps))));
  }
  if (report.missing.empty()) return;
  std::string names;
  for (const sim::CheckId id : report.missing) {
    names.append(names.empty() ? "" : ",").append(sim::to_name(id));
  }
  print_error(io, Error::make(report.path, "no inputs for " + names + " in some step or no step",
                              "all of --require to run", "record those fields or require less"));
}

/// A divergence outweighs bad input, and that an interruption.
int worse(int a, int b) {
  for (const int code : {kExitDiverged, kExitBadInput, kExitInterrupted}) {
    if (a == code || b == code) return code;
  }
  return kExitClean;
}

int verify_main(Io& io, const VerifyArguments& o) {
  const Result<CheckedVerify> options = check_verify(o);
  if (!options) return fail(io, options.error());
  Result<Document> json = Document::open(io, "--json", o.json);
  if (!json) return fail(io, json.error());
  Result<Document> junit = Document::open(io, "--junit", o.junit);
  if (!junit) return fail(io, junit.error());
  const bool print_text = !json.value().to_stdout() && !junit.value().to_stdout();

  std::vector<TraceReport> reports;
  int exit_code = kExitClean;
  for (const std::string& path : o.traces) {
    // Told of the first divergence of the command line only: one is read, many are counted.
    TraceReport report = verify_one(io, path, options.value(), exit_code != kExitDiverged);
    exit_code = worse(exit_code, report.exit_code);
    if (print_text)
      io.out.write(std::string(reports.empty() ? "" : "\n") + trace_text(report, io.out.style()));
    print_errors(io, report);
    reports.push_back(std::move(report));
    if (reports.back().interrupted) break;
  }
  // One that cannot be written does not keep the other from its place.
  if (json.value().wanted()) {
    const Status written = json.value().write(io, traces_json(reports, o.all));
    if (!written) exit_code = fail(io, written.error().within("--json"));
  }
  if (junit.value().wanted()) {
    const Status written = junit.value().write(io, traces_junit(reports));
    if (!written) exit_code = fail(io, written.error().within("--junit"));
  }
  return exit_code;
}

std::vector<std::string_view> check_names() {
  std::vector<std::string_view> names{"none"};
  for (std::size_t i = 0; i < sim::kCheckCount; ++i) {
    const auto id = static_cast<sim::CheckId>(i);
    if (sim::check_info(id).implemented) names.emplace_back(sim::to_name(id));
  }
  return names;
}

}  // namespace

void add_verify_command(CLI::App& app, Io& io, int& exit_code) {
  auto o = std::make_shared<VerifyArguments>();
  CLI::App* sub = app.add_subcommand(
      "verify", "Replay traces, name the first divergence and show the steps around it");
  sub->add_option("TRACE", o->traces, "traces (.tbt, .part or JSONL), one verdict each")
      ->required();
  sub->option_defaults()->group("checking");
  sub->add_option("--jobs", o->jobs, "worker threads; as many as cores where not given")
      ->option_text("N");
  sub->add_option("--require", o->require,
                  "checks, separated by commas, that must run in every step; none for none")
      ->option_text("CHECKS")
      ->check(suggest_list(check_names()));
  sub->option_defaults()->group("output");
  sub->add_flag("--all", o->all,
                "print every divergence, " + grouped(std::uint64_t{kDivergencesMax}) + " at most");
  sub->add_option("--json", o->json, "write the verdicts as JSON; - is standard output")
      ->option_text("FILE");
  sub->add_option("--junit", o->junit,
                  "write the verdicts as JUnit XML, a suite a trace and a case a check; - is "
                  "standard output")
      ->option_text("FILE");
  set_help(*sub, "TRACE... [options]",
           {"tandem run azure-conv --steps 2000 -o run.tbt", "tandem verify run.tbt",
            "tandem verify run.tbt --jobs 2 --json -",
            "tandem verify run.tbt --all --require V0,V1,V2,V6 --junit verdict.xml"});
  sub->callback([o, &io, &exit_code] { exit_code = verify_main(io, *o); });
}

}  // namespace tandem::cli
