// `tandem whatif`: what would another schedule, policy or size do?
#include <algorithm>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "sim/report/html_report.hpp"
#include "sim/report/sweep_page.hpp"
#include "sim/whatif/sweep.hpp"
#include "tools/cli/commands.hpp"
#include "tools/cli/documents.hpp"
#include "tools/cli/option_values.hpp"
#include "tools/cli/options.hpp"
#include "tools/cli/replay_input.hpp"
#include "tools/cli/report.hpp"
#include "tools/cli/whatif.hpp"
#include "tools/cli/whatif_costs.hpp"

namespace tandem::cli {
namespace {

constexpr std::int64_t kStudyJobsMax = 256;

struct WhatifArguments {
  ScenarioOptions scenario;
  std::string accept_profile;
  std::vector<std::string> sweeps;
  std::string costs;
  std::string write_costs;
  std::string jobs;
  std::string json;
  std::string csv;
  std::string html;
};

/// One point of the study, ready to run.
struct Point {
  Scenario scenario;
  std::unique_ptr<Workload> workload;
};

/// Opens points: of a scenario, or of the request table of a trace.
class StudySource {
 public:
  StudySource(Io& io, const WhatifArguments& o) : io_(io), options_(o) {}

  /// Finds out what SOURCE is.
  Status look() {
    const std::string& path = options_.scenario.scenario;
    if (!catalog_scenario(path) && io_.files.exists(path)) {
      TANDEM_TRY(is_trace_, begins_as_trace(path));
    }
    if (!is_trace_ && !options_.accept_profile.empty()) {
      return Error::make("--accept-profile", "got one with a scenario", "a trace as SOURCE",
                         "a scenario has --set acceptance.kind=..");
    }
    return {};
  }
  /// The path where SOURCE is a trace, else "".
  [[nodiscard]] std::string trace() const { return is_trace_ ? options_.scenario.scenario : ""; }

  /// `changed`: with the user's --set, --schedule and --policy; `sets`: those of the point.
  [[nodiscard]] Result<Point> open(bool changed, const std::vector<std::string>& sets) const {
    ScenarioOptions options = options_.scenario;
    if (!changed) {
      options.schedule.clear();
      options.policy.clear();
      options.sets.clear();
    }
    options.sets.insert(options.sets.end(), sets.begin(), sets.end());
    Point point;
    if (is_trace_) {
      ReplayOptions replay;
      replay.requests = std::exchange(options.scenario, "");
      replay.accept_profile = options_.accept_profile;
      TANDEM_TRY(const std::unique_ptr<Replay> opened, open_replay(io_, options, replay));
      point.scenario = std::move(opened->scenario);
    } else {
      TANDEM_TRY(point.scenario, load_scenario(io_, options));
    }
    TANDEM_TRY(point.workload, make_workload(point.scenario, scenario_loader(io_, options),
                                             scenario_opener(io_, options)));
    return point;
  }

 private:
  static constexpr std::size_t kHeadBytes = 64 * 1024;

  [[nodiscard]] Result<bool> begins_as_trace(const std::string& path) const {
    TANDEM_TRY(const std::unique_ptr<InputFile> file, io_.files.open(path));
    std::string head(std::min<std::size_t>(file->bytes().size(), kHeadBytes), '\0');
    const Status read = file->fetch(0, std::as_writable_bytes(std::span(head)));
    if (!read) return read.error().within(path);
    return is_trace(head);
  }

