// The timeline report as one HTML file: needs no network and no other file.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/report/timeline_export.hpp"

namespace tandem::sim {

/// False in a build without d3, whose scales and zoom the page uses: there is no page then.
[[nodiscard]] bool has_html_report();

/// Lanes, counters, bubbles, critical path and steps, with search, keys, light and dark. `report`
/// is the document of `tandem timeline --json` on one line, its `steps` left out; the spans are
/// those of the steps added. Steps without spans or clock are shown as far as they can be told.
/// Same input, same bytes. `out` outlives it. Needs has_html_report().
[[nodiscard]] std::unique_ptr<TimelineExporter> make_html_exporter(
    ByteSink& out, const TraceHeader& header, std::vector<Divergence> divergences,
    const std::string& title, const std::string& report);

}  // namespace tandem::sim
