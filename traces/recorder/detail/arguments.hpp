// What a caller may hand in: everything that says how far memory is read, and what open() was told.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>

#include "traces/recorder/detail/lines.hpp"

namespace tandem::recorder {

/// Rows of a launch, no more: a wrong count of the device shall be recorded, not refused.
constexpr std::int64_t kRowsMax = 1 << 24;

/// What is wrong with an argument, in two words.
struct Objection {
  tandem_result result = TANDEM_OK;
  const char* what = "";
};

inline bool in_range(std::int64_t value, std::int64_t low, std::int64_t high) {
  return value >= low && value <= high;
}

/// How many elements a list has; other members count as one.
inline std::size_t count_of(const Field& f, const tandem_step& s) {
  switch (f.form) {
    case Form::tasks:
      return s.task_count;
    case Form::outcomes:
      return s.outcome_count;
    case Form::frees:
      return s.free_count;
    case Form::messages:
      return s.message_count;
    case Form::uses:
      return s.count_use_count;
    case Form::id_below:
    case Form::id_above:
    case Form::runs:
      return s.token_num > 0 ? 1 : 0;
    case Form::output_runs:
      return s.output_rows > 0 ? 1 : 0;
    default:
      return 1;
  }
}

inline const char* bad_message(const tandem_message& m) {
  const bool whole = m.accept_num != nullptr && m.seq_lens_decoder != nullptr &&
                     m.request != nullptr && m.generation != nullptr &&
                     (m.accept_tokens != nullptr || m.control != 0);
  return whole ? nullptr : "messages: a column";
}

inline const char* bad_row(const tandem_request& r) {
  return r.accept == nullptr && r.accept_count > 0 ? "request: accept" : nullptr;
}

inline const char* bad_task(const tandem_task& t, std::size_t width) {
  if (!in_range(t.kind, TANDEM_PREFILL, TANDEM_ABORT)) return "tasks: kind";
  if (t.blocks == nullptr && t.block_count > 0) return "tasks: blocks";
  if (t.kind == TANDEM_DNODE &&
      (!in_range(t.drafts, 0, static_cast<std::int64_t>(width) - 1) || t.draft_tokens == nullptr)) {
    return "tasks: drafts";
  }
  return t.row != nullptr ? bad_row(*t.row) : nullptr;
}

inline const char* bad_lists(const tandem_step& s, const Shape& shape) {
  const char* bad = nullptr;
  for (std::size_t i = 0; bad == nullptr && i < s.task_count; ++i) {
    bad = bad_task(s.tasks[i], shape.width);
  }
  for (std::size_t i = 0; bad == nullptr && i < s.message_count; ++i) {
    bad = bad_message(s.messages[i]);
  }
  for (std::size_t i = 0; bad == nullptr && i < s.outcome_count; ++i) {
    if (!in_range(s.outcomes[i].reason, TANDEM_OPEN, TANDEM_ABORTED)) bad = "outcomes: reason";
  }
  for (std::size_t i = 0; bad == nullptr && i < s.count_use_count; ++i) {
    if (!in_range(s.count_uses[i].user, 0, 1)) bad = "count_uses: user";
  }
  return bad;
}

inline const char* bad_keyframe(const tandem_keyframe& k, const Shape& shape) {
  if (!in_range(k.n, 0, static_cast<std::int64_t>(shape.slots))) return "keyframe: n";
  if (k.rows == nullptr && k.row_count > 0) return "keyframe: rows";
  const char* bad = k.unsent != nullptr ? bad_message(*k.unsent) : nullptr;
  for (std::size_t i = 0; bad == nullptr && i < k.row_count; ++i) bad = bad_row(k.rows[i]);
  return bad;
}

/// Fields that are derived from another one too, or whose length is.
inline const char* bad_known(const tandem_step& known) {
  for (const Need& need : kNeeds) {
    if (read_at<const void*>(&known, need.offset) != nullptr &&
        read_at<const void*>(&known, need.needs) == nullptr) {
      return need.name;
    }
  }
  const bool counts_rows =
      known.batch_id_per_token != nullptr || known.ids_remove_padding != nullptr;
  if (counts_rows && known.token_num == TANDEM_UNKNOWN) return "token_num";
  if (known.batch_id_per_token_output != nullptr && known.output_rows == TANDEM_UNKNOWN) {
    return "output_rows";
  }
  if (known.substeps == nullptr) return nullptr;
  const tandem_substep& sub = known.substeps[0];
  if (sub.launched == TANDEM_UNKNOWN) return "substeps: launched";
  if (sub.ids_remove_padding != nullptr && sub.token_num == TANDEM_UNKNOWN) {
    return "substeps: token_num";
  }
  return nullptr;
}

inline const char* bad_config(const tandem_config& c) {
  if (!in_range(c.max_num_seqs, 1, 512)) return "max_num_seqs";
  if (!in_range(c.num_speculative_tokens, 1, 16)) return "num_speculative_tokens";
  if (!in_range(c.num_model_steps, 1, c.num_speculative_tokens)) return "num_model_steps";
  if (!in_range(c.block_size, 1, 1 << 16)) return "block_size";
  if (!in_range(c.enc_dec_block_num, 0, 1 << 10)) return "enc_dec_block_num";
  if (!in_range(c.max_model_len, 1, 1 << 28)) return "max_model_len";
  if (!in_range(c.max_num_batched_tokens, 1, 1 << 28)) return "max_num_batched_tokens";
  for (const char* text : {c.producer, c.device, c.scenario, c.policy, c.draft_path, c.encoder_test,
                           c.arrivals, c.acceptance}) {
    if (text == nullptr) return "a name";
  }
  for (const char* row : c.rows) {
    if (row == nullptr) return "rows";
  }
  if (c.captured_sizes == nullptr && c.captured_size_count > 0) return "captured_sizes";
  if (c.eos_ids == nullptr && c.eos_id_count > 0) return "eos_ids";
  if (c.millionths == nullptr && c.millionth_count > 0) return "millionths";
  return nullptr;
}

inline Shape shape_of(const tandem_config& c) {
  Shape shape;
  shape.slots = static_cast<std::size_t>(c.max_num_seqs);
  shape.width = static_cast<std::size_t>(c.num_speculative_tokens) + 1;
  shape.substeps = static_cast<std::size_t>(c.num_model_steps);
  const auto block = static_cast<std::size_t>(c.block_size);
  shape.table = (static_cast<std::size_t>(c.max_model_len) + block - 1) / block +
                static_cast<std::size_t>(c.enc_dec_block_num);
  shape.rows_max = static_cast<std::size_t>(c.max_num_batched_tokens);
  shape.key = c.digest_key;
  shape.vocab_size = c.vocab_size;
  shape.eos_ids.assign(c.eos_ids, c.eos_ids + c.eos_id_count);
  return shape;
}

/// Which members of a structure open() was told to expect, for a quick look: no field, no part.
template <std::size_t kCount>
class Expected {
 public:
  Expected(const Field (&fields)[kCount], const void* known) {
    std::size_t seen = sizeof(tandem_step);
    for (const Field& f : fields) {
      if (f.offset == seen || f.form == Form::never || f.form == Form::always) continue;
      seen = f.offset;  // fields that are made of the same member stand side by side
      Members& members = members_of(f.form);
      members.at[members.count++] = {static_cast<std::uint16_t>(f.offset), is_known(f, known)};
    }
  }
  /// Whether just these are given. Where not, a step may still be right: not all is always read.
  [[nodiscard]] bool are_given(const void* structure) const {
    bool other = false;
    for (std::size_t i = 0; i < pointers_.count; ++i) {
      const Member& m = pointers_.at[i];
      other |= (read_at<const void*>(structure, m.offset) != nullptr) != m.known;
    }
    for (std::size_t i = 0; i < numbers_.count; ++i) {
      const Member& m = numbers_.at[i];
      other |= (read_at<std::int32_t>(structure, m.offset) != TANDEM_UNKNOWN) != m.known;
    }
    for (std::size_t i = 0; i < wide_.count; ++i) {
      const Member& m = wide_.at[i];
      other |= (read_at<std::int64_t>(structure, m.offset) != TANDEM_UNKNOWN64) != m.known;
    }
    return !other;
  }

