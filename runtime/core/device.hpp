// Device: what the step loop needs of whoever executes device operations, host or GPU.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/core/api_log.hpp"
#include "traces/base/result.hpp"
#include "traces/keyframe.hpp"
#include "traces/plan/plan.hpp"
#include "traces/record.hpp"

namespace tandem {

/// The numbers of a pinned entry, with stamps written by the producer of the source and copied
/// along.
struct PinnedNumbers {
  std::int64_t q_step = -1;
  std::int64_t b_step = -1;
  std::int64_t output_step = -1;
  std::int32_t output_rows = 0;  ///< R; after output_token_num
};

/// One entry of every pinned ring (semantics 2.2) that the device fills: views of host memory that
/// the device owns. Each is valid for the host after the event of its copy.
struct PinnedEntry {
  std::span<std::int32_t> q;              ///< seq_lens_this_time_cpu, B; after token_num
  std::span<std::int32_t> b;              ///< is_block_step_cpu, B; after token_num
  std::span<std::int64_t> accept_tokens;  ///< A_cpu, B x W; after post_process, like the rest
  std::span<std::int32_t> accept_num;     ///< B
  std::span<std::int32_t> seq_len;        ///< seq_lens_decoder_cpu, B
  std::span<std::int64_t> prompt_len;     ///< B
  PinnedNumbers* numbers = nullptr;
};

/// One step while host and device work on it. Stays where it is until both are done.
struct PendingStep {
  /// `tasks` says what the engine asked for; the device fills in the digests of what a P node
  /// delivers. What insert_tasks carries out is what was staged in pinned memory; its digests at
  /// enqueue and at copy stand in `pinned_copies`, even where nothing is recorded.
  StepRecord record;
  RecordLevel level = RecordLevel::off;  ///< what the device records into it
};

/// Numbers that an operation is launched with; captured when it is enqueued.
struct LaunchArgs {
  std::int64_t t = 0;
  std::int32_t n = 0;                   ///< view length
  std::int32_t token_num = 0;           ///< N
  std::int32_t output_rows = 0;         ///< R as the host uses it
  std::int32_t rows = 0;                ///< rows of this sub-step
  std::int32_t draft_output_rows = -1;  ///< rows that need draft logits as read (R8); -1: not read
  std::int32_t hidden_rows = 0;         ///< rows of the hidden states this sub-step consumes
  std::int32_t captured = 0;            ///< CUDA-graph size of this launch, 0: eager
  std::int32_t segment = 0;             ///< index in StepRecord::segments
  std::int32_t op = 0;                  ///< index in that segment
  PendingStep* pending = nullptr;
};

constexpr Nanos kUnknownBusy = -1;

class Device {
 public:
  Device() = default;
  Device(const Device&) = delete;
  Device& operator=(const Device&) = delete;
  virtual ~Device() = default;

  /// Enqueues an operation of the compute or copy lane; never waits. `op` outlives the run.
  virtual void enqueue(const plan::Operation& op, const LaunchArgs& args) = 0;
  /// What was enqueued last will be launched together with what comes next, as one.
  [[nodiscard]] virtual bool holds_back() const { return false; }
  /// The host thread waits until the event of step `step` has been reached.
  virtual void wait(plan::EventName name, std::int64_t step) = 0;
  /// The host thread spends the cost of `op`, one of its own that is no wait, and `extra_ns` more.
  virtual void spend(const plan::Operation& op, Nanos extra_ns) = 0;
  /// The host thread sleeps until its clock shows `until_ns`.
  virtual void sleep_until(Nanos until_ns) = 0;
  /// The host's clock.
  [[nodiscard]] virtual Nanos now() const = 0;
  /// Time that the compute lane has been given to do so far; kUnknownBusy where nobody knows.
  [[nodiscard]] virtual Nanos compute_busy() const = 0;

  /// The ring entry of step `step`.
  [[nodiscard]] virtual const PinnedEntry& pinned(std::int64_t step) const = 0;
  /// Stages the task arrays of step `step` in its entry of a pinned ring (task_arrays_cpu), over
  /// whatever that held, and gives task_array_digest() of what stands there. The device reads the
  /// entry when it executes insert_tasks, not when that is enqueued.
  [[nodiscard]] virtual std::int32_t stage_tasks(std::int64_t step,
                                                 const std::vector<Task>& tasks) = 0;
  /// What the last blocking read brought (scratch_read_cpu).
  [[nodiscard]] virtual std::int64_t scratch() const = 0;

  /// Enqueues a copy of the device's part of a keyframe, after everything enqueued so far. Host
  /// parts of `keyframe` are set already; `keyframe` stays where it is until the next drain or
  /// finished().
  virtual void snapshot(Keyframe& keyframe, std::int64_t step) = 0;
  /// The reverse, before anything is enqueued: takes up a keyframe of a trace. Digests that are not
  /// known are -1. An Error where this device cannot, or where no token row has the digests.
  virtual Status restore(const Keyframe& keyframe);
  /// True when everything enqueued up to the end of step `step` has been executed. Says so without
  /// ordering anything, as recording may add no order: of what the device wrote only that may be
  /// read which an event comes after that the host has waited for.
  [[nodiscard]] virtual bool finished(std::int64_t step) const = 0;
  /// What the device was asked to enqueue since the end of the last step.
  [[nodiscard]] virtual const ApiLog& api_log() const = 0;
  /// Marks the end of step `step` in every lane and clears the log.
  virtual void end_step(std::int64_t step) = 0;
  /// Waits until all lanes are empty.
  virtual void drain() = 0;
  /// Gives up what has not been executed; behind it the device touches no record and no keyframe
  /// any more, and nothing may be enqueued. For runs that end early; otherwise nothing is left.
  virtual void halt() = 0;
};

inline Status Device::restore(const Keyframe& keyframe) {
  return Error::make("first keyframe",
                     "got one at step " + std::to_string(keyframe.t) + " with work under way",
                     "a trace from its start on this device",
                     "replay it with --device host, or reschedule it with --replay-requests");
}

}  // namespace tandem
