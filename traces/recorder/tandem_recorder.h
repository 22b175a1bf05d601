/* Tandem recorder: what an overlapped MTP runtime knew and did in each step, as a JSONL trace.
 *
 * C11 or C++17; tandem_recorder.h and tandem_recorder.cpp are all there is. The file is the neutral
 * step form of traces/FORMAT.md (schema: traces/step.schema.json); `tandem verify` and
 * `tandem import jsonl` read it. Tensors have the names and types of the engine's own (semantics
 * section 2); B slots, K drafts, W = K + 1, M sub-steps, nblk entries of a block-table row.
 *
 * Threads. step() and keyframe() copy their arguments into a ring that was allocated by open();
 * they allocate nothing, lock nothing and do no I/O. They are called by one thread at a time: the
 * ring has one producer. A thread of the recorder turns entries into lines. A full ring makes the
 * caller wait, which stalls() counts: no step is ever dropped, and a run that stalled was
 * disturbed. close() may be called by any thread, at any time, more than once.
 *
 * Ownership. Everything that is passed in is borrowed for the call only, strings too.
 *
 * Privacy. Token ids never reach the file, except the least and the greatest of a launch (V34):
 * rows become keyed digests of 8 or 16 bits. The key is drawn at random, or given by the
 * configuration; it is never stored.
 */
#ifndef TANDEM_RECORDER_H
#define TANDEM_RECORDER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Results. Everything but OK leaves the recorder as it was, except IO: the file cannot be written,
 * and every later call says so. */
typedef enum tandem_result {
  TANDEM_OK = 0,
  TANDEM_BAD_ARGUMENT = 1, /* a value out of range; tandem_recorder_detail() names it */
  TANDEM_BAD_FIELD = 2,    /* known at open and missing here, or the reverse; detail() names it */
  TANDEM_TOO_LARGE = 3,    /* one entry does not fit the ring: open with a larger ring_bytes */
  TANDEM_NO_MEMORY = 4,    /* memory, a thread or a random key cannot be had */
  TANDEM_IO = 5,           /* the file cannot be written */
  TANDEM_CLOSED = 6        /* close() was called */
} tandem_result;

/* A number that the caller does not know. */
#define TANDEM_UNKNOWN INT32_MIN
#define TANDEM_UNKNOWN64 INT64_MIN

/* The run. Members and their values are those of `config` in the trace header
 * (traces/run_config.hpp); tandem_config_init() sets its defaults, and overlap for all rows. */
typedef struct tandem_config {
  const char* producer; /* program and version */
  const char* device;   /* name of the GPU, or "host" */
  const char* scenario; /* a name, for people */
  uint64_t seed;
  const char* policy;       /* predict-sum, predict-rows, predict-rows-hidden, .. (4.2b) */
  const char* rows[14];     /* R0 to R13: sync, overlap; R11 also bound (3.4) */
  const char* draft_path;   /* gather or self */
  const char* encoder_test; /* encoder_len or step_idx */
  const char* arrivals;     /* step or ns: unit of tandem_request.arrival */
  int32_t max_num_seqs;     /* B, 1..512 */
  int32_t num_speculative_tokens; /* K, 1..16 */
  int32_t num_model_steps;        /* M, 1..K */
  int32_t block_size;
  int32_t kv_blocks;
  int32_t enc_dec_block_num; /* nblk = ceil(max_model_len / block_size) + enc_dec_block_num */
  int32_t max_model_len;
  int32_t max_num_batched_tokens;
  int32_t pinned_ring_depth;
  int32_t splitwise_prefill; /* 0 or 1 */
  int32_t copies_own_stream; /* 0 or 1 */
  const int32_t* captured_sizes; /* CUDA-graph sizes in rows, descending */
  size_t captured_size_count;
  int32_t vocab_size;
  int32_t padding_id;
  const int64_t* eos_ids;
  size_t eos_id_count;
  const char* acceptance;     /* per-position, or list: the requests' rows hold it */
  const uint32_t* millionths; /* per-position: K shares; none: acceptance is not scripted */
  size_t millionth_count;
  int64_t first_step;  /* t of the first step */
  uint64_t digest_key; /* used where has_digest_key; never stored */
  int32_t has_digest_key;
  size_t ring_bytes; /* 0: room for at least 256 decode steps */
} tandem_config;

typedef struct tandem_request {
  int32_t id;
  int64_t arrival;
  int32_t prompt_len, max_dec_len;
  int32_t eos_at;        /* 1-based; 0: unknown or never */
  const int32_t* accept; /* acceptance "list": tokens committed per step */
  size_t accept_count;
  int32_t stop_at, stop_len, min_tokens, cached_prompt; /* 0 where unknown */
  int32_t abort_after; /* the client aborts behind so many tokens; 0: unknown or never */
} tandem_request;

typedef enum tandem_task_kind {
  TANDEM_PREFILL = 0, TANDEM_DNODE, TANDEM_DECODE, TANDEM_PREEMPT, TANDEM_ABORT
} tandem_task_kind;

