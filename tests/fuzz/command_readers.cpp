// Fuzzed: the subcommands that look into a trace, as the command line runs them.
#include "tests/fuzz/one_file.hpp"
#include "tests/fuzz/readers.hpp"
#include "tests/fuzz/seed_traces.hpp"
#include "tools/cli/cli.hpp"

namespace tandem::fuzz {
namespace {

/// A step to ask for: one that the trace has, where it can be opened.
std::string some_step(Input input) {
  const auto reader = open_trace(input, "fuzz.trace");
  if (!reader.ok() || reader.value()->blocks().empty()) return "0";
  return std::to_string(reader.value()->blocks().back().first_step);
}

}  // namespace

Status run_trace_commands(Input input) {
  const std::string step = some_step(input);
  const std::vector<std::vector<std::string>> commands{
      {"info", "t"},
      {"dump", "t"},
      {"dump", "t", "--jsonl"},
      {"explain", "t", step},
      {"explain", "t", step, "--json", "-"},
      {"diff", "t", "u", "--json", "-"},
      {"verify", "t", "--jobs", "1", "--all", "--json", "-"}};
  Status all;
  for (const std::vector<std::string>& words : commands) {
    OneFileMachine machine(input);
    const int code = cli::run_cli(words, machine.io);
    TANDEM_CHECK(code == cli::kExitClean || code == cli::kExitDiverged ||
                 code == cli::kExitBadInput);
    // What run_cli() catches is a bug of ours, or memory that has no bound.
    TANDEM_CHECK(machine.err.text.rfind("error: tandem:", 0) != 0);
    if (code == cli::kExitBadInput) all = Error{words.front() + ": " + machine.err.text};
  }
  return all;
}

std::vector<std::string> trace_command_seeds() {
  std::vector<std::string> out;
  for (const test::SampleTrace& trace : run_traces()) {
    out.push_back(tbt_text(trace, TbtOptions::Compression::none));
  }
  out.push_back(jsonl_text(run_traces().front()));
  return out;
}

}  // namespace tandem::fuzz
