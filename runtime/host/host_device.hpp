// The host device: the kernels' references on host memory, ordered by one of two executors.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "runtime/core/device.hpp"
#include "runtime/core/pinned_slots.hpp"
#include "runtime/core/script.hpp"
#include "runtime/host/executor.hpp"
#include "runtime/host/tensors.hpp"
#include "scenarios/scenario.hpp"

namespace tandem {

enum class ExecutorKind : std::uint8_t {
  det,     ///< one thread, a seeded order among the legal ones
  threads  ///< one worker thread a stream
};

class HostDevice : public Device {
 public:
  /// `scenario` outlives the device. Throws std::system_error where a worker thread cannot be
  /// started.
  explicit HostDevice(const Scenario& scenario, ExecutorKind executor = ExecutorKind::det);

  void enqueue(const plan::Operation& op, const LaunchArgs& args) override;
  void wait(plan::EventName name, std::int64_t step) override {
    executor_->wait(name, step, scenario_wait(scenario_.timing));
  }
  void spend(const plan::Operation&, Nanos extra_ns) override {
    executor_->time().spend(scenario_.timing.host_op_ns + extra_ns);
  }
  void sleep_until(Nanos until_ns) override { executor_->time().sleep_until(until_ns); }
  [[nodiscard]] Nanos now() const override { return executor_->time().now(); }
  [[nodiscard]] Nanos compute_busy() const override { return executor_->time().compute().busy_ns; }
  [[nodiscard]] const PinnedEntry& pinned(std::int64_t step) const override;
  [[nodiscard]] std::int32_t stage_tasks(std::int64_t step,
                                         const std::vector<Task>& tasks) override;
  [[nodiscard]] std::int64_t scratch() const override { return scratch_; }
  void snapshot(Keyframe& keyframe, std::int64_t step) override;
  Status restore(const Keyframe& keyframe) override;
  [[nodiscard]] bool finished(std::int64_t step) const override {
    return executor_->finished(step);
  }
  [[nodiscard]] const ApiLog& api_log() const override { return log_; }
  void end_step(std::int64_t step) override {
    executor_->end_step(step);
    log_.clear();
  }
  void drain() override { executor_->drain(); }
  void halt() override { executor_->halt(); }

 private:
  void execute(const plan::Operation& op, const LaunchArgs& args);
  void execute_copy(const plan::Operation& op, const LaunchArgs& args);
  void execute_draft(const plan::Operation& op, const LaunchArgs& args);

  // insert.cpp (6.1 to 6.3, 6.6)
  void insert_tasks(const LaunchArgs& args);
  void insert_task(const Task& task);
  void insert_prefill(const Task& task);
  void insert_dnode(const Task& task);
  void take_delivered(const Task& task, StepRecord& record) const;
  void admit(const Task& task);
  void write_stop_sequence(std::size_t slot);
  void append_blocks(const Task& task);
  void end_slot(const Task& task);

  // target_ops.cpp (5.1 to 5.7, 5.13)
  void recover(const LaunchArgs& args);
  void pre_process(const LaunchArgs& args);
  void target_forward(const LaunchArgs& args);
  void rebuild(const LaunchArgs& args);
  void lm_head(const LaunchArgs& args);
  void sampling_params(const LaunchArgs& args);
  void verify(const LaunchArgs& args);
  void set_stop_value(const LaunchArgs& args);
  void unified_update(const LaunchArgs& args);
  void schedule_cache(const LaunchArgs& args);
  void poison(const LaunchArgs& args);
  void count_damage(StepRecord& record, const LaunchArgs& args) const;

  // draft_ops.cpp (5.8 to 5.12b)
  void draft_preprocess();
  void get_hidden(const LaunchArgs& args);
  void draft_pre_process(const plan::Operation& op, const LaunchArgs& args);
  void draft_forward(const plan::Operation& op, const LaunchArgs& args);
  void gather(const LaunchArgs& args);
  void draft_rebuild(const LaunchArgs& args);
  void get_self_hidden(const LaunchArgs& args);
  void draft_lm_head(const plan::Operation& op);
  void draft_update(const plan::Operation& op);
  void draft_postprocess(const LaunchArgs& args);
  void ngram_extend(const LaunchArgs& args);
  [[nodiscard]] std::int64_t draft_token(const ProvenanceRow& row, std::size_t slot,
                                         int substep) const;

  // restore.cpp
  void restore_columns(const Keyframe& k);
  void restore_blocks(std::size_t slot, const std::vector<std::int32_t>& blocks);
  void restore_request(std::size_t slot, const Keyframe& k);
  Status restore_drafts(std::size_t slot, const Keyframe& k);
  Status restore_output(const Keyframe& k);

  // snapshots.cpp
  void take_p0(StepRecord& record) const;
  void take_p1(StepRecord& record) const;
  void take_packing(StepRecord& record, const LaunchArgs& args) const;
  void take_seeds(StepRecord& record, const LaunchArgs& args) const;
  void take_stop_counters(StepRecord& record, const LaunchArgs& args) const;
  void take_write_owners(StepRecord& record, const LaunchArgs& args) const;
  [[nodiscard]] bool ran(std::size_t slot, const LaunchArgs& args) const;
  void take_p2(StepRecord& record, RecordLevel level) const;
  void take_accepted_tokens(StepRecord& record) const;
  void take_p3(StepRecord& record, RecordLevel level) const;
  void take_p4(StepRecord& record, RecordLevel level) const;
  void take_slots(SlotColumns& out, bool with_accept) const;
  void take_draft_rows(DraftRowColumns& out) const;
  void take_step_state(Column& q, Column& d, Column& digest) const;
  void take_shadow(DraftShadowColumns& out) const;
  void fill_keyframe(Keyframe& keyframe, std::int64_t step);
  [[nodiscard]] std::int32_t digest(const std::int64_t* tokens, std::size_t count,
                                    unsigned bits) const;
  [[nodiscard]] bool is_eos(std::int64_t token) const;

  PinnedSlots& pinned_entry(std::int64_t step) {
    return ring_[static_cast<std::size_t>(step) % ring_.size()];
  }
  [[nodiscard]] std::size_t slots() const { return static_cast<std::size_t>(config_.max_num_seqs); }
  [[nodiscard]] std::size_t width() const { return static_cast<std::size_t>(config_.row_width()); }

  const Scenario& scenario_;
  const RunConfig& config_;
  Tensors m_;
  std::vector<script::Request> scripts_;  ///< of slot_row
  std::deque<PinnedSlots> ring_;          ///< built once: entries are views of themselves
  std::int64_t scratch_ = 0;
  ApiLog log_;
  std::unique_ptr<Executor> executor_;  ///< last: its threads work on what is above
};

}  // namespace tandem
