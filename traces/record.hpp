// StepRecord: everything one rank knew and did in one loop iteration, host and device side by side.
//
// Semantics 9.1, fixed by architecture 4 and 4.1. Columns, not objects: a per-slot field is an
// array of B entries. Points: P0 after insert, P1 after recover (the copy point), P2 after
// unified_update, P3 after propose, P4 after schedule_cache. Records are reused from step to step:
// clear() keeps memory.
#pragma once

#include <cstdint>
#include <vector>

#include "traces/base/hash.hpp"
#include "traces/base/ids.hpp"
#include "traces/run_config.hpp"

namespace tandem {

/// How the step ended (architecture 4.1 "Step").
enum class StepKind : std::uint8_t {
  back,   ///< r > 0: verified, proposed, saved
  empty,  ///< r = 0 < N: a ghost step. Holds P1 and the main launch only; P4 is P1
  idle    ///< N = 0: nothing launched. Holds P1 only; P4 is P1. May stand for `repeat` iterations
};

enum class LaunchMode : std::uint8_t { exact, predicted };  ///< how N came about (4.2 resolve)

enum class TaskKind : std::uint8_t {
  /// 6.1 a chunk [start, end) of the text; the first of its generation admits the request
  prefill,
  dnode,    ///< 6.2 KV and drafts arrive from a P node
  decode,   ///< 6.3 block-table refresh
  preempt,  ///< 6.6
  abort     ///< 6.6
};

/// A request as the workload defines it, and what it needs to be judged. The row of the request
/// table.
struct RequestRow {
  RequestId id = kNoRequest;
  std::int64_t arrival = 0;      ///< in the header's ArrivalUnit
  std::int32_t prompt_len = 0;   ///< P, tokens
  std::int32_t max_dec_len = 0;  ///< limit of generated tokens
  std::int32_t eos_at = 0;  ///< the target's eos_at-th generated token is EOS (1-based); 0: never
  std::vector<std::int32_t> accept;  ///< AcceptKind::list: tokens committed per step, each >= 1
  /// The stop sequence ends at the stop_at-th generated token (1-based); 0: none. The step that
  /// sees it ends the output with EOS as token stop_at + 1 (5.6).
  std::int32_t stop_at = 0;
  std::int32_t stop_len = 0;       ///< its tokens L, 1..stop_at where stop_at > 0
  std::int32_t min_tokens = 0;     ///< a step that ends with fewer tokens matches no stop sequence
  std::int32_t cached_prompt = 0;  ///< leading text tokens that a prefix cache holds, < prompt_len
  /// The client aborts once so many tokens were delivered, and keeps no more of them; 0: in the
  /// insert that admits it; -1: never, or not known.
  std::int32_t abort_after = -1;

  bool operator==(const RequestRow&) const = default;
};

/// How a request left the system.
enum class StopReason : std::uint8_t { open, eos, length, stop, abort };

struct RequestOutcome {
  RequestId id = kNoRequest;
  std::int32_t output_len = 0;  ///< tokens delivered, a D node's token 0 included
  StopReason reason = StopReason::open;

  bool operator==(const RequestOutcome&) const = default;
};

/// One task of insert(t), in executed order.
struct Task {
  TaskKind kind = TaskKind::prefill;
  std::int32_t slot = 0;
  RequestId request = kNoRequest;
  std::int32_t generation = 0;  ///< how often this slot had been given away before
  std::int32_t start = 0;     ///< prefill: first text position. dnode: tokens whose KV is there (d)
  std::int32_t end = 0;       ///< prefill: one past the last text position
  std::int32_t text_len = 0;  ///< prefill: prompt + generated so far (p). dnode: prompt length
  std::int32_t generated = 0;     ///< tokens generated before this generation. dnode: 1
  std::int32_t drafts = 0;        ///< dnode: L, drafts delivered; q becomes L + 1
  std::int32_t draft_digest = 0;  ///< dnode: 8-bit digest of D[1..L]
  std::int32_t last_digest = 0;   ///< dnode: 8-bit digest of D[0]
  bool admits = false;  ///< prefill/dnode: first task of this (slot, generation); row is filled
  RequestRow row;       ///< where `admits`
  std::vector<std::int32_t> blocks;  ///< block ids appended to the slot's table by this task

