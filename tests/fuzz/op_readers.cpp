// Fuzzed: operation cases as JSON, carried out by the references; files of them, plain or gzip.
#include <algorithm>
#include <map>

#include "kernels/op_registry.hpp"
#include "tests/fuzz/one_file.hpp"
#include "tests/fuzz/readers.hpp"
#include "tools/cli/line_source.hpp"
#include "tools/cli/op_json.hpp"

namespace tandem::fuzz {
namespace {

using cli::OpCase;
using kernels::OpSpec;
using kernels::Tensor;
using kernels::TensorSpec;

/// Carries a case out, as `tandem op` does, and prints and compares what comes out.
Status run_case(std::string_view text, std::int64_t line) {
  TANDEM_TRY(const OpCase op_case, cli::parse_op_case(text, "fuzz.json", line));
  TANDEM_TRY(const kernels::NamedTensors outputs,
             kernels::run_op(op_case.op, op_case.attributes, op_case.inputs));
  const std::string printed = cli::tensors_json(outputs);
  TANDEM_CHECK(printed.size() >= 2);
  const auto mismatch = cli::first_mismatch(op_case, outputs);
  TANDEM_CHECK(!mismatch || !mismatch->tensor.empty() || mismatch->wanted == "one");
  return {};
}

// -- a case of zeros for every operation ----------------------------------------------------------

/// The value of a symbol: 2, but for those that only large values make legal.
std::int64_t size_of(std::string_view expression) {
  const std::size_t bound = expression.find(">=");
  if (bound != std::string_view::npos) return size_of(expression.substr(bound + 2));
  const std::size_t mark = expression.find_first_of("+*");
  if (mark != std::string_view::npos) {
    const std::int64_t left = size_of(expression.substr(0, mark));
    const std::int64_t right = size_of(expression.substr(mark + 1));
    return expression[mark] == '+' ? left + right : left * right;
  }
  const bool is_number = expression.front() >= '0' && expression.front() <= '9';
  return is_number ? expression.front() - '0' : 2;
}

Tensor zeros(const TensorSpec& spec) {
  Tensor tensor;
  tensor.dtype = spec.dtype;
  std::size_t bytes = kernels::data_type_bytes(spec.dtype);
  std::string_view shape = spec.shape;
  while (!shape.empty()) {
    const std::size_t end = std::min(shape.find(", "), shape.size());
    tensor.shape.push_back(size_of(shape.substr(0, end)));
    bytes *= static_cast<std::size_t>(tensor.shape.back());
    shape.remove_prefix(std::min(end + 2, shape.size()));
  }
  tensor.bytes.resize(bytes);
  return tensor;
}

std::string case_of_zeros(const OpSpec& op) {
  std::string attributes;
  for (const kernels::AttributeSpec& attribute : op.attributes) {
    if (attribute.is_text || attribute.is_optional) continue;
    const std::int64_t value = attribute.symbol.empty() ? attribute.low : 2;
    attributes += (attributes.empty() ? "" : ",") + cli::json_string(attribute.name) + ":" +
                  std::to_string(std::max(value, attribute.low));
  }
  kernels::NamedTensors inputs;
  for (const TensorSpec& spec : op.tensors) {
    if (spec.role != kernels::TensorRole::kOut) inputs.emplace(spec.name, zeros(spec));
  }
  return "{\"op\":" + cli::json_string(op.name) + ",\"attrs\":{" + attributes +
         "},\"inputs\":" + cli::tensors_json(inputs) + "}";
}

// -- files ----------------------------------------------------------------------------------------

Status run_lines(Input input) {
  OneFileMachine machine(input);
  TANDEM_TRY(cli::LineSource source, cli::LineSource::open(machine.io, "fuzz.jsonl"));
  std::string line;
  for (;;) {
    TANDEM_TRY(const bool more, source.next(line));
    if (!more) return {};
    if (line.empty()) continue;
    TANDEM_RETURN_IF_ERROR(run_case(line, source.number()));
  }
}

}  // namespace

Status run_op_case(Input input) { return checked(run_case(text_of(input), 0)); }

std::vector<std::string> op_seeds() {
  std::vector<std::string> out;
  for (const OpSpec& op : kernels::all_ops()) out.push_back(case_of_zeros(op));
  return out;
}

Status run_op_vectors(Input input) { return checked(run_lines(input)); }

std::vector<std::string> op_vectors_seeds() {
  // Two members of gzip: speculate_get_seq_lens_output of one slot, then a blank line.
  std::vector<std::string> out{""};
  for (const OpSpec& op : kernels::all_ops()) {
    if (op.tensors.size() <= 5) out.front() += case_of_zeros(op) + "\n";
  }
  return out;
}

std::vector<std::string> op_words() {
  std::vector<std::string> out{"\"dtype\":\"int32\"",
                               "\"dtype\":\"int64\"",
                               "\"dtype\":\"bool\"",
                               "\"dtype\":\"float32\"",
                               "\"shape\":[",
                               "\"data\":[",
                               "\"outputs\":{",
                               "2147483647",
                               "1073741824",
                               "268435456",
                               "-1",
                               "null",
                               "1e38"};
  for (const OpSpec& op : kernels::all_ops()) {
    out.emplace_back(op.name);
    for (const kernels::AttributeSpec& attribute : op.attributes) out.emplace_back(attribute.name);
    for (const TensorSpec& tensor : op.tensors) out.emplace_back(tensor.name);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace tandem::fuzz
