// The table of checks. Where one speaks: grep -n 'CheckId::V9' sim/checks/*_checks.cpp.
// A source holds one subject; what level `full` alone tells is in full_checks.cpp, members that
// nothing else reads are in rest_checks.cpp. The stages of a step stand in sim/checks/stages.hpp.
#include "sim/checks/check_table.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <iterator>

namespace tandem::sim {
namespace {

/// A short list of fields that can be written down in a table.
struct Inputs {
  std::array<Field, 20> fields{};
  std::size_t count = 0;

  constexpr Inputs(std::initializer_list<Field> list) {  // NOLINT(*-explicit-*)
    for (const Field field : list) fields[count++] = field;
  }
};

struct Row {
  CheckId id;
  CheckInfo info;
  Inputs inputs;
};

using F = Field;
constexpr bool kNow = true;
constexpr bool kLater = false;

constexpr Row kRows[] = {
    {CheckId::V0,
     {"the oracle's state at the end of a block equals the next block's keyframe", "9.2", kNow},
     {F::t, F::repeat}},
    {CheckId::V1,
     {"N covers T; in exact mode N = T and rr = r", "4.2", kNow},
     {F::mode, F::n, F::token_num, F::launch_bsz, F::real_bsz, F::p1_q, F::guard_tripped}},
    {CheckId::V2,
     {"N, rr and draft rows are what the declared policy makes of the recorded host inputs", "4.2b",
      kNow},
     {F::mode, F::token_num, F::launch_bsz, F::real_bsz, F::flag_in, F::cached_out, F::q_cpu,
      F::b_cpu, F::sub_launched, F::sub_blocking, F::sub_token_num}},
    {CheckId::V2b,
     {"N - T is explained slot by slot: finished, removed, short drafts, parked", "4.3", kNow},
     {F::mode, F::token_num, F::q_cpu, F::b_cpu, F::tasks, F::p1_q, F::p1_b, F::accept_marks}},
    {CheckId::V3,
     {"a launch is predicted iff R0 overlaps, no prefill flag is set and the cached pair is "
      "usable",
      "4.2", kNow},
     {F::mode, F::tasks, F::kind, F::flag_in, F::flag_out, F::draft_flag_in, F::draft_flag_out,
      F::cached_in}},
    {CheckId::V4,
     {"a pair is cached iff no prefill flag is set; a D-node insert makes it unusable", "4.2",
      kNow},
     {F::cached_in, F::cached_out, F::flag_in, F::tasks}},
    {CheckId::V5,
     {"N fits the buffers and the token budget; a predicted N fits B * W", "4.6", kNow},
     {F::token_num, F::mode}},
    {CheckId::V6,
     {"q and b as the host read them are the device's at P1 of the same step", "2.2", kNow},
     {F::q_cpu, F::b_cpu, F::q_cpu_step, F::b_cpu_step, F::p1_q, F::p1_b}},
    {CheckId::V7,
     {"without a running slot there is no postprocess and no message but the control output", "4.1",
      kNow},
     {F::kind, F::token_num, F::real_bsz, F::messages, F::p2_a, F::p4_q}},
    {CheckId::V8,
     {"no two consecutive ghost steps unless a slot is parked", "4.4", kNow},
     {F::kind, F::b_cpu}},
    {CheckId::V9,
     {"the packing of input rows: cu_q, batch ids, padding", "2.4", kNow},
     {F::kind, F::n, F::token_num, F::p1_q, F::cu_seqlens_q, F::row_runs}},
    {CheckId::V10,
     {"the packing of output rows: o, cu_q_out, R and its host copy", "2.4", kNow},
     {F::kind, F::n, F::p1_q, F::p1_e, F::cu_seqlens_q_output, F::output_runs, F::output_rows,
      F::output_rows_host}},
    {CheckId::V11,
     {"rows beyond R and beyond T are read under a mask only: their poison holds", "4.7", kNow},
     {F::kind, F::n, F::token_num, F::p1_q, F::output_rows, F::poison_rows, F::poison_damaged}},
    {CheckId::V12,
     {"P1 follows from P4 of the step before, the tasks and recover; relations 6 to 9", "2.4",
      kNow},
     {F::tasks, F::n, F::p1_q, F::p1_e, F::p1_d, F::p1_s, F::p1_b, F::p1_g, F::p1_p,
      F::p1_draft_len, F::p1_draft_hole, F::p1_draft_digest, F::p1_draft_first, F::p1_table_hash,
      F::p1_request, F::p1_generation, F::p2_a, F::accept_marks}},
    {CheckId::V13,
     {"a = 0 iff the slot did not run; else 1 <= a <= q, and a = 1 in a prefill", "5.5", kNow},
     {F::kind, F::p1_q, F::p1_e, F::p1_s, F::p2_a, F::accept_digest, F::last_digest,
      F::accept_marks}},
    {CheckId::V14,
     {"P2 follows from P1 and a: g, d, D[0] advance; stopped iff the last token is EOS", "5.7",
      kNow},
     {F::kind, F::p2_q, F::p2_e, F::p2_d, F::p2_s, F::p2_b, F::p2_g, F::p2_a, F::accept_digest,
      F::last_digest, F::accept_marks, F::p2_first}},
    {CheckId::V15,
     {"nothing is emitted beyond max_dec_len or after EOS", "5.7", kNow},
     {F::kind, F::tasks, F::p2_g, F::p2_a, F::accept_marks}},
    {CheckId::V16,
     {"draft rows fit the launch and the hidden rows of every sub-step", "4.3", kNow},
     {F::kind, F::token_num, F::real_bsz, F::p2_q, F::draft_e, F::sub_launched, F::sub_token_num,
      F::sub_hidden_rows, F::sub_device_sum, F::sub_qd}},
    {CheckId::V17,
     {"draft state follows 5.8 and 5.12 from the target's", "5.12", kNow},
     {F::kind, F::p2_d, F::p2_g, F::p2_s, F::sub_launched, F::sub_qd, F::sub_dd, F::shadow_q,
      F::shadow_e, F::shadow_d, F::shadow_g, F::shadow_s}},
    {CheckId::V18,
     {"D is the last token, drafts, then -1; q is its length; q = 0 iff stopped", "5.12b", kNow},
     {F::kind, F::p4_q, F::p4_s, F::p4_draft_len, F::p4_draft_hole, F::p4_draft_digest,
      F::p4_draft_first}},
    {CheckId::V19,
     {"a slot is parked iff its blocks run out, with its state saved", "5.13", kNow},
     {F::kind, F::tasks, F::p4_e, F::p4_d, F::p4_b, F::p4_g, F::p4_a, F::step_q, F::step_d,
      F::step_digest}},
    {CheckId::V20,
     {"n is the highest occupied slot + 1; slots from n on are stopped with q = 0", "1", kNow},
     {F::n, F::tasks, F::frees, F::p1_q, F::p1_s}},
    {CheckId::V21,
     {"no running slot touches a missing block or a block of another slot", "2.4", kNow},
     {F::tasks, F::frees, F::p1_q, F::p1_d, F::sub_launched, F::sub_qd, F::sub_dd}},
    {CheckId::V22,
     {"each step's message is sent once, in order, with exactly its tokens", "5.14", kNow},
     {F::kind, F::messages, F::p2_a, F::p2_d, F::accept_digest}},
    {CheckId::V23,
     {"save precedes the next copies; host reads follow their event; the API log is the plan",
      "2.2", kNow},
     {F::segments, F::deviations, F::kind, F::mode, F::token_num, F::tasks}},
    {CheckId::V24,
     {"a message names the request and generation that ran in its step", "4.5", kNow},
     {F::messages, F::tasks, F::frees}},
    {CheckId::V25,
     {"-9 is sent exactly once for each preempt or abort", "6.6", kNow},
     {F::messages, F::tasks}},
    {CheckId::V26,
     {"the cached output is sent within one more iteration when nothing runs", "3.1", kNow},
     {F::kind, F::messages}},
    {CheckId::V27,
     {"all ranks agree on N, rr, r, R, captured sizes, draft rows and barriers", "7", kLater},
     {F::token_num, F::launch_bsz, F::real_bsz, F::output_rows, F::captured_size, F::sub_token_num,
      F::sub_captured_size}},
    {CheckId::V28,
     {"all ranks run the same number of main and draft forwards", "7", kLater},
     {F::token_num, F::sub_launched}},
    {CheckId::V29,
     {"captured sizes are the choice of 8.2 and cover the rows", "8.2", kNow},
     {F::kind, F::n, F::flag_in, F::draft_flag_in, F::token_num, F::launch_bsz, F::real_bsz,
      F::p1_q, F::captured_size, F::sub_launched, F::sub_token_num, F::sub_captured_size}},
    {CheckId::V30,
     {"a replayed graph's tail is inert", "8.3", kNow},
     {F::live_tail, F::sub_live_tail}},
    {CheckId::V31,
     {"consumers of token counts use those of their own step", "4.2", kNow},
     {F::kind, F::n, F::p1_q, F::messages, F::count_uses}},
    {CheckId::V32,
     {"each sub-step consumes the hidden row of the position that it drafts from", "5.9", kNow},
     {F::kind, F::tasks, F::paired, F::sub_launched, F::sub_qd, F::sub_dd, F::sub_row_request,
      F::sub_row_position, F::sub_row_phase, F::sub_row_count}},
    {CheckId::V33,
     {"a is the script's count, cut at EOS and max_dec_len", "5.5", kNow},
     {F::kind, F::tasks, F::p1_q, F::p1_e, F::p1_g, F::p2_a, F::accept_marks}},
    {CheckId::V34,
     {"every id at every embedding lies in the vocabulary", "4.7", kNow},
     {F::id_below, F::id_above, F::accept_marks, F::sub_launched, F::sub_id_below,
      F::sub_id_above}},
    {CheckId::V35,
     {"a slot's generation at a device write is that at its enqueue", "9.1", kNow},
     {F::kind, F::tasks, F::enqueue_generation, F::p2_generation}},
    {CheckId::V36,
     {"device writes stay within the reservation; believed lengths are the policy's", "4.2b", kNow},
     {F::kind, F::n, F::tasks, F::frees, F::token_num, F::messages, F::q_cpu, F::believed_len,
      F::believed_reserve, F::p1_q, F::p1_d, F::sub_launched, F::sub_qd, F::sub_dd}},
    {CheckId::V37,
     {"a slot is freed exactly once, when the message that ends it was processed", "6.9", kNow},
     {F::frees, F::outcomes, F::messages, F::tasks, F::accept_marks}},
    {CheckId::V38,
     {"seeds and stop counters are those of their own step", "5.4", kNow},
     {F::kind, F::tasks, F::seed_used, F::stop_step_idx}},
    {CheckId::V39,
     {"a pinned source at its copy is what it was at its enqueue: the step's tasks", "2.2", kNow},
     {F::tasks, F::pinned_copies}},
};
static_assert(std::size(kRows) == kCheckCount);

constexpr std::array<const char*, kCheckCount> kNames{
    "V0",  "V1",  "V2",  "V2b", "V3",  "V4",  "V5",  "V6",  "V7",  "V8",  "V9",
    "V10", "V11", "V12", "V13", "V14", "V15", "V16", "V17", "V18", "V19", "V20",
    "V21", "V22", "V23", "V24", "V25", "V26", "V27", "V28", "V29", "V30", "V31",
    "V32", "V33", "V34", "V35", "V36", "V37", "V38", "V39"};

std::array<FieldSet, kCheckCount> make_inputs() {
  std::array<FieldSet, kCheckCount> sets;
  for (const Row& row : kRows) {
    for (std::size_t i = 0; i < row.inputs.count; ++i) {
      sets.at(index_of(row.id)).set(static_cast<std::size_t>(row.inputs.fields[i]));
    }
  }
  return sets;
}

}  // namespace

const char* to_name(CheckId id) { return kNames.at(index_of(id)); }

bool from_name(const std::string& name, CheckId& out) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return false;
  out = static_cast<CheckId>(found - kNames.begin());
  return true;
}

