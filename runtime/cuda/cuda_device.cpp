// Streams, events, waits and records of the GPU.
#include "runtime/cuda/cuda_device.hpp"

#include <algorithm>
#include <utility>

#include "runtime/cuda/failure.hpp"
#include "traces/base/check.hpp"

namespace tandem::cuda {

CudaEvent::CudaEvent() {
  TANDEM_CUDA_CALL(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming));
}
CudaEvent::~CudaEvent() { (void)cudaEventDestroy(event_); }
void CudaEvent::record(cudaStream_t stream) { TANDEM_CUDA_CALL(cudaEventRecord(event_, stream)); }
void CudaEvent::wait_on_host() const { TANDEM_CUDA_CALL(cudaEventSynchronize(event_)); }
void CudaEvent::wait_on(cudaStream_t stream) const {
  TANDEM_CUDA_CALL(cudaStreamWaitEvent(stream, event_, 0));
}
bool CudaEvent::is_done() const {
  const cudaError_t answer = cudaEventQuery(event_);
  if (answer == cudaErrorNotReady) return false;
  TANDEM_CUDA_CALL(answer);
  return true;
}

CudaStream::CudaStream() {
  TANDEM_CUDA_CALL(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
}
CudaStream::~CudaStream() { (void)cudaStreamDestroy(stream_); }

CudaDevice::CudaDevice(const Scenario& scenario, RecordLevel level)
    : scenario_(scenario),
      config_(scenario.config),
      level_(level),
      model_(make_model_config(config_)),
      layout_(config_),
      memory_(config_),
      scratch_memory_(sizeof(std::int64_t)),
      scratch_(reinterpret_cast<std::int64_t*>(scratch_memory_.data())),
      origin_(std::chrono::steady_clock::now()) {
  for (std::int32_t k = 0; k < config_.pinned_ring_depth; ++k) {
    ring_.push_back(std::make_unique<PinnedRingEntry>(config_));
  }
  (void)memory_.reserve_accept(16);
  if (level_ == RecordLevel::off) return;
  const std::size_t bytes = layout_.words * sizeof(std::int32_t);
  void* image = nullptr;
  TANDEM_CUDA_CALL(cudaMalloc(&image, bytes));
  image_ = static_cast<std::int32_t*>(image);
  // On its stream: the default one does not wait for it, nor it for the default one.
  TANDEM_CUDA_CALL(cudaMemsetAsync(image_, 0, bytes, compute_.get()));
  images_ = std::make_unique<PinnedBytes>(kImages * bytes);
  for (std::size_t k = 0; k < kImages; ++k) {
    flights_[k].image = reinterpret_cast<std::int32_t*>(images_->data() + k * bytes);
  }
  keyframe_buffer_ = std::make_unique<KeyframeBuffer>(config_, layout_);
  if (level_ == RecordLevel::timeline) activity_ = std::make_unique<ActivityLog>();
}

CudaDevice::~CudaDevice() {
  (void)cudaDeviceSynchronize();
  (void)cudaFree(staging_);
  (void)cudaFree(image_);
}

cudaStream_t CudaDevice::stream_of(plan::Lane lane) const {
  return lane == plan::Lane::copy ? copy_.get() : compute_.get();
}

CudaEvent& CudaDevice::event(plan::EventName name, std::int64_t step) {
  return events_.at(static_cast<std::size_t>(name))[static_cast<std::size_t>(step) % kEventRing];
}

OpContext CudaDevice::context(plan::Lane lane) const {
  return {model_,         const_cast<DeviceMemory&>(memory_).tensors(), layout_, image_, level_,
          stream_of(lane)};
}

void CudaDevice::enqueue(const plan::Operation& op, const LaunchArgs& args) {
  log_.note(op.lane, op.kind);
  open_ = args.pending;
  const int group = groups_.group_of(op, args);
  if (group != group_) release();
  if (group != LaunchGroups::kAlone) {
    group_ = group;
    held_back_.push_back({&op, args});
    if (LaunchGroups::ends_group(op.kind)) release();
    return;
  }
  if (op.kind == plan::OpKind::record_event) {
    event(op.records.name, args.t + op.records.step_offset).record(stream_of(op.lane));
    return;
  }
  if (op.kind == plan::OpKind::wait_event) {
    const std::int64_t step = args.t + op.waits.step_offset;
    if (step >= 0) event(op.waits.name, step).wait_on(stream_of(op.lane));
    return;
  }
  run_alone(op, args, context(op.lane));
}

CudaRunCounts CudaDevice::counts() const {
  CudaRunCounts counts = graphs_.counts();
  counts.alone = alone_;
  return counts;
}

void CudaDevice::wait(plan::EventName name, std::int64_t step) {
  release();
  event(name, step).wait_on_host();
}

Nanos CudaDevice::now() const {
  const auto since = std::chrono::steady_clock::now() - origin_;
  return std::chrono::duration_cast<std::chrono::nanoseconds>(since).count() + skipped_ns_;
}

void CudaDevice::spend(const plan::Operation&, Nanos extra_ns) {
  release();
  if (extra_ns <= 0) return;
  const Nanos until = now() + extra_ns;
  while (now() < until) {
  }
}

void CudaDevice::sleep_until(Nanos until_ns) {
  const Nanos at = now();
  skipped_ns_ += std::max<Nanos>(0, until_ns - at);
  if (activity_ != nullptr) jumps_.emplace_back(at, skipped_ns_);
}

const PinnedEntry& CudaDevice::pinned(std::int64_t step) const {
  return ring_[static_cast<std::size_t>(step) % ring_.size()]->view();
}

std::int32_t CudaDevice::stage_tasks(std::int64_t step, const std::vector<Task>& tasks) {
  std::int64_t longest = 0;
  for (const Task& task : tasks) {
    longest = std::max(longest, static_cast<std::int64_t>(task.row.accept.size()));
  }
  release();
  // Graphs carry the address of what moves.
  if (memory_.reserve_accept(longest)) graphs_.clear();
  PinnedRingEntry& entry = ring_entry(step);
  entry.stage(tasks);
  return entry.staged_digest();
}

// -- records --------------------------------------------------------------------------------------

void CudaDevice::end_step(std::int64_t step) {
  release();
  groups_.end_step();
  log_.clear();
  if (activity_ != nullptr) activity_->book().end_step(step);
  if (level_ == RecordLevel::off) {
    recorded_ = step;  // nothing to wait for: what is handed over holds the host's part alone
    return;
  }
  collect(false);
  Flight& flight = flights_[static_cast<std::size_t>(next_flight_) % kImages];
  if (flight.pending != nullptr) {
    ++stalls_;
    flight.landed.wait_on_host();
    collect(false);
  }
  TANDEM_CHECK(flight.pending == nullptr && open_ != nullptr);
  flight.step = step;
  flight.pending = open_;
  const auto rows = static_cast<std::size_t>(open_->record.token_num);
  const std::size_t words = layout_.words_of(level_, std::min(rows, layout_.rows));
  const OpContext c = context(plan::Lane::compute);
  if (std::exchange(p1_is_due_, false)) take_p1(c);
  ship_image(c, flight.image, words, open_->record.kind == StepKind::back);
  flight.landed.record(compute_.get());
  ++next_flight_;
  open_ = nullptr;
}

void CudaDevice::collect(bool wait_for_all) {
  while (first_flight_ < next_flight_) {
    Flight& flight = flights_[static_cast<std::size_t>(first_flight_) % kImages];
    if (wait_for_all) flight.landed.wait_on_host();
    if (!wait_for_all && !flight.landed.is_done()) break;
    land(flight);
    ++first_flight_;
  }
  collect_spans();
}

/// A keyframe is enqueued in front of its step, so it has landed when a later step has.
void CudaDevice::land(Flight& flight) {
  if (keyframe_.keyframe != nullptr && keyframe_.landed.is_done()) land_keyframe();
  fill_record(layout_, flight.image, level_, flight.pending->record);
  if (activity_ != nullptr) {
    spanless_.push_back(flight.pending);
  } else {
    recorded_ = flight.step;
  }
  flight.pending = nullptr;
}

/// CUPTI's times are those of the steady clock; the run's clock jumps over idle time.
void CudaDevice::collect_spans() {
  const Nanos origin =
      std::chrono::duration_cast<std::chrono::nanoseconds>(origin_.time_since_epoch()).count();
  const auto run_clock = [&](Nanos steady_ns) {
    const Nanos since = steady_ns - origin;
    Nanos skipped = 0;
    for (const auto& [at, all] : jumps_) {
      if (since + skipped < at) break;
      skipped = all;
    }
    return since + skipped;
  };
  while (!spanless_.empty()) {
    StepRecord& record = spanless_.front()->record;
    if (!activity_->book().is_complete(record.t)) return;
    for (Span span : activity_->book().take(record.t)) {
      span.start_ns = run_clock(span.start_ns);
      span.end_ns = run_clock(span.end_ns);
      record.spans.push_back(span);
    }
    recorded_ = record.t;
    spanless_.pop_front();
  }
}

void CudaDevice::land_keyframe() {
  fill_keyframe(config_, layout_, *keyframe_buffer_, keyframe_.step, *keyframe_.keyframe);
  keyframe_.keyframe = nullptr;
}

void CudaDevice::snapshot(Keyframe& keyframe, std::int64_t step) {
  release();
  if (level_ == RecordLevel::off) return;
  if (keyframe_.keyframe != nullptr) {
    ++stalls_;
    keyframe_.landed.wait_on_host();
    land_keyframe();
  }
  cudaStream_t stream = compute_.get();
  // With copies on their own stream the outputs may still be under way.
  if (keyframe.has_unsent) event(plan::EventName::post_process, step).wait_on(stream);
  const OpContext c = context(plan::Lane::compute);
  take_keyframe(c, keyframe_buffer_->outputs, pinned(step));
  const auto bring = [stream](auto to, const auto& from) {
    TANDEM_CUDA_CALL(
        cudaMemcpyAsync(to.data(), from.data(), to.size_bytes(), cudaMemcpyDeviceToHost, stream));
  };
  bring(keyframe_buffer_->image, std::span(image_, layout_.words));
  bring(keyframe_buffer_->infer_seed, c.tensors.infer_seed);
  bring(keyframe_buffer_->block_tables, c.tensors.block_tables);
  bring(keyframe_buffer_->table_len, c.tensors.table_len);
  keyframe_.landed.record(stream);
  keyframe_.keyframe = &keyframe;
  keyframe_.step = step;
}

void CudaDevice::drain() {
  release();
  TANDEM_CUDA_CALL(cudaStreamSynchronize(copy_.get()));
  TANDEM_CUDA_CALL(cudaStreamSynchronize(compute_.get()));
  if (activity_ != nullptr) activity_->flush();
  collect(true);
  if (keyframe_.keyframe != nullptr) land_keyframe();
}

void CudaDevice::halt() {
  held_back_.clear();
  group_ = LaunchGroups::kAlone;
  (void)cudaDeviceSynchronize();
  for (Flight& flight : flights_) flight.pending = nullptr;
  first_flight_ = next_flight_;
  spanless_.clear();
  keyframe_.keyframe = nullptr;
}

}  // namespace tandem::cuda
