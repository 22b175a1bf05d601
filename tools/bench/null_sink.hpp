// Takes records and throws them away: what is left of a run's cost is recording itself.
#pragma once

#include "traces/sink.hpp"

namespace tandem::bench {

class NullSink : public RecordSink {
 public:
  Status begin(const TraceHeader&) override { return {}; }
  Status segment(const plan::Segment&) override { return {}; }
  Status keyframe(const Keyframe&) override { return {}; }
  Status step(const StepRecord&) override { return {}; }
  Status unadmitted(const RequestRow&) override { return {}; }
  Status end(const Keyframe&) override { return {}; }
};

}  // namespace tandem::bench
