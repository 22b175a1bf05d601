// TinyRun: hand-made, clean records for tests of the judge. One object a slot, real token rows, no
// code of runtime, kernels or sim: a third reading of the semantics, slow and plain.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "tests/support/sim_tiny_plan.hpp"
#include "traces/sink.hpp"
#include "traces/tbt.hpp"

namespace tandem::test {

/// A device slot and what its engine knows.
struct TinySlot {
  RequestRow row;
  std::int32_t request = -1, given = 0;
  std::int32_t q = 0, e = 0, d = 0, b = 0, g = 0, a = 0, p = 0;
  bool s = true, chunk = false, ended = false, aborted = false;
  std::vector<std::int64_t> row_tokens;  ///< D, W entries, -1: none
  std::vector<std::int64_t> accepted;    ///< A[0..a)
  std::int32_t step_q = 0, step_d = 0;
  std::vector<std::int64_t> step_tokens;
  std::vector<std::int32_t> table;
  std::int32_t hq = 0, he = 0, hd = 0, hg = 0;  ///< the proposer's
  bool hs = true;
  std::int32_t known_d = 0, known_g = 0, in_flight = 0;
  std::int64_t seed = 0, seed_used = 0;  ///< infer_seed; as the step in hand read it
  std::int32_t g_before = 0;             ///< g as the stop sequences of this step see it
  bool by_stop = false;                  ///< a stop sequence ended it
  std::int32_t right_drafts = 0;         ///< leading drafts of D made from the right hidden rows
};

/// Where a hidden row comes from.
struct TinyHidden {
  std::int32_t request = -1, position = 0, phase = 0;
};

/// Digest of staged tasks, in `pinned_copies` (traces/FORMAT.md, "Digests").
[[nodiscard]] std::int32_t staged_digest(const std::vector<Task>& tasks);

class TinyRun {
 public:
  TinyRun(const RunConfig& config, std::int64_t first_step, RecordLevel level = RecordLevel::state);

  // Tasks for the next step. Blocks come from a pool that never runs dry.
  void prefill(std::int32_t slot, const RequestRow& row, std::int32_t blocks);
  void chunk(std::int32_t slot, const RequestRow& row, std::int32_t start, std::int32_t end,
             std::int32_t blocks);
  void dnode(std::int32_t slot, const RequestRow& row, std::int32_t drafts, std::int32_t blocks);
  void refresh(std::int32_t slot, std::int32_t blocks);
  /// A preempted request comes back with `generated` tokens behind its prompt.
  void resume(std::int32_t slot, const RequestRow& row, std::int32_t generated,
              std::int32_t blocks);
  void preempt(std::int32_t slot);
  /// Keeps what its row's trigger says of the tokens delivered so far; all where that is -1.
  void abort(std::int32_t slot);

  /// Runs one iteration. The record is valid until the next call.
  const StepRecord& step();

  [[nodiscard]] Keyframe keyframe() const;
  [[nodiscard]] const TinySlot& slot(std::int32_t i) const {
    return slots_.at(static_cast<std::size_t>(i));
  }

 private:
  Task& new_task(TaskKind kind, std::int32_t slot, std::int32_t blocks);
  void admit(Task& task, const RequestRow& row);
  void insert(const Task& task);
  void recover();
  void launch();
  void pack();
  void save();
  void receive(const Message& message, std::size_t slots);
  void predict();
  void verify_and_update();
  void compose();
  void propose();
  void substep(std::int32_t j);
  void keep_own_rows(std::int32_t j);
  [[nodiscard]] TinyHidden self_row(std::int32_t slot,
                                    const std::vector<TinyHidden>& rebuilt) const;
  void apply_stop_sequence(TinySlot& slot) const;
  void use_seeds();
  void extend_by_ngram();
  void schedule();
  // The host's side of the record and level `full`: sim_tiny_host.cpp.
  void write_beliefs();
  [[nodiscard]] std::int32_t graph_for(std::int32_t bsz, std::int32_t rows) const;
  void write_graphs();
  void write_uses();
  void write_slots(SlotColumns& out) const;
  void write_draft_tokens(std::vector<std::int64_t>& out) const;
  void write_accepted_tokens();
  void write_full_totals();
  void write_p1();
  void write_p2();
  void write_p4();
  [[nodiscard]] std::int32_t script_commits(const TinySlot& slot) const;
  [[nodiscard]] std::int64_t token(const TinySlot& slot, std::int32_t generated) const;
  [[nodiscard]] std::int32_t digest(const std::vector<std::int64_t>& tokens, std::size_t first,
                                    std::size_t end, unsigned bits) const;
  [[nodiscard]] std::size_t row_length(const TinySlot& slot) const;

