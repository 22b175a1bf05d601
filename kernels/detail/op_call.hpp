// One call of a registered operation: its checked tensors, its symbols and typed views of them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "kernels/op_device.hpp"
#include "kernels/op_registry.hpp"
#include "traces/base/result.hpp"

namespace tandem::kernels::detail {

template <class T>
struct DataTypeOf;
template <>
struct DataTypeOf<std::int32_t> {
  static constexpr DataType kValue = DataType::kInt32;
};
template <>
struct DataTypeOf<std::int64_t> {
  static constexpr DataType kValue = DataType::kInt64;
};
template <>
struct DataTypeOf<std::uint8_t> {
  static constexpr DataType kValue = DataType::kBool;
};
template <>
struct DataTypeOf<float> {
  static constexpr DataType kValue = DataType::kFloat32;
};

class OpCall {
 public:
  /// The call borrows attributes and inputs.
  OpCall(const OpSpec& spec, const NamedAttributes& attributes, const NamedTensors& inputs)
      : spec_(spec), attributes_(attributes), inputs_(inputs) {}

  /// Checks attributes and inputs against the spec and binds the symbols of their shapes.
  Status bind();

  /// Makes the outputs: copies of the kInOut inputs, else bytes of `fill`. All symbols must be
  /// bound.
  Status make_outputs(std::byte fill);

  /// From here on, tensors are views of copies on `device`.
  Status move_to(OpDevice& device);

  /// Copies the outputs back; fails if the device changed an input or wrote beside a tensor.
  Status fetch_outputs();

  [[nodiscard]] bool has(std::string_view tensor) const { return inputs_.count(tensor) > 0; }
  Status require(std::string_view tensor) const;

  /// Symbols and integer attributes fit into 32 bits: bind checks it.
  [[nodiscard]] std::int32_t dim(std::string_view symbol) const;
  Status bind_symbol(std::string_view symbol, std::int64_t value, std::string_view tensor);
  [[nodiscard]] std::int64_t attr64(std::string_view name) const;
  [[nodiscard]] std::int32_t attr(std::string_view name) const {
    return static_cast<std::int32_t>(attr64(name));
  }
  [[nodiscard]] bool flag(std::string_view name) const { return attr64(name) != 0; }
  [[nodiscard]] std::string_view text(std::string_view name, std::string_view otherwise) const;

  /// An input that is only read; empty if it is not given.
  template <class T>
  [[nodiscard]] std::span<const T> in(std::string_view tensor) const {
    const std::span<const std::byte> bytes = input(tensor, DataTypeOf<T>::kValue);
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }

  /// A kInOut or kOut tensor.
  template <class T>
  [[nodiscard]] std::span<T> out(std::string_view tensor) {
    const std::span<std::byte> bytes = output(tensor, DataTypeOf<T>::kValue);
    return {reinterpret_cast<T*>(bytes.data()), bytes.size() / sizeof(T)};
  }

  [[nodiscard]] std::span<const std::byte> rows_in(std::string_view tensor) const {
    return std::as_bytes(in<float>(tensor));
  }
  [[nodiscard]] std::span<std::byte> rows_out(std::string_view tensor) {
    return std::as_writable_bytes(out<float>(tensor));
  }

  [[nodiscard]] NamedTensors take_outputs() { return std::move(outputs_); }

 private:
  Status bind_attribute(const AttributeSpec& spec);
  Status bind_tensor(const TensorSpec& spec, const Tensor& tensor);
  Status bind_size(const TensorSpec& spec, const Tensor& tensor, std::string_view size,
                   std::int64_t found);
  Status refuse_unknown() const;
  [[nodiscard]] Error shape_error(const TensorSpec& spec, const Tensor& tensor,
                                  std::string_view why) const;
  [[nodiscard]] std::int64_t evaluate(std::string_view expression) const;
  [[nodiscard]] std::span<const std::byte> input(std::string_view tensor, DataType dtype) const;
  [[nodiscard]] std::span<std::byte> output(std::string_view tensor, DataType dtype);
  [[nodiscard]] std::string place(std::string_view item) const;

  const OpSpec& spec_;
  const NamedAttributes& attributes_;
  const NamedTensors& inputs_;
  NamedTensors outputs_;
  std::map<std::string, std::int64_t, std::less<>> symbols_;
  OpDevice* device_ = nullptr;
  std::map<std::string, std::span<std::byte>, std::less<>> placed_;  ///< on device_
};

}  // namespace tandem::kernels::detail
