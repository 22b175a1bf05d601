// The step loop: executes the plan of each step on a device and keeps the host's beliefs (semantics
// 4.1).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/core/device.hpp"
#include "runtime/core/engine.hpp"
#include "runtime/core/graph_sizes.hpp"
#include "runtime/core/histogram.hpp"
#include "runtime/core/policy.hpp"
#include "runtime/core/recorder.hpp"
#include "runtime/core/run.hpp"
#include "scenarios/scenario.hpp"

namespace tandem {

class StepLoop {
 public:
  /// All arguments outlive the loop.
  StepLoop(const Scenario& scenario, Workload& workload, const RunOptions& options, Device& device,
           RecordSink* sink);
  StepLoop(const StepLoop&) = delete;
  StepLoop& operator=(const StepLoop&) = delete;
  /// Halts the device: it may be at work on records that end with the loop.
  ~StepLoop();

  /// Runs to the end. An Error of the workload or the sink ends it.
  Result<RunSummary> run(const TraceHeader& header);

 private:
  struct BuiltSegment {
    plan::Segment segment;
    std::uint64_t hash = 0;
  };
  /// Everything that belongs to the iteration in progress.
  struct Step {
    PendingStep* pending = nullptr;
    Nanos start_ns = 0;
    std::int32_t token_num = 0;     ///< N
    std::int32_t launch_bsz = 0;    ///< rr
    std::int32_t real_bsz = 0;      ///< r
    std::int32_t output_rows = 0;   ///< R as the host uses it
    std::int64_t graph_count = -1;  ///< R13 sync: count(q > 0); -1: not read
    std::int32_t captured = 0;
    std::int32_t hidden_rows = 0;
    int substep = -1;
    std::int32_t draft_rows = 0;
    std::int32_t draft_output_rows = -1;  ///< R8 sync: as read; -1: not read
    bool draft_any = true;
    plan::OpKind last_read = plan::OpKind::resolve;
    int last_read_row = -1;
    CachedPair next_pair;
  };

  Status iterate();
  Status insert();
  void begin_record();
  void finish_record(StepKind kind);
  void fill_keyframe(Keyframe& keyframe);
  Status execute(const BuiltSegment& built);
  void run_device_op(const plan::Operation& op, const LaunchArgs& args);
  void run_host_op(const plan::Operation& op);
  void do_host_op(const plan::Operation& op);
  void enter_substep(const plan::Operation& op);
  [[nodiscard]] std::int64_t gate(plan::Symbol symbol) const;
  [[nodiscard]] LaunchArgs arguments(const plan::Operation& op) const;

  void on_wait(const plan::Operation& op);
  void on_read_done();
  void resolve();
  void prepare_forward();
  void send_message();
  void send_control();
  void predict();
  void count_running();
  void shift_preempted();
  void note_routing();
  void note_mask();
  void stamp_owners();
  void finish_propose();
  StepKind pick_end() const;
  std::int64_t fold_idle();
  void account(StepKind kind, Nanos busy_before);

  [[nodiscard]] bool sync(int row) const { return config_.row(row) == RowMode::sync; }
  [[nodiscard]] bool predicts() const { return !sync(0) && config_.policy != PolicyKind::exact; }
  [[nodiscard]] PolicyView view() const;
  [[nodiscard]] std::int64_t mark_count() const;
  [[nodiscard]] StepRecord& record() { return step_.pending->record; }

  const Scenario& scenario_;
  const RunConfig& config_;
  const RunOptions& options_;
  Device& device_;
  std::unique_ptr<HostPolicy> policy_;
  Engine engine_;
  Workload& workload_;
  GraphSizes graphs_;
  Recorder recorder_;

  BuiltSegment front_waits_, front_predicted_, save_, settle_, back_, back_blocking_, empty_, idle_;

  std::int64_t t_ = 0;
  std::int32_t n_ = 0;
  bool flag_ = false;
  bool draft_flag_ = false;
  CachedPair cached_;
  bool has_cached_output_ = false;
  std::int64_t cached_step_ = 0;  ///< the step of the cached output
  std::int32_t cached_n_ = 0;     ///< its view length
  bool ghost_ = false;
  bool device_bool_ = false;  ///< R1, R10 sync: not_need_stop as read last
  ApiLog called_for_;         ///< what the plan of this step calls for
  ApiLog host_log_;           ///< host operations that ran in this step
  Column q_cpu_, b_cpu_, preempted_, last_preempted_;
  Step step_;
  Histogram step_times_, idle_shares_;
  RunSummary summary_;
};

}  // namespace tandem
