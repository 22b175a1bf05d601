// The plot of a what-if sweep as one HTML file: needs no network and no other file.
#pragma once

#include <string>

namespace tandem::sim {

/// A page with one metric over one swept key, a line for each combination of the others, and the
/// table of all points. `study` is the document of `tandem whatif --json`. Same input, same bytes.
/// Needs has_html_report().
[[nodiscard]] std::string sweep_page(const std::string& title, const std::string& study);

}  // namespace tandem::sim
