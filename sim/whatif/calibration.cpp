// Bisection of each correction against the run that shows it.
#include "sim/whatif/calibration.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include "sim/report/analysis.hpp"
#include "sim/whatif/measured_costs.hpp"
#include "sim/whatif/study.hpp"

namespace tandem::sim {
namespace {

constexpr int kTurnsMax = 10;

struct Range {
  std::int64_t least = 0;
  std::int64_t most = 0;
};

std::int64_t& corrected(CostCorrection& correction, CalibrationUse use) {
  switch (use) {
    case CalibrationUse::device:
      return correction.gap_millionths;
    case CalibrationUse::host:
      return correction.host_millionths;
    case CalibrationUse::wake:
      return correction.wake_ns;
  }
  TANDEM_CHECK(false);
  return correction.gap_millionths;
}

/// Profilers cost microseconds a call: nothing beyond is a correction.
Range range_of(CalibrationUse use) {
  if (use == CalibrationUse::wake) return {-20'000, 20'000};
  return {0, 4'000'000};
}

/// The least value with which the run takes at least as long as measured, or the greatest.
Status fit_one(CostModel& model, const CalibrationRun& wanted) {
  std::int64_t& value = corrected(model.correction, wanted.use);
  Range range = range_of(wanted.use);
  while (range.least < range.most) {
    const std::int64_t middle = range.least + (range.most - range.least) / 2;
    value = middle;
    TANDEM_TRY(const Nanos predicted_ns, predicted_step_ns(model, wanted.run));
    if (predicted_ns >= wanted.run.step_ns) {
      range.most = middle;
    } else {
      range.least = middle + 1;
    }
  }
  value = range.least;
  return {};
}

}  // namespace

bool from_name(const std::string& name, CalibrationUse& out) {
  constexpr std::array<const char*, 3> kNames{"device", "host", "wake"};
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return false;
  out = static_cast<CalibrationUse>(found - kNames.begin());
  return true;
}

Result<Nanos> predicted_step_ns(const CostModel& model, const MeasuredRun& run) {
  const FileLoader no_files = [](const std::string& path) {
    return Result<std::string>(Error::make(path, "a file", "a workload without one"));
  };
  TANDEM_TRY(const std::unique_ptr<Workload> workload, make_workload(run.scenario, no_files));
  const bool graphs = !run.scenario.config.captured_sizes.empty();
  const MeasuredCosts costs(model, run.scenario.timing, graphs);
  TANDEM_TRY(const StudyResult result,
             run_study(run.scenario, *workload, costs, {nullptr, run.ramp_steps}));
  if (result.behind_ramp_steps == 0) {
    return Error::make(run.name, "ends within its ramp",
                       "more than " + std::to_string(run.ramp_steps) + " steps");
  }
  return result.behind_ramp_ns / result.behind_ramp_steps;
}

std::int64_t error_millionths(Nanos predicted_ns, Nanos measured_ns) {
  return millionths(predicted_ns - measured_ns, measured_ns);
}

Status calibrate(CostModel& model, const std::vector<CalibrationRun>& runs) {
  for (std::size_t i = 0; i < runs.size(); ++i) {
    for (std::size_t k = i + 1; k < runs.size(); ++k) {
      if (runs[i].use == runs[k].use) {
        return Error::make(runs[k].run.name, "corrects what " + runs[i].run.name + " does",
                           "one run for each use");
      }
    }
  }
  for (int turn = 0; turn < kTurnsMax; ++turn) {
    const CostCorrection before = model.correction;
    for (const CalibrationRun& run : runs) TANDEM_RETURN_IF_ERROR(fit_one(model, run));
    if (model.correction == before) break;
  }
  return {};
}

}  // namespace tandem::sim