  bool operator==(const Task&) const = default;
};

/// Slot state at one point, all B slots.
struct SlotColumns {
  Column q;  ///< seq_lens_this_time
  Column e;  ///< seq_lens_encoder
  Column d;  ///< seq_lens_decoder
  Column s;  ///< stop_flags, 0 or 1
  Column b;  ///< is_block_step, 0 or 1
  Column g;  ///< step_idx
  Column a;  ///< accept_num

  bool operator==(const SlotColumns&) const = default;
};

/// D, the next step's input row, as counts and digests: no token ids.
struct DraftRowColumns {
  Column len;     ///< leading entries that are not -1, 0..W
  Column hole;    ///< 1 where an entry behind the first -1 is not -1
  Column digest;  ///< 8-bit keyed digest of D[1..len)
  Column first;   ///< 8-bit keyed digest of D[0]

  bool operator==(const DraftRowColumns&) const = default;
};

/// Bits of StepRecord::accept_marks.
constexpr std::int32_t kMarkLastIsEos = 1;   ///< A[a-1] is an EOS id
constexpr std::int32_t kMarkEarlierEos = 2;  ///< some A[x], x < a-1, is an EOS id
constexpr std::int32_t kMarkNegative = 4;    ///< some A[x], x < a, is negative

/// A stretch of the packed token axis: `rows` rows that carry batch id `slot` (-1: padding).
struct RowRun {
  std::int32_t slot = -1;
  std::int32_t rows = 0;

  bool operator==(const RowRun&) const = default;
};

/// Who else uses a number of tokens of a step (9.2 V31).
enum class CountUser : std::uint8_t {
  routing_replay,  ///< expert routing of a step: its valid rows T
  sampling_mask    ///< logprobs and sampling masks of a message: the tokens it delivers
};

/// A count as a consumer used it, with the step it took it from.
struct CountUse {
  CountUser user = CountUser::routing_replay;
  std::int64_t step = 0;
  std::int64_t count = 0;

  bool operator==(const CountUse&) const = default;
};

/// A copy from pinned memory to the device: 16-bit digests of its source (V39).
struct PinnedCopy {
  std::int32_t buffer = 0;      ///< plan::Buffer
  std::int32_t at_enqueue = 0;  ///< when the host enqueued the copy
  std::int32_t at_copy = 0;     ///< when the device executed it

  bool operator==(const PinnedCopy&) const = default;
};

/// One sub-step of the MTP head (3.2.1). The columns are the device's at its entry.
struct DraftSubstep {
  bool launched = false;       ///< false: skipped (token_num = 0, or R3/R9 sync saw nothing to do)
  bool blocking = false;       ///< token_num was read from the device
  std::int32_t token_num = 0;  ///< rows launched
  std::int32_t hidden_rows = 0;    ///< rows of the hidden states it consumes
  std::int32_t captured_size = 0;  ///< CUDA-graph size, 0 = eager
  std::int32_t device_sum = 0;     ///< sum of qd on the device
  std::int32_t id_below = 0;       ///< as in StepRecord, of the head's embedding
  std::int32_t id_above = 0;
  Column qd;  ///< draft seq_lens_this_time
  Column dd;  ///< draft seq_lens_decoder
  /// Provenance of the hidden rows the slot consumes (V32); request -1 and zeros where qd = 0.
  Column row_request;   ///< request of the first row
  Column row_position;  ///< text position of the first row's input token
  Column row_phase;     ///< 0: a row of the target; j >= 1: a row of sub-step j-1
  Column row_count;     ///< rows, from the first on, that continue it: same request, next position
  std::int32_t live_tail = 0;  ///< as StepRecord::live_tail, of this launch

  bool operator==(const DraftSubstep&) const = default;
};

/// Draft (proposer) state around propose; all B slots.
struct DraftShadowColumns {
  Column q, e, d, g, s;

  bool operator==(const DraftShadowColumns&) const = default;
};

/// What the engine was sent (5.14), or the preempt-only control output (6.6).
struct Message {
  bool control = false;    ///< the preempt-only output of a step without postprocess
  std::int64_t step = 0;   ///< the step it belongs to
  std::int32_t slots = 0;  ///< n of that step (control: highest marked slot + 1)
  Column count;            ///< tokens; 0; or kPreemptMark
  Column digest;           ///< 16-bit digest of the tokens sent, 0 where count <= 0
  Column seq_len;          ///< seq_lens_decoder_cpu as copied
  Column request;     ///< where count is not 0: request of the slot as the sender holds it; else -1
  Column generation;  ///< its generation; else 0

