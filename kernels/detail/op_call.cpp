// Binds the tensors of a registered operation: names, types, shapes and the symbols in them.
#include "kernels/detail/op_call.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>
#include <vector>

#include "traces/base/check.hpp"

namespace tandem::kernels::detail {
namespace {

constexpr std::int64_t kSizeMax = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kTensorBytesMax = std::int64_t{1} << 30;

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (const std::int64_t size : shape) {
    if (text.size() > 1) text += ", ";
    text += std::to_string(size);
  }
  return text + "]";
}

std::vector<std::string_view> split_sizes(std::string_view shape) {
  std::vector<std::string_view> sizes;
  while (!shape.empty()) {
    const std::size_t comma = std::min(shape.find(','), shape.size());
    sizes.push_back(shape.substr(0, comma));
    shape.remove_prefix(std::min(comma + 1, shape.size()));
    while (!shape.empty() && shape.front() == ' ') shape.remove_prefix(1);
  }
  return sizes;
}

bool is_symbol(std::string_view text) {
  return !text.empty() && (text.front() < '0' || text.front() > '9') &&
         text.find_first_of("+*") == std::string_view::npos;
}

bool is_input(const TensorSpec& spec) { return spec.role != TensorRole::kOut; }
bool is_output(const TensorSpec& spec) {
  return spec.role == TensorRole::kOut || spec.role == TensorRole::kInOut;
}

/// Bytes that the shape asks for, or -1 where it is negative or beyond the limit.
std::int64_t bytes_of_shape(const Tensor& tensor) {
  std::int64_t bytes = static_cast<std::int64_t>(data_type_bytes(tensor.dtype));
  bool is_empty = false;
  for (const std::int64_t size : tensor.shape) {
    if (size < 0 || size > kSizeMax) return -1;
    is_empty = is_empty || size == 0;
  }
  if (is_empty) return 0;
  for (const std::int64_t size : tensor.shape) {
    if (size > kTensorBytesMax / bytes) return -1;
    bytes *= size;
  }
  return bytes;
}

}  // namespace

std::string OpCall::place(std::string_view item) const {
  return std::string(spec_.name).append(": ").append(item);
}

Status OpCall::require(std::string_view tensor) const {
  if (has(tensor)) return {};
  return Error::make(place(tensor), "not given", "an input tensor");
}

std::int64_t OpCall::evaluate(std::string_view expression) const {
  const std::size_t mark = expression.find_first_of("+*");
  if (mark != std::string_view::npos) {
    const std::int64_t left = evaluate(expression.substr(0, mark));
    const std::int64_t right = evaluate(expression.substr(mark + 1));
    return expression[mark] == '+' ? left + right : left * right;
  }
  if (is_symbol(expression)) return dim(expression);
  std::int64_t number = 0;
  const char* const end = expression.data() + expression.size();
  TANDEM_CHECK(std::from_chars(expression.data(), end, number).ptr == end);
  return number;
}

std::int32_t OpCall::dim(std::string_view symbol) const {
  const auto found = symbols_.find(symbol);
  TANDEM_CHECK(found != symbols_.end());
  return static_cast<std::int32_t>(found->second);
}

Status OpCall::bind_symbol(std::string_view symbol, std::int64_t value, std::string_view tensor) {
  if (value < 0 || value > kSizeMax) {
    return Error::make(place(tensor), "got " + std::to_string(value), "a value in [0, 2^31)");
  }
  symbols_.emplace(symbol, value);
  return {};
}

std::int64_t OpCall::attr64(std::string_view name) const {
  const auto found = attributes_.find(name);
  TANDEM_CHECK(found != attributes_.end());
  const auto* const value = std::get_if<std::int64_t>(&found->second);
  TANDEM_CHECK(value != nullptr);
  return *value;
}

std::string_view OpCall::text(std::string_view name, std::string_view otherwise) const {
  const auto found = attributes_.find(name);
  if (found == attributes_.end()) return otherwise;
  const auto* const value = std::get_if<std::string>(&found->second);
  TANDEM_CHECK(value != nullptr);
  return *value;
}

