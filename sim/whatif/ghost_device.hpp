// GhostDevice: a device without tensors. It holds the oracle's state, and all it takes is time.
//
// The step loop drives it like any other device: schedules, policies, rows and the engine's rules
// are the real ones. Of every slot it knows lengths and counts (sim/oracle), of tokens only whether
// one is EOS. Values change when an operation is enqueued: of all legal orders of its streams the
// one in which nothing is late. So it shows what a schedule costs, not what a missing edge breaks.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "runtime/core/device.hpp"
#include "runtime/core/graph_book.hpp"
#include "runtime/core/launch_groups.hpp"
#include "runtime/core/pinned_slots.hpp"
#include "runtime/core/virtual_time.hpp"
#include "scenarios/scenario.hpp"
#include "sim/oracle/state.hpp"
#include "sim/whatif/step_costs.hpp"

namespace tandem::sim {

/// Told at the end of each step; the record holds the host's part alone.
class StepWatcher {
 public:
  StepWatcher() = default;
  StepWatcher(const StepWatcher&) = delete;
  StepWatcher& operator=(const StepWatcher&) = delete;
  virtual ~StepWatcher() = default;
  /// `sent_ns`: when each message of the record was on its way. `end_ns`: the host's clock now.
  virtual void step_done(const StepRecord& record, const std::vector<Nanos>& sent_ns,
                         Nanos end_ns) = 0;
};

/// Rows that were launched for nothing, and what became of KV blocks.
struct GhostCounts {
  std::int64_t rows_launched = 0;  ///< N of all main launches
  std::int64_t rows_used = 0;      ///< T of these
  std::int64_t draft_rows_launched = 0;
  std::int64_t draft_rows_used = 0;
  std::int64_t parked = 0;  ///< times a slot was parked for want of a block (5.13)
};

class GhostDevice final : public Device {
 public:
  /// All arguments outlive the device; `watcher` may be null.
  GhostDevice(const Scenario& scenario, const Rules& rules, const StepCosts& costs,
              StepWatcher* watcher);

  void enqueue(const plan::Operation& op, const LaunchArgs& args) override;
  void wait(plan::EventName name, std::int64_t step) override;
  void spend(const plan::Operation& op, Nanos extra_ns) override;
  void sleep_until(Nanos until_ns) override;
  [[nodiscard]] Nanos now() const override { return time_.now(); }
  [[nodiscard]] Nanos compute_busy() const override { return time_.compute().busy_ns; }
  [[nodiscard]] const PinnedEntry& pinned(std::int64_t step) const override;
  [[nodiscard]] std::int32_t stage_tasks(std::int64_t step,
                                         const std::vector<Task>& tasks) override;
  [[nodiscard]] std::int64_t scratch() const override { return scratch_; }
  void snapshot(Keyframe&, std::int64_t) override {}
  [[nodiscard]] bool finished(std::int64_t) const override { return true; }
  [[nodiscard]] const ApiLog& api_log() const override { return log_; }
  void end_step(std::int64_t step) override;
  void drain() override;
  void halt() override {}

  [[nodiscard]] const ComputeUse& compute() const { return time_.compute(); }
  [[nodiscard]] Nanos idle_ns() const { return idle_ns_; }  ///< steps in which nothing was launched
  [[nodiscard]] const GhostCounts& counts() const { return counts_; }

 private:
  struct HeldBack {
    const plan::Operation* op = nullptr;
    LaunchArgs args;
  };

  void release();
  void note_sent();
  void begin_step(const LaunchArgs& args);
  void compute_values(const plan::Operation& op, const LaunchArgs& args);
  void copy_values(const plan::Operation& op, const LaunchArgs& args);
  void insert_tasks(const LaunchArgs& args);
  void recover_slots(const LaunchArgs& args);
  void count_rows(const LaunchArgs& args);
  void verify();
  void schedule_slots();
  void copy_seq_lens(const LaunchArgs& args);
  void copy_outputs(const LaunchArgs& args);
  [[nodiscard]] std::int64_t read_bool(const plan::Operation& op) const;
  [[nodiscard]] std::int32_t output_rows() const;
  [[nodiscard]] std::int64_t draft_sum() const;

  PinnedSlots& entry(std::int64_t step) {
    return ring_[static_cast<std::size_t>(step) % ring_.size()];
  }

  const RunConfig& config_;
  const Rules& rules_;
  const StepCosts& costs_;
  StepWatcher* watcher_;
  VirtualTime time_;
  OracleState state_;
  Column marks_;                  ///< kMark... bits of this step's accepted tokens
  Column zeros_;                  ///< digests nobody looks at
  std::int64_t plain_token_ = 0;  ///< an id that is no EOS
  std::deque<PinnedSlots> ring_;  ///< built once: entries are views of themselves
  std::int64_t scratch_ = 0;
  ApiLog log_;
  LaunchGroups groups_;
  std::vector<HeldBack> held_back_;
  int group_ = LaunchGroups::kAlone;
  GraphBook book_;
  GraphKey key_;
  std::vector<OpCost> costs_of_held_;
  const PendingStep* pending_ = nullptr;
  std::int64_t state_step_ = -1;  ///< the step that begin_step() was called for
  std::vector<Nanos> sent_ns_;
  Nanos step_began_ns_ = 0;
  Nanos idle_ns_ = 0;
  GhostCounts counts_;
};

}  // namespace tandem::sim
