// Plan segments for TinyRun's records: waits, reads and copies of the host, nothing else.
#include "tests/support/sim_tiny.hpp"

namespace tandem::test {
namespace {

using plan::Buffer;
using plan::EventName;
using plan::Lane;
using plan::Operation;
using plan::OpKind;
using plan::Segment;
using plan::SegmentKind;

Operation wait(EventName name, int step_offset) {
  Operation op;
  op.kind = OpKind::wait_event;
  op.waits = {name, step_offset};
  return op;
}

Operation read(OpKind kind, Buffer buffer, int step_offset) {
  Operation op;
  op.kind = kind;
  op.reads = {{buffer, true, step_offset}};
  return op;
}

Operation copy(OpKind kind, Buffer buffer) {
  Operation op;
  op.kind = kind;
  op.lane = Lane::compute;
  op.writes = {{buffer, true, 0}};
  return op;
}

Segment segment(SegmentKind kind, std::vector<Operation> ops) {
  Segment out;
  out.kind = kind;
  out.ops = std::move(ops);
  return out;
}

}  // namespace

const std::vector<Segment>& tiny_segments() {
  static const std::vector<Segment> segments{
      segment(SegmentKind::front, {copy(OpKind::copy_seq_lens, Buffer::seq_lens_this_time_cpu)}),
      segment(SegmentKind::save, {wait(EventName::post_process, -1),
                                  read(OpKind::send_message, Buffer::accept_num_cpu, -1)}),
      segment(SegmentKind::settle, {wait(EventName::token_num, 0),
                                    read(OpKind::predict, Buffer::seq_lens_this_time_cpu, 0)}),
      segment(SegmentKind::back, {copy(OpKind::copy_outputs, Buffer::accept_num_cpu)}),
      segment(SegmentKind::empty, {}),
      segment(SegmentKind::idle, {}),
  };
  return segments;
}

std::vector<std::uint64_t> tiny_chain(StepKind kind, bool saves) {
  const auto hash = [](std::size_t i) { return plan::segment_hash(tiny_segments()[i]); };
  std::vector<std::uint64_t> chain{hash(0)};
  if (saves) chain.push_back(hash(1));
  chain.push_back(hash(2));
  chain.push_back(hash(3 + static_cast<std::size_t>(kind)));
  return chain;
}

}  // namespace tandem::test
