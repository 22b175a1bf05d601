// RecordSink: the joint between a runtime that produces records and whoever consumes them.
#pragma once

#include <cstdint>

#include "traces/base/result.hpp"
#include "traces/keyframe.hpp"
#include "traces/plan/plan.hpp"
#include "traces/record.hpp"
#include "traces/run_config.hpp"

namespace tandem {

/// Calls come in this order: begin, then keyframe and its steps over and over, then end. A keyframe
/// opens a block: the first one comes before the first step. A segment may come anywhere before the
/// step that names it. Requests that arrived and were never admitted come before end, so that the
/// request table is whole. Arguments are borrowed for the call only. After a Status that failed
/// nothing more is called.
class RecordSink {
 public:
  RecordSink() = default;
  RecordSink(const RecordSink&) = delete;
  RecordSink& operator=(const RecordSink&) = delete;
  virtual ~RecordSink() = default;

  virtual Status begin(const TraceHeader& header) = 0;
  /// A plan segment, before the first step that executes it; each distinct one once a run.
  virtual Status segment(const plan::Segment& segment) = 0;
  virtual Status keyframe(const Keyframe& keyframe) = 0;
  virtual Status step(const StepRecord& record) = 0;
  virtual Status unadmitted(const RequestRow& row) = 0;
  /// `last` is the state after the last step: the final link of V0.
  virtual Status end(const Keyframe& last) = 0;
};

}  // namespace tandem
