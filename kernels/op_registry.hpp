// Every bookkeeping operation by name: its attributes, its tensors, a runner on host or device.
//
// This is how tools and tests reach the operations with data from outside the program: everything
// is checked (names, types, shapes, values that would lead outside a row), nothing is trusted. The
// runtime does not come this way; it fills the contracts' aggregates itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "kernels/any_op.hpp"
#include "traces/base/result.hpp"

namespace tandem::kernels {

class OpDevice;

enum class DataType : std::uint8_t { kInt32, kInt64, kBool, kFloat32 };

[[nodiscard]] std::string_view data_type_name(DataType type);  ///< "int32", "int64", "bool", ...
[[nodiscard]] std::size_t data_type_bytes(DataType type);      ///< 4, 8, 1 and 4
[[nodiscard]] Result<DataType> parse_data_type(std::string_view name);

/// Row-major values in host memory; a bool is one byte.
struct Tensor {
  DataType dtype = DataType::kInt32;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> bytes;
};

using NamedTensors = std::map<std::string, Tensor, std::less<>>;
using Attribute = std::variant<std::int64_t, std::string>;
using NamedAttributes = std::map<std::string, Attribute, std::less<>>;

enum class TensorRole : std::uint8_t {
  kIn,     ///< read
  kInOut,  ///< read and written: an input with the old and an output with the complete new value
  kOut,    ///< written
  kUnused  ///< part of the peer's signature; may be given, is not looked at
};

/// `shape` is a comma-separated list of sizes. A size is an expression of symbols and numbers with
/// one "+" or "*" ("n", "n+1", "n*W"); a lower bound (">=n"); or a symbol with a bound ("B>=n"). A
/// symbol gets its value from an attribute or where it first stands alone. Trailing sizes of 1 may
/// be left out or added.
struct TensorSpec {
  std::string_view name;
  DataType dtype;
  TensorRole role;
  std::string_view shape;
  bool is_optional = false;
};

struct AttributeSpec {
  std::string_view name;
  std::string_view symbol = {};  ///< the symbol that it gives a value to, if any
  std::int64_t low = 0;
  std::int64_t high = 2147483647;
  bool is_text = false;  ///< a string, else an integer in [low, high]
  bool is_optional = false;
};

namespace detail {
class OpCall;
}  // namespace detail

struct OpSpec {
  std::string_view name;
  std::string_view purpose;  ///< one line
  std::span<const AttributeSpec> attributes;
  std::span<const TensorSpec> tensors;
  /// Binds symbols that depend on values and demands the tensors that attributes ask for; may be
  /// null.
  Status (*prepare)(detail::OpCall& call);
  AnyOp (*make)(detail::OpCall& call);  ///< the contract over the tensors of the call
};

/// All operations, by name.
[[nodiscard]] std::span<const OpSpec> all_ops();

/// Null for an unknown name.
[[nodiscard]] const OpSpec* find_op(std::string_view name);

/// Where a call runs.
struct OpPlace {
  OpDevice* device = nullptr;  ///< null: the host reference
  std::byte fill{0};           ///< what cells of kOut tensors hold before the call
};

/// Runs the operation. Returns every kInOut and kOut tensor, complete; cells of kOut tensors that
/// the contract leaves undefined keep `fill`. Errors name the operation, the tensor or attribute,
/// what was found and what is wanted.
[[nodiscard]] Result<NamedTensors> run_op(std::string_view name, const NamedAttributes& attributes,
                                          const NamedTensors& inputs, OpPlace place = {});

}  // namespace tandem::kernels
