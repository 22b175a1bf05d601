// JSON to tensors and back; every value is checked against the type it claims.
#include "tools/cli/op_json.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <set>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tandem::cli {
namespace {

using SortedJson = nlohmann::json;
using kernels::DataType;
using kernels::Tensor;

constexpr double kFloatTolerance = 1e-3;
constexpr std::size_t kShownMax = 60;

std::string shown(const SortedJson& value) {
  std::string text = value.dump(-1, ' ', true, SortedJson::error_handler_t::replace);
  if (text.size() > kShownMax) text = text.substr(0, kShownMax) + "..";
  return "got " + text;
}

std::string joined(const std::string& pointer, std::string_view key) {
  std::string text = pointer + "/";
  for (const char c : key) {
    if (c == '~') {
      text += "~0";
    } else if (c == '/') {
      text += "~1";
    } else {
      text += c;
    }
  }
  return text;
}

/// "name:line:column" of a byte of the text.
std::string position(std::string_view text, std::size_t offset, const std::string& name,
                     std::int64_t line) {
  std::int64_t column = 1;
  for (const char c : text.substr(0, std::min(offset, text.size()))) {
    ++column;
    if (c != '\n') continue;
    ++line;
    column = 1;
  }
  return fmt::format("{}:{}:{}", name, line, column);
}

/// Watches a parse for keys that an object has twice: the document itself would keep the last one
/// only, without a word.
class KeyWatch {
 public:
  /// Always true: every value is kept.
  bool see(SortedJson::parse_event_t event, const SortedJson& value) {
    using Event = SortedJson::parse_event_t;
    if (event == Event::object_end || event == Event::array_end) {
      open_.pop_back();
    } else if (event == Event::key) {
      key(value.get_ref<const std::string&>());
    } else {
      if (!open_.empty() && !open_.back().is_object) ++open_.back().items;
      if (event != Event::value) open_.push_back({event == Event::object_start, {}, {}, 0});
    }
    return true;
  }

  /// JSON pointer of the first such key, or "".
  [[nodiscard]] const std::string& twice() const { return twice_; }

 private:
  struct Open {
    bool is_object = false;
    std::set<std::string> keys;
    std::string last_key;
    std::size_t items = 0;  ///< of an array, so far
  };

  void key(const std::string& name) {
    open_.back().last_key = name;
    if (open_.back().keys.insert(name).second || !twice_.empty()) return;
    for (const Open& open : open_) {
      twice_ = joined(twice_, open.is_object ? open.last_key : std::to_string(open.items - 1));
    }
  }

