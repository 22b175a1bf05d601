// The steps around a first divergence, gathered beside a live judge or read back from a trace.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/checks/verify.hpp"
#include "tools/cli/step_view.hpp"
#include "tools/cli/style.hpp"
#include "traces/tbt.hpp"

namespace tandem::cli {

/// Steps shown on either side of the one that diverged.
constexpr std::size_t kStepsAround = 2;

/// What stands around a divergence. A record counts as one step, an idle run's too.
struct Neighbourhood {
  sim::Divergence divergence;
  std::vector<StepView> steps;       ///< in order; at most kStepsAround on either side
  std::optional<std::size_t> place;  ///< index of the step that diverged; none: a keyframe behind
                                     ///< the last step did, or its record cannot be read
  std::string lost;                  ///< why steps are missing; "" where none is

  /// The step that diverged, or the last one before; null where there is none.
  [[nodiscard]] const StepView* nearest() const;
};

/// Keeps the last few records until a divergence is known, then waits for those behind it. The same
/// records give the same neighbourhood, whether the divergence is told before them or behind its
/// step. Memory is that of a few records.
class NeighbourhoodCollector {
 public:
  void begin(const TraceHeader& header);
  /// The first one stands for what came before the first record.
  void keyframe(const Keyframe& keyframe);
  void step(const StepRecord& record);
  /// Only the first divergence counts.
  void found(const sim::Divergence& divergence);

  [[nodiscard]] bool is_found() const { return divergence_.has_value(); }
  /// All that is wanted is there: further calls have no effect.
  [[nodiscard]] bool is_complete() const;
  /// None as long as nothing was found.
  [[nodiscard]] std::optional<Neighbourhood> neighbourhood() const;

 private:
  // The view of the first step shown needs the record before it.
  static constexpr std::size_t kBefore = kStepsAround + 1;
  static constexpr std::size_t kCapacity = kBefore + 1 + kStepsAround;

  [[nodiscard]] const StepRecord& at(std::size_t index) const {
    return ring_[(first_ + index) % kCapacity];
  }
  void drop_first();
  void look_at_last();
  [[nodiscard]] StepView view(std::size_t index, const SlotTable& table) const;

  TraceHeader header_;
  bool has_keyframe_ = false;
  Keyframe keyframe_;  ///< in front of the very first record
  SlotTable table_;    ///< in front of the first record of the ring
  std::array<StepRecord, kCapacity> ring_;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  std::optional<std::size_t> place_;  ///< index in the ring
  std::optional<sim::Divergence> divergence_;
};

/// Hands every call to a live judge, and gathers the neighbourhood of what it finds first.
class NeighbourhoodSink final : public RecordSink {
 public:
  /// `judge` outlives it.
  explicit NeighbourhoodSink(sim::LiveVerifier& judge) : judge_(judge) {}

  Status begin(const TraceHeader& header) override;
  Status segment(const plan::Segment& segment) override;
  Status keyframe(const Keyframe& keyframe) override;
  Status step(const StepRecord& record) override;
  Status unadmitted(const RequestRow& row) override;
  Status end(const Keyframe& last) override;

  [[nodiscard]] std::optional<Neighbourhood> neighbourhood() const {
    return collector_.neighbourhood();
  }

 private:
  void ask();

  sim::LiveVerifier& judge_;
  NeighbourhoodCollector collector_;
};

/// Reads the steps around a divergence of this trace once more. What cannot be read is told in
/// `lost`.
[[nodiscard]] Neighbourhood read_neighbourhood(const TraceReader& trace,
                                               const sim::Divergence& divergence);

/// Below the line of the divergence, in 80 columns: the check, the values side by side, the steps
/// around, and the slot's rows or who explains the rows.
[[nodiscard]] std::string neighbourhood_text(const Neighbourhood& n, const Style& style = {});

}  // namespace tandem::cli
