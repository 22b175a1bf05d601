// Operation cases as JSON: tensors, attributes, expected outputs and results.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/op_registry.hpp"
#include "traces/base/result.hpp"

namespace tandem::cli {

/// A cell that is not defined (null in the file) is not compared.
struct ExpectedTensor {
  kernels::Tensor values;
  std::vector<bool> is_defined;
};

struct OpCase {
  std::string op;       ///< "" where the document names none
  std::string case_id;  ///< as JSON text; "" where the document has none
  kernels::NamedAttributes attributes;
  kernels::NamedTensors inputs;
  std::map<std::string, ExpectedTensor, std::less<>> expected;  ///< empty where none are given
};

/// Reads {"op", "case", "attrs", "inputs", "outputs"}; "inputs" alone is needed, other keys are
/// left alone. `line` is that of the text in `name`, 0 where the text is the whole file. Errors
/// start with file, line and, where one is meant, JSON pointer.
[[nodiscard]] Result<OpCase> parse_op_case(std::string_view text, const std::string& name,
                                           std::int64_t line);

/// {"name":{"dtype":..,"shape":[..],"data":[..]},..}: bools as 0 and 1, floats in the shortest form
/// that reads back.
[[nodiscard]] std::string tensors_json(const kernels::NamedTensors& tensors);

/// The JSON text of a string.
[[nodiscard]] std::string json_string(std::string_view text);

/// One cell, or a whole tensor (index -1), that is not as expected.
struct Mismatch {
  std::string tensor;
  std::int64_t index = -1;
  std::string found;
  std::string wanted;
};

/// The first difference in the order of names, or nothing. Integers are equal, floats within 1e-3;
/// shapes agree up to trailing sizes of 1. Outputs that are not expected are not looked at.
[[nodiscard]] std::optional<Mismatch> first_mismatch(const OpCase& op_case,
                                                     const kernels::NamedTensors& outputs);

}  // namespace tandem::cli
