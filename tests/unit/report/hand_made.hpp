// Records with spans made by hand: a plan of one segment, times given one by one.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sim/report/analysis.hpp"

namespace tandem::test {

using plan::EventName;
using plan::Lane;
using plan::OpKind;

/// front: prepare_forward on the host, target_forward and copy_outputs on the compute stream, the
/// event post_process, the host's wait for it, which is of R2, and send_message.
inline plan::Segment hand_made_segment() {
  plan::Segment segment;
  const auto add = [&](OpKind kind, Lane lane, int row = -1) -> plan::Operation& {
    plan::Operation op;
    op.kind = kind;
    op.lane = lane;
    op.row = row;
    segment.ops.push_back(op);
    return segment.ops.back();
  };
  add(OpKind::prepare_forward, Lane::host, 13);
  add(OpKind::target_forward, Lane::compute);
  add(OpKind::copy_outputs, Lane::compute)
      .writes.push_back({plan::Buffer::accept_num_cpu, true, 0});
  add(OpKind::record_event, Lane::compute).records = {EventName::post_process, 0};
  add(OpKind::wait_event, Lane::host, 2).waits = {EventName::post_process, 0};
  add(OpKind::send_message, Lane::host, 2);
  return segment;
}

/// Positions in that segment.
constexpr std::int32_t kPrepare = 0;
constexpr std::int32_t kForward = 1;
constexpr std::int32_t kCopy = 2;
constexpr std::int32_t kWait = 4;
constexpr std::int32_t kSend = 5;

struct HandMade {
  plan::Segment segment = hand_made_segment();
  std::vector<StepRecord> records;

  StepRecord& step(Nanos start_ns, Nanos end_ns) {
    StepRecord record;
    record.t = static_cast<std::int64_t>(records.size());
    record.segments = {plan::segment_hash(segment)};
    record.start_ns = start_ns;
    record.end_ns = end_ns;
    record.token_num = 8;
    record.messages.emplace_back();
    records.push_back(record);
    return records.back();
  }

  static void span(StepRecord& record, Lane lane, std::int32_t op, Nanos start_ns, Nanos end_ns) {
    record.spans.push_back({static_cast<std::int32_t>(lane), 0, op, start_ns, end_ns});
  }

  /// A step in which the host waits for its own output: 100 ns of preparation, two launches of 10,
  /// 500 of forward, 50 of copy, 20 to wake up, 30 to send.
  StepRecord& sync_step(Nanos at_ns) {
    StepRecord& r = step(at_ns, at_ns + 710);
    span(r, Lane::host, kPrepare, at_ns, at_ns + 100);
    span(r, Lane::host, kForward, at_ns + 100, at_ns + 110);
    span(r, Lane::compute, kForward, at_ns + 110, at_ns + 610);
    span(r, Lane::host, kCopy, at_ns + 110, at_ns + 120);
    span(r, Lane::compute, kCopy, at_ns + 610, at_ns + 660);
    span(r, Lane::host, kWait, at_ns + 120, at_ns + 680);
    span(r, Lane::host, kSend, at_ns + 680, at_ns + 710);
    return r;
  }

  /// Steps of all records; an error of the builder where one is found.
  [[nodiscard]] Result<std::vector<sim::StepTimeline>> timelines(sim::TimelineBuilder& builder) {
    builder.add_segment(segment);
    std::vector<sim::StepTimeline> steps;
    steps.reserve(records.size());
    for (const StepRecord& record : records) {
      steps.emplace_back();
      TANDEM_RETURN_IF_ERROR(builder.add(record, steps.back()));
    }
    return steps;
  }

  /// The report over all records, none left out.
  [[nodiscard]] sim::TimelineReport report() {
    sim::TimelineBuilder builder;
    const auto steps = timelines(builder);
    TANDEM_CHECK(steps.ok());
    sim::TimelineAnalysis analysis({0, INT64_MAX, 0, 0, true});
    for (const sim::StepTimeline& step : steps.value()) analysis.add(step);
    return analysis.finish(builder.coverage());
  }
};

}  // namespace tandem::test
