// What a recorded step can hold, by name: one table for presence, absence and printing.
//
// Names and their order are those of traces/fields.hpp, which a test holds against this table; the
// recorder itself includes nothing of Tandem, so that an engine can build it alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "traces/recorder/tandem_recorder.h"

namespace tandem::recorder {

/// How a member is told to be known, and printed.
// clang-format off
enum class Form : std::uint8_t {
  never, always, flag, mode, i32, i64, pair, column32, column8, column64, seed, tasks, outcomes,
  frees, messages, uses, row_len, row_hole, row_digest, row_first, table_hash, request, generation,
  prefix, runs, output_runs, id_below, id_above, accept_digest, last_digest, marks, step_digest,
  substeps
};
// clang-format on

/// When a member is read: always; where N > 0; in steps of kind back.
enum class Part : std::uint8_t { any, launch, back };

struct Field {
  const char* name;
  Form form;
  std::size_t offset;
  Part part;
};

#define TANDEM_AT(member) offsetof(tandem_step, member)
constexpr Field kFields[] = {
    {"t", Form::always, TANDEM_AT(t), Part::any},
    {"kind", Form::always, TANDEM_AT(kind), Part::any},
    {"n", Form::always, TANDEM_AT(n), Part::any},
    {"segments", Form::never, 0, Part::any},
    {"deviations", Form::never, 0, Part::any},
    {"tasks", Form::tasks, TANDEM_AT(tasks), Part::any},
    {"pinned_copies", Form::never, 0, Part::any},
    {"outcomes", Form::outcomes, TANDEM_AT(outcomes), Part::any},
    {"frees", Form::frees, TANDEM_AT(frees), Part::any},
    {"flag_in", Form::flag, TANDEM_AT(flag_in), Part::any},
    {"flag_out", Form::flag, TANDEM_AT(flag_out), Part::any},
    {"draft_flag_in", Form::flag, TANDEM_AT(draft_flag_in), Part::any},
    {"draft_flag_out", Form::flag, TANDEM_AT(draft_flag_out), Part::any},
    {"mode", Form::mode, TANDEM_AT(predicted), Part::any},
    {"cached_in", Form::pair, TANDEM_AT(cached_in_token_num), Part::any},
    {"cached_out", Form::pair, TANDEM_AT(cached_out_token_num), Part::any},
    {"token_num", Form::i32, TANDEM_AT(token_num), Part::any},
    {"launch_bsz", Form::i32, TANDEM_AT(launch_bsz), Part::any},
    {"real_bsz", Form::i32, TANDEM_AT(real_bsz), Part::any},
    {"captured_size", Form::i32, TANDEM_AT(captured_size), Part::any},
    {"q_cpu", Form::column32, TANDEM_AT(seq_lens_this_time_cpu), Part::any},
    {"b_cpu", Form::column8, TANDEM_AT(is_block_step_cpu), Part::any},
    {"q_cpu_step", Form::i64, TANDEM_AT(q_cpu_step), Part::any},
    {"b_cpu_step", Form::i64, TANDEM_AT(b_cpu_step), Part::any},
    {"believed_len", Form::column32, TANDEM_AT(believed_len), Part::any},
    {"believed_reserve", Form::column32, TANDEM_AT(believed_reserve), Part::any},
    {"p1.q", Form::column32, TANDEM_AT(p1.seq_lens_this_time), Part::any},
    {"p1.e", Form::column32, TANDEM_AT(p1.seq_lens_encoder), Part::any},
    {"p1.d", Form::column32, TANDEM_AT(p1.seq_lens_decoder), Part::any},
    {"p1.s", Form::column8, TANDEM_AT(p1.stop_flags), Part::any},
    {"p1.b", Form::column8, TANDEM_AT(p1.is_block_step), Part::any},
    {"p1.g", Form::column64, TANDEM_AT(p1.step_idx), Part::any},
    {"p1.p", Form::column64, TANDEM_AT(prompt_lens), Part::any},
    {"p1.draft_len", Form::row_len, TANDEM_AT(p1.draft_tokens), Part::any},
    {"p1.draft_hole", Form::row_hole, TANDEM_AT(p1.draft_tokens), Part::any},
    {"p1.draft_digest", Form::row_digest, TANDEM_AT(p1.draft_tokens), Part::any},
    {"p1.draft_first", Form::row_first, TANDEM_AT(p1.draft_tokens), Part::any},
    {"p1.table_hash", Form::table_hash, TANDEM_AT(block_tables), Part::any},
    {"p1.request", Form::request, TANDEM_AT(request), Part::any},
    {"p1.generation", Form::generation, TANDEM_AT(generation), Part::any},
    {"cu_seqlens_q", Form::prefix, TANDEM_AT(cu_seqlens_q), Part::launch},
    {"cu_seqlens_q_output", Form::prefix, TANDEM_AT(cu_seqlens_q_output), Part::launch},
    {"batch_id_per_token", Form::runs, TANDEM_AT(batch_id_per_token), Part::launch},
    {"batch_id_per_token_output", Form::output_runs, TANDEM_AT(batch_id_per_token_output),
     Part::launch},
    {"output_rows", Form::i32, TANDEM_AT(output_rows), Part::any},
    {"output_rows_host", Form::i32, TANDEM_AT(output_rows_host), Part::any},
    {"id_below", Form::id_below, TANDEM_AT(ids_remove_padding), Part::launch},
    {"id_above", Form::id_above, TANDEM_AT(ids_remove_padding), Part::launch},
    {"guard_tripped", Form::flag, TANDEM_AT(guard_tripped), Part::any},
    {"live_tail", Form::i32, TANDEM_AT(live_tail), Part::any},
    {"p2.q", Form::column32, TANDEM_AT(p2.seq_lens_this_time), Part::back},
    {"p2.e", Form::column32, TANDEM_AT(p2.seq_lens_encoder), Part::back},
    {"p2.d", Form::column32, TANDEM_AT(p2.seq_lens_decoder), Part::back},
    {"p2.s", Form::column8, TANDEM_AT(p2.stop_flags), Part::back},
    {"p2.b", Form::column8, TANDEM_AT(p2.is_block_step), Part::back},
    {"p2.g", Form::column64, TANDEM_AT(p2.step_idx), Part::back},
    {"p2.a", Form::column32, TANDEM_AT(p2.accept_num), Part::back},
    {"accept_digest", Form::accept_digest, TANDEM_AT(accept_tokens), Part::back},
    {"last_digest", Form::last_digest, TANDEM_AT(accept_tokens), Part::back},
    {"accept_marks", Form::marks, TANDEM_AT(accept_tokens), Part::back},
    {"p2.draft_first", Form::row_first, TANDEM_AT(p2.draft_tokens), Part::back},
    {"enqueue_generation", Form::column32, TANDEM_AT(enqueue_generation), Part::back},
    {"p2.generation", Form::column32, TANDEM_AT(p2_generation), Part::back},
    {"seed_used", Form::seed, TANDEM_AT(infer_seed), Part::back},
    {"stop_step_idx", Form::column64, TANDEM_AT(stop_step_idx), Part::back},
    {"draft_e", Form::column32, TANDEM_AT(draft_e), Part::back},
    {"paired", Form::column32, TANDEM_AT(paired), Part::back},
    {"substeps", Form::substeps, TANDEM_AT(substeps), Part::back},  // then kSubstepFields
    {"shadow.q", Form::column32, TANDEM_AT(shadow.seq_lens_this_time), Part::back},
    {"shadow.e", Form::column32, TANDEM_AT(shadow.seq_lens_encoder), Part::back},
    {"shadow.d", Form::column32, TANDEM_AT(shadow.seq_lens_decoder), Part::back},
    {"shadow.g", Form::column64, TANDEM_AT(shadow.step_idx), Part::back},
    {"shadow.s", Form::column8, TANDEM_AT(shadow.stop_flags), Part::back},
    {"p4.q", Form::column32, TANDEM_AT(p4.seq_lens_this_time), Part::back},
    {"p4.e", Form::column32, TANDEM_AT(p4.seq_lens_encoder), Part::back},
    {"p4.d", Form::column32, TANDEM_AT(p4.seq_lens_decoder), Part::back},
    {"p4.s", Form::column8, TANDEM_AT(p4.stop_flags), Part::back},
    {"p4.b", Form::column8, TANDEM_AT(p4.is_block_step), Part::back},
    {"p4.g", Form::column64, TANDEM_AT(p4.step_idx), Part::back},
    {"p4.a", Form::column32, TANDEM_AT(p4.accept_num), Part::back},
    {"p4.draft_len", Form::row_len, TANDEM_AT(p4.draft_tokens), Part::back},
    {"p4.draft_hole", Form::row_hole, TANDEM_AT(p4.draft_tokens), Part::back},
    {"p4.draft_digest", Form::row_digest, TANDEM_AT(p4.draft_tokens), Part::back},
    {"p4.draft_first", Form::row_first, TANDEM_AT(p4.draft_tokens), Part::back},
    {"step_q", Form::column32, TANDEM_AT(step_seq_lens_this_time), Part::back},
    {"step_d", Form::column32, TANDEM_AT(step_seq_lens_decoder), Part::back},
    {"step_digest", Form::step_digest, TANDEM_AT(step_draft_tokens), Part::back},
    {"messages", Form::messages, TANDEM_AT(messages), Part::any},
    {"count_uses", Form::uses, TANDEM_AT(count_uses), Part::any},
    {"spans", Form::never, 0, Part::any},
    {"start_ns", Form::i64, TANDEM_AT(start_ns), Part::any},
    {"end_ns", Form::i64, TANDEM_AT(end_ns), Part::any},
};

#undef TANDEM_AT
#define TANDEM_AT(member) offsetof(tandem_substep, member)
/// Members of a sub-step; those behind the first are read where it was launched.
constexpr Field kSubstepFields[] = {
    {"launched", Form::flag, TANDEM_AT(launched), Part::any},
    {"blocking", Form::flag, TANDEM_AT(blocking), Part::launch},
    {"token_num", Form::i32, TANDEM_AT(token_num), Part::launch},
    {"hidden_rows", Form::i32, TANDEM_AT(hidden_rows), Part::launch},
    {"captured_size", Form::i32, TANDEM_AT(captured_size), Part::launch},
    {"device_sum", Form::i32, TANDEM_AT(device_sum), Part::launch},
    {"id_below", Form::id_below, TANDEM_AT(ids_remove_padding), Part::launch},
    {"id_above", Form::id_above, TANDEM_AT(ids_remove_padding), Part::launch},
    {"qd", Form::column32, TANDEM_AT(seq_lens_this_time), Part::launch},
    {"dd", Form::column32, TANDEM_AT(seq_lens_decoder), Part::launch},
    {"row_request", Form::column32, TANDEM_AT(row_request), Part::launch},
    {"row_position", Form::column32, TANDEM_AT(row_position), Part::launch},
    {"row_phase", Form::column32, TANDEM_AT(row_phase), Part::launch},
    {"row_count", Form::column32, TANDEM_AT(row_count), Part::launch},
    {"live_tail", Form::i32, TANDEM_AT(live_tail), Part::launch},
};
#undef TANDEM_AT

/// Derived from another array too: without it the first is not known.
struct Need {
  const char* name;
  std::size_t offset, needs;
};
#define TANDEM_AT(member) offsetof(tandem_step, member)
constexpr Need kNeeds[] = {
    {"accept_tokens without p2.accept_num", TANDEM_AT(accept_tokens), TANDEM_AT(p2.accept_num)},
    {"step_draft_tokens without step_seq_lens_this_time", TANDEM_AT(step_draft_tokens),
     TANDEM_AT(step_seq_lens_this_time)},
    {"request without p1.stop_flags", TANDEM_AT(request), TANDEM_AT(p1.stop_flags)},
    {"request without p1.is_block_step", TANDEM_AT(request), TANDEM_AT(p1.is_block_step)},
    {"generation without p1.stop_flags", TANDEM_AT(generation), TANDEM_AT(p1.stop_flags)},
    {"generation without p1.is_block_step", TANDEM_AT(generation), TANDEM_AT(p1.is_block_step)},
};
#undef TANDEM_AT

/// The value of type T at an offset of a structure.
template <class T>
T read_at(const void* structure, std::size_t offset) {
  T value;
  std::memcpy(&value, static_cast<const std::byte*>(structure) + offset, sizeof value);
  return value;
}

inline bool is_known(const Field& field, const void* structure) {
  switch (field.form) {
    case Form::never:
      return false;
    case Form::always:
      return true;
    case Form::flag:
    case Form::mode:
    case Form::i32:
    case Form::pair:
      return read_at<std::int32_t>(structure, field.offset) != TANDEM_UNKNOWN;
    case Form::i64:
      return read_at<std::int64_t>(structure, field.offset) != TANDEM_UNKNOWN64;
    default:
      return read_at<const void*>(structure, field.offset) != nullptr;
  }
}

}  // namespace tandem::recorder
