// PlanBook: the plan segments of a trace, and what a step's chain of them says about order (V23).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "traces/plan/plan.hpp"

namespace tandem::sim {

/// Segments by hash. Grows while a trace is judged live; a segment stays where it is.
class PlanBook {
 public:
  void add(const plan::Segment& segment);
  /// Null where the trace does not define it.
  [[nodiscard]] const plan::Segment* find(std::uint64_t hash) const;

 private:
  std::map<std::uint64_t, plan::Segment> segments_;
};

/// What a step decides about the operations of its segments: those with a gate of 0 do not run.
struct ChainGates {
  bool inserts = false;   ///< Symbol::tasks
  bool launches = false;  ///< Symbol::N

  bool operator==(const ChainGates&) const = default;
};

/// An operation that breaks an order which V23 demands.
struct ChainFault {
  /// ".uncovered": a copy without the event that tells of it. ".unwaited": a host read of a pinned
  /// buffer before the wait on that event. ".overwritten": a host read of an entry that a copy
  /// enqueued earlier in the step overwrites. ".scratch": a blocking read that is not waited for at
  /// once.
  const char* what = "";
  std::int64_t position = 0;  ///< of the operation, counted through the chain
  plan::OpKind op = plan::OpKind::resolve;
};

/// A chain of segments, read once. Host order is the order of enqueueing.
struct ChainFacts {
  std::vector<plan::SegmentKind> kinds;
  std::vector<ChainFault> faults;
  std::uint32_t sum_reads = 0;  ///< bit j: sub-step j reads its rows from the device
  int sends = 0;                ///< send_message operations
  bool resolve_reads = false;   ///< resolve reads q: the launch is exact
};

/// `depth` is the number of entries of each pinned ring: entry t - 1 is entry t iff it is 1.
[[nodiscard]] ChainFacts read_chain(const std::vector<const plan::Segment*>& chain,
                                    const ChainGates& gates, std::int32_t depth);

/// Remembers the chains that a run repeats. Not thread-safe; one for each verifier.
class ChainReader {
 public:
  /// Null where a hash is not in the book; `unknown` is then the first such.
  const ChainFacts* read(const PlanBook& book, const std::vector<std::uint64_t>& hashes,
                         const ChainGates& gates, std::int32_t depth, std::uint64_t& unknown);

 private:
  struct Entry {
    std::vector<std::uint64_t> hashes;
    ChainGates gates;
    ChainFacts facts;
  };
  std::vector<Entry> entries_;
  std::size_t last_ = 0;
};

}  // namespace tandem::sim
