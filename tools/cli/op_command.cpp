// `tandem op`: runs bookkeeping operations on tensors from outside.
#include <algorithm>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "kernels/op_device.hpp"
#include "tools/cli/commands.hpp"
#include "tools/cli/documents.hpp"
#include "tools/cli/line_source.hpp"
#include "tools/cli/op_json.hpp"
#include "tools/cli/option_values.hpp"
#include "tools/cli/options.hpp"
#include "tools/cli/report.hpp"

namespace tandem::cli {
namespace {

struct OpArguments {
  std::string name;
  std::string in;
  std::string out;
  std::string vectors;
  std::string device = "host";
  bool list = false;
  bool check = false;
};

/// How the cases of --check went.
struct Tally {
  std::int64_t passed = 0;
  std::int64_t failed = 0;
  std::int64_t not_compared = 0;  ///< cases without expected outputs
  std::string first_failure;
};

const char* role_text(kernels::TensorRole role) {
  switch (role) {
    case kernels::TensorRole::kIn:
      return "in";
    case kernels::TensorRole::kInOut:
      return "in, out";
    case kernels::TensorRole::kOut:
      return "out";
    case kernels::TensorRole::kUnused:
      return "unused";
  }
  return "";
}

std::string list_text() {
  std::string text;
  for (const kernels::OpSpec& op : kernels::all_ops()) {
    text += fmt::format("{}\n    {}\n", op.name, wrap(op.purpose, 4, 76));
  }
  return text;
}

std::string signature_text(const kernels::OpSpec& op) {
  std::string text = fmt::format("{}\n  {}\n", op.name, wrap(op.purpose, 2, 78));
  for (const kernels::AttributeSpec& attribute : op.attributes) {
    text += fmt::format("  {:<30} {:<8} {}{}\n", attribute.name, "attr",
                        attribute.is_text ? "string" : "integer",
                        attribute.is_optional ? ", may be left out" : "");
  }
  for (const kernels::TensorSpec& tensor : op.tensors) {
    const bool optional = tensor.is_optional || tensor.role == kernels::TensorRole::kUnused;
    text += wrap(fmt::format("  {:<30} {:<8} {} [{}]{}", tensor.name, role_text(tensor.role),
                             kernels::data_type_name(tensor.dtype), tensor.shape,
                             optional ? ", may be left out" : ""),
                 42) +
            "\n";
  }
  return text;
}

Error unknown_op(const std::string& place, const std::string& name) {
  return Error::make(place, "got '" + name + "'", "a bookkeeping operation",
                     "tandem op --list names them");
}

/// Runs one case. `name` is the operation where the case names none.
Result<kernels::NamedTensors> run_case(const OpCase& op_case, const std::string& name,
                                       const std::string& place, kernels::OpDevice* device) {
  const std::string& op = op_case.op.empty() ? name : op_case.op;
  if (op.empty()) return Error::make(place + ":/op", "not given", "one");
  if (kernels::find_op(op) == nullptr) return unknown_op(place + ":/op", op);
  const Result<kernels::NamedTensors> outputs =
      kernels::run_op(op, op_case.attributes, op_case.inputs, {.device = device});
  if (!outputs) return outputs.error().within(place);
  return outputs.value();
}

void tally_case(const OpCase& op_case, const kernels::NamedTensors& outputs,
                const std::string& what, Tally& tally) {
  if (op_case.expected.empty()) {
    ++tally.not_compared;
    return;
  }
  const std::optional<Mismatch> mismatch = first_mismatch(op_case, outputs);
  if (!mismatch) {
    ++tally.passed;
    return;
  }
  if (tally.failed++ > 0) return;
  const std::string cell = mismatch->index < 0 ? "" : fmt::format("[{}]", mismatch->index);
  tally.first_failure = fmt::format("{}: {}{}: found {}, want {}", what, mismatch->tensor, cell,
                                    mismatch->found, mismatch->wanted);
}

int finish_check(Io& io, const Tally& tally, const std::string& place) {
  io.out.write(row("passed", grouped(tally.passed)) + row("failed", grouped(tally.failed)) +
               row("not compared", grouped(tally.not_compared)));
  if (tally.failed > 0) {
    io.out.write(row("first failure", tally.first_failure));
    return kExitDiverged;
  }
  if (tally.passed > 0) return kExitClean;
  return fail(io, Error::make(place, "no case with outputs", "expected outputs to compare with",
                              "leave --check out to compute them"));
}

int run_single(Io& io, const OpArguments& o, kernels::OpDevice* device) {
  if (o.in.empty())
    return fail(io, Error::make("--in", "not given", "a file, or - for standard input"));
  if (o.out.empty() && !o.check) {
    return fail(io, Error::make("--out", "not given", "a file, or - for standard output"));
  }
  const std::string place = input_name(o.in);
  const Result<std::unique_ptr<InputFile>> file = open_input(io, o.in);
  if (!file) return fail(io, file.error().within("--in"));
  Result<Document> document = Document::open(io, "--out", o.out);
  if (!document) return fail(io, document.error());
  const std::span<const std::byte> bytes = file.value()->bytes();
  const Result<OpCase> op_case =
      parse_op_case({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, place, 0);
  if (!op_case) return fail(io, op_case.error());
  if (!op_case.value().op.empty() && op_case.value().op != o.name) {
    return fail(io, Error::make(place + ":/op", "got '" + op_case.value().op + "'",
                                "'" + o.name + "' as on the command line, or none"));
  }
  const Result<kernels::NamedTensors> outputs = run_case(op_case.value(), o.name, place, device);
  if (!outputs) return fail(io, outputs.error());
  if (document.value().wanted()) {
    const Status written =
        document.value().write(io, "{\"outputs\":" + tensors_json(outputs.value()) + "}\n");
    if (!written) return fail(io, written.error().within("--out"));
  }
  if (!o.check) return kExitClean;
  Tally tally;
  tally_case(op_case.value(), outputs.value(), o.name, tally);
  return finish_check(io, tally, place);
}

std::string result_line(const OpCase& op_case, std::int64_t line,
                        const kernels::NamedTensors& outputs) {
  return fmt::format("{{\"op\":{},\"case\":{},\"outputs\":{}}}\n", json_string(op_case.op),
                     op_case.case_id.empty() ? std::to_string(line) : op_case.case_id,
                     tensors_json(outputs));
}

/// False at the end of the file.
Result<bool> run_line(Io& io, const OpArguments& o, kernels::OpDevice* device, LineSource& source,
                      std::string& text, Tally& tally, std::int64_t& cases) {
  TANDEM_TRY(const bool more, source.next(text));
  if (!more) return false;
  if (text.find_first_not_of(" \t\r") == std::string::npos) return true;
  TANDEM_TRY(const OpCase op_case, parse_op_case(text, source.name(), source.number()));
  const std::string place = fmt::format("{}:{}", source.name(), source.number());
  TANDEM_TRY(const kernels::NamedTensors outputs, run_case(op_case, "", place, device));
  ++cases;
  if (!o.check) {
    io.out.write(result_line(op_case, source.number(), outputs));
    return !io.out.stopped();
  }
  const std::string id = op_case.case_id.empty() ? "" : " case " + op_case.case_id;
  tally_case(op_case, outputs,
             fmt::format("{} line {} {}{}", source.name(), source.number(), op_case.op, id), tally);
  return true;
}

int run_vectors(Io& io, const OpArguments& o, kernels::OpDevice* device) {
  Result<LineSource> source = LineSource::open(io, o.vectors);
  if (!source) return fail(io, source.error().within("--vectors"));
  Tally tally;
  std::string text;
  std::int64_t cases = 0;
  Progress progress(io.err);
  const bool quiet = o.check || !io.out.is_terminal();  // else the results themselves go by
  for (bool more = true; more;) {
    if (quiet && progress.due()) progress.show(grouped(cases) + " cases");
    if (io.stop.load()) {
      return interrupted(io, source.value().name(), fmt::format("{} cases were run", cases));
    }
    const Result<bool> ran = run_line(io, o, device, source.value(), text, tally, cases);
    if (!ran) return fail(io, ran.error());
    more = ran.value();
  }
  if (io.out.stopped()) return kExitClean;  // run_cli reports an output that failed
  if (cases == 0) {
    return fail(io, Error::make(source.value().name(), "no case", "one JSON object a line"));
  }
  return o.check ? finish_check(io, tally, source.value().name()) : kExitClean;
}

Status check_op(const OpArguments& o) {
  const bool vectors = !o.vectors.empty();
  if (vectors && (o.list || !o.name.empty() || !o.in.empty() || !o.out.empty())) {
    return Error::make("--vectors", "got '" + o.vectors + "' beside NAME, --list, --in or --out",
                       "it alone, or with --check");
  }
  if (o.list && (o.check || !o.in.empty() || !o.out.empty())) {
    return Error::make("--list", "got it beside --in, --out or --check", "it alone, or with NAME");
  }
  if (!vectors && !o.list && o.name.empty()) {
    return Error::make("tandem op", "got no NAME", "NAME, --list or --vectors",
                       "see tandem op --help");
  }
  return {};
}

int op_main(Io& io, const OpArguments& o) {
  const Status status = check_op(o);
  if (!status) return fail(io, status.error());
  if (!o.name.empty() && kernels::find_op(o.name) == nullptr) {
    return fail(io, unknown_op("tandem op", o.name));
  }
  if (o.list) {
    io.out.write(o.name.empty() ? list_text() : signature_text(*kernels::find_op(o.name)));
    return kExitClean;
  }
  std::unique_ptr<kernels::OpDevice> device;  // null: the host
  if (o.device == "cuda") {
    Result<std::unique_ptr<kernels::OpDevice>> opened = kernels::open_cuda_op_device();
    if (!opened) {
      print_error(io, opened.error().within("--device cuda"));
      return kExitNoDevice;
    }
    device = std::move(opened).value();
  }
  return o.vectors.empty() ? run_single(io, o, device.get()) : run_vectors(io, o, device.get());
}

std::vector<std::string_view> op_names() {
  std::vector<std::string_view> names;
  for (const kernels::OpSpec& op : kernels::all_ops()) names.emplace_back(op.name);
  return names;
}

}  // namespace

void add_op_command(CLI::App& app, Io& io, int& exit_code) {
  auto o = std::make_shared<OpArguments>();
  CLI::App* sub = app.add_subcommand("op", "Run a bookkeeping operation on given tensors");
  sub->add_option("NAME", o->name, "the operation; with --list: print its tensors")
      ->check(suggest(op_names()));
  sub->add_flag("--list", o->list, "print every operation with its purpose");
  sub->add_option("--in", o->in, "JSON with inputs and attrs; - is standard input")
      ->option_text("FILE");
  sub->add_option("--out", o->out, "where the outputs go; - is standard output")
      ->option_text("FILE");
  sub->add_option("--vectors", o->vectors,
                  "JSON lines (plain or .gz), a case each; a line {op, case, outputs} is printed "
                  "for each")
      ->option_text("FILE");
  sub->add_flag("--check", o->check,
                "compare with the outputs of the input instead: integers exactly, floats within "
                "0.001, null not at all; exit code 1 where they differ");
  sub->add_option("--device", o->device, "what executes the operation")
      ->check(one_of({"host", "cuda"}));
  set_help(*sub, "NAME --in FILE --out FILE | --list | --vectors FILE [options]",
           {"tandem op --list", "tandem op verify_draft_tokens --list"});
  sub->callback([o, &io, &exit_code] { exit_code = op_main(io, *o); });
}

}  // namespace tandem::cli
