// `tandem import`: a trace in a foreign form becomes a .tbt, recorded acceptance a Markov profile.
#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "scenarios/accept_file.hpp"
#include "scenarios/accept_markov.hpp"
#include "tools/cli/commands.hpp"
#include "tools/cli/documents.hpp"
#include "tools/cli/line_source.hpp"
#include "tools/cli/option_values.hpp"
#include "tools/cli/options.hpp"
#include "tools/cli/report.hpp"
#include "traces/jsonl_stream.hpp"

namespace tandem::cli {
namespace {

struct ImportArguments {
  std::string format;
  std::string input;
  std::string output;
  std::string compress = "none";
};

Status check_import(const ImportArguments& o) {
  if (o.output == "-" && o.format == "jsonl") {
    return Error::make("-o", "got '-'", "a file name", "a .tbt is written to a file");
  }
  if (o.output == o.input) {
    return Error::make("-o", "got the input's own name", "a name of its own");
  }
  if (o.compress == "zstd" && !zstd_available()) {
    return Error::make("--compress", "got 'zstd'", "none: this build is without zstd",
                       "install libzstd-dev and build again");
  }
  return {};
}

/// Every line into the stream; stops between two lines.
Status copy_lines(const Io& io, LineSource& source, JsonlStream& stream, Progress& progress) {
  std::string line;
  while (!io.stop.load()) {
    TANDEM_TRY(const bool more, source.next(line));
    if (!more)
      return stream.finish().ok() ? Status() : stream.finish().error().within(source.name());
    const Status status = stream.line(line);
    if (!status) {
      return status.error().within(fmt::format("{}, line {}", source.name(), source.number()));
    }
    if (progress.due()) progress.show(fmt::format("{} steps", grouped(stream.steps())));
  }
  return {};
}

int import_jsonl(Io& io, const ImportArguments& o) {
  Result<LineSource> source = LineSource::open(io, o.input);
  if (!source) return fail(io, source.error());
  Result<std::unique_ptr<OutputFile>> file = io.files.create(o.output);
  if (!file) return fail(io, file.error().within("-o"));
  TbtOptions format;
  if (o.compress == "zstd") format.compression = TbtOptions::Compression::zstd;
  Result<std::unique_ptr<RecordSink>> writer = make_tbt_writer(*file.value(), format);
  if (!writer) return fail(io, writer.error());
  JsonlStream stream(*writer.value());

  Progress progress(io.err);
  Status status = copy_lines(io, source.value(), stream, progress);
  progress.clear();
  const bool stopped = status.ok() && io.stop.load();
  if (status.ok() && !stopped) status = file.value()->close();
  if (status.ok() && !stopped) {
    io.out.write(
        fmt::format("steps           {}\nrecords         {}\ntrace           {}, {} bytes\n",
                    grouped(stream.steps()), grouped(stream.records()), o.output,
                    grouped(static_cast<std::int64_t>(file.value()->size_bytes()))));
    return kExitClean;
  }
  // What cannot be written any more is lost; the file says which steps it keeps.
  static_cast<void>(stream.keep());
  const std::string kept = file.value()->abandon();
  std::string text = stopped ? "interrupted" : status.error().text;
  if (!kept.empty()) text += "; " + kept + " keeps the steps before it";
  print_error(io, Error{text});
  return stopped ? kExitInterrupted : kExitBadInput;
}

/// The whole input, unpacked.
Result<std::string> read_input(Io& io, const std::string& path) {
  TANDEM_TRY(LineSource source, LineSource::open(io, path));
  std::string text, line;
  for (;;) {
    TANDEM_TRY(const bool more, source.next(line));
    if (!more) return text;
    text.append(line).append("\n");
  }
}

Status import_acceptance(Io& io, const ImportArguments& o) {
  const std::string name = input_name(o.input);
  TANDEM_TRY(std::string text, read_input(io, o.input));
  TANDEM_TRY(const auto lists,
             read_accept_file(LineReader(name, make_text_source(std::move(text)))));
  Result<MarkovFit> fit = fit_markov(lists);
  if (!fit) return fit.error().within(name);
  const MarkovFit& f = fit.value();
  TANDEM_TRY(Document profile, Document::open(io, "-o", o.output));
  TANDEM_RETURN_IF_ERROR(profile.write(io, markov_text(f, name)));
  if (profile.to_stdout()) return {};
  const auto millionths = [](std::int64_t value) {
    return fmt::format("{:.3f}", static_cast<double>(value) / 1e6);
  };
  io.out.write(
      fmt::format("lists           {}\nsteps           {}\ntokens a step   {}\n"
                  "lag-1           {}\nprofile         {}, {} states\n",
                  grouped(f.lists), grouped(f.steps), millionths(f.mean_millionths),
                  millionths(f.lag1_millionths), o.output, f.profile.states.size()));
  return {};
}

int import_main(Io& io, const ImportArguments& o) {
  const Status options = check_import(o);
  if (!options) return fail(io, options.error());
  if (o.format == "jsonl") return import_jsonl(io, o);
  const Status done = import_acceptance(io, o);
  return done ? kExitClean : fail(io, done.error());
}

}  // namespace

void add_import_command(CLI::App& app, Io& io, int& exit_code) {
  auto o = std::make_shared<ImportArguments>();
  CLI::App* sub = app.add_subcommand("import", "Turn a trace in another form into a .tbt");
  sub->add_option("FORMAT", o->format,
                  "jsonl: the neutral step form, which recorders and tandem dump --jsonl write; "
                  "acceptance: Spec-Bench's answers, or lines with accept_lengths, fitted as a "
                  "Markov profile for acceptance.markov")
      ->required()
      ->check(one_of({"jsonl", "acceptance"}));
  sub->add_option("IN", o->input, "the file, plain or gzip; - is standard input")->required();
  sub->add_option("-o,--output", o->output,
                  "trace or profile to write; NAME.part until it is whole")
      ->option_text("NAME")
      ->required();
  sub->add_option("--compress", o->compress, "blocks of the trace")
      ->check(one_of({"none", "zstd"}));
  set_help(*sub, "FORMAT IN -o NAME [options]",
           {"tandem run decode-small -o run.tbt", "tandem dump run.tbt --jsonl > run.jsonl",
            "tandem import jsonl run.jsonl -o copy.tbt",
            "tandem dump run.tbt --jsonl | tandem import jsonl - -o copy.tbt",
            R"(echo '{"accept_lengths":[1,3]}' | tandem import acceptance - -o p.json)"});
  sub->callback([o, &io, &exit_code] { exit_code = import_main(io, *o); });
}

}  // namespace tandem::cli
