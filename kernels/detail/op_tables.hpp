// The registered operations in five groups, each a table in a source of its own.
#pragma once

#include <span>

#include "kernels/op_registry.hpp"

namespace tandem::kernels::detail {

[[nodiscard]] std::span<const OpSpec> input_ops();   ///< before the target forward
[[nodiscard]] std::span<const OpSpec> verify_ops();  ///< sampling, verifying, stop sequences
[[nodiscard]] std::span<const OpSpec> status_ops();  ///< the target's slot state
[[nodiscard]] std::span<const OpSpec> draft_ops();   ///< the MTP head's slot state
[[nodiscard]] std::span<const OpSpec> hidden_ops();  ///< hidden rows

}  // namespace tandem::kernels::detail
