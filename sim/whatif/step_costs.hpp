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
  unseen,      ///< of a group met for the first time, one by one: the launch is that of the group
  capture,     ///< the first operation of a CUDA graph that is made now: the launch is of the graph
  replay,      ///< the first operation of a CUDA graph that exists
  rest,        ///< a further operation of a graph: its launch costs nothing
  unseen_rest  ///< a further operation of an unseen group: its launch is part of the group's
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
  /// Work of the host thread; `rows` of the main launch.
  [[nodiscard]] virtual Nanos host_op(const plan::Operation& op, std::int32_t rows) const = 0;
  [[nodiscard]] virtual WaitCost wait(plan::EventName name) const = 0;
  /// The host thread, from the last operation of a step with `rows` to the start of the next.
  [[nodiscard]] virtual Nanos between_steps(std::int32_t rows) const = 0;
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
  [[nodiscard]] Nanos host_op(const plan::Operation& op, std::int32_t rows) const override;
  [[nodiscard]] WaitCost wait(plan::EventName name) const override;
  [[nodiscard]] Nanos between_steps(std::int32_t) const override { return 0; }

 private:
  TimingModel timing_;
};

}  // namespace tandem::sim
