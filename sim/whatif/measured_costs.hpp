// MeasuredCosts: the costs of a CostModel, as a what-if run asks for them.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "sim/whatif/cost_model.hpp"
#include "sim/whatif/step_costs.hpp"

namespace tandem::sim {

/// Medians of the model. Not thread-safe: it remembers what it was asked last.
///
/// A forward lasts as long as `timing` says where the model's forwards were emulated, and as long
/// as was seen where they were not. What was never seen costs what other operations of its lane
/// cost (the median of their medians), and is listed.
class MeasuredCosts final : public StepCosts {
 public:
  /// `model` outlives it. `graphs`: groups of operations go out as CUDA graphs.
  MeasuredCosts(const CostModel& model, const TimingModel& timing, bool graphs);

  [[nodiscard]] bool has_graphs() const override { return graphs_; }
  [[nodiscard]] OpCost device_op(const plan::Operation& op, const LaunchArgs& args,
                                 LaunchForm form) const override;
  [[nodiscard]] Nanos host_op(const plan::Operation& op, std::int32_t slots) const override;
  [[nodiscard]] WaitCost wait(plan::EventName name) const override;
  [[nodiscard]] Nanos between_steps(std::int32_t slots) const override;

  [[nodiscard]] std::set<std::string> unseen() const override { return unseen_; }

 private:
  struct Entry {
    const CostCurve* curve = nullptr;
    bool looked_up = false;
    std::int64_t rows = -1;  ///< of the last question
    Nanos ns = 0;            ///< its answer
  };

  [[nodiscard]] Nanos cost(const CostKey& key, std::int64_t rows) const;
  [[nodiscard]] const CostCurve* curve_of(const CostKey& key) const;
  [[nodiscard]] Nanos usual(const CostKey& key) const;
  [[nodiscard]] Nanos host(Nanos ns) const;

  const CostModel& model_;
  TimingModel timing_;
  bool graphs_;
  mutable std::vector<Entry> entries_;
  mutable std::set<std::string> unseen_;
};

}  // namespace tandem::sim