Status OpCall::bind_attribute(const AttributeSpec& spec) {
  const auto found = attributes_.find(spec.name);
  if (found == attributes_.end()) {
    if (spec.is_optional) return {};
    return Error::make(place(spec.name), "not given", spec.is_text ? "a string" : "an integer");
  }
  const auto* const number = std::get_if<std::int64_t>(&found->second);
  if (spec.is_text) {
    if (number == nullptr) return {};
    return Error::make(place(spec.name), "got a number", "a string");
  }
  if (number == nullptr) {
    return Error::make(place(spec.name), "got a string", "an integer");
  }
  if (*number < spec.low || *number > spec.high) {
    return Error::make(
        place(spec.name), "got " + std::to_string(*number),
        "an integer in [" + std::to_string(spec.low) + ", " + std::to_string(spec.high) + "]");
  }
  return spec.symbol.empty() ? Status() : bind_symbol(spec.symbol, *number, spec.name);
}

Error OpCall::shape_error(const TensorSpec& spec, const Tensor& tensor,
                          std::string_view why) const {
  std::string wanted(data_type_name(spec.dtype));
  wanted.append(" [").append(spec.shape).append("]").append(why);
  return Error::make(
      place(spec.name),
      "got " + std::string(data_type_name(tensor.dtype)) + " " + shape_text(tensor.shape), wanted);
}

Status OpCall::bind_size(const TensorSpec& spec, const Tensor& tensor, std::string_view size,
                         std::int64_t found) {
  const std::size_t mark = size.find(">=");
  const std::string_view exact = size.substr(0, std::min(mark, size.size()));
  if (!exact.empty()) {
    if (is_symbol(exact) && symbols_.find(exact) == symbols_.end()) {
      symbols_.emplace(exact, found);
    }
    const std::int64_t wanted = evaluate(exact);
    if (found != wanted) {
      return shape_error(spec, tensor,
                         " with " + std::string(exact) + " = " + std::to_string(wanted));
    }
  }
  if (mark == std::string_view::npos) return {};
  const std::string_view bound = size.substr(mark + 2);
  const std::int64_t least = evaluate(bound);
  if (found >= least) return {};
  return shape_error(spec, tensor, " with " + std::string(bound) + " = " + std::to_string(least));
}

Status OpCall::bind_tensor(const TensorSpec& spec, const Tensor& tensor) {
  const std::int64_t bytes = bytes_of_shape(tensor);
  if (bytes < 0) return shape_error(spec, tensor, " with sizes in [0, 2^31) and at most 1 GiB");
  if (bytes != static_cast<std::int64_t>(tensor.bytes.size())) {
    return Error::make(place(spec.name), "got " + std::to_string(tensor.bytes.size()) + " bytes",
                       std::to_string(bytes) + " for shape " + shape_text(tensor.shape));
  }
  if (spec.role == TensorRole::kUnused) return {};
  if (tensor.dtype != spec.dtype) return shape_error(spec, tensor, "");
  const std::vector<std::string_view> sizes = split_sizes(spec.shape);
  std::vector<std::int64_t> shape = tensor.shape;
  while (shape.size() > sizes.size() && shape.back() == 1) shape.pop_back();
  while (shape.size() < sizes.size()) shape.push_back(1);
  if (shape.size() > sizes.size()) return shape_error(spec, tensor, "");
  for (std::size_t k = 0; k < sizes.size(); ++k) {
    TANDEM_RETURN_IF_ERROR(bind_size(spec, tensor, sizes[k], shape[k]));
  }
  return {};
}