  bool operator==(const Message&) const = default;
};

/// A pair (N-hat, r-hat), both -1 when unusable.
struct CachedPair {
  std::int32_t token_num = -1;
  std::int32_t real_bsz = -1;

  bool operator==(const CachedPair&) const = default;
};

/// A slot given back to the free list by the engine.
struct SlotFree {
  std::int32_t slot = 0;
  std::int32_t generation = 0;

  bool operator==(const SlotFree&) const = default;
};

/// A place where the API log differs from the plan.
struct PlanDeviation {
  std::int32_t lane = 0;       ///< plan::Lane
  std::int32_t position = 0;   ///< index in that lane's log
  std::int32_t expected = -1;  ///< plan::OpKind, -1: nothing
  std::int32_t found = -1;     ///< plan::OpKind, -1: nothing

  bool operator==(const PlanDeviation&) const = default;
};

/// When an operation of the plan ran; level `timeline`. Events of a stream take no time and have no
/// span. A span on the host lane of an operation of another lane is the launch of it.
struct Span {
  std::int32_t lane = 0;     ///< plan::Lane, where the time was spent
  std::int32_t segment = 0;  ///< index into StepRecord::segments
  std::int32_t op = 0;       ///< index of the operation in that segment
  Nanos start_ns = 0;
  Nanos end_ns = 0;

  bool operator==(const Span&) const = default;
};

struct StepRecord {
  // -- the loop -----------------------------------------------------------------------------------
  std::int64_t t = 0;       ///< loop iteration
  std::int64_t repeat = 1;  ///< iterations this record stands for; > 1 only for a quiet idle run
  StepKind kind = StepKind::back;
  std::int32_t n = 0;  ///< length of the seq_lens_this_time view: highest occupied slot + 1
  std::vector<std::uint64_t> segments;    ///< plan segments executed, by hash
  std::vector<PlanDeviation> deviations;  ///< API log against plan; empty when equal
  std::vector<Task> tasks;                ///< insert(t), in executed order
  std::vector<PinnedCopy> pinned_copies;  ///< host-to-device copies of this iteration, in order
  std::vector<RequestOutcome> outcomes;   ///< requests the engine closed in this iteration
  std::vector<SlotFree> frees;            ///< slots the engine freed in this iteration

  // -- the host's beliefs -------------------------------------------------------------------------
  bool flag_in = false;        ///< runner.exist_prefill_flag as resolve and predict see it
  bool flag_out = false;       ///< at the end of the iteration
  bool draft_flag_in = false;  ///< proposer.exist_prefill_flag as propose sees it
  bool draft_flag_out = false;
  LaunchMode mode = LaunchMode::exact;
  CachedPair cached_in;            ///< as resolve sees it (after a D-node insert forced -1)
  CachedPair cached_out;           ///< left for the next step
  std::int32_t token_num = 0;      ///< N, rows of the main launch
  std::int32_t launch_bsz = 0;     ///< rr, chooses the graph
  std::int32_t real_bsz = 0;       ///< r, exact, from W2 on
  std::int32_t captured_size = 0;  ///< CUDA-graph size of the main launch in rows, 0 = eager
  Column q_cpu;                    ///< seq_lens_this_time_cpu as the host read it
  Column b_cpu;                    ///< is_block_step_cpu as the host read it
  std::int64_t q_cpu_step = 0;     ///< stamp copied along: the step q_cpu belongs to
  std::int64_t b_cpu_step = 0;
  Column believed_len;      ///< believed length per slot at launch (4.2b); 0 where not occupied
  Column believed_reserve;  ///< KV tokens reserved beyond it

  // -- P1 and the main launch ---------------------------------------------------------------------
  SlotColumns p1;  ///< `a` is not recorded here and stays 0
  Column p1_p;     ///< prompt_lens
  DraftRowColumns p1_draft;
  Column p1_table_hash;  ///< 32-bit hash of the device's block-table row (block_entry_hash)
  Column p1_request;     ///< request whose data a running or parked device slot holds, else -1
  Column p1_generation;  ///< its generation, else 0
  std::vector<std::int32_t> cu_seqlens_q;         ///< n + 1 entries; empty where N = 0
  std::vector<std::int32_t> cu_seqlens_q_output;  ///< n + 1 entries; empty where N = 0
  std::vector<RowRun> row_runs;                   ///< batch_id_per_token[0..N)
  std::vector<RowRun> output_runs;                ///< batch_id_per_token_output[0..R)
  std::int32_t output_rows = 0;                   ///< R on the device
  std::int32_t output_rows_host = 0;  ///< R as the host used it (R11 bound: n W); -1: not used
  /// Strays among the ids that reached the target's embedding, padding and stale rows up to the
  /// captured size included (V9, V34): the least id if it is negative, else 0; the greatest if it
  /// is vocab_size or more, else 0.
  std::int32_t id_below = 0;
  std::int32_t id_above = 0;
  bool guard_tripped = false;  ///< device rows beyond the launch were dropped by the guard
  /// What a launch would compute that is no one's: rows from T up to the greater of N and the
  /// captured size whose batch id is not -1, plus slots from n on whose q is not 0 (8.3).
  std::int32_t live_tail = 0;

