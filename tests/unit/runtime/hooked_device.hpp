// HookedDevice: a host device whose enqueues a test may drop, repeat or change.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "runtime/core/step_loop.hpp"
#include "runtime/host/host_device.hpp"
#include "tests/support/run_helpers.hpp"

namespace tandem::test {

/// Forwards everything to a host device. What the hook does stands between the step loop, which
/// notes what the plan calls for, and the device, which logs what it was asked for.
class HookedDevice : public Device {
 public:
  /// Called instead of each enqueue; hands to `inner` what the device is to see.
  using Hook = std::function<void(HostDevice& inner, const plan::Operation&, LaunchArgs)>;

  HookedDevice(const Scenario& scenario, Hook hook) : inner_(scenario), hook_(std::move(hook)) {}

  void enqueue(const plan::Operation& op, const LaunchArgs& args) override {
    hook_(inner_, op, args);
  }
  void wait(plan::EventName name, std::int64_t step) override { inner_.wait(name, step); }
  void spend(Nanos extra_ns) override { inner_.spend(extra_ns); }
  void sleep_until(Nanos until_ns) override { inner_.sleep_until(until_ns); }
  [[nodiscard]] Nanos now() const override { return inner_.now(); }
  [[nodiscard]] Nanos compute_busy() const override { return inner_.compute_busy(); }
  [[nodiscard]] const PinnedEntry& pinned(std::int64_t step) const override {
    return inner_.pinned(step);
  }
  [[nodiscard]] std::int32_t stage_tasks(std::int64_t step,
                                         const std::vector<Task>& tasks) override {
    return inner_.stage_tasks(step, tasks);
  }
  [[nodiscard]] std::int64_t scratch() const override { return inner_.scratch(); }
  void snapshot(Keyframe& keyframe, std::int64_t step) override { inner_.snapshot(keyframe, step); }
  [[nodiscard]] bool finished(std::int64_t step) const override { return inner_.finished(step); }
  [[nodiscard]] const ApiLog& api_log() const override { return inner_.api_log(); }
  void end_step(std::int64_t step) override { inner_.end_step(step); }
  void drain() override { inner_.drain(); }
  void halt() override { inner_.halt(); }

 private:
  HostDevice inner_;
  Hook hook_;
};

/// Runs `requests` on a hooked device; `sink` gets what the step loop records.
inline RunSummary run_hooked(const Scenario& scenario, std::vector<RequestSpec> requests,
                             RecordSink& sink, HookedDevice::Hook hook, RunOptions options = {}) {
  HookedDevice device(scenario, std::move(hook));
  ListWorkload workload(std::move(requests));
  StepLoop loop(scenario, workload, options, device, &sink);
  TraceHeader header;
  header.config = scenario.config;
  header.level = options.level;
  Result<RunSummary> summary = loop.run(header);
  TANDEM_CHECK(summary.ok());
  return summary.value();
}

}  // namespace tandem::test
