// Reads and compares operation vectors.
#include "tests/unit/kernels/op_vectors.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>

#include <nlohmann/json.hpp>

#include "traces/base/check.hpp"

namespace tandem::kernels::test {
namespace {

using nlohmann::json;

template <class T>
void append(std::vector<std::byte>& bytes, T value) {
  const auto* const first = reinterpret_cast<const std::byte*>(&value);
  bytes.insert(bytes.end(), first, first + sizeof(T));
}

template <class T>
T value_at(const Tensor& tensor, std::size_t index) {
  T value{};
  std::memcpy(&value, tensor.bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

ExpectedTensor parse_tensor(const json& object) {
  const Result<DataType> dtype = parse_data_type(object.at("dtype").get<std::string>());
  TANDEM_CHECK(dtype.ok());
  ExpectedTensor tensor;
  tensor.values.dtype = dtype.value();
  tensor.values.shape = object.at("shape").get<std::vector<std::int64_t>>();
  std::vector<std::byte>& bytes = tensor.values.bytes;
  for (const json& cell : object.at("data")) {
    tensor.is_defined.push_back(!cell.is_null());
    const json& value = cell.is_null() ? json(0) : cell;
    switch (dtype.value()) {
      case DataType::kInt32:
        append(bytes, value.get<std::int32_t>());
        break;
      case DataType::kInt64:
        append(bytes, value.get<std::int64_t>());
        break;
      case DataType::kBool:
        append(bytes, static_cast<std::uint8_t>(value.get<int>()));
        break;
      case DataType::kFloat32:
        append(bytes, value.get<float>());
        break;
    }
  }
  return tensor;
}

std::vector<std::int64_t> without_trailing_ones(std::vector<std::int64_t> shape) {
  while (!shape.empty() && shape.back() == 1) shape.pop_back();
  return shape;
}

double number_at(const Tensor& tensor, std::size_t index) {
  switch (tensor.dtype) {
    case DataType::kInt32:
      return value_at<std::int32_t>(tensor, index);
    case DataType::kInt64:
      return static_cast<double>(value_at<std::int64_t>(tensor, index));
    case DataType::kBool:
      return value_at<std::uint8_t>(tensor, index);
    case DataType::kFloat32:
      return static_cast<double>(value_at<float>(tensor, index));
  }
  return 0;
}

bool cells_agree(const Tensor& got, const Tensor& want, std::size_t index) {
  if (got.dtype == DataType::kFloat32) {
    return std::abs(number_at(got, index) - number_at(want, index)) <= 1e-3;
  }
  const std::size_t size = data_type_bytes(got.dtype);
  return std::memcmp(&got.bytes[index * size], &want.bytes[index * size], size) == 0;
}

}  // namespace

std::optional<std::string> tensor_difference(const std::string& name, const Tensor& got,
                                             const ExpectedTensor& want) {
  if (got.dtype != want.values.dtype) return name + ": another dtype";
  if (without_trailing_ones(got.shape) != without_trailing_ones(want.values.shape)) {
    return name + ": another shape";
  }
  if (got.bytes.size() != want.values.bytes.size()) return name + ": another size";
  for (std::size_t k = 0; k < want.is_defined.size(); ++k) {
    if (!want.is_defined[k] || cells_agree(got, want.values, k)) continue;
    return name + "[" + std::to_string(k) + "]: got " + std::to_string(number_at(got, k)) +
           ", want " + std::to_string(number_at(want.values, k));
  }
  return std::nullopt;
}

std::vector<std::string> unpacked_lines(const std::filesystem::path& path) {
  const std::string command = "gzip -dc '" + path.string() + "'";
  std::FILE* const pipe = popen(command.c_str(), "r");
  TANDEM_CHECK(pipe != nullptr);
  std::string text;
  std::array<char, 65536> buffer;
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    text.append(buffer.data(), count);
  }
  TANDEM_CHECK(pclose(pipe) == 0);
  std::vector<std::string> lines;
  for (std::size_t first = 0; first < text.size();) {
    const std::size_t end = std::min(text.find('\n', first), text.size());
    lines.push_back(text.substr(first, end - first));
    first = end + 1;
  }
  return lines;
}

OpVector parse_vector(const std::string& line) {
  const json object = json::parse(line);
  OpVector vector;
  vector.case_id = object.at("case").get<std::int64_t>();
  for (const auto& [name, value] : object.at("attrs").items()) {
    if (value.is_string()) {
      vector.attributes.emplace(name, value.get<std::string>());
    } else {
      vector.attributes.emplace(name, value.get<std::int64_t>());
    }
  }
  for (const auto& [name, tensor] : object.at("inputs").items()) {
    vector.inputs.emplace(name, parse_tensor(tensor).values);
  }
  for (const auto& [name, tensor] : object.at("outputs").items()) {
    vector.outputs.emplace(name, parse_tensor(tensor));
  }
  return vector;
}

std::optional<std::string> difference(const OpVector& vector, const NamedTensors& outputs) {
  for (const auto& [name, want] : vector.outputs) {
    const auto got = outputs.find(name);
    if (got == outputs.end()) return name + ": missing";
    if (auto text = tensor_difference(name, got->second, want)) return text;
  }
  for (const auto& [name, got] : outputs) {
    if (vector.outputs.count(name) == 0) return name + ": not in the vectors";
  }
  return std::nullopt;
}

}  // namespace tandem::kernels::test