  // -- P2: verified and updated; of kind `back` only, else everything from here to P4 stays zero
  // ---
  SlotColumns p2;
  /// 16-bit keyed digest of A[0..a); 0 where the step ran a chunk that does not finish its text
  /// (e > 0 at P1, d < p here): its token is sent to nobody.
  Column accept_digest;
  Column last_digest;   ///< 8-bit keyed digest of A[a-1], 0 where a = 0
  Column accept_marks;  ///< kMark... bits
  Column p2_first;      ///< 8-bit keyed digest of D[0]
  /// Of slots that ran, else 0 (V35, V38):
  Column enqueue_generation;  ///< generation as the host held it when it enqueued these writes
  Column p2_generation;       ///< generation of the device slot when unified_update wrote
  Column seed_used;           ///< low 31 bits of infer_seed as build_sampling_params read it (5.4)
  Column stop_step_idx;       ///< g as set_stop_value read it (5.6)

  // -- P3: proposed -------------------------------------------------------------------------------
  Column draft_e;  ///< draft seq_lens_encoder at entry of sub-step 0
  /// Sub-step 0: rows whose input token is text position row + 1 (V32). The last row of a chunk
  /// that does not finish its text meets a token that is nobody's and never counts.
  Column paired;
  std::vector<DraftSubstep> substeps;  ///< M entries
  DraftShadowColumns shadow;           ///< after the last sub-step

  // -- P4: cache scheduled ------------------------------------------------------------------------
  SlotColumns p4;
  DraftRowColumns p4_draft;
  Column step_q;       ///< step_seq_lens_this_time
  Column step_d;       ///< step_seq_lens_decoder
  Column step_digest;  ///< 8-bit keyed digest of step_draft_tokens[1..step_q)

  // -- sent in this iteration ---------------------------------------------------------------------
  std::vector<Message> messages;     ///< in order; at most the saved output and one control output
  std::vector<CountUse> count_uses;  ///< in the order of use

  // -- level timeline -----------------------------------------------------------------------------
  std::vector<Span> spans;
  Nanos start_ns = 0;  ///< host clock at the start of the iteration
  Nanos end_ns = 0;

  // -- level full ---------------------------------------------------------------------------------
  SlotColumns p0;
  SlotColumns p3;
  std::vector<std::int64_t> p1_tokens;  ///< D at P1, B x W
  std::vector<std::int64_t> p2_tokens;  ///< A at P2, B x W; -1 behind the a accepted ones
  std::vector<std::int64_t> p4_tokens;  ///< D at P4, B x W
  /// V11: before each step rows >= T of the hidden states (up to N) and rows >= R of
  /// batch_id_per_token_output (up to n W) are filled with a pattern; of kind `back` only.
  std::int32_t poison_rows = 0;     ///< rows filled
  std::int32_t poison_damaged = 0;  ///< of these, rows that no longer hold it at P4

  bool operator==(const StepRecord&) const = default;

  /// Gives every per-slot column of the level `slots` zero entries, `substep_count` sub-steps, and
  /// every other field its default. Keeps the memory of earlier steps.
  void reset(RecordLevel level, std::int32_t slots, std::int32_t substep_count,
             std::int32_t row_width);
};

/// Unkeyed 32-bit hash of a block-table row: the sum over its entries >= 0 of this term, so that a
/// row that grew is hashed from its old hash and the new entries alone. An empty row hashes to 0.
[[nodiscard]] constexpr std::uint32_t block_entry_hash(std::int32_t index, std::int32_t block) {
  if (block < 0) return 0;
  const auto key = (static_cast<std::uint64_t>(static_cast<std::uint32_t>(index)) << 32U) |
                   static_cast<std::uint32_t>(block);
  return static_cast<std::uint32_t>(mix64(key + kGolden64));
}

}  // namespace tandem
