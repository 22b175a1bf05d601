// The fields of a StepRecord by name: one list for the JSONL twin, dumps, diffs and field coverage.
//
// visit_fields(record, visitor) calls, in the order of the struct,
//   visitor(Field, value)                      for scalars, columns and plain vectors, and
//   visitor.list(Field, vector, each)          for vectors of structs whose members are fields
// again;
//                                              each(element, visitor) visits one element.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>

#include "traces/record.hpp"

namespace tandem {

// Name, lowest record level, text of the name. Tasks, outcomes, frees, deviations, runs, spans and
// messages are fields as a whole; their members have no presence of their own.
// clang-format off
#define TANDEM_FIELDS(X)                                                                          \
  X(t, state, "t") X(repeat, state, "repeat") X(kind, state, "kind") X(n, state, "n")             \
  X(segments, state, "segments") X(deviations, state, "deviations") X(tasks, state, "tasks")      \
  X(pinned_copies, state, "pinned_copies")                                                        \
  X(outcomes, state, "outcomes") X(frees, state, "frees")                                         \
  X(flag_in, state, "flag_in") X(flag_out, state, "flag_out")                                     \
  X(draft_flag_in, state, "draft_flag_in") X(draft_flag_out, state, "draft_flag_out")             \
  X(mode, state, "mode") X(cached_in, state, "cached_in") X(cached_out, state, "cached_out")      \
  X(token_num, state, "token_num") X(launch_bsz, state, "launch_bsz")                             \
  X(real_bsz, state, "real_bsz") X(captured_size, state, "captured_size")                         \
  X(q_cpu, state, "q_cpu") X(b_cpu, state, "b_cpu") X(q_cpu_step, state, "q_cpu_step")            \
  X(b_cpu_step, state, "b_cpu_step") X(believed_len, state, "believed_len")                       \
  X(believed_reserve, state, "believed_reserve")                                                  \
  X(p1_q, state, "p1.q") X(p1_e, state, "p1.e") X(p1_d, state, "p1.d") X(p1_s, state, "p1.s")     \
  X(p1_b, state, "p1.b") X(p1_g, state, "p1.g") X(p1_p, state, "p1.p")                            \
  X(p1_draft_len, state, "p1.draft_len") X(p1_draft_hole, state, "p1.draft_hole")                 \
  X(p1_draft_digest, state, "p1.draft_digest") X(p1_draft_first, state, "p1.draft_first")         \
  X(p1_table_hash, state, "p1.table_hash") X(p1_request, state, "p1.request")                     \
  X(p1_generation, state, "p1.generation") X(cu_seqlens_q, state, "cu_seqlens_q")                 \
  X(cu_seqlens_q_output, state, "cu_seqlens_q_output") X(row_runs, state, "batch_id_per_token")   \
  X(output_runs, state, "batch_id_per_token_output") X(output_rows, state, "output_rows")         \
  X(output_rows_host, state, "output_rows_host") X(id_below, state, "id_below")                   \
  X(id_above, state, "id_above") X(guard_tripped, state, "guard_tripped")                         \
  X(live_tail, state, "live_tail")                                                                \
  X(p2_q, state, "p2.q") X(p2_e, state, "p2.e") X(p2_d, state, "p2.d") X(p2_s, state, "p2.s")     \
  X(p2_b, state, "p2.b") X(p2_g, state, "p2.g") X(p2_a, state, "p2.a")                            \
  X(accept_digest, state, "accept_digest") X(last_digest, state, "last_digest")                   \
  X(accept_marks, state, "accept_marks") X(p2_first, state, "p2.draft_first")                     \
  X(enqueue_generation, state, "enqueue_generation") X(p2_generation, state, "p2.generation")     \
  X(seed_used, state, "seed_used") X(stop_step_idx, state, "stop_step_idx")                       \
  X(draft_e, state, "draft_e") X(paired, state, "paired") X(substeps, state, "substeps")          \
  X(sub_launched, state, "launched") X(sub_blocking, state, "blocking")                           \
  X(sub_token_num, state, "token_num") X(sub_hidden_rows, state, "hidden_rows")                   \
  X(sub_captured_size, state, "captured_size") X(sub_device_sum, state, "device_sum")             \
  X(sub_id_below, state, "id_below") X(sub_id_above, state, "id_above") X(sub_qd, state, "qd")    \
  X(sub_dd, state, "dd") X(sub_row_request, state, "row_request")                                 \
  X(sub_row_position, state, "row_position") X(sub_row_phase, state, "row_phase")                 \
  X(sub_row_count, state, "row_count") X(sub_live_tail, state, "live_tail")                       \
  X(shadow_q, state, "shadow.q") X(shadow_e, state, "shadow.e") X(shadow_d, state, "shadow.d")    \
  X(shadow_g, state, "shadow.g") X(shadow_s, state, "shadow.s")                                   \
  X(p4_q, state, "p4.q") X(p4_e, state, "p4.e") X(p4_d, state, "p4.d") X(p4_s, state, "p4.s")     \
  X(p4_b, state, "p4.b") X(p4_g, state, "p4.g") X(p4_a, state, "p4.a")                            \
  X(p4_draft_len, state, "p4.draft_len") X(p4_draft_hole, state, "p4.draft_hole")                 \
  X(p4_draft_digest, state, "p4.draft_digest") X(p4_draft_first, state, "p4.draft_first")         \
  X(step_q, state, "step_q") X(step_d, state, "step_d") X(step_digest, state, "step_digest")      \
  X(messages, state, "messages") X(count_uses, state, "count_uses")                               \
  X(spans, timeline, "spans") X(start_ns, timeline, "start_ns")    \
  X(end_ns, timeline, "end_ns")                                                                   \
  X(p0_q, full, "p0.q") X(p0_e, full, "p0.e") X(p0_d, full, "p0.d") X(p0_s, full, "p0.s")         \
  X(p0_b, full, "p0.b") X(p0_g, full, "p0.g") X(p0_a, full, "p0.a")                               \
  X(p3_q, full, "p3.q") X(p3_e, full, "p3.e") X(p3_d, full, "p3.d") X(p3_s, full, "p3.s")         \
  X(p3_b, full, "p3.b") X(p3_g, full, "p3.g") X(p3_a, full, "p3.a")                               \
  X(p1_tokens, full, "p1.tokens") X(p2_tokens, full, "p2.tokens") X(p4_tokens, full, "p4.tokens") \
  X(poison_rows, full, "poison_rows") X(poison_damaged, full, "poison_damaged")
// clang-format on

enum class Field : std::uint8_t {
#define TANDEM_FIELD_ENUM(id, level, text) id,
  TANDEM_FIELDS(TANDEM_FIELD_ENUM)
#undef TANDEM_FIELD_ENUM
      count
};

constexpr std::size_t kFieldCount = static_cast<std::size_t>(Field::count);
using FieldSet = std::bitset<kFieldCount>;

struct FieldInfo {
  const char* name;   ///< inside its object: a member of a sub-step is named within "substeps"
  RecordLevel level;  ///< lowest level that records it
};

[[nodiscard]] const FieldInfo& field_info(Field field);
/// "substeps.qd" for members of sub-steps, else the name.
[[nodiscard]] std::string field_path(Field field);
/// The field of a path as field_path() writes it, or false.
[[nodiscard]] bool field_from_path(const std::string& path, Field& out);
/// What a trace of this level holds. `timeline` has spans and no full fields; `full` no spans.
[[nodiscard]] FieldSet fields_at(RecordLevel level);
/// fields_at(header.level) without header.absent (unknown names there are ignored: a reader refused
/// them already).
[[nodiscard]] FieldSet present_fields(const TraceHeader& header);

template <class Substep, class Visitor>
void visit_substep_fields(Substep& s, Visitor& v) {
  v(Field::sub_launched, s.launched);
  v(Field::sub_blocking, s.blocking);
  v(Field::sub_token_num, s.token_num);
  v(Field::sub_hidden_rows, s.hidden_rows);
  v(Field::sub_captured_size, s.captured_size);
  v(Field::sub_device_sum, s.device_sum);
  v(Field::sub_id_below, s.id_below);
  v(Field::sub_id_above, s.id_above);
  v(Field::sub_qd, s.qd);
  v(Field::sub_dd, s.dd);
  v(Field::sub_row_request, s.row_request);
  v(Field::sub_row_position, s.row_position);
  v(Field::sub_row_phase, s.row_phase);
  v(Field::sub_row_count, s.row_count);
  v(Field::sub_live_tail, s.live_tail);
}

namespace detail {

template <class Columns, class Visitor>
void visit_slot_columns(Field first, Columns& c, Visitor& v) {
  const auto at = [first](int k) { return static_cast<Field>(static_cast<int>(first) + k); };
  v(at(0), c.q);
  v(at(1), c.e);
  v(at(2), c.d);
  v(at(3), c.s);
  v(at(4), c.b);
  v(at(5), c.g);
}

template <class Record, class Visitor>
void visit_host_fields(Record& r, Visitor& v) {
  v(Field::t, r.t);
  v(Field::repeat, r.repeat);
  v(Field::kind, r.kind);
  v(Field::n, r.n);
  v(Field::segments, r.segments);
  v(Field::deviations, r.deviations);
  v(Field::tasks, r.tasks);
  v(Field::pinned_copies, r.pinned_copies);
  v(Field::outcomes, r.outcomes);
  v(Field::frees, r.frees);
  v(Field::flag_in, r.flag_in);
  v(Field::flag_out, r.flag_out);
  v(Field::draft_flag_in, r.draft_flag_in);
  v(Field::draft_flag_out, r.draft_flag_out);
  v(Field::mode, r.mode);
  v(Field::cached_in, r.cached_in);
  v(Field::cached_out, r.cached_out);
  v(Field::token_num, r.token_num);
  v(Field::launch_bsz, r.launch_bsz);
  v(Field::real_bsz, r.real_bsz);
  v(Field::captured_size, r.captured_size);
  v(Field::q_cpu, r.q_cpu);
  v(Field::b_cpu, r.b_cpu);
  v(Field::q_cpu_step, r.q_cpu_step);
  v(Field::b_cpu_step, r.b_cpu_step);
  v(Field::believed_len, r.believed_len);
  v(Field::believed_reserve, r.believed_reserve);
}

template <class Record, class Visitor>
void visit_launch_fields(Record& r, Visitor& v) {
  visit_slot_columns(Field::p1_q, r.p1, v);
  v(Field::p1_p, r.p1_p);
  v(Field::p1_draft_len, r.p1_draft.len);
  v(Field::p1_draft_hole, r.p1_draft.hole);
  v(Field::p1_draft_digest, r.p1_draft.digest);
  v(Field::p1_draft_first, r.p1_draft.first);
  v(Field::p1_table_hash, r.p1_table_hash);
  v(Field::p1_request, r.p1_request);
  v(Field::p1_generation, r.p1_generation);
  v(Field::cu_seqlens_q, r.cu_seqlens_q);
  v(Field::cu_seqlens_q_output, r.cu_seqlens_q_output);
  v(Field::row_runs, r.row_runs);
  v(Field::output_runs, r.output_runs);
  v(Field::output_rows, r.output_rows);
  v(Field::output_rows_host, r.output_rows_host);
  v(Field::id_below, r.id_below);
  v(Field::id_above, r.id_above);
  v(Field::guard_tripped, r.guard_tripped);
  v(Field::live_tail, r.live_tail);
}

template <class Record, class Visitor>
void visit_result_fields(Record& r, Visitor& v) {
  visit_slot_columns(Field::p2_q, r.p2, v);
  v(Field::p2_a, r.p2.a);
  v(Field::accept_digest, r.accept_digest);
  v(Field::last_digest, r.last_digest);
  v(Field::accept_marks, r.accept_marks);
  v(Field::p2_first, r.p2_first);
  v(Field::enqueue_generation, r.enqueue_generation);
  v(Field::p2_generation, r.p2_generation);
  v(Field::seed_used, r.seed_used);
  v(Field::stop_step_idx, r.stop_step_idx);
  v(Field::draft_e, r.draft_e);
  v(Field::paired, r.paired);
  v.list(Field::substeps, r.substeps,
         [](auto& substep, auto& visitor) { visit_substep_fields(substep, visitor); });
  v(Field::shadow_q, r.shadow.q);
  v(Field::shadow_e, r.shadow.e);
  v(Field::shadow_d, r.shadow.d);
  v(Field::shadow_g, r.shadow.g);
  v(Field::shadow_s, r.shadow.s);
  visit_slot_columns(Field::p4_q, r.p4, v);
  v(Field::p4_a, r.p4.a);
  v(Field::p4_draft_len, r.p4_draft.len);
  v(Field::p4_draft_hole, r.p4_draft.hole);
  v(Field::p4_draft_digest, r.p4_draft.digest);
  v(Field::p4_draft_first, r.p4_draft.first);
  v(Field::step_q, r.step_q);
  v(Field::step_d, r.step_d);
  v(Field::step_digest, r.step_digest);
  v(Field::messages, r.messages);
  v(Field::count_uses, r.count_uses);
}

}  // namespace detail

/// Visits every field of the record; a visitor that serves one level skips by fields_at().
template <class Record, class Visitor>
void visit_fields(Record& r, Visitor& v) {
  detail::visit_host_fields(r, v);
  detail::visit_launch_fields(r, v);
  detail::visit_result_fields(r, v);
  v(Field::spans, r.spans);
  v(Field::start_ns, r.start_ns);
  v(Field::end_ns, r.end_ns);
  detail::visit_slot_columns(Field::p0_q, r.p0, v);
  v(Field::p0_a, r.p0.a);
  detail::visit_slot_columns(Field::p3_q, r.p3, v);
  v(Field::p3_a, r.p3.a);
  v(Field::p1_tokens, r.p1_tokens);
  v(Field::p2_tokens, r.p2_tokens);
  v(Field::p4_tokens, r.p4_tokens);
  v(Field::poison_rows, r.poison_rows);
  v(Field::poison_damaged, r.poison_damaged);
}

}  // namespace tandem
