// The engine: admits requests to slots, grants KV blocks, learns from messages (semantics 6.9).
//
// Pure: it sees arrivals, the step number and messages; it answers with the tasks of insert(t).
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/core/block_manager.hpp"
#include "runtime/core/policy.hpp"
#include "runtime/core/scheduler.hpp"
#include "scenarios/scenario.hpp"
#include "traces/base/check.hpp"

namespace tandem {

class Engine final : public Scheduler {
 public:
  /// `scenario`, `policy` and `workload` outlive the engine.
  Engine(const Scenario& scenario, const HostPolicy& policy, Workload& workload);

  /// In this order: abort, preempt, refresh, chunk, admission.
  Status plan(std::int64_t t, Nanos now, const Column& q_cpu, const Column& b_cpu,
              std::vector<Task>& tasks) override;
  /// E4.
  void on_message(const EngineMessage& message, std::vector<RequestOutcome>& outcomes,
                  std::vector<SlotFree>& frees) override;
  void end_step(std::int64_t /*t*/, std::vector<RequestOutcome>& /*outcomes*/,
                std::vector<SlotFree>& /*frees*/) override {}

  [[nodiscard]] std::int32_t view_length(std::int64_t /*t*/) const override {
    return occupied_end();
  }
  [[nodiscard]] bool is_over(std::int64_t /*t*/, bool settled) const override {
    return settled && exhausted_ && !upcoming_ && is_quiet();
  }
  [[nodiscard]] bool is_quiet() const override;
  [[nodiscard]] std::int64_t idle_repeat(std::int64_t t, Nanos now, Nanos idle_ns,
                                         bool silent) const override;
  [[nodiscard]] const RequestRow& row(std::int32_t slot) const override;
  Status drain_unadmitted(const std::function<Status(const RequestRow&)>& take) override;

  /// An engine starts with its workload: nobody asks it.
  void restore(const Keyframe& /*keyframe*/) override { TANDEM_CHECK(false); }

 private:
  struct Waiting {
    RequestSpec spec;
    TokenStream tokens;  ///< delivered, of all generations
    bool preempt_fired = false;
    bool admitted_before = false;
  };
  /// Text positions [start, end) that one prefill task computes.
  struct Chunk {
    std::int32_t start = 0;
    std::int32_t end = 0;
  };
  struct Occupant {
    Waiting what;
    std::int64_t admitted = 0;  ///< admission number: the most recent one is preempted first
    std::int32_t text_len = 0;
    std::int32_t prefilled = 0;  ///< end of the last inserted chunk
    bool ending = false;         ///< a preempt or abort was inserted; its mark frees the slot
    bool aborted = false;
    bool ended = false;  ///< its last token arrived while `ending`
    StopReason reason = StopReason::open;
    std::vector<std::int32_t> blocks;
  };

  Status take_arrivals(std::int64_t t, Nanos now);
  Status refill();
  [[nodiscard]] bool has_arrived(std::int64_t t, Nanos now) const;
  void plan_triggers(std::vector<Task>& tasks);
  void plan_blocks(std::int64_t t, const Column& q_cpu, const Column& b_cpu,
                   std::vector<Task>& tasks);
  void plan_chunks(std::vector<Task>& tasks);
  void plan_admissions(std::vector<Task>& tasks);
  void admit_prefill(std::int32_t slot, Waiting&& waiting, Chunk chunk, std::vector<Task>& tasks);
  void admit_dnode(std::int32_t slot, Waiting&& waiting, std::vector<Task>& tasks);
  Occupant& occupy(std::int32_t slot, Waiting&& waiting);
  Task end_slot(std::int32_t slot, TaskKind kind);
  void preempt_for_blocks(std::vector<Task>& tasks, std::int32_t wanting_slot);
  [[nodiscard]] std::int64_t entries_for(std::int64_t reach) const;
  [[nodiscard]] std::int64_t missing_entries(std::int32_t slot, std::int64_t reach) const;
  [[nodiscard]] std::int64_t running_reach(std::int32_t slot, const PolicyView& view) const;
  [[nodiscard]] std::vector<std::int32_t> slots_by_admission() const;
  [[nodiscard]] bool preemption_pending() const;
  Task task_for(std::int32_t slot, TaskKind kind) const;

  void deliver(std::int32_t slot, std::int32_t count, const std::int64_t* tokens);
  void finish_slot(std::int32_t slot, std::vector<RequestOutcome>& outcomes,
                   std::vector<SlotFree>& frees);
  void close_marked(std::int32_t slot, std::vector<RequestOutcome>& outcomes,
                    std::vector<SlotFree>& frees);
  [[nodiscard]] Occupant& at(std::int32_t slot) { return *slots_[static_cast<std::size_t>(slot)]; }
  [[nodiscard]] const Occupant& at(std::int32_t slot) const {
    return *slots_[static_cast<std::size_t>(slot)];
  }

  const HostPolicy& policy_;
  Workload& workload_;
  BlockManager blocks_;
  std::deque<Waiting> queue_;
  std::optional<RequestSpec> upcoming_;
  bool exhausted_ = false;
  std::vector<std::unique_ptr<Occupant>> slots_;
  std::int64_t admissions_ = 0;
  std::int32_t budget_ = 0;  ///< tokens left in the step being planned
};

}  // namespace tandem
