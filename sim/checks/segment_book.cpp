// Walks a chain of segments as the host does: waits, reads, and copies it enqueues.
#include "sim/checks/segment_book.hpp"

#include <set>
#include <utility>

namespace tandem::sim {
namespace {

using plan::Buffer;
using plan::EventName;
using plan::SegmentKind;

/// The event that tells of the copy into a pinned buffer (2.2); none: the host's own memory.
EventName covering_event(Buffer buffer) {
  switch (buffer) {
    case Buffer::seq_lens_this_time_cpu:
    case Buffer::is_block_step_cpu:
      return EventName::token_num;
    case Buffer::output_token_num_cpu:
      return EventName::output_token_num;
    case Buffer::accept_tokens_cpu:
    case Buffer::accept_num_cpu:
    case Buffer::seq_lens_decoder_cpu:
    case Buffer::prompt_lens_cpu:
      return EventName::post_process;
    default:
      return EventName::none;
  }
}

SegmentKind last_kind(StepKind kind) {
  switch (kind) {
    case StepKind::back:
      return SegmentKind::back;
    case StepKind::empty:
      return SegmentKind::empty;
    case StepKind::idle:
      break;
  }
  return SegmentKind::idle;
}

/// The host's view of one step.
class HostWalk {
 public:
  explicit HostWalk(std::int32_t ring_depth) : ring_depth_(ring_depth) {}

  ChainFault visit(const plan::Segment& segment) {
    for (const plan::Operation& op : segment.ops) {
      const bool host = op.lane == plan::Lane::host;
      if (host && op.kind == plan::OpKind::wait_event) {
        waited_.emplace(op.waits.name, op.waits.step_offset);
      }
      if (host) {
        const ChainFault fault = check_reads(op);
        if (fault != ChainFault::none) return fault;
        continue;
      }
      for (const plan::BufferUse& use : op.writes) {
        if (use.ring && use.step_offset == 0) enqueued_.insert(use.buffer);
      }
    }
    return ChainFault::none;
  }

 private:
  [[nodiscard]] ChainFault check_reads(const plan::Operation& op) const {
    for (const plan::BufferUse& use : op.reads) {
      const EventName event = covering_event(use.buffer);
      if (!use.ring || event == EventName::none) continue;
      if (waited_.count({event, use.step_offset}) == 0) return ChainFault::read_unwaited;
      const bool overwritten = use.step_offset < 0 && enqueued_.count(use.buffer) != 0;
      if (overwritten && ring_depth_ <= -use.step_offset) return ChainFault::read_overwritten;
    }
    return ChainFault::none;
  }

  std::int32_t ring_depth_;
  std::set<std::pair<EventName, int>> waited_;
  std::set<Buffer> enqueued_;  ///< entries of this step that a copy has been enqueued into
};

}  // namespace

void SegmentBook::add(const plan::Segment& segment) {
  segments_.emplace(plan::segment_hash(segment), segment);
}

ChainVerdict SegmentBook::judge(const std::vector<std::uint64_t>& chain, StepKind kind) const {
  ChainVerdict verdict;
  const auto stop = [&verdict](ChainFault fault, std::size_t index) {
    verdict.fault = fault;
    verdict.segment = static_cast<std::int32_t>(index);
    return verdict;
  };
  HostWalk walk(ring_depth_);
  std::vector<SegmentKind> kinds;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const auto found = segments_.find(chain[i]);
    if (found == segments_.end()) return stop(ChainFault::unknown_segment, i);
    kinds.push_back(found->second.kind);
    const ChainFault fault = walk.visit(found->second);
    if (fault != ChainFault::none) return stop(fault, i);
  }
  verdict.saves = kinds.size() == 4;
  std::vector<SegmentKind> want{SegmentKind::front, SegmentKind::settle, last_kind(kind)};
  if (verdict.saves) want.insert(want.begin() + 1, SegmentKind::save);
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (i >= kinds.size() || kinds[i] != want[i]) return stop(ChainFault::wrong_kind, i);
  }
  if (kinds.size() > want.size()) return stop(ChainFault::wrong_kind, want.size());
  return verdict;
}

}  // namespace tandem::sim
