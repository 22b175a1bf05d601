// StepPlan as data: the operations of a step, their lanes, buffers, events and rows (architecture
// 2, 4.1).
//
// A step is a chain of segments: front; save if an output is cached; settle; then back, empty or
// idle. A segment holds symbols, no numbers: sizes are named, events carry the step they belong to
// as an offset, buffers are whole tensors or entries of a ring (t mod depth). So a run has a
// handful of distinct segments, and a step is a list of their hashes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tandem::plan {

enum class SegmentKind : std::uint8_t { front, save, settle, back, empty, idle };

/// Who executes an operation. Operations of one lane run in plan order.
enum class Lane : std::uint8_t { host, compute, copy };
constexpr int kLaneCount = 3;

/// Every operation a step can hold; names as in the semantics, sections 3.2 and 5.
// clang-format off
#define TANDEM_PLAN_OPS(X)                                                                       \
  X(insert_tasks) X(recover_decode_task) X(copy_seq_lens) X(record_event) X(wait_event)          \
  X(resolve) X(speculate_pre_process) X(copy_output_rows) X(prepare_forward) X(read_count)       \
  X(target_forward) X(send_message) X(predict) X(count_running) X(rebuild_padding) X(lm_head)    \
  X(build_sampling_params) X(verify_draft_tokens) X(set_stop_value) X(unified_update_model_status) \
  X(read_not_need_stop) X(shift_preempted) X(copy_outputs) X(draft_model_preprocess)             \
  X(eagle_get_hidden_states) X(read_hidden_rows) X(read_draft_sum) X(read_any_prefill)           \
  X(draft_pre_process) X(read_draft_output_rows) X(draft_forward) X(eagle_gather_hidden_states)  \
  X(draft_rebuild_padding) X(eagle_get_self_hidden_states) X(draft_lm_head) X(draft_model_update) \
  X(draft_model_postprocess) X(speculate_schedule_cache) X(cache_output) X(send_control)         \
  X(idle_sleep) X(ngram_extend) X(routing_replay) X(sampling_mask)
// clang-format on

enum class OpKind : std::uint8_t {
#define TANDEM_OP_ENUM(name) name,
  TANDEM_PLAN_OPS(TANDEM_OP_ENUM)
#undef TANDEM_OP_ENUM
};

/// A size or condition that only the step knows. An operation whose gate is 0 is not executed.
enum class Symbol : std::uint8_t {
  one,         ///< always executed
  tasks,       ///< tasks of insert(t)
  N,           ///< rows of the main launch
  R,           ///< output rows
  n,           ///< slots of the view
  draft_rows,  ///< rows of this sub-step
  draft_any,   ///< 1 while a draft slot runs; 0 once R3/R9 read that none does
  marks,       ///< preempted slots that have no message yet
};

/// Tensors and pinned buffers that operations touch; device unless the name ends in _cpu.
// clang-format off
#define TANDEM_PLAN_BUFFERS(X)                                                                    \
  X(slot_state) X(block_tables) X(step_state) X(draft_tokens) X(input_ids) X(accept_tokens)       \
  X(accept_num) X(token_ids_all) X(packing) X(output_packing) X(output_token_num)                 \
  X(not_need_stop) X(hidden_states) X(logits) X(target_tokens) X(infer_seed) X(kv_cache)          \
  X(draft_state) X(draft_packing) X(draft_hidden_states) X(target_hidden_states)                  \
  X(draft_next_tokens) X(draft_kv_cache) X(draft_logits) X(hidden_row_count)                      \
  X(seq_lens_this_time_cpu)                                                                       \
  X(is_block_step_cpu) X(output_token_num_cpu) X(accept_tokens_cpu) X(accept_num_cpu)             \
  X(seq_lens_decoder_cpu) X(prompt_lens_cpu) X(preempted_idx_cpu) X(scratch_read_cpu)      \
  X(task_arrays_cpu)
// clang-format on

enum class Buffer : std::uint8_t {
#define TANDEM_BUFFER_ENUM(name) name,
  TANDEM_PLAN_BUFFERS(TANDEM_BUFFER_ENUM)
#undef TANDEM_BUFFER_ENUM
};

struct BufferUse {
  Buffer buffer = Buffer::slot_state;
  bool ring = false;    ///< the entry (t + step_offset) mod depth of a pinned ring
  int step_offset = 0;  ///< 0 or -1

  bool operator==(const BufferUse&) const = default;
};

enum class EventName : std::uint8_t {
  none,
  token_num,         ///< q and b are on the host (W2)
  output_token_num,  ///< R is on the host (W3)
  post_process,      ///< A, a, d, p are on the host (W1)
  read_done,         ///< a blocking read of a sync row has landed
  copies_may_start   ///< copies: own; what they read has been written
};

struct EventRef {
  EventName name = EventName::none;
  int step_offset = 0;  ///< 0: of this step; -1: of the step before

  bool operator==(const EventRef&) const = default;
};

struct Operation {
  OpKind kind = OpKind::resolve;
  Lane lane = Lane::host;
  Symbol gate = Symbol::one;
  int substep = -1;  ///< of the MTP head; -1: not part of one
  int row = -1;      ///< the row R0 to R13 this operation exists for; -1: none
  EventRef waits;    ///< wait_event: the event; record_event: none
  EventRef records;  ///< record_event: the event
  std::vector<BufferUse> reads;
  std::vector<BufferUse> writes;

  bool operator==(const Operation&) const = default;
};

struct Segment {
  SegmentKind kind = SegmentKind::front;
  std::vector<Operation> ops;

  bool operator==(const Segment&) const = default;
};

[[nodiscard]] const char* to_name(SegmentKind kind);
[[nodiscard]] const char* to_name(Lane lane);
[[nodiscard]] const char* to_name(OpKind kind);
[[nodiscard]] const char* to_name(Symbol symbol);
[[nodiscard]] const char* to_name(Buffer buffer);
[[nodiscard]] const char* to_name(EventName name);
[[nodiscard]] bool from_name(const std::string& name, SegmentKind& out);
[[nodiscard]] bool from_name(const std::string& name, Lane& out);
[[nodiscard]] bool from_name(const std::string& name, OpKind& out);
[[nodiscard]] bool from_name(const std::string& name, Symbol& out);
[[nodiscard]] bool from_name(const std::string& name, Buffer& out);
[[nodiscard]] bool from_name(const std::string& name, EventName& out);

/// Identity of a segment: equal segments hash alike on every machine and in every version that
/// keeps the enumerations' names (names are hashed, not numbers).
[[nodiscard]] std::uint64_t segment_hash(const Segment& segment);

}  // namespace tandem::plan
