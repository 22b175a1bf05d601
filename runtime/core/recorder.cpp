// Order of records on their way to the sink.
#include "runtime/core/recorder.hpp"

#include <algorithm>
#include <utility>

#include "traces/base/check.hpp"

namespace tandem {
namespace {

constexpr std::int64_t kSlotStepsPerBlock = 32768;  // a few hundred kilobytes of records

std::int64_t default_block_steps(const RunConfig& config) {
  return std::clamp<std::int64_t>(kSlotStepsPerBlock / config.max_num_seqs, 64, 4096);
}

}  // namespace

Recorder::Recorder(const RunConfig& config, RecordSink* sink, RecordLevel level,
                   std::int64_t block_steps)
    : config_(config),
      sink_(sink),
      level_(sink != nullptr ? level : RecordLevel::off),
      block_steps_(block_steps > 0 ? block_steps : default_block_steps(config)) {}

Status Recorder::begin(const TraceHeader& header) {
  return recording() ? sink_->begin(header) : Status{};
}

Recorder::Entry& Recorder::fresh_entry() {
  if (spare_.empty()) {
    entries_.push_back(std::make_unique<Entry>());
  } else {
    entries_.push_back(std::move(spare_.back()));
    spare_.pop_back();
  }
  Entry& entry = *entries_.back();
  entry.has_keyframe = entry.closed = false;
  return entry;
}

Keyframe& Recorder::open_keyframe() {
  TANDEM_CHECK(!keyframe_open_);
  keyframe_open_ = true;
  Entry& entry = fresh_entry();
  entry.has_keyframe = true;
  return entry.keyframe;
}

PendingStep& Recorder::open_step() {
  Entry& entry = keyframe_open_ ? *entries_.back() : fresh_entry();
  keyframe_open_ = false;
  entry.step.level = level_;
  entry.step.record.reset(level_, config_.max_num_seqs, config_.num_model_steps,
                          config_.row_width());
  return entry.step;
}

void Recorder::close_step() {
  TANDEM_CHECK(!entries_.empty() && !entries_.back()->closed);
  entries_.back()->closed = true;
  records_in_block_ = records_in_block_ + 1 == block_steps_ ? 0 : records_in_block_ + 1;
}

Status Recorder::announce(const plan::Segment& segment, std::uint64_t hash) {
  if (!recording() || !announced_.insert(hash).second) return {};
  return sink_->segment(segment);
}

Status Recorder::flush(const Device& device, std::int64_t end) {
  while (!entries_.empty() && entries_.front()->closed) {
    Entry& entry = *entries_.front();
    const StepRecord& record = entry.step.record;
    if (record.t >= end || !device.finished(record.t)) break;
    if (recording()) {
      if (entry.has_keyframe) TANDEM_RETURN_IF_ERROR(sink_->keyframe(entry.keyframe));
      TANDEM_RETURN_IF_ERROR(sink_->step(record));
    }
    spare_.push_back(std::move(entries_.front()));
    entries_.pop_front();
  }
  return {};
}

Status Recorder::unadmitted(const RequestRow& row) {
  return recording() ? sink_->unadmitted(row) : Status{};
}

Status Recorder::end(const Device& device, const Keyframe& last) {
  TANDEM_RETURN_IF_ERROR(flush(device, kDrained));
  TANDEM_CHECK(entries_.empty());
  return recording() ? sink_->end(last) : Status{};
}

}  // namespace tandem