/* One task of insert(t) (semantics 6). `row` is given, not NULL, by the first prefill or dnode task
 * of a (slot, generation): that task admits the request. */
typedef struct tandem_task {
  int32_t kind; /* tandem_task_kind */
  int32_t slot, request, generation;
  int32_t start, end, text_len, generated;
  int32_t drafts;              /* dnode: L */
  const int64_t* draft_tokens; /* dnode: D[0..L], L + 1 tokens; may be NULL otherwise */
  const tandem_request* row;
  const int32_t* blocks; /* ids appended to the slot's table */
  size_t block_count;
} tandem_task;

typedef enum tandem_stop_reason {
  TANDEM_OPEN = 0, TANDEM_EOS, TANDEM_LENGTH, TANDEM_STOP, TANDEM_ABORTED
} tandem_stop_reason;

typedef struct tandem_outcome {
  int32_t id, output_len, reason; /* tandem_stop_reason */
} tandem_outcome;

typedef struct tandem_free {
  int32_t slot, generation;
} tandem_free;

typedef struct tandem_count_use {
  int32_t user; /* 0 routing_replay, 1 sampling_mask */
  int64_t step, count;
} tandem_count_use;

/* The device's slots at one point, B entries each. */
typedef struct tandem_slots {
  const int32_t* seq_lens_this_time; /* the full buffer, not the view: B entries */
  const int32_t* seq_lens_encoder;
  const int32_t* seq_lens_decoder;
  const uint8_t* stop_flags;    /* not 0: true. An array of bool is one of these */
  const uint8_t* is_block_step; /* likewise */
  const int64_t* step_idx;
  const int32_t* accept_num;   /* P2 and P4 */
  const int64_t* draft_tokens; /* B x W, -1: none. P1, P4; of P2's only column 0 is read */
} tandem_slots;

/* One sub-step of the MTP head; the columns are the device's at its entry. A sub-step that was not
 * launched has launched = 0, and nothing else of it is read. */
typedef struct tandem_substep {
  int32_t launched, blocking, token_num, hidden_rows, captured_size;
  int32_t device_sum;                 /* sum of seq_lens_this_time, as the device had it */
  const int64_t* ids_remove_padding;  /* token_num ids, padding included */
  const int32_t* seq_lens_this_time;  /* draft q */
  const int32_t* seq_lens_decoder;    /* draft d */
  const int32_t *row_request, *row_position, *row_phase, *row_count; /* provenance (V32) */
  int32_t live_tail;
} tandem_substep;

/* What the engine was sent (5.14); B entries a column, B x W tokens. */
typedef struct tandem_message {
  int32_t control; /* 1: the preempt-only output of a step without postprocess (6.6) */
  int64_t step;    /* the step it belongs to */
  int32_t slots;   /* n of that step */
  const int32_t* accept_num;       /* as sent: tokens, 0, or -9 */
  const int64_t* accept_tokens;    /* NULL in a control output */
  const int32_t* seq_lens_decoder; /* as copied */
  const int32_t *request, *generation; /* where accept_num is not 0; not read elsewhere */
} tandem_message;

typedef enum tandem_step_kind { TANDEM_BACK = 0, TANDEM_EMPTY, TANDEM_IDLE } tandem_step_kind;

/* One loop iteration. A NULL pointer or an unknown number means "not recorded": see open(). Where
 * kind is not BACK nothing from p2 to step_draft_tokens is read, and where it is IDLE none of
 * cu_seqlens_q to ids_remove_padding. A pointer that was known at open may be NULL where it is not
 * read, and where its count is 0. */
