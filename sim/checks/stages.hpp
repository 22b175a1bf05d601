// The checks of one step, stage by stage. Each function is one check, or the part of one that
// belongs to a stage, and carries its id in its name.
//
// Rule of all of them: compare, report, adopt. What a check found different is put into the
// oracle's state as the device (or the host) has it, so that one error is reported once and not for
// ever.
#pragma once

#include <cstdint>

#include "sim/checks/plan_book.hpp"
#include "sim/checks/report.hpp"
#include "sim/oracle/device.hpp"
#include "sim/oracle/host.hpp"
#include "sim/oracle/script.hpp"
#include "sim/oracle/state.hpp"

namespace tandem::sim {

constexpr std::int32_t kRemovalUnknown = 0;  ///< none since the keyframe
constexpr std::int32_t kRemovalPreempt = 1;
constexpr std::int32_t kRemovalAbort = 2;

/// Arrays that a step needs for a moment; they keep their memory.
struct Scratch {
  Column zeros;
  Column a, b, c, d;  ///< expected columns
  Column frees;       ///< kFree...: the engine must free the slot in this step
  Column by_stop;     ///< 1: a stop sequence may have ended the request of this step's message
  Column request_at_launch;
  Column substep_end;  ///< qd + dd at entry of the sub-step before
  std::vector<std::int32_t> packed;
  std::vector<RowRun> runs;
  Message control;  ///< what a control output of this step must say
  bool has_control = false;
  PendingMessage fresh;  ///< output of this step
  ChainReader chains;
  Column removal;  ///< kRemoval...: the last task that took the slot away
  Column reach;    ///< KV tokens that the engine reserved for the slot before this launch
  // Level `full` only:
  Column parked_at_p0;
  std::vector<std::int64_t> draft_tokens;  ///< D behind the step before; empty where not known
};

struct StepContext {
  const Rules& rules;
  const StepRecord& r;
  OracleState& s;
  Scratch& tmp;
  Reporter& out;
  const FieldSet& present;
  const RunConfig& config;
  const PlanBook& plans;

  [[nodiscard]] bool has(Field field) const {
    return present.test(static_cast<std::size_t>(field));
  }
  [[nodiscard]] std::size_t slots() const { return static_cast<std::size_t>(rules.slots); }
  [[nodiscard]] std::size_t below() const { return static_cast<std::size_t>(s.n); }
};

/// The device column against the oracle's; differences are reported and adopted, and where the
/// oracle holds kUnknown adopted in silence.
void follow(StepContext& c, CheckId check, Field field, const char* point, const Column& device,
            Column& oracle);
/// The same without adoption.
void compare(StepContext& c, CheckId check, Field field, const char* point, const Column& device,
             const Column& oracle);
/// A scalar of the host against the oracle's value.
void expect_host(StepContext& c, CheckId check, Field field, std::int64_t host, std::int64_t oracle,
                 const char* member = "");

// -- insert (P0): slot_checks.cpp, launch_checks.cpp ---------------------------------------------
void v12_task(StepContext& c, const Task& task);
void v12_task_members(StepContext& c, const Task& task);  // rest_checks.cpp
void v21_granted_blocks(StepContext& c, const Task& task);
void note_removal(StepContext& c, const Task& task);  // removal_checks.cpp
void forget_removals(Scratch& tmp);
void v20_view(StepContext& c);
void v3_flags_in(StepContext& c);
void v4_cached_in(StepContext& c);
void v12_p0(StepContext& c);             // full_checks.cpp
void v39_pinned_copies(StepContext& c);  // count_checks.cpp

// -- resolve and the main launch: launch_checks.cpp ----------------------------------------------
void v1_launch_covers_rows(StepContext& c);
void v2_predicted_pair(StepContext& c);
void v2b_surplus_is_explained(StepContext& c);
void v3_mode(StepContext& c);
void v5_launch_fits(StepContext& c);
void v6_host_copies(StepContext& c);
void v7_kind(StepContext& c);
void v8_ghost_steps(StepContext& c);

// -- P1: slot_checks.cpp -------------------------------------------------------------------------
void v12_state_at_launch(StepContext& c);
void v12_relations(StepContext& c);
void v20_slots_beyond_view(StepContext& c);
void v12_draft_rows(StepContext& c);  // full_checks.cpp

// -- what is known before the step's messages: belief_checks.cpp, plan_checks.cpp -----------------
void v36_beliefs(StepContext& c);
void v23_plan(StepContext& c);

// -- captured graphs: graph_checks.cpp -----------------------------------------------------------
void v29_main_size(StepContext& c);
void v29_draft_sizes(StepContext& c);
void v30_tails(StepContext& c);

// -- packing: packing_checks.cpp -----------------------------------------------------------------
void v9_input_rows(StepContext& c);
void v10_output_rows(StepContext& c);
void v34_main_ids(StepContext& c);

// -- settle: launch_checks.cpp -------------------------------------------------------------------
void v2_v4_cached_out(StepContext& c);

// -- P2: slot_checks.cpp -------------------------------------------------------------------------
bool tells_chunks(const StepContext& c);
void v13_accepted(StepContext& c);
void v33_script(StepContext& c);
void v15_v34_marks(StepContext& c);
void v35_generations(StepContext& c);
void v38_seeds_and_counters(StepContext& c);
void v14_status(StepContext& c);
void v13_accepted_rows(StepContext& c);  // full_checks.cpp

// -- P3 and P4: draft_checks.cpp -----------------------------------------------------------------
void v16_v17_v32_drafts(StepContext& c);
void v17_shadow(StepContext& c);
void v16_skipped_substeps(StepContext& c);  // rest_checks.cpp
void v36_draft_reach(StepContext& c);       // belief_checks.cpp
void v18_p3(StepContext& c);                // full_checks.cpp
void v18_v19_state_at_end(StepContext& c);
void v19_q_follows_p3(StepContext& c);  // full_checks.cpp
void v18_draft_rows(StepContext& c);    // full_checks.cpp

// -- messages: message_checks.cpp ----------------------------------------------------------------
/// Hands what was sent before predict() to the engine, without judging it.
void receive_before_predict(StepContext& c);
/// The same for what a step with R2 sync sends at its end.
void receive_at_end(StepContext& c);
void v22_messages(StepContext& c);
void v22_beyond_view(StepContext& c);  // rest_checks.cpp
void v37_outcomes(StepContext& c);     // removal_checks.cpp
void v37_frees(StepContext& c);
void v3_flags_out(StepContext& c);
/// A step without postprocess records nothing behind the main launch.
void v7_nothing_after_launch(StepContext& c);
void v7_p4_is_whole(StepContext& c);    // rest_checks.cpp
void v7_no_substeps(StepContext& c);    // rest_checks.cpp
void v7_full_is_empty(StepContext& c);  // full_checks.cpp
void keep_draft_rows(StepContext& c);   // full_checks.cpp

// -- counts and rows of the whole step: count_checks.cpp -----------------------------------------
void v11_poison(StepContext& c);
void v31_count_uses(StepContext& c);

// -- keyframes: keyframe_check.cpp ---------------------------------------------------------------
/// Compares the state after a block with the keyframe that follows.
void v0_keyframe(const OracleState& state, const Keyframe& keyframe, const FieldSet& present,
                 Reporter& out);

}  // namespace tandem::sim
