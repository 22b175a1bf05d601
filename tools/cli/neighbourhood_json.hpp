// A divergence with its neighbourhood as JSON, for the documents of run and verify.
#pragma once

#include <nlohmann/json.hpp>

#include "tools/cli/neighbourhood.hpp"

namespace tandem::cli {

/// The divergence member by member, its check's sentence and section, and `neighbourhood`: null
/// where none was gathered.
[[nodiscard]] nlohmann::ordered_json divergence_json(const sim::Divergence& divergence,
                                                     const std::optional<Neighbourhood>& around);

}  // namespace tandem::cli
