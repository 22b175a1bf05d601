// `tandem diff`: where two traces part.
#include <CLI/CLI.hpp>

#include "tools/cli/commands.hpp"
#include "tools/cli/diff.hpp"
#include "tools/cli/documents.hpp"
#include "tools/cli/options.hpp"
#include "tools/cli/trace_input.hpp"

namespace tandem::cli {
namespace {

struct DiffArguments {
  std::string a;
  std::string b;
  std::string ignore;
  std::string json;
};

Result<FieldSet> parse_fields(const std::string& text) {
  FieldSet fields;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    const std::string path = text.substr(begin, comma - begin);
    Field field{};
    if (!field_from_path(path, field)) {
      return Error::make("--ignore", "got '" + path + "'",
                         "fields of a record separated by commas (traces/FORMAT.md)");
    }
    fields.set(static_cast<std::size_t>(field));
    begin = comma + 1;
  }
  return fields;
}

/// The damage of either trace, reported; true where there is some.
bool report_damage(Io& io, const OpenTrace& trace) {
  if (trace.reader->damage() == nullptr) return false;
  print_error(io, Error{trace.reader->damage()->what});
  return true;
}

int diff_main(Io& io, const DiffArguments& o) {
  const Result<FieldSet> ignored = parse_fields(o.ignore);
  if (!ignored) return fail(io, ignored.error());
  Result<Document> json = Document::open(io, "--json", o.json);
  if (!json) return fail(io, json.error());
  Progress progress(io.err);
  std::size_t done = 0;
  std::size_t block_count = 0;
  ReaderHooks hooks;  // the traces are read in turn, on this thread
  hooks.block_done = [&](std::size_t /*done*/) { progress.show_blocks(++done, block_count); };
  const Result<OpenTrace> a = open_trace_file(io, o.a, hooks);
  if (!a) return fail(io, a.error());
  const Result<OpenTrace> b = open_trace_file(io, o.b, hooks);
  if (!b) return fail(io, b.error());
  block_count = a.value().reader->blocks().size() + b.value().reader->blocks().size();

  const Result<TraceDiff> diff =
      diff_traces(*a.value().reader, *b.value().reader, ignored.value(), io.stop);
  progress.clear();
  if (!diff && is_interruption(io, diff.error())) {
    return interrupted(io, "tandem diff", "the traces were not compared to their ends");
  }
  if (!diff) return fail(io, diff.error());
  if (!json.value().to_stdout()) io.out.write(diff_text(diff.value(), o.a, o.b, io.out.style()));
  if (json.value().wanted()) {
    const Status written = json.value().write(io, diff_json(diff.value(), o.a, o.b));
    if (!written) return fail(io, written.error().within("--json"));
  }
  const bool damaged_a = report_damage(io, a.value());
  const bool damaged_b = report_damage(io, b.value());
  if (damaged_a || damaged_b) return diff.value().records_differ() ? kExitDiverged : kExitBadInput;
  return diff.value().differs() ? kExitDiverged : kExitClean;
}

}  // namespace

void add_diff_command(CLI::App& app, Io& io, int& exit_code) {
  auto o = std::make_shared<DiffArguments>();
  CLI::App* sub = app.add_subcommand(
      "diff",
      "Compare two traces: the first difference with its neighbourhood, and how much differs. "
      "Exit code 0 where they are equal, whoever wrote them, 1 where they differ");
  sub->add_option("A", o->a, "a trace (.tbt, .part or JSONL)")->required();
  sub->add_option("B", o->b, "another")->required();
  sub->add_option("--ignore", o->ignore, "fields that do not count, such as start_ns,end_ns,spans")
      ->option_text("FIELDS");
  sub->add_option("--json", o->json, "write the result as JSON; - is standard output")
      ->option_text("FILE");
  set_help(*sub, "A B [options]",
           {"tandem run decode-small -o a.tbt", "tandem run decode-small --seed 2 -o b.tbt",
            "tandem diff a.tbt b.tbt  # exit code 1", "tandem diff a.tbt a.tbt --json -"});
  sub->callback([o, &io, &exit_code] { exit_code = diff_main(io, *o); });
}

}  // namespace tandem::cli
