// The engine: admits requests to slots, grants KV blocks, learns from messages (semantics 6.9).
//
// Pure: it sees arrivals, the step number and messages; it answers with the tasks of insert(t).
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "runtime/core/block_manager.hpp"
#include "runtime/core/policy.hpp"
#include "scenarios/scenario.hpp"

namespace tandem {

/// A message as the engine receives it: counts and the tokens themselves, which no trace keeps.
struct EngineMessage {
  const Message& message;
  std::span<const std::int64_t> tokens;  ///< B x W, A_cpu; not read where count <= 0
};

/// Totals of what was delivered.
struct EngineTotals {
  std::int64_t requests = 0;
  std::int64_t tokens = 0;
  std::uint64_t token_digest = 0;
};

class Engine {
 public:
  /// `scenario`, `policy` and `workload` outlive the engine.
  Engine(const Scenario& scenario, const HostPolicy& policy, Workload& workload);

  /// insert(t): appends tasks in executed order (abort, preempt, refresh, chunk, admission).
  /// `q_cpu` and `b_cpu` are of step t-1. `now` is the host clock.
  Status plan(std::int64_t t, Nanos now, const Column& q_cpu, const Column& b_cpu,
              std::vector<Task>& tasks);

  /// E4: learns tokens, ends requests, frees slots; what ended is appended.
  void on_message(const EngineMessage& message, std::vector<RequestOutcome>& outcomes,
                  std::vector<SlotFree>& frees);

  /// Step t was launched: in flight for every occupied slot below `n` until its message.
  void mark_launched(std::int64_t t, std::int32_t n);
  /// It brought no output (a ghost step): it is in flight no more.
  void unmark_launched(std::int64_t t);

  /// Highest occupied slot + 1.
  [[nodiscard]] std::int32_t view_length() const;
  /// No request waits, runs or will arrive.
  [[nodiscard]] bool done() const;
  /// No request waits or occupies a slot: only an arrival can make work.
  [[nodiscard]] bool quiet() const;
  /// When the next request arrives (in the workload's unit), if one will.
  [[nodiscard]] std::optional<std::int64_t> next_arrival() const;

  /// Host view per slot, B entries each (architecture 4.1 "Keyframe").
  [[nodiscard]] const Column& request() const { return request_; }
  /// Times each slot has been given away; an occupant's own generation is one less.
  [[nodiscard]] const Column& given() const { return given_; }
  [[nodiscard]] const Column& known_d() const { return known_d_; }
  [[nodiscard]] const Column& known_g() const { return known_g_; }
  [[nodiscard]] const Column& in_flight() const { return in_flight_; }
  [[nodiscard]] const Column& max_dec_len() const { return max_dec_len_; }
  [[nodiscard]] const RequestRow& row(std::int32_t slot) const;

  /// Totals so far, open requests included.
  [[nodiscard]] const EngineTotals& totals() const { return totals_; }
  /// Hands over the rows of requests that arrived but were never admitted, in order; ends the
  /// engine.
  Status drain_unadmitted(const std::function<Status(const RequestRow&)>& take);

 private:
  /// Who was in a launched step: given() of each occupied slot, 0 elsewhere.
  struct Launched {
    std::int64_t t = 0;
    Column given;
  };
  struct Waiting {
    RequestSpec spec;
    std::int32_t generated = 0;  ///< delivered tokens of earlier generations
    std::uint64_t stream = 0;    ///< digest of them, up to the trigger of an abort
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
  [[nodiscard]] StopReason reason_to_end(const RequestRow& row, std::int32_t generated) const;
  void count_in(const Waiting& what);
  void count_out(const Waiting& what);
  [[nodiscard]] Occupant& at(std::int32_t slot) { return *slots_[static_cast<std::size_t>(slot)]; }
  [[nodiscard]] const Occupant& at(std::int32_t slot) const {
    return *slots_[static_cast<std::size_t>(slot)];
  }

  const Scenario& scenario_;
  const RunConfig& config_;
  const HostPolicy& policy_;
  Workload& workload_;
  BlockManager blocks_;
  std::deque<Waiting> queue_;
  std::optional<RequestSpec> upcoming_;
  bool exhausted_ = false;
  std::vector<std::unique_ptr<Occupant>> slots_;
  std::int64_t admissions_ = 0;
  std::int32_t budget_ = 0;  ///< tokens left in the step being planned
  Column request_, given_, known_d_, known_g_, in_flight_, max_dec_len_;
  std::deque<Launched> launched_;
  EngineTotals totals_;  ///< tokens and digest of every request with at least one token
};

}  // namespace tandem