const CheckInfo& check_info(CheckId id) {
  const Row& row = kRows[index_of(id)];
  TANDEM_CHECK(row.id == id);
  return row.info;
}

const FieldSet& check_inputs(CheckId id) {
  static const std::array<FieldSet, kCheckCount> sets = make_inputs();
  return sets.at(index_of(id));
}

bool is_excluded(CheckId id, const RunConfig& config) {
  const bool predicts = config.row(0) != RowMode::sync && config.policy != PolicyKind::exact;
  const bool scripted =
      config.acceptance.kind == AcceptKind::list || !config.acceptance.millionths.empty();
  switch (id) {
    case CheckId::V2:
    case CheckId::V3:
    case CheckId::V4:
      return !predicts;
    case CheckId::V27:
    case CheckId::V28:
      return true;  // one rank
    case CheckId::V32:
    case CheckId::V33:
      return !scripted;
    default:
      return false;
  }
}

bool is_checkable(CheckId id, const FieldSet& present) {
  const FieldSet& inputs = check_inputs(id);
  return (inputs & present) == inputs;
}

std::string checks_by_level() {
  std::string text =
      "| Check | Section | off | state | timeline | full |\n|---|---|---|---|---|---|\n";
  for (const Row& row : kRows) {
    if (!row.info.implemented) continue;
    text.append("| ").append(to_name(row.id)).append(" | ").append(row.info.section).append(" |");
    for (const RecordLevel level :
         {RecordLevel::off, RecordLevel::state, RecordLevel::timeline, RecordLevel::full}) {
      text.append(is_checkable(row.id, fields_at(level)) ? " yes |" : " - |");
    }
    text.append("\n");
  }
  return text;
}

}  // namespace tandem::sim
