// HookedDevice: a host device whose enqueues and waits a test may drop, repeat or change.
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

  /// Called instead of each wait of the host thread.
  using WaitHook = std::function<void(HostDevice& inner, plan::EventName, std::int64_t step)>;

  HookedDevice(const Scenario& scenario, Hook hook, ExecutorKind executor = ExecutorKind::det)
      : inner_(scenario, executor), hook_(std::move(hook)) {}

  /// Called instead of end_step.
  using StepHook = std::function<void(HostDevice& inner, std::int64_t step)>;

  void hook_waits(WaitHook hook) { wait_hook_ = std::move(hook); }
  void hook_steps(StepHook hook) { step_hook_ = std::move(hook); }

  void enqueue(const plan::Operation& op, const LaunchArgs& args) override {
    hook_(inner_, op, args);
  }
  void wait(plan::EventName name, std::int64_t step) override {
    if (wait_hook_) {
      wait_hook_(inner_, name, step);
    } else {
      inner_.wait(name, step);
    }
  }
  void spend(const plan::Operation& op, Nanos extra_ns) override { inner_.spend(op, extra_ns); }
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
  void end_step(std::int64_t step) override {
    if (step_hook_) {
      step_hook_(inner_, step);
    } else {
      inner_.end_step(step);
    }
  }
  void drain() override { inner_.drain(); }
  void halt() override { inner_.halt(); }

 private:
  HostDevice inner_;
  Hook hook_;
  WaitHook wait_hook_;
  StepHook step_hook_;
};

/// `sink` gets what the step loop records; null: nothing is recorded.
inline RunSummary run_on(Device& device, const Scenario& scenario, Workload& workload,
                         RecordSink* sink, const RunOptions& options = {}) {
  StepLoop loop(scenario, workload, options, device, sink);
  TraceHeader header;
  header.config = scenario.config;
  header.level = options.level;
  Result<RunSummary> summary = loop.run(header);
  TANDEM_CHECK(summary.ok());
  return summary.value();
}

/// Runs `requests` on a hooked device.
inline RunSummary run_hooked(const Scenario& scenario, std::vector<RequestSpec> requests,
                             RecordSink& sink, HookedDevice::Hook hook,
                             const RunOptions& options = {}) {
  HookedDevice device(scenario, std::move(hook));
  ListWorkload workload(std::move(requests));
  return run_on(device, scenario, workload, &sink, options);
}

}  // namespace tandem::test