Status OpCall::refuse_unknown() const {
  for (const auto& [name, attribute] : attributes_) {
    const auto is_named = [&name = name](const AttributeSpec& spec) { return spec.name == name; };
    if (std::none_of(spec_.attributes.begin(), spec_.attributes.end(), is_named)) {
      return Error::make(place(name), "an unknown attribute", "only those of the operation");
    }
  }
  for (const auto& [name, tensor] : inputs_) {
    const auto is_named = [&name = name](const TensorSpec& spec) {
      return is_input(spec) && spec.name == name;
    };
    if (std::none_of(spec_.tensors.begin(), spec_.tensors.end(), is_named)) {
      return Error::make(place(name), "an unknown input tensor", "only those of the operation");
    }
  }
  return {};
}

Status OpCall::bind() {
  TANDEM_RETURN_IF_ERROR(refuse_unknown());
  for (const AttributeSpec& spec : spec_.attributes) {
    TANDEM_RETURN_IF_ERROR(bind_attribute(spec));
  }
  for (const TensorSpec& spec : spec_.tensors) {
    if (!is_input(spec)) continue;
    const auto found = inputs_.find(spec.name);
    if (found != inputs_.end()) {
      TANDEM_RETURN_IF_ERROR(bind_tensor(spec, found->second));
    } else if (!spec.is_optional && spec.role != TensorRole::kUnused) {
      return require(spec.name);
    }
  }
  return spec_.prepare == nullptr ? Status() : spec_.prepare(*this);
}

Status OpCall::make_outputs(std::byte fill) {
  for (const TensorSpec& spec : spec_.tensors) {
    if (!is_output(spec)) continue;
    Tensor tensor;
    if (spec.role == TensorRole::kInOut) {
      tensor = inputs_.find(spec.name)->second;
    } else {
      tensor.dtype = spec.dtype;
      for (const std::string_view size : split_sizes(spec.shape)) {
        tensor.shape.push_back(evaluate(size));
      }
      const std::int64_t bytes = bytes_of_shape(tensor);
      if (bytes < 0) return shape_error(spec, tensor, " of at most 1 GiB");
      tensor.bytes.resize(static_cast<std::size_t>(bytes), fill);
    }
    outputs_.emplace(spec.name, std::move(tensor));
  }
  return {};
}

Status OpCall::move_to(OpDevice& device) {
  for (const TensorSpec& spec : spec_.tensors) {
    if (spec.role == TensorRole::kUnused) continue;
    const NamedTensors& holder = is_output(spec) ? outputs_ : inputs_;
    const auto found = holder.find(spec.name);
    if (found == holder.end()) continue;
    TANDEM_TRY(const std::span<std::byte> placed, device.place(found->second.bytes));
    placed_.emplace(spec.name, placed);
  }
  device_ = &device;
  return {};
}

Status OpCall::fetch_outputs() {
  TANDEM_CHECK(device_ != nullptr);
  for (const auto& [name, placed] : placed_) {
    const auto output = outputs_.find(name);
    if (output != outputs_.end()) {
      const Status fetched = device_->fetch(placed, output->second.bytes);
      if (!fetched) return fetched.error().within(place(name));
      continue;
    }
    const std::vector<std::byte>& before = inputs_.find(name)->second.bytes;
    std::vector<std::byte> after(before.size());
    const Status fetched = device_->fetch(placed, after);
    if (!fetched) return fetched.error().within(place(name));
    if (after != before) {
      return Error::make(place(name), "the device changed it", "an input that is only read");
    }
  }
  return {};
}

std::span<const std::byte> OpCall::input(std::string_view tensor, DataType dtype) const {
  const auto found = inputs_.find(tensor);
  if (found == inputs_.end()) return {};
  TANDEM_CHECK(found->second.dtype == dtype);
  if (device_ != nullptr) return placed_.find(tensor)->second;
  return found->second.bytes;
}

std::span<std::byte> OpCall::output(std::string_view tensor, DataType dtype) {
  const auto found = outputs_.find(tensor);
  TANDEM_CHECK(found != outputs_.end() && found->second.dtype == dtype);
  if (device_ != nullptr) return placed_.find(tensor)->second;
  return found->second.bytes;
}

}  // namespace tandem::kernels::detail
