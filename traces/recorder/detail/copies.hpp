// Deep copies of what a caller hands in: a structure and all arrays behind it, in one entry.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "traces/recorder/detail/lines.hpp"

namespace tandem::recorder {

constexpr std::size_t kAlign = 16;

constexpr std::size_t aligned(std::size_t bytes) { return (bytes + kAlign - 1) / kAlign * kAlign; }

/// Deep copies behind a structure, as long as they fit. From the first array that does not it only
/// counts: used() then tells how much memory the same walk needs.
class Arena {
 public:
  Arena(std::byte* memory, std::size_t bytes) : memory_(memory), bytes_(bytes) {}

  [[nodiscard]] std::size_t used() const { return used_; }
  [[nodiscard]] bool fits() const { return memory_ != nullptr; }

  /// Memory for an array, or null.
  template <class T>
  T* room(std::size_t count) {
    const std::size_t begin = used_;
    used_ += aligned(count * sizeof(T));
    if (used_ > bytes_) memory_ = nullptr;
    return memory_ != nullptr ? reinterpret_cast<T*>(memory_ + begin) : nullptr;
  }
  template <class T>
  void take(const T*& array, std::size_t count) {
    if (array == nullptr) return;
    T* target = room<T>(count);
    if (target == nullptr) return;
    if (count > 0) std::memcpy(target, array, count * sizeof(T));
    array = target;
  }
  /// take() for structures that hold arrays; inner(copy) takes those of one.
  template <class T, class Inner>
  void take_each(const T*& array, std::size_t count, Inner inner) {
    const T* source = array;
    take(array, count);
    for (std::size_t i = 0; source != nullptr && i < count; ++i) {
      T element = source[i];
      inner(element);
      if (memory_ != nullptr) const_cast<T*>(array)[i] = element;
    }
  }

