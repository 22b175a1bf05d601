// The GPU as a Device: two streams, an event a name and step, pinned rings, and a ring of step
// images that become records once their copies have landed.
//
// Nothing here waits on the decode path but wait(), which is the plan's. Records are picked up
// where the host comes by anyway; their events order nothing of the run.
//
// In a step whose main launch has a captured size, consecutive operations of a group (the forward,
// what commits its tokens, a sub-step, the end of proposing) are held back until the group is whole
// and go out as one CUDA graph. All other operations are launched one by one.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include <cuda_runtime_api.h>

#include "runtime/core/device.hpp"
#include "runtime/core/launch_groups.hpp"
#include "runtime/cuda/activity.hpp"
#include "runtime/cuda/device_ops.hpp"
#include "runtime/cuda/graph_cache.hpp"
#include "runtime/cuda/pinned.hpp"
#include "runtime/cuda/run_cuda.hpp"
#include "scenarios/scenario.hpp"

namespace tandem::cuda {

/// An event without timing. Throws CudaFailure.
class CudaEvent {
 public:
  CudaEvent();
  CudaEvent(const CudaEvent&) = delete;
  CudaEvent& operator=(const CudaEvent&) = delete;
  ~CudaEvent();

  void record(cudaStream_t stream);
  void wait_on_host() const;
  void wait_on(cudaStream_t stream) const;
  [[nodiscard]] bool is_done() const;

 private:
  cudaEvent_t event_ = nullptr;
};

class CudaStream {
 public:
  CudaStream();
  CudaStream(const CudaStream&) = delete;
  CudaStream& operator=(const CudaStream&) = delete;
  ~CudaStream();

  [[nodiscard]] cudaStream_t get() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

/// On the current device. Every method may throw CudaFailure; afterwards only halt() and the
/// destructor may be called.
class CudaDevice : public Device {
 public:
  /// `scenario` outlives the device.
  explicit CudaDevice(const Scenario& scenario, RecordLevel level);
  ~CudaDevice() override;

  void enqueue(const plan::Operation& op, const LaunchArgs& args) override;
  [[nodiscard]] bool holds_back() const override { return !held_back_.empty(); }
  void wait(plan::EventName name, std::int64_t step) override;
  /// What an operation costs the host it costs by itself; `extra_ns` is really spent.
  void spend(const plan::Operation& op, Nanos extra_ns) override;
  /// Idle time is not waited for: the clock jumps.
  void sleep_until(Nanos until_ns) override;
  [[nodiscard]] Nanos now() const override;
  [[nodiscard]] Nanos compute_busy() const override { return kUnknownBusy; }
  [[nodiscard]] const PinnedEntry& pinned(std::int64_t step) const override;
  [[nodiscard]] std::int32_t stage_tasks(std::int64_t step,
                                         const std::vector<Task>& tasks) override;
  [[nodiscard]] std::int64_t scratch() const override { return *scratch_; }
  void snapshot(Keyframe& keyframe, std::int64_t step) override;
  [[nodiscard]] bool finished(std::int64_t step) const override { return step <= recorded_; }
  [[nodiscard]] const ApiLog& api_log() const override { return log_; }
  void end_step(std::int64_t step) override;
  void drain() override;
  void halt() override;

  /// Times that the host had to wait because every step image was on its way.
  [[nodiscard]] std::int64_t stalls() const { return stalls_; }
  [[nodiscard]] CudaRunCounts counts() const;
  /// Level timeline: activity records that CUPTI lost. Not 0: spans are missing.
  [[nodiscard]] std::int64_t lost_activity() const {
    return activity_ == nullptr ? 0 : activity_->book().lost();
  }

 private:
  static constexpr std::size_t kEventNames = 8;
  static constexpr std::size_t kEventRing = 4;  ///< steps an event of one name is remembered
  static constexpr std::size_t kImages = 8;

  /// A step on its way into its record.
  struct Flight {
    std::int64_t step = -1;
    PendingStep* pending = nullptr;  ///< null: the flight is free
    CudaEvent landed;
    std::int32_t* image = nullptr;  ///< in pinned memory
  };
  struct KeyframeFlight {
    Keyframe* keyframe = nullptr;  ///< null: free
    std::int64_t step = -1;        ///< of the unsent message
    CudaEvent landed;
  };

  /// An operation of a group that is not whole yet.
  struct HeldBack {
    const plan::Operation* op;
    LaunchArgs args;
  };

  /// Enqueues what is held back; in front of everything that must come behind it.
  void release();
  void run_target(const plan::Operation& op, const LaunchArgs& args, const OpContext& c);
  void run_draft(const plan::Operation& op, const LaunchArgs& args, const OpContext& c);
  void run_copy(const plan::Operation& op, const LaunchArgs& args, const OpContext& c);
  void insert(const LaunchArgs& args, const OpContext& c);
  void draft_update(const plan::Operation& op, const OpContext& c);
  [[nodiscard]] OpContext context(plan::Lane lane) const;
  [[nodiscard]] CudaEvent& event(plan::EventName name, std::int64_t step);
  [[nodiscard]] cudaStream_t stream_of(plan::Lane lane) const;
  [[nodiscard]] Nanos forward_ns(const plan::Operation& op, const LaunchArgs& args) const;
  PinnedRingEntry& ring_entry(std::int64_t step) {
    return *ring_[static_cast<std::size_t>(step) % ring_.size()];
  }
  void run_alone(const plan::Operation& op, const LaunchArgs& args, const OpContext& c);
  void collect(bool wait_for_all);
  void land(Flight& flight);
  void collect_spans();
  void land_keyframe();

  const Scenario& scenario_;
  const RunConfig& config_;
  RecordLevel level_;
  ModelConfig model_;
  ImageLayout layout_;
  DeviceMemory memory_;
  CudaStream compute_, copy_;
  std::array<std::array<CudaEvent, kEventRing>, kEventNames> events_;
  std::vector<std::unique_ptr<PinnedRingEntry>> ring_;
  PinnedBytes scratch_memory_;
  volatile std::int64_t* scratch_;
  std::int32_t* image_ = nullptr;    ///< device; null at level off
  std::int64_t* staging_ = nullptr;  ///< device
  std::size_t staging_words_ = 0;
  std::unique_ptr<PinnedBytes> images_;  ///< kImages of them
  std::array<Flight, kImages> flights_;
  PendingStep* open_ = nullptr;  ///< of the step in hand
  GraphCache graphs_;
  std::int64_t alone_ = 0;  ///< operations launched one by one
  std::vector<HeldBack> held_back_;
  LaunchGroups groups_;
  int group_ = LaunchGroups::kAlone;  ///< of what is held back
  bool p1_is_due_ = false;            ///< P1 has been reached and no packing took it
  std::unique_ptr<KeyframeBuffer> keyframe_buffer_;
  KeyframeFlight keyframe_;
  std::int64_t next_flight_ = 0;   ///< of the next end_step
  std::int64_t first_flight_ = 0;  ///< oldest that has not landed
  std::int64_t recorded_ = -1;
  std::int64_t stalls_ = 0;
  ApiLog log_;
  std::unique_ptr<ActivityLog> activity_;       ///< level timeline
  std::deque<PendingStep*> spanless_;           ///< landed, but their spans have not been reported
  std::vector<std::pair<Nanos, Nanos>> jumps_;  ///< clock in front of a jump, all jumps up to it
  std::chrono::steady_clock::time_point origin_;
  Nanos skipped_ns_ = 0;
};

}  // namespace tandem::cuda