 private:
  struct Member {
    std::uint16_t offset;
    bool known;
  };
  struct Members {
    std::array<Member, kCount> at{};
    std::size_t count = 0;
  };
  Members pointers_, numbers_, wide_;

  Members& members_of(Form form) {
    switch (form) {
      case Form::flag:
      case Form::mode:
      case Form::i32:
      case Form::pair:
        return numbers_;
      case Form::i64:
        return wide_;
      default:
        return pointers_;
    }
  }
};

/// What every step is held against.
struct Contract {
  Contract(Shape dimensions, const tandem_step& known_step)
      : shape(std::move(dimensions)),
        known(known_step),
        known_substep(known_step.substeps != nullptr ? known_step.substeps[0] : tandem_substep{}),
        members(kFields, &known),
        substep_members(kSubstepFields, &known_substep) {}

  Shape shape;
  tandem_step known;
  tandem_substep known_substep;
  Expected<std::size(kFields)> members;
  Expected<std::size(kSubstepFields)> substep_members;
};

/// The first member, by field, that is read and not given as open() was told, or the reverse.
template <std::size_t kCount, class Structure, class IsRead>
inline const Field* other_member(const Field (&fields)[kCount], const Structure& given,
                                 const Structure& known, IsRead is_read) {
  std::size_t seen = sizeof(Structure);
  for (const Field& f : fields) {
    if (f.offset == seen || f.form == Form::never || f.form == Form::always) continue;
    seen = f.offset;
    if (is_known(f, &given) != is_known(f, &known) && is_read(f)) return &f;
  }
  return nullptr;
}

inline const Field* other_member(const tandem_step& s, const Contract& contract) {
  if (contract.members.are_given(&s)) return nullptr;
  return other_member(kFields, s, contract.known, [&](const Field& f) {
    if (f.part == Part::back && s.kind != TANDEM_BACK) return false;
    if (f.part == Part::launch && s.kind == TANDEM_IDLE) return false;
    return is_known(f, &s) || count_of(f, s) > 0;
  });
}

inline const Field* other_member(const tandem_substep& sub, const Contract& contract) {
  if (contract.substep_members.are_given(&sub)) return nullptr;
  return other_member(kSubstepFields, sub, contract.known_substep, [&sub](const Field& f) {
    const bool is_ids = f.form == Form::id_below || f.form == Form::id_above;
    if (is_ids && sub.token_num <= 0) return false;
    return f.part == Part::any || sub.launched != 0;
  });
}

inline Objection bad_fields(const tandem_step& s, const Contract& contract) {
  const Field* other = other_member(s, contract);
  if (other != nullptr) return {TANDEM_BAD_FIELD, other->name};
  if (s.kind != TANDEM_BACK || s.substeps == nullptr) return {};
  for (std::size_t j = 0; j < contract.shape.substeps; ++j) {
    const tandem_substep& sub = s.substeps[j];
    other = other_member(sub, contract);
    if (other != nullptr) return {TANDEM_BAD_FIELD, other->name};
    if (sub.token_num != TANDEM_UNKNOWN && !in_range(sub.token_num, 0, kRowsMax)) {
      return {TANDEM_BAD_ARGUMENT, "substeps: token_num"};
    }
  }
  return {};
}

/// Whether a step can be copied: sizes that say how far arrays are read, and what open() was told.
inline Objection bad_step(const tandem_step& s, const Contract& contract) {
  const Shape& shape = contract.shape;
  const char* bad = nullptr;
  if (!in_range(s.kind, TANDEM_BACK, TANDEM_IDLE)) bad = "kind";
  if (!in_range(s.n, 0, static_cast<std::int64_t>(shape.slots))) bad = "n";
  if (s.token_num != TANDEM_UNKNOWN && !in_range(s.token_num, 0, kRowsMax)) bad = "token_num";
  if (s.output_rows != TANDEM_UNKNOWN && !in_range(s.output_rows, 0, kRowsMax)) bad = "output_rows";
  if (bad != nullptr) return {TANDEM_BAD_ARGUMENT, bad};
  const Objection fields = bad_fields(s, contract);
  if (fields.result != TANDEM_OK) return fields;
  bad = bad_lists(s, shape);
  return bad == nullptr ? Objection{} : Objection{TANDEM_BAD_ARGUMENT, bad};
}

}  // namespace tandem::recorder
