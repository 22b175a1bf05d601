// ReplayScheduler: recorded tasks at recorded steps, recorded frees, recorded idle runs.
//
// What the host learns comes from the messages of the run that is made, as in the engine; what it
// does about it comes from the recording.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "runtime/core/recorded_run.hpp"
#include "runtime/core/scheduler.hpp"

namespace tandem {

class ReplayScheduler final : public Scheduler {
 public:
  /// `config` is that of the run; it and `run` outlive the scheduler.
  ReplayScheduler(const RunConfig& config, const RecordedRun& run);

  Status plan(std::int64_t t, Nanos now, const Column& q_cpu, const Column& b_cpu,
              std::vector<Task>& tasks) override;
  void on_message(const EngineMessage& message, std::vector<RequestOutcome>& outcomes,
                  std::vector<SlotFree>& frees) override;
  void end_step(std::int64_t t, std::vector<RequestOutcome>& outcomes,
                std::vector<SlotFree>& frees) override;

  [[nodiscard]] std::int32_t view_length(std::int64_t t) const override;
  [[nodiscard]] bool is_over(std::int64_t t, bool settled) const override;
  [[nodiscard]] bool is_quiet() const override { return occupied_end() == 0; }
  [[nodiscard]] std::int64_t idle_repeat(std::int64_t t, Nanos now, Nanos idle_ns,
                                         bool silent) const override;
  [[nodiscard]] const RequestRow& row(std::int32_t slot) const override;
  Status drain_unadmitted(const std::function<Status(const RequestRow&)>& take) override;

  void restore(const Keyframe& keyframe) override;

 private:
  struct Occupant {
    RequestRow row;
    TokenStream tokens;
    StopReason reason = StopReason::open;
    bool ending = false;  ///< a preempt or abort was inserted
    bool aborted = false;
  };

  void apply(const Task& task);
  void admit(const Task& task);
  [[nodiscard]] TokenStream stream_of(const RequestRow& row, std::int32_t generated);
  void learn(std::size_t slot, std::int32_t count, const std::int64_t* tokens);
  [[nodiscard]] bool is_due(std::size_t slot, std::int32_t count) const;
  void release(std::size_t slot, std::vector<RequestOutcome>& outcomes,
               std::vector<SlotFree>& frees);
  /// True while the record of iteration t is at hand.
  [[nodiscard]] bool is_recorded(std::int64_t t) const {
    return has_record_ && cursor_.record().t == t;
  }

  const RecordedRun& run_;
  RecordCursor cursor_;
  bool has_record_ = false;
  bool frees_told_;                  ///< frees are recorded; else a slot is free as E4 says
  std::vector<bool> frees_pending_;  ///< slots that the record at hand frees
  std::vector<Occupant> slots_;
  std::map<RequestId, TokenStream> away_;  ///< preempted, not back yet
};

}  // namespace tandem
