// Reading the order of enqueueing, waiting and reading out of a chain of plan segments.
#include "sim/checks/plan_book.hpp"

#include <utility>

namespace tandem::sim {
namespace {

using plan::Buffer;
using plan::BufferUse;
using plan::EventName;
using plan::EventRef;
using plan::Lane;
using plan::Operation;
using plan::OpKind;
using plan::Symbol;

constexpr std::size_t kBuffers = static_cast<std::size_t>(Buffer::task_arrays_cpu) + 1;
constexpr std::size_t kEvents = static_cast<std::size_t>(EventName::copies_may_start) + 1;
constexpr std::int64_t kNever = -1;
constexpr std::size_t kChainsKept =
    64;  ///< a run has a handful; a broken trace may have any number

std::size_t at(Buffer buffer) { return static_cast<std::size_t>(buffer); }
std::size_t at(EventName name) { return static_cast<std::size_t>(name); }

/// The event that tells the host of a pinned buffer (2.2); none: not filled by the device.
EventName event_of(Buffer buffer) {
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

class ChainWalk {
 public:
  ChainWalk(const ChainGates& gates, std::int32_t depth) : gates_(gates), depth_(depth) {
    copied_.fill(kNever);
    for (auto& waits : waited_) waits.fill(kNever);
    recorded_.fill(kNever);
  }

  void enter(const plan::Segment& segment) {
    facts_.kinds.push_back(segment.kind);
    for (const Operation& op : segment.ops) visit(op);
  }

  ChainFacts take() {
    for (std::size_t b = 0; b < kBuffers; ++b) {
      if (pending_copy_[b]) fault(".uncovered", copied_[b], copy_op_[b]);
    }
    if (blocking_) fault(".scratch", blocking_since_, blocking_op_);
    return std::move(facts_);
  }

 private:
  void visit(const Operation& op) {
    if (!is_executed(op)) return;
    if (op.lane == Lane::host) {
      visit_host(op);
    } else {
      visit_device(op);
    }
    ++position_;
  }

  [[nodiscard]] bool is_executed(const Operation& op) const {
    if (op.gate == Symbol::tasks) return gates_.inserts;
    if (op.gate == Symbol::N) return gates_.launches;
    return true;
  }

  void fault(const char* what, std::int64_t position, OpKind op) {
    facts_.faults.push_back({what, position, op});
  }

  void visit_host(const Operation& op) {
    if (op.kind == OpKind::wait_event) {
      if (op.waits.step_offset == 0) waited_[0][at(op.waits.name)] = position_;
      if (op.waits.step_offset == -1) waited_[1][at(op.waits.name)] = position_;
      if (blocking_ && op.waits == EventRef{EventName::read_done, 0}) {
        if (op.gate != blocking_gate_ || recorded_[at(EventName::read_done)] < blocking_since_) {
          fault(".scratch", position_, op.kind);
        }
        blocking_ = false;
      }
      return;
    }
    if (blocking_) {  // the host goes on without the value that it asked for
      fault(".scratch", position_, op.kind);
      blocking_ = false;
    }
    for (const BufferUse& use : op.reads) read(op, use);
    if (op.kind == OpKind::send_message) ++facts_.sends;
    if (op.kind == OpKind::resolve) {
      for (const BufferUse& use : op.reads) {
        facts_.resolve_reads =
            facts_.resolve_reads || use == BufferUse{Buffer::seq_lens_this_time_cpu, true, 0};
      }
    }
  }

  /// The entry of this step must have been copied in it, told of, and waited for, in this order;
  /// the one of the step before was told of there.
  void read(const Operation& op, const BufferUse& use) {
    const EventName event = event_of(use.buffer);
    if (!use.ring || event == EventName::none) return;
    if (use.step_offset == 0) {
      const bool told = copied_[at(use.buffer)] != kNever && !pending_copy_[at(use.buffer)];
      const bool waited = waited_[0][at(event)] > recorded_[at(event)];
      if (!told || !waited) fault(".unwaited", position_, op.kind);
      return;
    }
    if (waited_[1][at(event)] == kNever) fault(".unwaited", position_, op.kind);
    if (depth_ == 1 && copied_[at(use.buffer)] != kNever) {
      fault(".overwritten", position_, op.kind);
    }
  }

  void visit_device(const Operation& op) {
    if (op.kind == OpKind::record_event) {
      recorded_[at(op.records.name)] = position_;
      for (std::size_t b = 0; b < kBuffers; ++b) {
        const bool covers = pending_copy_[b] && copy_lane_[b] == op.lane;
        const bool right = op.records == EventRef{event_of(static_cast<Buffer>(b)), 0};
        if (covers && right) pending_copy_[b] = false;
      }
      return;
    }
    if (op.kind == OpKind::read_draft_sum && op.substep >= 0 && op.substep < 32) {
      facts_.sum_reads |= 1U << static_cast<unsigned>(op.substep);
    }
    for (const BufferUse& use : op.writes) {
      if (use.buffer == Buffer::scratch_read_cpu) {
        if (blocking_) fault(".scratch", position_, op.kind);
        blocking_ = true;
        blocking_since_ = position_;
        blocking_op_ = op.kind;
        blocking_gate_ = op.gate;
      }
      if (!use.ring || event_of(use.buffer) == EventName::none) continue;
      copied_[at(use.buffer)] = position_;
      copy_lane_[at(use.buffer)] = op.lane;
      copy_op_[at(use.buffer)] = op.kind;
      pending_copy_[at(use.buffer)] = true;
    }
  }

  ChainFacts facts_;
  ChainGates gates_;
  std::int32_t depth_;
  std::int64_t position_ = 0;
  std::array<std::int64_t, kBuffers> copied_{};
  std::array<Lane, kBuffers> copy_lane_{};
  std::array<OpKind, kBuffers> copy_op_{};
  std::array<bool, kBuffers> pending_copy_{};
  std::array<std::array<std::int64_t, kEvents>, 2> waited_{};  ///< [-offset][name]
  std::array<std::int64_t, kEvents> recorded_{};
  bool blocking_ = false;
  std::int64_t blocking_since_ = 0;
  OpKind blocking_op_ = OpKind::resolve;
  Symbol blocking_gate_ = Symbol::one;
};

}  // namespace

void PlanBook::add(const plan::Segment& segment) {
  segments_.emplace(plan::segment_hash(segment), segment);
}

const plan::Segment* PlanBook::find(std::uint64_t hash) const {
  const auto found = segments_.find(hash);
  return found == segments_.end() ? nullptr : &found->second;
}

ChainFacts read_chain(const std::vector<const plan::Segment*>& chain, const ChainGates& gates,
                      std::int32_t depth) {
  ChainWalk walk(gates, depth);
  for (const plan::Segment* segment : chain) walk.enter(*segment);
  return walk.take();
}

const ChainFacts* ChainReader::read(const PlanBook& book, const std::vector<std::uint64_t>& hashes,
                                    const ChainGates& gates, std::int32_t depth,
                                    std::uint64_t& unknown) {
  const auto is = [&](const Entry& entry) {
    return entry.gates == gates && entry.hashes == hashes;
  };
  if (last_ < entries_.size() && is(entries_[last_])) return &entries_[last_].facts;
  for (last_ = 0; last_ < entries_.size(); ++last_) {
    if (is(entries_[last_])) return &entries_[last_].facts;
  }
  std::vector<const plan::Segment*> chain;
  for (const std::uint64_t hash : hashes) {
    chain.push_back(book.find(hash));
    unknown = hash;
    if (chain.back() == nullptr) return nullptr;
  }
  if (entries_.size() == kChainsKept) entries_.clear();
  entries_.push_back({hashes, gates, read_chain(chain, gates, depth)});
  last_ = entries_.size() - 1;
  return &entries_.back().facts;
}

}  // namespace tandem::sim