  Io& io_;
  const WhatifArguments& options_;
  bool is_trace_ = false;
};

/// The keys of `key=value` changes.
std::vector<std::string> keys_of(const std::vector<std::string>& sets) {
  std::vector<std::string> keys;
  keys.reserve(sets.size());
  for (const std::string& set : sets) keys.push_back(set.substr(0, set.find('=')));
  return keys;
}

/// --set k=2 means what --sweep k=2 means.
void spell_out(std::vector<std::string>& sets) {
  for (std::string& set : sets) {
    const std::size_t equals = set.find('=');
    if (equals == std::string::npos) continue;
    set = sim::full_key(set.substr(0, equals)) + set.substr(equals);
  }
}

std::vector<std::string> changes_of(const ScenarioOptions& options) {
  std::vector<std::string> changes;
  if (!options.schedule.empty()) changes.push_back("schedule=" + options.schedule);
  if (!options.policy.empty()) changes.push_back("policy=" + options.policy);
  changes.insert(changes.end(), options.sets.begin(), options.sets.end());
  return changes;
}

Result<std::vector<sim::SweepAxis>> axes_of(const std::vector<std::string>& sweeps) {
  std::vector<sim::SweepAxis> axes;
  axes.reserve(sweeps.size());
  for (const std::string& sweep : sweeps) {
    TANDEM_TRY(sim::SweepAxis axis, sim::parse_axis(sweep));
    axes.push_back(std::move(axis));
  }
  return axes;
}

Result<std::size_t> jobs_of(const std::string& text) {
  if (text.empty()) {
    return std::size_t{std::clamp<unsigned>(std::thread::hardware_concurrency(), 1, kStudyJobsMax)};
  }
  TANDEM_TRY(const std::int64_t jobs, parse_integer("--jobs", text, 1, kStudyJobsMax));
  return static_cast<std::size_t>(jobs);
}

std::string unseen_text(const std::set<std::string>& unseen) {
  const std::string others =
      unseen.size() == 1 ? "" : fmt::format(" and {} more", unseen.size() - 1);
  return "taken to cost what others do, since never measured: " + *unseen.begin() + others;
}

Status write_costs(Io& io, const WhatifArguments& o, const StudyCosts& costs) {
  if (!costs.model) {
    return Error::make("--write-costs", "got no costs that were measured",
                       "a trace with spans as SOURCE, or --costs",
                       "record one with --record timeline");
  }
  TANDEM_TRY(const std::unique_ptr<OutputFile> file, io.files.create(o.write_costs));
  const std::string text = sim::to_json(*costs.model);
  TANDEM_RETURN_IF_ERROR(file->write(std::as_bytes(std::span(text))));
  return file->close();
}

Status study(Io& io, const WhatifArguments& o, std::size_t jobs, WhatifReport& report) {
  StudySource source(io, o);
  TANDEM_RETURN_IF_ERROR(source.look());
  TANDEM_TRY(report.axes, axes_of(o.sweeps));
  TANDEM_TRY(report.points, sim::grid_of(report.axes));
  report.source = o.scenario.scenario;
  report.changes = changes_of(o.scenario);
  TANDEM_TRY(const StudyCosts costs, open_costs(io, o.costs, source.trace()));
  report.costs = costs.source;
  std::vector<std::string> keys = keys_of(o.scenario.sets);
  for (const sim::SweepAxis& axis : report.axes) keys.push_back(axis.key);
  TANDEM_RETURN_IF_ERROR(check_timing_keys(costs, keys));
  if (report.axes.empty() && report.changes.empty()) report.points.clear();
  std::mutex unseen_mutex;
  std::set<std::string> unseen;
  const auto run_point = [&](bool changed,
                             const std::vector<std::string>& sets) -> Result<sim::StudyResult> {
    TANDEM_TRY(const Point point, source.open(changed, sets));
    const std::unique_ptr<sim::StepCosts> priced = costs.of(point.scenario);
    TANDEM_TRY(sim::StudyResult result,
               sim::run_study(point.scenario, *point.workload, *priced, {&io.stop, 0}));
    const std::lock_guard lock(unseen_mutex);
    unseen.merge(priced->unseen());
    return result;
  };
  TANDEM_TRY(report.base, run_point(false, {}));
  Progress progress(io.err);
  const auto run = [&](std::size_t i) -> Result<sim::StudyResult> {
    std::vector<std::string> sets;
    sets.reserve(report.axes.size());
    for (std::size_t a = 0; a < report.axes.size(); ++a) {
      sets.push_back(report.axes[a].key + "=" + report.points[i][a]);
    }
    return run_point(true, sets);
  };
  const auto done = [&](std::size_t count) {
    if (!progress.due()) return;
    const std::size_t all = report.points.size();
    progress.show(static_cast<double>(count) / static_cast<double>(all),
                  fmt::format("{} of {} points", count, all));
  };
  TANDEM_TRY(report.results, sim::run_points(report.points.size(), jobs, run, done));
  if (!unseen.empty()) report.costs.remarks.push_back(unseen_text(unseen));
  if (o.write_costs.empty()) return {};
  return write_costs(io, o, costs);
}

int whatif_main(Io& io, const WhatifArguments& o) {
  const Result<std::size_t> jobs = jobs_of(o.jobs);
  if (!jobs) return fail(io, jobs.error());
  const auto on_stdout = {o.json == "-", o.csv == "-", o.html == "-"};
  if (std::count(on_stdout.begin(), on_stdout.end(), true) > 1) {
    return fail(io, Error::make("tandem whatif", "got '-' for two documents",
                                "one document on standard output", "give the others files"));
  }
  Result<Document> json = Document::open(io, "--json", o.json);
  if (!json) return fail(io, json.error());
  Result<Document> csv = Document::open(io, "--csv", o.csv);
  if (!csv) return fail(io, csv.error());
  if (!o.html.empty() && !sim::has_html_report()) {
    return fail(io, Error::make("--html", "got '" + o.html + "'", "none: this build is without d3",
                                "install node-d3 and build again"));
  }
  Result<Document> html = Document::open(io, "--html", o.html);
  if (!html) return fail(io, html.error());
  WhatifReport report;
  const Status studied = study(io, o, jobs.value(), report);
  if (io.stop.load()) return interrupted(io, o.scenario.scenario, "nothing was written");
  if (!studied) return fail(io, studied.error());
  const bool quiet =
      json.value().to_stdout() || csv.value().to_stdout() || html.value().to_stdout();
  if (!quiet) io.out.write(whatif_text(report));
  if (json.value().wanted()) {
    const Status written = json.value().write(io, whatif_json(report));
    if (!written) return fail(io, written.error().within("--json"));
  }
  if (csv.value().wanted()) {
    const Status written = csv.value().write(io, whatif_csv(report));
    if (!written) return fail(io, written.error().within("--csv"));
  }
  if (html.value().wanted()) {
    const std::string page = sim::sweep_page("what if: " + report.source, whatif_json(report));
    const Status written = html.value().write(io, page);
    if (!written) return fail(io, written.error().within("--html"));
  }
  return kExitClean;
}

}  // namespace

void add_whatif_command(CLI::App& app, Io& io, int& exit_code) {
  auto o = std::make_shared<WhatifArguments>();
  CLI::App* sub =
      app.add_subcommand("whatif", "Predict what another schedule, policy, size or cost would do");
  add_scenario_options(*sub, o->scenario);
  sub->get_option("SCENARIO")
      ->description(
          "a scenario as `run` takes it, or a trace, of which the requests are scheduled anew");
  sub->add_option("--steps", o->scenario.steps, "end every run after N loop iterations")
      ->option_text("N");
  add_slice_options(*sub, o->scenario);
  sub->add_option("--accept-profile", o->accept_profile,
                  "with a trace: accepted counts from constant:P, per-position:P,P,.. or a file")
      ->option_text("PROFILE");
  sub->option_defaults()->group("study");
  sub->add_option("--sweep", o->sweeps,
                  "every value of a key: KEY=A,B,C or KEY=A..B; several make a grid. k, m and b "
                  "stand for drafts, sub-steps and slots")
      ->option_text("KEY=VALUES")
      ->allow_extra_args(false);
  sub->add_option("--costs", o->costs,
                  "what operations cost: h200, or a file of --write-costs; else the scenario's "
                  "timing or the trace's own spans")
      ->option_text("COSTS");
  sub->add_option("--jobs", o->jobs, "threads; the number of cores where not given")
      ->option_text("N");
  sub->option_defaults()->group("output");
  sub->add_option("--json", o->json, "write it as JSON; - is standard output")->option_text("FILE");
  sub->add_option("--csv", o->csv, "write a line a point; - is standard output")
      ->option_text("FILE");
  sub->add_option("--html", o->html, "write a page with a plot of the sweep")->option_text("FILE");
  sub->add_option("--write-costs", o->write_costs, "write the measured costs as JSON")
      ->option_text("FILE");
  set_help(*sub, "SCENARIO|TRACE [options]",
           {"tandem whatif azure-conv --steps 2000 --schedule sync",
            "tandem whatif azure-conv --steps 500 --costs h200 --sweep k=1..5",
            "tandem run decode-small --record timeline -o run.tbt",
            "tandem whatif run.tbt --sweep rows.R11=sync,bound --csv study.csv"});
  sub->callback([o, &io, &exit_code] {
    spell_out(o->scenario.sets);
    exit_code = whatif_main(io, *o);
  });
}

}  // namespace tandem::cli
