// Builds tensors and runs single operations for the tests.
#include "tests/unit/kernels/op_case.hpp"

#include <optional>
#include <utility>

#include "tests/unit/kernels/op_vectors.hpp"
#include "traces/base/check.hpp"

namespace tandem::kernels::test {
namespace {

template <class Stored, class Given>
Tensor make(DataType dtype, std::vector<std::int64_t> shape, const std::vector<Given>& values) {
  Tensor tensor{dtype, std::move(shape), {}};
  for (const Given value : values) {
    const auto stored = static_cast<Stored>(value);
    const auto* const first = reinterpret_cast<const std::byte*>(&stored);
    tensor.bytes.insert(tensor.bytes.end(), first, first + sizeof(Stored));
  }
  return tensor;
}

template <class Stored>
Tensor make_rows(DataType dtype, Rows rows) {
  std::vector<std::int64_t> values;
  const std::size_t width = rows.size() == 0 ? 0 : rows.begin()->size();
  for (const auto& row : rows) {
    TANDEM_CHECK_EQ(row.size(), width);
    values.insert(values.end(), row.begin(), row.end());
  }
  return make<Stored>(
      dtype, {static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(width)}, values);
}

template <class T>
std::vector<std::int64_t> flat(const std::vector<T>& values) {
  return {static_cast<std::int64_t>(values.size())};
}

}  // namespace

Tensor i32(const std::vector<std::int32_t>& values) {
  return make<std::int32_t>(DataType::kInt32, flat(values), values);
}
Tensor i64(const std::vector<std::int64_t>& values) {
  return make<std::int64_t>(DataType::kInt64, flat(values), values);
}
Tensor bools(const std::vector<int>& values) {
  return make<std::uint8_t>(DataType::kBool, flat(values), values);
}
Tensor f32(const std::vector<float>& values) {
  return make<float>(DataType::kFloat32, flat(values), values);
}
Tensor i32_rows(Rows rows) { return make_rows<std::int32_t>(DataType::kInt32, rows); }
Tensor i64_rows(Rows rows) { return make_rows<std::int64_t>(DataType::kInt64, rows); }
Tensor f32_rows(Rows rows) { return make_rows<float>(DataType::kFloat32, rows); }

Tensor shaped(Tensor tensor, std::vector<std::int64_t> shape) {
  tensor.shape = std::move(shape);
  return tensor;
}

OpCase::OpCase(std::string op, NamedAttributes attributes, NamedTensors inputs)
    : op_(std::move(op)), attributes_(std::move(attributes)), inputs_(std::move(inputs)) {}

OpCase& OpCase::with(const std::string& name, Tensor tensor) {
  inputs_[name] = std::move(tensor);
  return *this;
}

OpCase& OpCase::with_attribute(const std::string& name, Attribute attribute) {
  attributes_[name] = std::move(attribute);
  return *this;
}

OpCase& OpCase::without(const std::string& name) {
  TANDEM_CHECK(inputs_.erase(name) + attributes_.erase(name) == 1);
  return *this;
}

testing::AssertionResult OpCase::gives(const NamedTensors& changed) const {
  const auto outputs = run_op(op_, attributes_, inputs_);
  if (!outputs) return testing::AssertionFailure() << outputs.error().text;
  for (const auto& [name, tensor] : changed) {
    if (outputs.value().count(name) == 0) {
      return testing::AssertionFailure() << op_ << " has no output " << name;
    }
  }
  for (const auto& [name, got] : outputs.value()) {
    const bool is_named = changed.count(name) > 0;
    if (!is_named && inputs_.count(name) == 0) continue;
    const Tensor& want = is_named ? changed.at(name) : inputs_.at(name);
    const std::size_t cells = want.bytes.size() / data_type_bytes(want.dtype);
    const auto text = tensor_difference(name, got, {want, std::vector<bool>(cells, true)});
    if (text) return testing::AssertionFailure() << op_ << ": " << *text;
  }
  return testing::AssertionSuccess();
}

testing::AssertionResult OpCase::fails_with(std::initializer_list<std::string_view> words) const {
  const auto outputs = run_op(op_, attributes_, inputs_);
  if (outputs.ok()) return testing::AssertionFailure() << op_ << " accepted the input";
  const std::string& text = outputs.error().text;
  for (const std::string_view word : words) {
    if (text.find(word) == std::string::npos) {
      return testing::AssertionFailure() << "\"" << text << "\" lacks \"" << word << "\"";
    }
  }
  return testing::AssertionSuccess();
}

}  // namespace tandem::kernels::test
