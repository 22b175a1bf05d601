// `tandem explain`: one step of a trace in words.
#include <CLI/CLI.hpp>

#include "tools/cli/commands.hpp"
#include "tools/cli/documents.hpp"
#include "tools/cli/explain.hpp"
#include "tools/cli/option_values.hpp"
#include "tools/cli/options.hpp"
#include "tools/cli/trace_input.hpp"

namespace tandem::cli {
namespace {

struct ExplainArguments {
  std::string trace;
  std::string step;
  std::string json;
};

int explain_main(Io& io, const ExplainArguments& o) {
  const Result<std::int64_t> step = parse_integer("STEP", o.step, 0, INT64_MAX);
  if (!step) return fail(io, step.error());
  Result<Document> json = Document::open(io, "--json", o.json);
  if (!json) return fail(io, json.error());
  const Result<OpenTrace> trace = open_trace_file(io, o.trace, {});
  if (!trace) return fail(io, trace.error());
  const TraceReader& reader = *trace.value().reader;
  const Result<Explanation> explanation = explain_step(reader, step.value());
  if (!explanation && is_interruption(io, explanation.error())) {
    return interrupted(io, o.trace, "the step was not reached");
  }
  if (!explanation) return fail(io, explanation.error());
  if (!json.value().to_stdout()) io.out.write(explain_text(explanation.value(), o.trace));
  if (json.value().wanted()) {
    const Status written = json.value().write(io, explain_json(explanation.value(), o.trace));
    if (!written) return fail(io, written.error().within("--json"));
  }
  return kExitClean;
}

}  // namespace

void add_explain_command(CLI::App& app, Io& io, int& exit_code) {
  auto o = std::make_shared<ExplainArguments>();
  CLI::App* sub = app.add_subcommand(
      "explain", "Tell one step in words: what was launched, why that many rows, whose padding");
  sub->add_option("TRACE", o->trace, "a trace (.tbt, .part or JSONL)")->required();
  sub->add_option("STEP", o->step, "its loop iteration t")->required()->check(suggest({}));
  sub->add_option("--json", o->json, "write it as JSON; - is standard output")->option_text("FILE");
  set_help(*sub, "TRACE STEP [options]",
           {"tandem run decode-small -o run.tbt", "tandem explain run.tbt 12",
            "tandem explain run.tbt 12 --json -"});
  sub->callback([o, &io, &exit_code] { exit_code = explain_main(io, *o); });
}

}  // namespace tandem::cli
