// The device oracle: what the bookkeeping operations of a step do to the state (semantics 5, 6).
//
// Each function is one stage, in the order of semantics 9.3. Between two stages the caller compares
// the state with the record and puts the device's value where they differ, so that a later stage
// starts from what the device really held.
#pragma once

#include <cstdint>

#include "sim/oracle/state.hpp"

namespace tandem::sim {

/// Clears what belongs to the step before; called before the first task.
void begin_step(OracleState& state);

/// One task of insert(t): its writes to device, block tables, host flags and engine knowledge (6.1
/// to 6.6, architecture "Choices"). A task whose slot is out of range is ignored.
void apply_task(OracleState& state, const Rules& rules, const Task& task);

/// recover_decode_task (5.1), then the run mask of the step. The state is now P1's.
void recover(OracleState& state, const Rules& rules);
void mark_running(OracleState& state);

/// verify_draft_tokens and unified_update_model_status (5.5, 5.7): P1 to P2, given what was
/// accepted: state.dev.a holds a, `marks` and `last_digest` are the recorded columns.
void update_status(OracleState& state, const Column& marks, const Column& last_digest);

/// draft_model_preprocess (5.8): the shadow state at entry of sub-step 0.
void draft_preprocess(OracleState& state, const Rules& rules);

/// draft_model_update of one sub-step (5.12).
void draft_update(OracleState& state, std::int32_t substep);

/// build_sampling_params (5.4): every slot below n moves its seed on, running or not.
void advance_seeds(OracleState& state, const Rules& rules);

/// The n-gram extension of D, where M < K (3.2.1 f). Behind the last sub-step.
void ngram_extend(OracleState& state, const Rules& rules);

/// draft_model_postprocess (5.12b) and what the n-gram match added: q of the next step, P3.
void draft_postprocess(OracleState& state);
/// speculate_schedule_cache (5.13): to P4. `draft_digest` is
/// the recorded column: drafts are data.
void schedule_cache(OracleState& state, const Rules& rules, const Column& draft_digest);

/// Sum of a column's first n entries.
[[nodiscard]] std::int64_t sum_below(const Column& column, std::int32_t n);
/// How many of its first n entries are > 0.
[[nodiscard]] std::int32_t count_positive(const Column& column, std::int32_t n);

}  // namespace tandem::sim
