// The table of fuzz targets.
#include "tests/fuzz/targets.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "tests/fuzz/readers.hpp"

namespace tandem::fuzz {
namespace {

constexpr std::array kTargets{
    Target{"accept_file", run_accept_file, accept_file_seeds, accept_file_words},
    Target{"header", run_header, header_seeds, trace_words},
    Target{"import_jsonl", run_import, jsonl_seeds, trace_words},
    Target{"jsonl", run_trace, jsonl_seeds, trace_words},
    Target{"markov", run_markov, markov_seeds, markov_words},
    Target{"op", run_op_case, op_seeds, op_words},
    Target{"op_vectors", run_op_vectors, op_vectors_seeds, op_words},
    Target{"request_trace", run_request_trace, request_trace_seeds, request_trace_words},
    Target{"scenario", run_scenario_text, scenario_seeds, scenario_words},
    Target{"tbt", run_trace, tbt_seeds, trace_words},
    Target{"trace_commands", run_trace_commands, trace_command_seeds, trace_words},
};

bool breaks_line(char c) { return static_cast<unsigned char>(c) < 0x20; }

}  // namespace

std::span<const Target> all_targets() { return kTargets; }

const Target* find_target(std::string_view name) {
  const auto found = std::find_if(kTargets.begin(), kTargets.end(),
                                  [name](const Target& target) { return target.name == name; });
  return found == kTargets.end() ? nullptr : &*found;
}

Status checked(Status status) {
  if (status.ok()) return status;
  const std::string& text = status.error().text;
  const bool one_line = !text.empty() && std::none_of(text.begin(), text.end(), breaks_line);
  if (!one_line) std::fprintf(stderr, "error of more than one line: \"%s\"\n", text.c_str());
  TANDEM_CHECK(one_line);
  return status;
}

}  // namespace tandem::fuzz
