// `tandem timeline`: where the time of a recorded run went, and what bounds it.
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "sim/report/html_report.hpp"
#include "sim/report/timeline_export.hpp"
#include "tools/cli/commands.hpp"
#include "tools/cli/documents.hpp"
#include "tools/cli/options.hpp"
#include "tools/cli/record_words.hpp"
#include "tools/cli/timeline.hpp"
#include "tools/cli/trace_input.hpp"

namespace tandem::cli {
namespace {

/// Divergences that outputs mark; the rest is counted.
constexpr std::size_t kMarkedMax = 1'000;

struct TimelineArguments {
  std::string trace;
  std::string steps;
  std::string json;
  std::string chrome;
  std::string perfetto;
  std::string html;
};

/// A file for a trace viewer, opened before the work so that a bad path is found at once.
struct Export {
  using Make = std::unique_ptr<sim::TimelineExporter> (*)(ByteSink&, const TimelineView&);
  const char* option;
  Make make;
  std::unique_ptr<OutputFile> file;
};

std::unique_ptr<sim::TimelineExporter> perfetto_of(ByteSink& out, const TimelineView& view) {
  return sim::make_perfetto_exporter(out, view.header, view.divergences);
}
std::unique_ptr<sim::TimelineExporter> chrome_of(ByteSink& out, const TimelineView& view) {
  return sim::make_chrome_exporter(out, view.header, view.divergences);
}
std::unique_ptr<sim::TimelineExporter> html_of(ByteSink& out, const TimelineView& view) {
  return sim::make_html_exporter(out, view.header, view.divergences, view.trace,
                                 timeline_page_json(view));
}

Result<std::vector<Export>> open_exports(Io& io, const TimelineArguments& o) {
  std::vector<Export> exports;
  exports.reserve(3);
  for (const auto& [option, path, make] :
       {std::tuple<const char*, std::string, Export::Make>{"--perfetto", o.perfetto, perfetto_of},
        {"--chrome", o.chrome, chrome_of},
        {"--html", o.html, html_of}}) {
    if (path.empty()) continue;
    if (make == html_of && !sim::has_html_report()) {
      return Error::make(option, "got '" + path + "'", "none: this build is without d3",
                         "install node-d3 and build again");
    }
    Result<std::unique_ptr<OutputFile>> file = io.files.create(path);
    if (!file) return file.error().within(option);
    exports.push_back({option, make, std::move(file).value()});
  }
  return exports;
}

/// Calls `each` for the records of the range, in order; also for those of one block in front of it,
/// so that what runs into the range is known.
template <class Each>
Status read_records(const Io& io, const TraceReader& trace, const sim::CountedSteps& range,
                    Each each) {
  StepRecord record;
  for (std::size_t i = 0; i < trace.blocks().size(); ++i) {
    if (i + 1 < trace.blocks().size() && trace.blocks()[i + 1].first_step < range.begin) continue;
    TANDEM_TRY(const std::unique_ptr<BlockReader> block, trace.open_block(i));
    for (;;) {
      if (io.stop.load()) return Error{kInterrupted};
      TANDEM_TRY(const bool more, block->next(record));
      if (!more) break;
      if (record.t >= range.end) return {};
      TANDEM_RETURN_IF_ERROR(each(record));
    }
  }
  return {};
}

/// The first reading: what to count, and what needs no spans.
Status survey(const Io& io, const TraceReader& trace, const std::optional<StepRange>& asked,
              TimelineView& view) {
  sim::PlanBook book;
  for (const plan::Segment& segment : trace.segments()) book.add(segment);
  sim::CountedSteps range;
  if (asked) range = {asked->begin, asked->end, 0, 0, true};
  sim::RampFinder ramp;
  TANDEM_RETURN_IF_ERROR(read_records(io, trace, range, [&](const StepRecord& record) -> Status {
    if (step_after(record.t, record.repeat) <= range.begin) return {};
    ramp.add(sim::facts_of(record));
    view.tally.add(record, book);
    return {};
  }));
  view.report.counted = asked ? range : ramp.counted();
  return {};
}

Status measure(const Io& io, const TraceReader& trace, TimelineView& view) {
  sim::TimelineBuilder builder;
  for (const plan::Segment& segment : trace.segments()) builder.add_segment(segment);
  sim::TimelineAnalysis analysis(view.report.counted);
  sim::StepTimeline step;
  const sim::CountedSteps range = view.report.counted;
  Status status = read_records(io, trace, range, [&](const StepRecord& record) -> Status {
    TANDEM_RETURN_IF_ERROR(builder.add(record, step));
    analysis.add(step);
    return {};
  });
  if (!status) return status;
  view.report = analysis.finish(builder.coverage());
  view.missing = missing_spans(view.header, view.report.coverage);
  return {};
}

Status judge(const TraceReader& trace, TimelineView& view) {
  sim::VerifyOptions options;
  options.divergences_max = kMarkedMax;
  TANDEM_TRY(const sim::Verdict verdict, sim::verify_trace(trace, options));
  view.divergence_count = verdict.divergence_count;
  view.divergences = verdict.divergences;
  return {};
}

/// All steps, or those asked for: a ramp is worth a look.
Status write_export(const Io& io, const TraceReader& trace, const TimelineView& view,
                    const sim::CountedSteps& range, const Export& wanted) {
  sim::TimelineBuilder builder;
  for (const plan::Segment& segment : trace.segments()) builder.add_segment(segment);
  const auto exporter = wanted.make(*wanted.file, view);
  TANDEM_RETURN_IF_ERROR(exporter->begin());
  sim::StepTimeline step;
  Status status = read_records(io, trace, range, [&](const StepRecord& record) -> Status {
    TANDEM_RETURN_IF_ERROR(builder.add(record, step));
    if (step_after(record.t, record.repeat) <= range.begin) return {};
    return exporter->add(step);
  });
  if (!status) return status;
  TANDEM_RETURN_IF_ERROR(exporter->finish());
  return wanted.file->close();
}

/// Spans that overlap in a lane cannot be drawn in it, and spans that are not there not at all.
Status write_exports(const Io& io, const TraceReader& trace, const TimelineView& view,
                     const std::vector<Export>& exports) {
  sim::CountedSteps range;
  if (view.each_step) range = view.report.counted;
  for (const Export& wanted : exports) {
    if (!view.report.attribution.holds()) {
      return Error::make(wanted.option, "T2 does not hold: " + view.report.attribution.first,
                         "spans that do not overlap", "nothing was written");
    }
    if (!view.report.has_spans() && wanted.make != html_of) {  // a page has the steps at least
      return Error::make(wanted.option, "the trace has no spans", "a trace with some",
                         "record it with --record timeline");
    }
    const Status status = write_export(io, trace, view, range, wanted);
    if (!status) return status.error().within(wanted.option);
  }
  return {};
}

Status look_at(const Io& io, const TraceReader& trace, const TimelineArguments& o,
               TimelineView& view) {
  std::optional<StepRange> asked;
  if (!o.steps.empty()) {
    TANDEM_TRY(asked, parse_steps("--steps", o.steps));
    view.each_step = true;
  }
  TANDEM_RETURN_IF_ERROR(survey(io, trace, asked, view));
  if (view.tally.records == 0) {
    return Error::make(o.steps.empty() ? o.trace : "--steps",
                       o.steps.empty() ? "holds no step that can be read" : "got '" + o.steps + "'",
                       "steps that the trace holds", "see tandem info " + o.trace);
  }
  TANDEM_RETURN_IF_ERROR(measure(io, trace, view));
  return judge(trace, view);
}

int timeline_main(Io& io, const TimelineArguments& o) {
  Result<Document> json = Document::open(io, "--json", o.json);
  if (!json) return fail(io, json.error());
  const Result<std::vector<Export>> exports = open_exports(io, o);
  if (!exports) return fail(io, exports.error());
  const Result<OpenTrace> trace = open_trace_file(io, o.trace, {});
  if (!trace) return fail(io, trace.error());
  const TraceReader& reader = *trace.value().reader;
  TimelineView view;
  view.trace = o.trace;
  view.header = reader.header();
  const Status looked = look_at(io, reader, o, view);
  if (!looked && is_interruption(io, looked.error())) {
    return interrupted(io, o.trace, "nothing was written");
  }
  if (!looked) return fail(io, looked.error());
  if (!json.value().to_stdout()) io.out.write(timeline_text(view, io.out.style()));
  if (json.value().wanted()) {
    const Status written = json.value().write(io, timeline_json(view));
    if (!written) return fail(io, written.error().within("--json"));
  }
  const Status drawn = write_exports(io, reader, view, exports.value());
  if (!drawn && is_interruption(io, drawn.error())) {
    return interrupted(io, o.trace, "the report is whole, files of other formats are not");
  }
  if (!drawn) return fail(io, drawn.error());
  if (reader.damage() != nullptr) return fail(io, Error{reader.damage()->what});
  return view.report.attribution.holds() ? kExitClean : kExitDiverged;
}

}  // namespace

void add_timeline_command(CLI::App& app, Io& io, int& exit_code) {
  auto o = std::make_shared<TimelineArguments>();
  CLI::App* sub = app.add_subcommand(
      "timeline", "Say where the time of a run went: streams, waits, bubbles, critical path");
  sub->add_option("TRACE", o->trace, "a trace (.tbt, .part or JSONL), best of --record timeline")
      ->required();
  sub->add_option("--steps", o->steps,
                  "steps A to B-1 only, each with a line; A: and :B are open, A is one step")
      ->option_text("A:B");
  sub->add_option("--perfetto", o->perfetto, "write spans, flows and counters for ui.perfetto.dev")
      ->option_text("FILE");
  sub->add_option("--chrome", o->chrome, "write the same as Chrome's JSON trace events")
      ->option_text("FILE");
  sub->add_option("--html", o->html,
                  "write a page to look at: lanes, bubbles, critical path, steps")
      ->option_text("FILE");
  sub->add_option("--json", o->json, "write it as JSON; - is standard output")->option_text("FILE");
  set_help(*sub, "TRACE [options]",
           {"tandem run decode-small --record timeline -o run.tbt", "tandem timeline run.tbt",
            "tandem timeline run.tbt --steps 20:30 --json -",
            "tandem timeline run.tbt --perfetto run.pftrace --chrome run.json"});
  sub->callback([o, &io, &exit_code] { exit_code = timeline_main(io, *o); });
}

}  // namespace tandem::cli
