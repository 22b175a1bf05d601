// The registry's entry points: names, types and the two phases of a call.
#include "kernels/op_registry.hpp"

#include <algorithm>

#include "kernels/detail/op_call.hpp"
#include "kernels/detail/op_tables.hpp"
#include "kernels/op_device.hpp"

namespace tandem::kernels {
namespace {

constexpr std::string_view kTypeNames[] = {"int32", "int64", "bool", "float32"};
constexpr std::size_t kTypeBytes[] = {4, 8, 1, 4};

std::vector<OpSpec> sorted_ops() {
  std::vector<OpSpec> ops;
  for (const std::span<const OpSpec> group :
       {detail::input_ops(), detail::verify_ops(), detail::status_ops(), detail::draft_ops(),
        detail::hidden_ops()}) {
    ops.insert(ops.end(), group.begin(), group.end());
  }
  std::sort(ops.begin(), ops.end(),
            [](const OpSpec& a, const OpSpec& b) { return a.name < b.name; });
  return ops;
}

Status run_on(OpDevice& device, const OpSpec& spec, detail::OpCall& call) {
  TANDEM_RETURN_IF_ERROR(call.move_to(device));
  TANDEM_RETURN_IF_ERROR(device.launch(spec.make(call)));
  return call.fetch_outputs();
}

}  // namespace

std::string_view data_type_name(DataType type) {
  return kTypeNames[static_cast<std::size_t>(type)];
}

std::size_t data_type_bytes(DataType type) { return kTypeBytes[static_cast<std::size_t>(type)]; }

Result<DataType> parse_data_type(std::string_view name) {
  for (std::size_t k = 0; k < std::size(kTypeNames); ++k) {
    if (kTypeNames[k] == name) return static_cast<DataType>(k);
  }
  return Error::make("dtype", "got \"" + std::string(name) + "\"", "int32, int64, bool or float32");
}

std::span<const OpSpec> all_ops() {
  static const std::vector<OpSpec> ops = sorted_ops();
  return ops;
}

const OpSpec* find_op(std::string_view name) {
  const std::span<const OpSpec> ops = all_ops();
  const auto found =
      std::find_if(ops.begin(), ops.end(), [name](const OpSpec& op) { return op.name == name; });
  return found == ops.end() ? nullptr : &*found;
}

Result<NamedTensors> run_op(std::string_view name, const NamedAttributes& attributes,
                            const NamedTensors& inputs, OpPlace place) {
  const OpSpec* const spec = find_op(name);
  if (spec == nullptr) {
    return Error::make("op", "got \"" + std::string(name) + "\"", "a registered operation",
                       "the list has " + std::to_string(all_ops().size()) + " names");
  }
  detail::OpCall call(*spec, attributes, inputs);
  TANDEM_RETURN_IF_ERROR(call.bind());
  TANDEM_RETURN_IF_ERROR(call.make_outputs(place.fill));
  const AnyOp on_host = spec->make(call);
  TANDEM_RETURN_IF_ERROR(check(on_host));
  if (place.device == nullptr) {
    run_reference(on_host);
    return call.take_outputs();
  }
  const Status ran = run_on(*place.device, *spec, call);
  place.device->release();
  if (!ran) return ran.error();
  return call.take_outputs();
}

}  // namespace tandem::kernels
