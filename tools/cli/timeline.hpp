// What `tandem timeline` found in a trace, and its forms: text of 80 columns and a JSON document.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/checks/verify.hpp"
#include "sim/report/analysis.hpp"
#include "sim/report/plan_tally.hpp"
#include "tools/cli/style.hpp"

namespace tandem::cli {

struct TimelineView {
  std::string trace;
  TraceHeader header;
  sim::PlanTally tally;  ///< of the records looked at
  sim::TimelineReport report;
  std::vector<std::string> missing;  ///< sentences: what the trace lacks and what that hides
  std::uint64_t divergence_count = 0;
  std::vector<sim::Divergence> divergences;  ///< the first of them
  bool each_step = false;                    ///< the text has a line for every step
};

/// The sentences for what `coverage` says is not there; none where everything is.
[[nodiscard]] std::vector<std::string> missing_spans(const TraceHeader& header,
                                                     const sim::SpanCoverage& coverage);
/// "device bound: ..", the one line that says whether more overlap can help.
[[nodiscard]] std::string bound_text(const sim::TimelineReport& report);

[[nodiscard]] std::string timeline_text(const TimelineView& view, const Style& style = {});
[[nodiscard]] std::string timeline_json(const TimelineView& view);
/// The same on one line, without its steps: what the HTML report embeds.
[[nodiscard]] std::string timeline_page_json(const TimelineView& view);

}  // namespace tandem::cli