  std::vector<Open> open_;
  std::string twice_;
};

template <class T>
void append(std::vector<std::byte>& bytes, T value) {
  const auto* const first = reinterpret_cast<const std::byte*>(&value);
  bytes.insert(bytes.end(), first, first + sizeof(T));
}

template <class T>
T element_at(const Tensor& tensor, std::size_t index) {
  T value{};
  std::memcpy(&value, tensor.bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

/// An integer of the document in [low, high], or false.
bool read_integer(const SortedJson& value, std::int64_t low, std::int64_t high, std::int64_t& out) {
  if (!value.is_number_integer()) return false;
  if (value.is_number_unsigned() &&
      value.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
    return false;
  }
  out = value.get<std::int64_t>();
  return out >= low && out <= high;
}

/// What a cell of the type may be, in words.
const char* wanted_cell(DataType type) {
  switch (type) {
    case DataType::kInt32:
      return "an integer in [-2^31, 2^31)";
    case DataType::kInt64:
      return "an integer in [-2^63, 2^63)";
    case DataType::kBool:
      return "0 or 1";
    case DataType::kFloat32:
      return "a number that a float32 can hold";
  }
  return "";
}

bool append_cell(const SortedJson& cell, Tensor& tensor) {
  std::int64_t integer = 0;
  switch (tensor.dtype) {
    case DataType::kInt32:
      if (!read_integer(cell, INT32_MIN, INT32_MAX, integer)) return false;
      append(tensor.bytes, static_cast<std::int32_t>(integer));
      return true;
    case DataType::kInt64:
      if (!read_integer(cell, INT64_MIN, INT64_MAX, integer)) return false;
      append(tensor.bytes, integer);
      return true;
    case DataType::kBool:
      if (!read_integer(cell, 0, 1, integer)) return false;
      append(tensor.bytes, static_cast<std::uint8_t>(integer));
      return true;
    case DataType::kFloat32: {
      if (!cell.is_number()) return false;
      const auto value = static_cast<float>(cell.get<double>());
      if (!std::isfinite(value)) return false;
      append(tensor.bytes, value);
      return true;
    }
  }
  return false;
}

Status parse_head(const SortedJson& object, const std::string& pointer, Tensor& tensor) {
  if (!object.is_object()) {
    return Error::make(pointer, shown(object), "an object with dtype, shape and data");
  }
  for (const char* key : {"dtype", "shape", "data"}) {
    if (!object.contains(key)) return Error::make(joined(pointer, key), "not given", "one");
  }
  const SortedJson& dtype = object.at("dtype");
  const Result<DataType> type =
      kernels::parse_data_type(dtype.is_string() ? dtype.get<std::string>() : std::string());
  if (!type) {
    return Error::make(joined(pointer, "dtype"), shown(dtype), "int32, int64, bool or float32");
  }
  tensor.dtype = type.value();
  const SortedJson& shape = object.at("shape");
  if (!shape.is_array()) return Error::make(joined(pointer, "shape"), shown(shape), "a list");
  for (const SortedJson& size : shape) {
    std::int64_t value = 0;
    if (!read_integer(size, 0, INT32_MAX, value)) {
      return Error::make(joined(pointer, "shape"), shown(size), "sizes in [0, 2^31)");
    }
    tensor.shape.push_back(value);
  }
  const SortedJson& data = object.at("data");
  if (!data.is_array()) return Error::make(joined(pointer, "data"), shown(data), "a flat list");
  return {};
}

/// Undefined cells are legal where `is_defined` is asked for.
Status parse_tensor(const SortedJson& object, const std::string& pointer, Tensor& tensor,
                    std::vector<bool>* is_defined) {
  TANDEM_RETURN_IF_ERROR(parse_head(object, pointer, tensor));
  const SortedJson zero = 0;
  std::size_t index = 0;
  for (const SortedJson& cell : object.at("data")) {
    const bool undefined = is_defined != nullptr && cell.is_null();
    if (is_defined != nullptr) is_defined->push_back(!undefined);
    if (!append_cell(undefined ? zero : cell, tensor)) {
      return Error::make(joined(joined(pointer, "data"), std::to_string(index)), shown(cell),
                         wanted_cell(tensor.dtype));
    }
    ++index;
  }
  return {};
}

Status parse_attributes(const SortedJson& object, kernels::NamedAttributes& out) {
  if (!object.is_object()) return Error::make("/attrs", shown(object), "an object");
  for (const auto& [name, value] : object.items()) {
    std::int64_t integer = 0;
    if (value.is_string()) {
      out.emplace(name, value.get<std::string>());
    } else if (read_integer(value, INT64_MIN, INT64_MAX, integer)) {
      out.emplace(name, integer);
    } else {
      return Error::make(joined("/attrs", name), shown(value), "an integer or a string");
    }
  }
  return {};
}

Status parse_inputs(const SortedJson& object, kernels::NamedTensors& out) {
  if (!object.is_object()) return Error::make("/inputs", shown(object), "an object of tensors");
  for (const auto& [name, value] : object.items()) {
    Tensor tensor;
    TANDEM_RETURN_IF_ERROR(parse_tensor(value, joined("/inputs", name), tensor, nullptr));
    out.emplace(name, std::move(tensor));
  }
  return {};
}

Status parse_expected(const SortedJson& object, OpCase& out) {
  if (!object.is_object()) return Error::make("/outputs", shown(object), "an object of tensors");
  for (const auto& [name, value] : object.items()) {
    ExpectedTensor tensor;
    TANDEM_RETURN_IF_ERROR(
        parse_tensor(value, joined("/outputs", name), tensor.values, &tensor.is_defined));
    out.expected.emplace(name, std::move(tensor));
  }
  return {};
}

Status parse_members(const SortedJson& object, OpCase& out) {
  if (!object.is_object()) return Error::make("/", shown(object), "an object with inputs");
  if (object.contains("op")) {
    if (!object.at("op").is_string()) {
      return Error::make("/op", shown(object.at("op")), "the name of an operation");
    }
    out.op = object.at("op").get<std::string>();
  }
  if (object.contains("case")) {
    const SortedJson& id = object.at("case");
    if (!id.is_number_integer() && !id.is_string()) {
      return Error::make("/case", shown(id), "an integer or a string");
    }
    out.case_id = id.dump(-1, ' ', false, SortedJson::error_handler_t::replace);
  }
  if (!object.contains("inputs")) return Error::make("/inputs", "not given", "one");
  TANDEM_RETURN_IF_ERROR(parse_inputs(object.at("inputs"), out.inputs));
  if (object.contains("attrs")) {
    TANDEM_RETURN_IF_ERROR(parse_attributes(object.at("attrs"), out.attributes));
  }
  return object.contains("outputs") ? parse_expected(object.at("outputs"), out) : Status();
}

std::string cell_text(const Tensor& tensor, std::size_t index) {
  switch (tensor.dtype) {
    case DataType::kInt32:
      return fmt::format("{}", element_at<std::int32_t>(tensor, index));
    case DataType::kInt64:
      return fmt::format("{}", element_at<std::int64_t>(tensor, index));
    case DataType::kBool:
      return element_at<std::uint8_t>(tensor, index) != 0 ? "1" : "0";
    case DataType::kFloat32: {
      const auto value = element_at<float>(tensor, index);
      if (!std::isfinite(value)) return "null";  // JSON has no name for it
      return value == 0 && std::signbit(value) ? "-0.0" : fmt::format("{}", value);
    }
  }
  return "";
}

std::size_t cell_count(const Tensor& tensor) {
  return tensor.bytes.size() / kernels::data_type_bytes(tensor.dtype);
}

std::string shape_text(const Tensor& tensor) {
  return fmt::format("{} [{}]", kernels::data_type_name(tensor.dtype),
                     fmt::join(tensor.shape, ", "));
}

std::vector<std::int64_t> without_trailing_ones(std::vector<std::int64_t> shape) {
  while (!shape.empty() && shape.back() == 1) shape.pop_back();
  return shape;
}

bool is_same_form(const Tensor& a, const Tensor& b) {
  return a.dtype == b.dtype && a.bytes.size() == b.bytes.size() &&
         without_trailing_ones(a.shape) == without_trailing_ones(b.shape);
}

bool cells_agree(const Tensor& found, const Tensor& wanted, std::size_t index) {
  if (found.dtype == DataType::kFloat32) {
    const double difference = static_cast<double>(element_at<float>(found, index)) -
                              static_cast<double>(element_at<float>(wanted, index));
    return std::abs(difference) <= kFloatTolerance;
  }
  const std::size_t size = kernels::data_type_bytes(found.dtype);
  return std::memcmp(&found.bytes[index * size], &wanted.bytes[index * size], size) == 0;
}

}  // namespace

Result<OpCase> parse_op_case(std::string_view text, const std::string& name, std::int64_t line) {
  SortedJson object;
  KeyWatch keys;
  try {
    object = SortedJson::parse(text.begin(), text.end(),
                               [&keys](int, SortedJson::parse_event_t event, SortedJson& value) {
                                 return keys.see(event, value);
                               });
  } catch (const SortedJson::parse_error& error) {
    const std::size_t offset = error.byte > 0 ? error.byte - 1 : 0;
    return Error::make(position(text, offset, name, std::max<std::int64_t>(line, 1)),
                       "text that is not JSON",
                       line > 0 ? "one JSON object a line" : "one JSON object");
  } catch (const SortedJson::exception& error) {
    return Error::make(position(text, 0, name, std::max<std::int64_t>(line, 1)), error.what(),
                       "numbers that fit");
  }
  const std::string place = line > 0 ? fmt::format("{}:{}", name, line) : name;
  if (!keys.twice().empty()) {
    return Error::make(keys.twice(), "the key twice", "each key once", "delete one of the two")
        .within(place);
  }
  OpCase out;
  const Status status = parse_members(object, out);
  if (!status) return status.error().within(place);
  return out;
}

std::string tensors_json(const kernels::NamedTensors& tensors) {
  std::string text = "{";
  for (const auto& [name, tensor] : tensors) {
    if (text.size() > 1) text += ',';
    text += fmt::format(R"({}:{{"dtype":"{}","shape":[{}],"data":[)", json_string(name),
                        kernels::data_type_name(tensor.dtype), fmt::join(tensor.shape, ","));
    for (std::size_t i = 0; i < cell_count(tensor); ++i) {
      if (i > 0) text += ',';
      text += cell_text(tensor, i);
    }
    text += "]}";
  }
  return text + "}";
}

std::string json_string(std::string_view text) {
  return SortedJson(std::string(text)).dump(-1, ' ', false, SortedJson::error_handler_t::replace);
}

std::optional<Mismatch> first_mismatch(const OpCase& op_case,
                                       const kernels::NamedTensors& outputs) {
  for (const auto& [name, wanted] : op_case.expected) {
    const auto found = outputs.find(name);
    if (found == outputs.end()) return Mismatch{name, -1, "no such output", "one"};
    if (!is_same_form(found->second, wanted.values)) {
      return Mismatch{name, -1, shape_text(found->second), shape_text(wanted.values)};
    }
    for (std::size_t i = 0; i < cell_count(wanted.values); ++i) {
      if (!wanted.is_defined[i] || cells_agree(found->second, wanted.values, i)) continue;
      return Mismatch{name, static_cast<std::int64_t>(i), cell_text(found->second, i),
                      cell_text(wanted.values, i)};
    }
  }
  return std::nullopt;
}

}  // namespace tandem::cli
