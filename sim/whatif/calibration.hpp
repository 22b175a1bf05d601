// Calibration: corrects a cost model until it reproduces the step times of a few measured runs.
//
// Spans come from a profiler, which slows down what it looks at. Runs without it tell by how much:
// one that the device bounds corrects the gaps of its stream, one that the host bounds the host's
// work, one that waits for the device in every step the host's wake.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "scenarios/scenario.hpp"
#include "sim/whatif/cost_model.hpp"
#include "traces/base/result.hpp"

namespace tandem::sim {

/// What a measured run bounds, and so corrects.
enum class CalibrationUse : std::uint8_t { device, host, wake };
[[nodiscard]] bool from_name(const std::string& name, CalibrationUse& out);

/// A run and the mean time of its steps behind the ramp.
struct MeasuredRun {
  std::string name;
  Scenario scenario;
  std::int64_t ramp_steps = 0;
  Nanos step_ns = 0;  ///< > 0
};

/// The mean time of a step behind the ramp, as the model predicts it. Workloads are drawn or listed
/// in the scenario. Errors: run_study's, and a run that ends within its ramp.
[[nodiscard]] Result<Nanos> predicted_step_ns(const CostModel& model, const MeasuredRun& run);

/// (predicted - measured) / measured in millionths.
[[nodiscard]] std::int64_t error_millionths(Nanos predicted_ns, Nanos measured_ns);

/// Fits `model.correction`, one number a run, in turns until none of them moves any more (at most
/// ten). Errors: a use given twice, predicted_step_ns's.
struct CalibrationRun {
  CalibrationUse use = CalibrationUse::device;
  MeasuredRun run;
};
[[nodiscard]] Status calibrate(CostModel& model, const std::vector<CalibrationRun>& runs);

}  // namespace tandem::sim