  RunConfig config_;
  std::vector<TinySlot> slots_;
  std::vector<Task> tasks_;
  StepRecord r_;
  std::int64_t t_;
  std::int32_t n_ = 0, next_block_ = 0;
  bool flag_ = false, draft_flag_ = false, ghost_ = false, has_unsent_ = false;
  CachedPair cached_;
  Message unsent_;
  Column q_cpu_, b_cpu_, marked_, last_marked_;
  RecordLevel level_;
  TinyPlan plan_;
  Column q_before_;                 ///< q_cpu of the step before
  std::vector<TinyHidden> hidden_;  ///< by slot: the row that its next sub-step consumes first
  std::vector<std::int32_t> hq_before_, he_before_;  ///< proposer's, before the last update
};

/// Blocks of records in memory: what a decoded file is to the judge.
struct TinyTrace {
  struct Block {
    Keyframe keyframe;
    std::vector<StepRecord> records;
  };

  TraceHeader head;
  std::vector<plan::Segment> segments;
  std::vector<Block> content;
  Keyframe end_state;
  bool has_end = true;
  std::size_t broken_block =
      static_cast<std::size_t>(-1);  ///< decoding fails behind its first record
};

/// Reads a TinyTrace, which outlives it and keeps its number of blocks.
class TinyReader : public TraceReader {
 public:
  explicit TinyReader(const TinyTrace& trace);

  [[nodiscard]] const TraceHeader& header() const override { return trace_.head; }
  [[nodiscard]] const std::vector<BlockInfo>& blocks() const override { return infos_; }
  [[nodiscard]] Result<std::unique_ptr<BlockReader>> open_block(std::size_t index) const override;
  [[nodiscard]] const std::vector<plan::Segment>& segments() const override {
    return trace_.segments;
  }
  [[nodiscard]] const std::vector<RequestRow>& unadmitted() const override { return unadmitted_; }
  [[nodiscard]] const Keyframe* last() const override {
    return trace_.has_end ? &trace_.end_state : nullptr;
  }
  [[nodiscard]] const TraceDamage* damage() const override { return nullptr; }

 private:
  const TinyTrace& trace_;
  std::vector<BlockInfo> infos_;
  std::vector<RequestRow> unadmitted_;
};

/// The worked example of semantics 9.4 (K = M = 2, B = 2), t = 2 to 7, then slot 1 revived and
/// decoding on to t = 11. One block; `cut_every` > 0 opens a new one that often.
[[nodiscard]] TinyTrace worked_example(std::size_t cut_every = 0,
                                       RecordLevel level = RecordLevel::state);

/// Its configuration: overlap, predict-rows-hidden, acceptance from lists.
[[nodiscard]] RunConfig tiny_config();

/// Records `steps` iterations of a run; `before` may add tasks to iteration i.
[[nodiscard]] TinyTrace record_run(const RunConfig& config, std::int64_t first_step, int steps,
                                   std::size_t cut_every,
                                   const std::function<void(TinyRun&, int)>& before,
                                   RecordLevel level = RecordLevel::state);

}  // namespace tandem::test
