// Reads the shared operation vectors: one JSON object a line, gzip; and compares outputs with them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/op_registry.hpp"

namespace tandem::kernels::test {

/// Expected values; a cell that is not defined (null in the file) is not compared.
struct ExpectedTensor {
  Tensor values;
  std::vector<bool> is_defined;
};

struct OpVector {
  std::int64_t case_id = 0;
  NamedAttributes attributes;
  NamedTensors inputs;
  std::map<std::string, ExpectedTensor, std::less<>> outputs;
};

/// The lines of a gzip file, unpacked by gzip(1).
[[nodiscard]] std::vector<std::string> unpacked_lines(const std::filesystem::path& path);

[[nodiscard]] OpVector parse_vector(const std::string& line);

/// The first cell that differs, as "name[index]: got X, want Y"; floats may differ by 1e-3.
[[nodiscard]] std::optional<std::string> tensor_difference(const std::string& name,
                                                           const Tensor& got,
                                                           const ExpectedTensor& want);

/// The first difference between all outputs; nothing if all defined cells agree. Shapes agree up to
/// trailing sizes of 1; no output may be missing or surplus.
[[nodiscard]] std::optional<std::string> difference(const OpVector& vector,
                                                    const NamedTensors& outputs);

}  // namespace tandem::kernels::test
