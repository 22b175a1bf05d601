// Cost models that ship with the library.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace tandem {

/// The JSON text of a cost model (sim/whatif/cost_model.hpp) in costs/, or nullopt.
[[nodiscard]] std::optional<std::string_view> embedded_costs(std::string_view name);
[[nodiscard]] std::vector<std::string_view> embedded_costs_names();  ///< sorted

}  // namespace tandem
