// StepCosts: what a step's operations cost, as a what-if run asks for it.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "runtime/core/op_costs.hpp"

namespace tandem::sim {

/// How an operation reaches its stream.
enum class LaunchForm : std::uint8_t {
  alone,
  unseen,   ///< of a group that is met for the first time and goes out one by one
  capture,  ///< of a CUDA graph that is made now: the launch is its share of that
  replay,   ///< the first operation of a CUDA graph that exists: the launch is the graph's
  rest      ///< a further operation of one: its launch costs nothing
};

class StepCosts {
 public:
  StepCosts() = default;
  StepCosts(const StepCosts&) = delete;
  StepCosts& operator=(const StepCosts&) = delete;
  virtual ~StepCosts() = default;

  /// Groups of operations are launched as CUDA graphs (runtime/core/launch_groups.hpp).
  [[nodiscard]] virtual bool has_graphs() const = 0;
  /// An operation of a device lane that is no event.
  [[nodiscard]] virtual OpCost device_op(const plan::Operation& op, const LaunchArgs& args,
                                         LaunchForm form) const = 0;
  /// Work of the host thread with `slots` in the view.
  [[nodiscard]] virtual Nanos host_op(const plan::Operation& op, std::int32_t slots) const = 0;
  [[nodiscard]] virtual WaitCost wait(plan::EventName name) const = 0;
  /// The host thread, from the last operation of a step with `slots` to the start of the next.
  [[nodiscard]] virtual Nanos between_steps(std::int32_t slots) const = 0;
  /// What was asked for and is not known, as "launch of copy_outputs"; something was put in its
  /// place.
  [[nodiscard]] virtual std::set<std::string> unseen() const { return {}; }
};

/// The virtual time of the host device: `tandem run` without a GPU.
class ScenarioCosts final : public StepCosts {
 public:
  explicit ScenarioCosts(const TimingModel& timing) : timing_(timing) {}

  [[nodiscard]] bool has_graphs() const override { return false; }
  [[nodiscard]] OpCost device_op(const plan::Operation& op, const LaunchArgs& args,
                                 LaunchForm form) const override;
  [[nodiscard]] Nanos host_op(const plan::Operation& op, std::int32_t slots) const override;
  [[nodiscard]] WaitCost wait(plan::EventName name) const override;
  [[nodiscard]] Nanos between_steps(std::int32_t) const override { return 0; }

 private:
  TimingModel timing_;
};

}  // namespace tandem::sim
