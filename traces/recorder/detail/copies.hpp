// Which members of a step or keyframe are copied, and how long they are: a walk for both threads.
//
// A walk is a Packer or an Unpacker (detail/pack.hpp): the first has structures that it cannot
// change, the second those that it has just read. What was taken before may tell how much to take
// next. Members that nobody reads are forgotten. Lists of any length come last, so that the arrays
// in front of them keep their places.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "traces/recorder/detail/lines.hpp"

namespace tandem::recorder {

template <class Walk, class T>
using Struct = std::conditional_t<Walk::kReads, T, const T>;

template <class Walk, class T, class... More>
void take_columns(Walk& walk, const Shape& shape, T& column, More&... more) {
  walk.take(column, shape.slots);
  if constexpr (sizeof...(more) > 0) take_columns(walk, shape, more...);
}

/// Of a point, what its columns in a trace are made of, rows of drafts aside.
template <class Walk, class Slots>
void take_point(Walk& walk, const Shape& shape, Slots& s) {
  take_columns(walk, shape, s.seq_lens_this_time, s.seq_lens_encoder, s.seq_lens_decoder,
               s.stop_flags, s.is_block_step, s.step_idx, s.accept_num);
}

/// The proposer's: its rows of drafts and its counts are the target's.
template <class Walk, class Slots>
void take_shadow(Walk& walk, const Shape& shape, Slots& s) {
  walk.forget(s.is_block_step, s.accept_num, s.draft_tokens);
  take_columns(walk, shape, s.seq_lens_this_time, s.seq_lens_encoder, s.seq_lens_decoder,
               s.stop_flags, s.step_idx);
}

template <class Walk>
void take(Walk& walk, const Shape& shape, Struct<Walk, tandem_message>& m) {
  take_columns(walk, shape, m.accept_num, m.seq_lens_decoder, m.request, m.generation);
  walk.take(m.accept_tokens, shape.slots * shape.width);
}

template <class Walk>
void take(Walk& walk, Struct<Walk, tandem_request>& r) {
  walk.take(r.accept, r.accept_count);
}

template <class Walk>
void take(Walk& walk, Struct<Walk, tandem_task>& t) {
  if (t.kind == TANDEM_DNODE) {
    walk.take(t.draft_tokens, static_cast<std::size_t>(std::max(t.drafts, 0)) + 1);
  } else {
    walk.forget(t.draft_tokens);
  }
  walk.take_each(t.row, 1, [&](auto& r) { take(walk, r); });
  walk.take(t.blocks, t.block_count);
}

template <class Walk>
void take(Walk& walk, const Shape& shape, Struct<Walk, tandem_substep>& s) {
  if (s.launched == 0) return walk.forget(s);
  walk.take_range(s.ids_remove_padding, static_cast<std::size_t>(std::max(s.token_num, 0)));
  take_columns(walk, shape, s.seq_lens_this_time, s.seq_lens_decoder, s.row_request, s.row_position,
               s.row_phase, s.row_count);
}

/// Of the block tables, the rows that changed: they are large, and steps without tasks write none.
template <class Walk>
void take_tables(Walk& walk, const Shape& shape, Struct<Walk, tandem_step>& s) {
  if (s.block_tables == nullptr) return walk.forget(s.block_rows_changed);
  walk.take(s.block_rows_changed, shape.slots);
  if (s.block_rows_changed != nullptr) {
    walk.take_marked(s.block_tables, s.block_rows_changed, shape.slots, shape.table);
  } else {
    walk.take(s.block_tables, shape.slots * shape.table);
  }
}

template <class Walk>
void take_launch(Walk& walk, const Shape& shape, Struct<Walk, tandem_step>& s) {
  take_columns(walk, shape, s.seq_lens_this_time_cpu, s.is_block_step_cpu, s.believed_len,
               s.believed_reserve);
  walk.forget(s.p1.accept_num);  // nothing defines it there
  take_columns(walk, shape, s.p1.seq_lens_this_time, s.p1.seq_lens_encoder, s.p1.seq_lens_decoder,
               s.p1.stop_flags, s.p1.is_block_step, s.p1.step_idx);
  walk.take(s.p1.draft_tokens, shape.slots * shape.width);
  take_columns(walk, shape, s.prompt_lens, s.request, s.generation);
  take_tables(walk, shape, s);
  if (s.kind == TANDEM_IDLE) {
    return walk.forget(s.cu_seqlens_q, s.cu_seqlens_q_output, s.batch_id_per_token,
                       s.batch_id_per_token_output, s.ids_remove_padding);
  }
  const auto rows = static_cast<std::size_t>(std::max(s.token_num, 0));
  walk.take(s.cu_seqlens_q, static_cast<std::size_t>(s.n) + 1);
  walk.take(s.cu_seqlens_q_output, static_cast<std::size_t>(s.n) + 1);
  walk.take(s.batch_id_per_token, rows);
  walk.take(s.batch_id_per_token_output, static_cast<std::size_t>(std::max(s.output_rows, 0)));
  walk.take_range(s.ids_remove_padding, rows);
}

/// What schedule_cache saved of parked slots. Of a row no longer than 1 nothing but its length is
/// printed, and in most steps no row is longer.
template <class Walk>
void take_saved(Walk& walk, const Shape& shape, Struct<Walk, tandem_step>& s) {
  take_columns(walk, shape, s.step_seq_lens_this_time, s.step_seq_lens_decoder);
  const std::int32_t* lengths = s.step_seq_lens_this_time;
  std::int32_t longest = 2;
  if (lengths != nullptr) longest = *std::max_element(lengths, lengths + shape.slots);
  const std::size_t tokens = shape.slots * shape.width;
  if (longest > 1) {
    walk.take(s.step_draft_tokens, tokens);
  } else {
    walk.skip(s.step_draft_tokens, tokens);
  }
}

template <class Walk>
void take_results(Walk& walk, const Shape& shape, Struct<Walk, tandem_step>& s) {
  if (s.kind != TANDEM_BACK) {
    walk.forget(s.p2, s.accept_tokens, s.enqueue_generation, s.p2_generation, s.infer_seed,
                s.stop_step_idx, s.draft_e, s.paired, s.substeps, s.shadow, s.p4);
    return walk.forget(s.step_seq_lens_this_time, s.step_seq_lens_decoder, s.step_draft_tokens);
  }
  const std::size_t tokens = shape.slots * shape.width;
  take_point(walk, shape, s.p2);
  walk.take_first(s.p2.draft_tokens, shape.slots, shape.width);
  walk.take(s.accept_tokens, tokens);
  take_columns(walk, shape, s.enqueue_generation, s.p2_generation, s.infer_seed, s.stop_step_idx,
               s.draft_e, s.paired);
  walk.take_each(s.substeps, shape.substeps, [&](auto& sub) { take(walk, shape, sub); });
  take_shadow(walk, shape, s.shadow);
  take_point(walk, shape, s.p4);
  walk.take(s.p4.draft_tokens, tokens);
  take_saved(walk, shape, s);
}

template <class Walk>
void take(Walk& walk, const Shape& shape, Struct<Walk, tandem_step>& s) {
  take_launch(walk, shape, s);
  take_results(walk, shape, s);
  walk.take_each(s.messages, s.message_count, [&](auto& m) { take(walk, shape, m); });
  walk.take_each(s.tasks, s.task_count, [&](auto& t) { take(walk, t); });
  walk.take_each(s.outcomes, s.outcome_count, [](auto&) {});
  walk.take_each(s.frees, s.free_count, [](auto&) {});
  walk.take_each(s.count_uses, s.count_use_count, [](auto&) {});
}

template <class Walk>
void take(Walk& walk, const Shape& shape, Struct<Walk, tandem_keyframe>& k) {
  take_point(walk, shape, k.slots);
  walk.take(k.slots.draft_tokens, shape.slots * shape.width);
  take_shadow(walk, shape, k.shadow);
  take_columns(walk, shape, k.prompt_lens, k.infer_seed, k.is_block_step_cpu,
               k.step_seq_lens_this_time, k.step_seq_lens_decoder, k.request, k.generation,
               k.seq_lens_this_time_cpu, k.preempted, k.last_preempted, k.known_d, k.known_g,
               k.in_flight);
  walk.take(k.step_draft_tokens, shape.slots * shape.width);
  walk.take(k.block_tables, shape.slots * shape.table);
  walk.take_each(k.rows, k.row_count, [&](auto& r) { take(walk, r); });
  walk.take_each(k.unsent, k.unsent != nullptr ? 1 : 0, [&](auto& m) { take(walk, shape, m); });
}

}  // namespace tandem::recorder
