// Opens the costs of a study, and fits them to a trace that has spans.
#include "tools/cli/whatif_costs.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "sim/whatif/cost_fitter.hpp"
#include "sim/whatif/cost_sets.hpp"
#include "tools/cli/report.hpp"
#include "tools/cli/trace_input.hpp"

namespace tandem::cli {
namespace {

std::string names_text() {
  std::string text;
  for (const std::string_view name : embedded_costs_names()) {
    text += (text.empty() ? "" : ", ") + std::string(name);
  }
  return text;
}

Result<sim::CostModel> read_costs(Io& io, const std::string& name) {
  if (const auto shipped = embedded_costs(name)) {
    return sim::parse_cost_model(name, std::string(*shipped));
  }
  if (!io.files.exists(name)) {
    return Error::make("--costs", "got '" + name + "'",
                       "a file of --write-costs, or one that ships: " + names_text());
  }
  TANDEM_TRY(const std::string text, io.files.read_text(name));
  return sim::parse_cost_model(name, text);
}

/// No model where the trace has no spans.
Result<std::optional<sim::CostModel>> fit(Io& io, const std::string& path) {
  TANDEM_TRY(const OpenTrace trace, open_trace_file(io, path, {}));
  const TraceReader& reader = *trace.reader;
  sim::TimelineBuilder builder;
  for (const plan::Segment& segment : reader.segments()) builder.add_segment(segment);
  sim::CostFitter fitter;
  sim::StepTimeline step;
  bool has_spans = false;
  const auto note = [&](const StepRecord& record) -> Status {
    TANDEM_RETURN_IF_ERROR(builder.add(record, step));
    has_spans = has_spans || !step.nodes.empty();
    fitter.add(record, step);
    return {};
  };
  TANDEM_RETURN_IF_ERROR(read_all_records(io, reader, note));
  if (!has_spans) return std::optional<sim::CostModel>{};
  sim::CostModel model = fitter.fit();
  model.source = "spans of " + path + ", " + reader.header().device;
  return std::optional<sim::CostModel>{std::move(model)};
}

}  // namespace

std::unique_ptr<sim::StepCosts> StudyCosts::of(const Scenario& scenario) const {
  if (!model) return std::make_unique<sim::ScenarioCosts>(scenario.timing);
  const bool graphs = !scenario.config.captured_sizes.empty() && model->knows_graphs();
  return std::make_unique<sim::MeasuredCosts>(*model, scenario.timing, graphs);
}

Result<StudyCosts> open_costs(Io& io, const std::string& costs, const std::string& trace) {
  StudyCosts out;
  if (!costs.empty()) {
    TANDEM_TRY(out.model, read_costs(io, costs));
    out.source.name = out.model->source;
    out.source.error_millionths = out.model->error_millionths;
    return out;
  }
  if (trace.empty()) {
    out.source.name = "the scenario's timing";
    out.source.exact = true;
    return out;
  }
  TANDEM_TRY(out.model, fit(io, trace));
  if (out.model) {
    out.fitted_to_trace = true;
    out.source.name = out.model->source;
    out.source.remarks.emplace_back("fitted to this one run: how far it carries is not known");
    return out;
  }
  out.source.name = "a scenario's usual timing";
  out.source.remarks.emplace_back(
      "the trace has no spans: record it with --record timeline, or give --costs");
  return out;
}

Status check_timing_keys(const StudyCosts& costs, const std::vector<std::string>& keys) {
  if (!costs.fitted_to_trace) return {};
  const auto other = std::find_if(keys.begin(), keys.end(), [](const std::string& key) {
    return key.starts_with("timing.") && key != "timing.host_step_ns";
  });
  if (other == keys.end()) return {};
  return Error::make("--set", "got " + *other + " with costs fitted to a trace's spans",
                     "timing.host_step_ns, or no key of `timing`",
                     "with --costs h200 forwards last as long as `timing` says");
}

}  // namespace tandem::cli
