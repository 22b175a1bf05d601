// What the table of fuzz targets points at, one group a source file.
#pragma once

#include <string>
#include <vector>

#include "tests/fuzz/targets.hpp"

namespace tandem::fuzz {

// scenario_reader.cpp: a scenario's text; behind each NUL byte stands an override.
Status run_scenario_text(Input input);
std::vector<std::string> scenario_seeds();
std::vector<std::string> scenario_words();

// request_readers.cpp: files that a scenario names.
Status run_request_trace(Input input);
std::vector<std::string> request_trace_seeds();
std::vector<std::string> request_trace_words();
Status run_accept_file(Input input);
std::vector<std::string> accept_file_seeds();
std::vector<std::string> accept_file_words();
Status run_markov(Input input);
std::vector<std::string> markov_seeds();
std::vector<std::string> markov_words();

// trace_readers.cpp: both forms of a trace, decoded and judged; JSONL made a `.tbt` line by line; a
// header alone.
Status run_trace(Input input);
std::vector<std::string> tbt_seeds();
std::vector<std::string> jsonl_seeds();
Status run_import(Input input);
Status run_header(Input input);
std::vector<std::string> header_seeds();
std::vector<std::string> trace_words();

// command_readers.cpp: info, dump, explain, diff and verify on a trace.
Status run_trace_commands(Input input);
std::vector<std::string> trace_command_seeds();

// op_readers.cpp: a case of an operation, carried out; a file of them, plain or gzip.
Status run_op_case(Input input);
std::vector<std::string> op_seeds();
Status run_op_vectors(Input input);
std::vector<std::string> op_vectors_seeds();
std::vector<std::string> op_words();

}  // namespace tandem::fuzz