typedef struct tandem_step {
  int64_t t;
  int32_t kind; /* tandem_step_kind: BACK r > 0; EMPTY r = 0 < N; IDLE N = 0 */
  int32_t n;    /* length of the seq_lens_this_time view, 0..B */
  const tandem_task* tasks; /* in executed order */
  size_t task_count;
  const tandem_outcome* outcomes; /* requests that the engine closed in this iteration */
  size_t outcome_count;
  const tandem_free* frees; /* slots that it freed */
  size_t free_count;

  /* The host's beliefs (4.2). */
  int32_t flag_in, flag_out;             /* runner.exist_prefill_flag before and after, 0 or 1 */
  int32_t draft_flag_in, draft_flag_out; /* proposer.exist_prefill_flag */
  int32_t predicted;                     /* 1: N came from the cached pair; 0: exact */
  int32_t cached_in_token_num, cached_in_real_bsz;   /* as resolve saw them */
  int32_t cached_out_token_num, cached_out_real_bsz; /* left for the next step */
  int32_t token_num;                     /* N, 0 in an idle iteration */
  int32_t launch_bsz, real_bsz, captured_size;
  const int32_t* seq_lens_this_time_cpu; /* B, as the host read it */
  const uint8_t* is_block_step_cpu;
  int64_t q_cpu_step, b_cpu_step;        /* the step these two belong to */
  const int32_t *believed_len, *believed_reserve;

  /* P1, after recover, and the main launch. */
  tandem_slots p1;
  const int64_t* prompt_lens;
  const int32_t* block_tables;       /* B x nblk, -1: none */
  const uint8_t* block_rows_changed; /* B; rows written since the last step. NULL: all are read */
  const int32_t *request, *generation;  /* of the slots' occupants, as the host holds them */
  const int32_t* cu_seqlens_q;          /* n + 1 */
  const int32_t* cu_seqlens_q_output;   /* n + 1 */
  const int32_t* batch_id_per_token;        /* token_num */
  const int32_t* batch_id_per_token_output; /* output_rows */
  int32_t output_rows;      /* real_output_token_num on the device */
  int32_t output_rows_host; /* as the host used it; -1: not used */
  const int64_t* ids_remove_padding; /* token_num ids, padding included; strays are recorded */
  int32_t guard_tripped, live_tail;

  /* P2, after unified_update. */
  tandem_slots p2;
  const int64_t* accept_tokens; /* B x W */
  /* The next four: 0 for slots that did not run. */
  const int32_t *enqueue_generation, *p2_generation;
  const int64_t *infer_seed, *stop_step_idx;

  /* P3, propose. */
  const int32_t *draft_e;
  const int32_t* paired; /* rows that meet the text's next token; of a chunk that does not finish
                            its text all but the last */
  const tandem_substep* substeps; /* M */
  tandem_slots shadow;            /* the proposer's, after the last sub-step */

  /* P4, after schedule_cache. */
  tandem_slots p4;
  const int32_t *step_seq_lens_this_time, *step_seq_lens_decoder;
  const int64_t* step_draft_tokens; /* B x W */

  const tandem_message* messages; /* sent in this iteration, in order */
  size_t message_count;
  const tandem_count_use* count_uses;
  size_t count_use_count;
  int64_t start_ns, end_ns; /* host clock; known: the trace has level timeline */
} tandem_step;

/* All state between two steps: what opens a block, and ends a trace. NULL: zeros (stop_flags: ones;
 * request: -1). The judge starts from it (V0): a keyframe of a run under way gives everything. */
typedef struct tandem_keyframe {
  int64_t t; /* the next step */
  int32_t n; /* of the step before */
  tandem_slots slots; /* at P4 of the step before */
  const int64_t* prompt_lens;
  const int32_t *step_seq_lens_this_time, *step_seq_lens_decoder;
  const int64_t* step_draft_tokens;
  tandem_slots shadow;
  const int32_t* block_tables; /* rows are read up to their first -1 */
  const int64_t* infer_seed;
  const int32_t* request;    /* -1: free */
  const int32_t* generation; /* times the slot has been given away */
  const tandem_request* rows; /* of the occupants, in slot order */
  size_t row_count;
  int32_t flag, draft_flag;
  int32_t cached_token_num, cached_real_bsz;
  const int32_t* seq_lens_this_time_cpu;
  const uint8_t* is_block_step_cpu;
  int32_t ghost; /* the step before was EMPTY */
  const tandem_message* unsent; /* NULL: none */
  const int32_t *preempted, *last_preempted, *known_d, *known_g, *in_flight;
} tandem_keyframe;

typedef struct tandem_recorder tandem_recorder;

/* Defaults: everything unknown, pairs (-1, -1). */
void tandem_config_init(tandem_config* config);
void tandem_step_init(tandem_step* step);
void tandem_substep_init(tandem_substep* substep);
void tandem_keyframe_init(tandem_keyframe* keyframe);

/* Starts to record into `path`.part. `known` tells what steps will carry: of its members only
 * whether they are NULL or unknown is looked at, and of its substeps only the first; what is not
 * known is named as absent in the header, and checks that need it are not run. `first` is the state
 * before the first step; NULL: no slot is occupied. On success *out is the recorder, else NULL. */
tandem_result tandem_recorder_open(const char* path, const tandem_config* config,
                                   const tandem_step* known, const tandem_keyframe* first,
                                   tandem_recorder** out);

/* Records one iteration. */
tandem_result tandem_recorder_step(tandem_recorder* recorder, const tandem_step* step);

/* Opens a new block: the state before the next step. At least one in 2^18 steps is needed. */
tandem_result tandem_recorder_keyframe(tandem_recorder* recorder, const tandem_keyframe* keyframe);

/* Writes what the ring holds and the state after the last step, then renames `path`.part to
 * `path`. With `last` NULL the file has no end and readers report it as cut off; its steps are all
 * there.
 * A step() under way on another thread is waited for. Later calls return what the first one did. */
tandem_result tandem_recorder_close(tandem_recorder* recorder, const tandem_keyframe* last);

/* Closes if that was not done, and releases the memory. No call may be under way; NULL is fine. */
void tandem_recorder_free(tandem_recorder* recorder);

/* Calls that found the ring full and waited. Any thread. */
uint64_t tandem_recorder_stalls(const tandem_recorder* recorder);

/* What the last step() or keyframe() that failed objected to; "": nothing. For the producing
 * thread. */
const char* tandem_recorder_detail(const tandem_recorder* recorder);

/* A sentence. Never NULL. */
const char* tandem_result_text(tandem_result result);

#ifdef __cplusplus
}
#endif

#endif
