// SegmentBook: the plan segments of a trace and what V23 makes of the chains that steps name.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "traces/plan/plan.hpp"
#include "traces/record.hpp"

namespace tandem::sim {

/// What is wrong with a chain of segments, in the order in which it is looked for.
enum class ChainFault : std::uint8_t {
  none,
  unknown_segment,  ///< the trace does not define it
  wrong_kind,       ///< not front, save, settle, then the record's kind, each once
  read_unwaited,    ///< the host reads a pinned buffer before it waited for the copy's event
  read_overwritten  ///< it reads the entry of the step before behind a copy into the same entry
};

struct ChainVerdict {
  ChainFault fault = ChainFault::none;
  std::int32_t segment = -1;  ///< index in the chain
  bool saves = false;         ///< the chain has a save segment
};

class SegmentBook {
 public:
  explicit SegmentBook(std::int32_t ring_depth = 1) : ring_depth_(ring_depth) {}

  void add(const plan::Segment& segment);

  /// Pure: same chain, same verdict; may be called from several threads.
  [[nodiscard]] ChainVerdict judge(const std::vector<std::uint64_t>& chain, StepKind kind) const;

 private:
  std::int32_t ring_depth_;
  std::map<std::uint64_t, plan::Segment> segments_;
};

}  // namespace tandem::sim