 private:
  std::byte* memory_;
  std::size_t bytes_;
  std::size_t used_ = 0;
};

/// Of a point, what its columns in a trace are made of: `draft_columns` of W columns of D.
inline void take(Arena& a, const Shape& shape, tandem_slots& s, std::size_t draft_columns) {
  a.take(s.seq_lens_this_time, shape.slots);
  a.take(s.seq_lens_encoder, shape.slots);
  a.take(s.seq_lens_decoder, shape.slots);
  a.take(s.stop_flags, shape.slots);
  a.take(s.is_block_step, shape.slots);
  a.take(s.step_idx, shape.slots);
  a.take(s.accept_num, shape.slots);
  if (draft_columns == 0) s.draft_tokens = nullptr;
  a.take(s.draft_tokens, shape.slots * draft_columns);
}

/// The proposer's: its rows of drafts and its counts are the target's.
inline void take_shadow(Arena& a, const Shape& shape, tandem_slots& s) {
  s.is_block_step = nullptr;
  s.accept_num = nullptr;
  take(a, shape, s, 0);
}

inline void take(Arena& a, const Shape& shape, tandem_message& m) {
  for (const std::int32_t** column :
       {&m.accept_num, &m.seq_lens_decoder, &m.request, &m.generation}) {
    a.take(*column, shape.slots);
  }
  a.take(m.accept_tokens, shape.slots * shape.width);
}

inline void take(Arena& a, tandem_request& r) { a.take(r.accept, r.accept_count); }

inline void take(Arena& a, tandem_task& t) {
  if (t.kind != TANDEM_DNODE) t.draft_tokens = nullptr;
  a.take(t.draft_tokens, static_cast<std::size_t>(std::max(t.drafts, 0)) + 1);
  a.take_each(t.row, 1, [&](tandem_request& r) { take(a, r); });
  a.take(t.blocks, t.block_count);
}

inline void take(Arena& a, const Shape& shape, tandem_substep& s) {
  if (s.launched == 0) s = tandem_substep{};
  a.take(s.ids_remove_padding, static_cast<std::size_t>(std::max(s.token_num, 0)));
  for (const std::int32_t** column : {&s.seq_lens_this_time, &s.seq_lens_decoder, &s.row_request,
                                      &s.row_position, &s.row_phase, &s.row_count}) {
    a.take(*column, shape.slots);
  }
}

/// Of the block tables, the rows that changed: they are large, and steps without tasks write none.
inline void take_tables(Arena& a, const Shape& shape, tandem_step& s) {
  const std::int32_t* source = s.block_tables;
  const std::uint8_t* changed = source != nullptr ? s.block_rows_changed : nullptr;
  s.block_rows_changed = changed;
  a.take(s.block_rows_changed, shape.slots);
  if (changed == nullptr) return a.take(s.block_tables, shape.slots * shape.table);
  std::size_t rows = 0;
  for (std::size_t i = 0; i < shape.slots; ++i) rows += changed[i] != 0 ? 1 : 0;
  auto* target = a.room<std::int32_t>(rows * shape.table);
  if (target == nullptr) return;
  s.block_tables = target;
  for (std::size_t i = 0; i < shape.slots; ++i) {
    if (changed[i] == 0) continue;
    std::memcpy(target, source + i * shape.table, shape.table * sizeof *target);
    target += shape.table;
  }
}

inline void take_launch(Arena& a, const Shape& shape, tandem_step& s) {
  a.take(s.seq_lens_this_time_cpu, shape.slots);
  a.take(s.is_block_step_cpu, shape.slots);
  a.take(s.believed_len, shape.slots);
  a.take(s.believed_reserve, shape.slots);
  s.p1.accept_num = nullptr;  // nothing defines it there
  take(a, shape, s.p1, shape.width);
  a.take(s.prompt_lens, shape.slots);
  take_tables(a, shape, s);
  a.take(s.request, shape.slots);
  a.take(s.generation, shape.slots);
  if (s.kind == TANDEM_IDLE) {
    s.cu_seqlens_q = s.cu_seqlens_q_output = nullptr;
    s.batch_id_per_token = s.batch_id_per_token_output = nullptr;
    s.ids_remove_padding = nullptr;
  }
  const auto rows = static_cast<std::size_t>(std::max(s.token_num, 0));
  a.take(s.cu_seqlens_q, static_cast<std::size_t>(s.n) + 1);
  a.take(s.cu_seqlens_q_output, static_cast<std::size_t>(s.n) + 1);
  a.take(s.batch_id_per_token, rows);
  a.take(s.batch_id_per_token_output, static_cast<std::size_t>(std::max(s.output_rows, 0)));
  a.take(s.ids_remove_padding, rows);
}

inline void take_results(Arena& a, const Shape& shape, tandem_step& s) {
  if (s.kind != TANDEM_BACK) {  // nothing from p2 on is read
    auto* begin = reinterpret_cast<std::byte*>(&s.p2);
    std::memset(begin, 0, offsetof(tandem_step, messages) - offsetof(tandem_step, p2));
    return;
  }
  take(a, shape, s.p2, shape.width);
  a.take(s.accept_tokens, shape.slots * shape.width);
  a.take(s.enqueue_generation, shape.slots);
  a.take(s.p2_generation, shape.slots);
  a.take(s.infer_seed, shape.slots);
  a.take(s.stop_step_idx, shape.slots);
  a.take(s.draft_e, shape.slots);
  a.take(s.paired, shape.slots);
  a.take_each(s.substeps, shape.substeps, [&](tandem_substep& sub) { take(a, shape, sub); });
  take_shadow(a, shape, s.shadow);
  take(a, shape, s.p4, shape.width);
  a.take(s.step_seq_lens_this_time, shape.slots);
  a.take(s.step_seq_lens_decoder, shape.slots);
  a.take(s.step_draft_tokens, shape.slots * shape.width);
}

inline void take(Arena& a, const Shape& shape, tandem_step& s) {
  a.take_each(s.tasks, s.task_count, [&](tandem_task& t) { take(a, t); });
  a.take(s.outcomes, s.outcome_count);
  a.take(s.frees, s.free_count);
  take_launch(a, shape, s);
  take_results(a, shape, s);
  a.take_each(s.messages, s.message_count, [&](tandem_message& m) { take(a, shape, m); });
  a.take(s.count_uses, s.count_use_count);
}

inline void take(Arena& a, const Shape& shape, tandem_keyframe& k) {
  take(a, shape, k.slots, shape.width);
  take_shadow(a, shape, k.shadow);
  a.take(k.prompt_lens, shape.slots);
  a.take(k.infer_seed, shape.slots);
  a.take(k.step_draft_tokens, shape.slots * shape.width);
  a.take(k.block_tables, shape.slots * shape.table);
  a.take(k.is_block_step_cpu, shape.slots);
  for (const std::int32_t** column :
       {&k.step_seq_lens_this_time, &k.step_seq_lens_decoder, &k.request, &k.generation,
        &k.seq_lens_this_time_cpu, &k.preempted, &k.last_preempted, &k.known_d, &k.known_g,
        &k.in_flight}) {
    a.take(*column, shape.slots);
  }
  a.take_each(k.rows, k.row_count, [&](tandem_request& r) { take(a, r); });
  a.take_each(k.unsent, k.unsent != nullptr ? 1 : 0, [&](tandem_message& m) { take(a, shape, m); });
}

}  // namespace tandem::recorder
