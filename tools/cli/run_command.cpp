// `tandem run`: runs a scenario, verifies it beside the run, records a trace.
#include <algorithm>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "runtime/cuda/run_cuda.hpp"
#include "runtime/host/run_host.hpp"
#include "tools/cli/commands.hpp"
#include "tools/cli/documents.hpp"
#include "tools/cli/option_values.hpp"
#include "tools/cli/options.hpp"
#include "tools/cli/replay_compare.hpp"
#include "tools/cli/replay_input.hpp"
#include "tools/cli/report.hpp"
#include "tools/cli/run_input.hpp"
#include "tools/cli/sinks.hpp"

namespace tandem::cli {
namespace {

// Calls between the run and the judge: enough to hide a slow step, small enough for B=512 (20 MB).
constexpr std::size_t kRingEntries = 64;

struct RunArguments {
  ScenarioOptions scenario;
  ReplayOptions replay;
  std::string device = "auto";
  std::string executor = "det";
  std::string record = "state";
  std::string compress = "none";
  std::string output;
  std::string json;
  bool no_verify = false;
};

/// What is run.
struct Job {
  Scenario scenario;
  std::unique_ptr<Replay> replay;  ///< null: no trace is run again
  std::unique_ptr<Workload> workload;

  [[nodiscard]] bool is_batch_exact() const { return replay != nullptr && replay->batch_exact; }
};

/// Where the records of a run go. Members are declared in the order in which they depend on each
/// other.
struct Recording {
  std::unique_ptr<OutputFile> file;
  std::unique_ptr<RecordSink> writer;
  std::unique_ptr<sim::LiveVerifier> verifier;
  std::unique_ptr<NeighbourhoodSink> watched;  ///< around the verifier
  std::unique_ptr<ParallelSink> parallel;
  std::unique_ptr<ReplaySink> comparison;  ///< with --replay
  std::unique_ptr<FanOutSink> sink;        ///< null: nobody wants records
};

Result<RecordLevel> checked_level(const RunArguments& o) {
  RecordLevel level{};
  TANDEM_CHECK(from_name(o.record, level));  // one_of() let it through
  if (level == RecordLevel::off && !o.output.empty()) {
    return Error::make("-o", "got '" + o.output + "' with --record off",
                       "--record state, timeline or full", "leave one of the two out");
  }
  return level;
}

Status check_output(const RunArguments& o) {
  if (o.output == "-") {
    return Error::make("-o", "got '-'", "a file name", "write a file, then tandem dump --jsonl");
  }
  if (!o.output.empty() && o.output == o.scenario.scenario) {
    return Error::make("-o", "got the scenario's own file", "a name of its own");
  }
  if (!o.output.empty() && o.replay.wanted() && o.output == o.replay.trace()) {
    return Error::make("-o", "got the trace that is replayed", "a name of its own");
  }
  if (o.compress == "zstd" && !zstd_available()) {
    return Error::make("--compress", "got 'zstd'", "none: this build is without zstd",
                       "install libzstd-dev and build again");
  }
  return {};
}

Result<Job> open_job(Io& io, const RunArguments& o) {
  Job job;
  TANDEM_RETURN_IF_ERROR(check_replay_options(o.replay));
  if (o.replay.wanted()) {
    TANDEM_TRY(job.replay, open_replay(io, o.scenario, o.replay));
    job.scenario = job.replay->scenario;
  } else if (o.scenario.scenario.empty()) {
    return Error::make("tandem run", "got no SCENARIO",
                       "one, --replay TRACE or --replay-requests TRACE", "see tandem run --help");
  } else {
    TANDEM_TRY(job.scenario, load_scenario(io, o.scenario));
  }
  TANDEM_TRY(job.workload, make_workload(job.scenario, scenario_loader(io, o.scenario),
                                         scenario_opener(io, o.scenario)));
  return job;
}

Result<Recording> open_recording(Io& io, const RunArguments& o, const Job& job, RecordLevel level) {
  Recording r;
  std::vector<RecordSink*> targets;
  if (!o.output.empty()) {
    TANDEM_TRY(r.file, io.files.create(o.output));
    TbtOptions format;
    if (o.compress == "zstd") format.compression = TbtOptions::Compression::zstd;
    TANDEM_TRY(r.writer, make_tbt_writer(*r.file, format));
    targets.push_back(r.writer.get());
  }
  if (!o.no_verify && level != RecordLevel::off) {
    r.verifier = sim::make_live_verifier(sim::VerifyOptions{});
    r.watched = std::make_unique<NeighbourhoodSink>(*r.verifier);
    r.parallel = std::make_unique<ParallelSink>(*r.watched, kRingEntries);
    targets.push_back(r.parallel.get());
  }
  if (job.is_batch_exact() && level != RecordLevel::off) {
    r.comparison = std::make_unique<ReplaySink>(job.replay->run, job.replay->changed);
    targets.push_back(r.comparison.get());
  }
  if (!targets.empty()) r.sink = std::make_unique<FanOutSink>(std::move(targets));
  return r;
}

/// The error of a run that ended early, with what remains of its trace.
Error with_remains(const Error& error, Recording& r) {
  const std::string kept = r.file != nullptr ? r.file->abandon() : "";
  if (kept.empty()) return error;
  return Error{error.text + "; " + kept + " keeps the steps up to the last complete block"};
}

/// With a bar where the scenario says when it ends: after steps, or requests, whichever is nearer.
void show_progress(Progress& progress, const Scenario& scenario, const RunProgress& p) {
  const std::string text =
      fmt::format("step {}, {} requests, {} tokens, {}", grouped(p.t), grouped(p.requests_done),
                  grouped(p.tokens), duration_text(p.now_ns));
  const WorkloadSpec& workload = scenario.workload;
  const std::int64_t requests = workload.kind == WorkloadKind::requests
                                    ? static_cast<std::int64_t>(workload.requests.size())
                                    : workload.requests_max;
  const auto share = [](std::int64_t done, std::int64_t total) {
    return total == 0 ? 0.0 : static_cast<double>(done) / static_cast<double>(total);
  };
  if (scenario.steps_max == 0 && requests == 0) {
    progress.show(text);
  } else {
    progress.show(std::max(share(p.t, scenario.steps_max), share(p.requests_done, requests)), text);
  }
}

Result<RunSummary> execute(Io& io, const RunArguments& o, const Job& job, RecordLevel level,
                           Recording& recording) {
  Progress progress(io.err);
  RunOptions options;
  options.level = recording.sink != nullptr ? level : RecordLevel::off;
  options.stop = &io.stop;
  options.producer = "tandem " + io.version;
  if (job.replay != nullptr) options.first_step = job.replay->first_step;
  if (job.is_batch_exact()) options.replay = &job.replay->run;
  options.progress = [&](const RunProgress& p) {
    if (!progress.due()) return;
    show_progress(progress, job.scenario, p);
  };
  if (o.device == "cuda") {
    return run_on_cuda(job.scenario, *job.workload, options, recording.sink.get());
  }
  const ExecutorKind executor = o.executor == "threads" ? ExecutorKind::threads : ExecutorKind::det;
  return run_on_host(job.scenario, *job.workload, options, recording.sink.get(), executor);
}

int exit_code_of(const RunReport& report) {
  const bool diverged = report.verdict && report.verdict->divergence_count > 0;
  const bool differs = report.replay && report.replay->differs();
  if (diverged || differs || report.summary.guard_tripped) return kExitDiverged;
  if (report.summary.stopped) return kExitInterrupted;
  return report.replay && !report.replay->damage.empty() ? kExitBadInput : kExitClean;
}

void print_interruption(Io& io, const RunReport& report) {
  const std::string steps = grouped(report.summary.steps) + " steps were run";
  static_cast<void>(interrupted(
      io, "tandem run",
      report.trace_path.empty() ? steps : steps + " and " + report.trace_path + " holds them"));
}

RunReport report_of(const RunArguments& o, const Job& job, const Recording& r, RecordLevel level,
                    const RunSummary& summary) {
  RunReport report;
  report.config = job.scenario.config;
  report.executor = o.device == "cuda" ? "cuda" : o.executor;
  report.level = r.sink != nullptr ? level : RecordLevel::off;
  report.summary = summary;
  if (job.replay != nullptr) report.replay = replay_report(*job.replay, o.replay.trace());
  if (r.comparison != nullptr) report.replay->comparison = r.comparison->result();
  if (r.verifier != nullptr) {
    report.verdict = r.verifier->verdict();
    report.around = r.watched->neighbourhood();
  }
  if (r.sink != nullptr) report.slot_steps = r.sink->slot_steps();
  return report;
}

int run_job(Io& io, const RunArguments& o, RecordLevel level) {
  const Result<Job> opened = open_job(io, o);
  if (!opened) return fail(io, opened.error());
  const Job& job = opened.value();
  std::string device_name = "host";
  if (o.device == "cuda") {
    const Result<CudaDeviceInfo> device = find_cuda_device(job.scenario.config);
    if (!device) {
      print_error(io, device.error());
      return kExitNoDevice;
    }
    device_name = device.value().name;
  }
  Result<Document> json = Document::open(io, "--json", o.json);
  if (!json) return fail(io, json.error());
  Result<Recording> recording = open_recording(io, o, job, level);
  if (!recording) return fail(io, recording.error().within("-o"));
  Recording& r = recording.value();

  const Result<RunSummary> summary = execute(io, o, job, level, r);
  if (!summary) return fail(io, with_remains(summary.error(), r));

  RunReport report = report_of(o, job, r, level, summary.value());
  report.device = device_name;
  if (r.file != nullptr) {
    const Status closed = r.file->close();
    if (!closed) return fail(io, with_remains(closed.error(), r));
    report.trace_path = o.output;
    report.trace_bytes = r.file->size_bytes();
  }
  if (!json.value().to_stdout()) io.out.write(run_text(report, io.out.style()));
  if (json.value().wanted()) {
    const Status written = json.value().write(io, run_json(report));
    if (!written) return fail(io, written.error().within("--json"));
  }
  const int exit_code = exit_code_of(report);
  if (exit_code == kExitInterrupted) print_interruption(io, report);
  return exit_code;
}

int run_main(Io& io, const RunArguments& o) {
  const Result<RecordLevel> level = checked_level(o);
  if (!level) return fail(io, level.error());
  const Status output = check_output(o);
  if (!output) return fail(io, output.error());
  return run_job(io, o, level.value());
}

}  // namespace

void add_run_command(CLI::App& app, Io& io, int& exit_code) {
  auto o = std::make_shared<RunArguments>();
  CLI::App* sub = app.add_subcommand("run", "Run a scenario, verify it beside the run, record it");
  add_scenario_options(*sub, o->scenario);
  sub->get_option("SCENARIO")->required(false);
  add_replay_options(*sub, o->replay);
  sub->add_option("--steps", o->scenario.steps,
                  "end after N loop iterations; with the workload where not given")
      ->option_text("N");
  add_slice_options(*sub, o->scenario);
  sub->add_flag("--unguarded", o->scenario.unguarded,
                "let a launch that is too small go on instead of ending the run");
  sub->option_defaults()->group("execution");
  sub->add_option("--device", o->device, "what executes the steps")
      ->check(one_of({"auto", "host", "cuda"}));
  sub->add_option("--executor", o->executor,
                  "det: one thread, seeded order; threads: a worker thread a stream, the "
                  "same values and times")
      ->check(one_of({"det", "threads"}));
  sub->add_flag("--no-verify", o->no_verify, "do not run the simulator beside the run");
  sub->option_defaults()->group("output");
  sub->add_option("-o,--output", o->output, "trace to write; FILE.part until it is whole")
      ->option_text("FILE");
  sub->add_option("--record", o->record, "how much of each step is recorded")
      ->check(one_of({"off", "state", "timeline", "full"}));
  sub->add_option("--compress", o->compress, "blocks of the trace")
      ->check(one_of({"none", "zstd"}));
  sub->add_option("--json", o->json, "write the result as JSON; - is standard output")
      ->option_text("FILE");
  set_help(*sub, "SCENARIO [options] | --replay TRACE | --replay-requests TRACE",
           {"tandem run azure-conv --steps 2000 -o run.tbt",
            "tandem run azure-conv --steps 500 --schedule sync --json -",
            "tandem run azure-conv --steps 500 --set engine.max_num_seqs=16 --seed 7",
            "tandem run azure-conv --steps 500 --rate-scale 1.5", "tandem run --replay run.tbt",
            "tandem run --replay-requests run.tbt --schedule sync",
            "tandem run dnode-short-drafts --policy predict-sum  # exit code 1"});
  sub->callback([o, &io, &exit_code] { exit_code = run_main(io, *o); });
}

}  // namespace tandem::cli
