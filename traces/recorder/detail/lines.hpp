// Prints recorded steps, keyframes and headers as lines of a JSONL trace.
//
// Self-contained as the recorder is. What is left out, and how, is traces/FORMAT.md, "JSONL".
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "traces/recorder/detail/fields.hpp"

namespace tandem::recorder {

/// Sizes of a run, the key of its digests and its EOS ids.
struct Shape {
  std::size_t slots = 0, width = 0, substeps = 0, table = 0;  ///< B, W, M, nblk
  std::size_t rows_max = 0;                                   ///< max_num_batched_tokens
  std::uint64_t key = 0;
  std::int64_t vocab_size = 0;
  std::vector<std::int64_t> eos_ids;
};

constexpr std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31U);
}

/// FORMAT.md "Digests": the highest `bits` bits of a chain that starts at the key; 0 of no token.
inline std::uint32_t digest(std::uint64_t key, const std::int64_t* tokens, std::size_t count,
                            unsigned bits) {
  std::uint64_t h = key;
  for (std::size_t i = 0; i < count; ++i) {
    const auto token = static_cast<std::uint64_t>(tokens[i]);
    h = mix((h + 0x9E3779B97F4A7C15ULL) ^ (token * 0xD6E8FEB86659FD93ULL));
  }
  return count == 0 ? 0 : static_cast<std::uint32_t>(h >> (64U - bits));
}

/// FORMAT.md "Digests": the sum over entries >= 0, modulo 2^32.
inline std::uint32_t table_row_hash(const std::int32_t* row, std::size_t entries) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < entries; ++i) {
    if (row[i] < 0) continue;
    const std::uint64_t key =
        (static_cast<std::uint64_t>(i) << 32U) | static_cast<std::uint32_t>(row[i]);
    sum += static_cast<std::uint32_t>(mix(key + 0x9E3779B97F4A7C15ULL));
  }
  return sum;
}

/// JSON text, member by member. Columns whose entries are all 0 are left out.
class Json {
 public:
  std::string text;

  template <class T>
  void number(T value) {
    char digits[24];
    text.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  }
  /// Unsigned 64 bits: beyond 2^53 as text, since many readers hold numbers as doubles.
  void big(std::uint64_t value) {
    if (value <= 1ULL << 53U) return number(value);
    char digits[20];
    text += "\"0x";
    text.append(digits, std::to_chars(digits, digits + sizeof digits, value, 16).ptr);
    text += '"';
  }
  void word(const char* value) {
    text += '"';
    for (; *value != 0; ++value) {
      const auto byte = static_cast<unsigned char>(*value);
      constexpr const char* kShort = "\bb\tt\nn\ff\rr";  // a character, then its letter
      const char* found = byte < 0x20 ? std::strchr(kShort, *value) : nullptr;
      if (found != nullptr) {
        text.append("\\").append(1, found[1]);
      } else if (byte < 0x20) {
        text.append("\\u00").append(1, static_cast<char>('0' + byte / 16));
        text += "0123456789abcdef"[byte % 16];
      } else {
        if (*value == '"' || *value == '\\') text += '\\';
        text += *value;
      }
    }
    text += '"';
  }
  void key(const char* prefix, const char* name) {
    if (text.back() != '{') text += ',';
    text.append("\"").append(prefix).append(name).append("\":");
  }
  void key(const char* name) { key("", name); }
  template <class T>
  void member(const char* name, T value) {
    key(name);
    number(value);
  }
  void flag(const char* name, bool value) {
    key(name);
    text += value ? "true" : "false";
  }
  void name(const char* member, const char* value) {
    key(member);
    word(value);
  }
  /// The separator in front of an element of a list.
  void next() {
    if (text.back() != '[') text += ',';
  }
  template <class Each>
  void list(const char* name, std::size_t count, Each each) {
    key(name);
    text += '[';
    for (std::size_t i = 0; i < count; ++i) {
      next();
      each(i);
    }
    text += ']';
  }
  template <class Value>
  void column(const char* name, std::size_t count, Value value) {
    bool any = false;
    for (std::size_t i = 0; i < count && !any; ++i) any = value(i) != 0;
    if (any) list(name, count, [&](std::size_t i) { number(value(i)); });
  }
};

inline const char* const kStepKinds[] = {"back", "empty", "idle"};
inline const char* const kTaskKinds[] = {"prefill", "dnode", "decode", "preempt", "abort"};
inline const char* const kReasons[] = {"open", "eos", "length", "stop", "abort"};
inline const char* const kCountUsers[] = {"routing_replay", "sampling_mask"};

/// Prints one run; keeps what its lines have in common.
class Lines {
 public:
  Lines(Shape shape, const tandem_step& known) : shape_(std::move(shape)), known_(known) {
    if (known.substeps != nullptr) known_substep_ = known.substeps[0];
    table_hash_.assign(shape_.slots, 0);
  }

  // One line each, with its end; valid until the next call.
  [[nodiscard]] const std::string& header(const tandem_config& c);
  [[nodiscard]] const std::string& step(const tandem_step& s);
  [[nodiscard]] const std::string& keyframe(const tandem_keyframe& k, bool is_last);

 private:
  Shape shape_;
  Json json_;
  tandem_step known_;
  tandem_substep known_substep_{};
  std::vector<std::uint32_t> table_hash_;  // of the device's rows, as last seen

  [[nodiscard]] const std::int64_t* row(const std::int64_t* tokens, std::size_t i) const {
    return tokens + i * shape_.width;
  }
  [[nodiscard]] std::int64_t row_value(Form form, const std::int64_t* tokens) const;
  [[nodiscard]] std::int64_t stray_id(Form form, const std::int64_t* ids, std::size_t rows) const;
  [[nodiscard]] static bool is_unfinished_chunk(const tandem_step& s, std::size_t i);
  [[nodiscard]] std::int64_t accepted(Form form, const tandem_step& s, std::size_t i) const;
  [[nodiscard]] std::int64_t slot_value(const Field& f, const tandem_step& s, std::size_t i) const;
  void absent();
  void see_tables(const tandem_step& s);
  void field(const Field& f, const tandem_step& s);
  bool plain_field(const Field& f, const void* structure, std::int32_t rows);
  void lists(const Field& f, const tandem_step& s);
  void substep(const tandem_substep& s);
  void runs(const char* name, const std::int32_t* ids, std::size_t count);
  void request(const tandem_request& r);
  void task(const tandem_task& t);
  void message(const tandem_message& m);
  void config(const tandem_config& c);
  void keyframe_device(const tandem_keyframe& k);
  void keyframe_host(const tandem_keyframe& k);
  template <class T>
  void column(const char* name, const T* values) {
    if (values == nullptr) return;
    json_.column(name, shape_.slots, [values](std::size_t i) { return std::int64_t{values[i]}; });
  }
  void flags(const char* name, const std::uint8_t* values) {
    if (values == nullptr) return;
    json_.column(name, shape_.slots, [values](std::size_t i) { return values[i] != 0 ? 1 : 0; });
  }
  /// A column whose default is not 0: printed wherever it is known.
  template <class T>
  void whole(const char* name, const T* values) {
    if (values == nullptr) return;
    json_.list(name, shape_.slots, [&](std::size_t i) {
      json_.number(sizeof(T) == 1 ? static_cast<T>(values[i] != 0) : values[i]);
    });
  }
  /// Digest of step_draft_tokens[1..step_q).
  [[nodiscard]] std::int64_t saved_digest(const std::int64_t* tokens, std::int32_t length) const {
    const std::int32_t end = std::clamp(length, 1, static_cast<std::int32_t>(shape_.width));
    return digest(shape_.key, tokens + 1, static_cast<std::size_t>(end) - 1, 8);
  }
  void draft_row(const char* name, Form form, const std::int64_t* tokens) {
    if (tokens == nullptr) return;
    json_.column(name, shape_.slots,
                 [&](std::size_t i) { return row_value(form, row(tokens, i)); });
  }
};

inline std::int64_t Lines::row_value(Form form, const std::int64_t* tokens) const {
  const std::int64_t* end = tokens + shape_.width;
  const auto length = static_cast<std::size_t>(std::find(tokens, end, -1) - tokens);
  switch (form) {
    case Form::row_len:
      return static_cast<std::int64_t>(length);
    case Form::row_hole:
      return std::any_of(tokens + length, end, [](std::int64_t id) { return id != -1; }) ? 1 : 0;
    case Form::row_digest:
      return length > 1 ? digest(shape_.key, tokens + 1, length - 1, 8) : 0;
    default:
      return digest(shape_.key, tokens, std::min<std::size_t>(length, 1), 8);
  }
}

/// A chunk that does not finish its text, as far as known members tell: its token is nobody's.
inline bool Lines::is_unfinished_chunk(const tandem_step& s, std::size_t i) {
  const bool is_told = s.p1.seq_lens_encoder != nullptr && s.p2.seq_lens_decoder != nullptr &&
                       s.prompt_lens != nullptr;
  return is_told && s.p1.seq_lens_encoder[i] > 0 && s.p2.seq_lens_decoder[i] < s.prompt_lens[i];
}

/// Of A[0..a). A count beyond W, which is the device's mistake, is cut: no memory behind is read.
inline std::int64_t Lines::accepted(Form form, const tandem_step& s, std::size_t i) const {
  const std::int64_t* tokens = row(s.accept_tokens, i);
  const auto count = static_cast<std::size_t>(
      std::clamp(s.p2.accept_num[i], 0, static_cast<std::int32_t>(shape_.width)));
  if (count == 0) return 0;
  if (form == Form::accept_digest) {
    return is_unfinished_chunk(s, i) ? 0 : digest(shape_.key, tokens, count, 16);
  }
  if (form == Form::last_digest) return digest(shape_.key, tokens + count - 1, 1, 8);
  const auto is_eos = [this](std::int64_t id) {
    return std::find(shape_.eos_ids.begin(), shape_.eos_ids.end(), id) != shape_.eos_ids.end();
  };
  const bool earlier = std::any_of(tokens, tokens + count - 1, is_eos);
  const bool negative = std::any_of(tokens, tokens + count, [](std::int64_t id) { return id < 0; });
  return (is_eos(tokens[count - 1]) ? 1 : 0) + (earlier ? 2 : 0) + (negative ? 4 : 0);
}

inline std::int64_t Lines::slot_value(const Field& f, const tandem_step& s, std::size_t i) const {
  const auto number = [&](auto type) {
    return std::int64_t{read_at<const decltype(type)*>(&s, f.offset)[i]};
  };
  switch (f.form) {
    case Form::table_hash:
      return static_cast<std::int32_t>(table_hash_[i]);
    case Form::request:
    case Form::generation: {
      // Whose data a slot holds is told while it runs or is parked; elsewhere it means nothing.
      const bool held = s.p1.stop_flags[i] == 0 || s.p1.is_block_step[i] != 0;
      return held ? number(std::int32_t{}) : f.form == Form::request ? -1 : 0;
    }
    case Form::seed:
      return number(std::int64_t{}) & 0x7FFFFFFF;
    case Form::accept_digest:
    case Form::last_digest:
    case Form::marks:
      return accepted(f.form, s, i);
    case Form::step_digest:
      return saved_digest(row(s.step_draft_tokens, i), s.step_seq_lens_this_time[i]);
    default:
      return row_value(f.form, row(read_at<const std::int64_t*>(&s, f.offset), i));
  }
}

inline void Lines::see_tables(const tandem_step& s) {
  const std::int32_t* next = s.block_tables;
  if (next == nullptr) return;
  for (std::size_t i = 0; i < shape_.slots; ++i) {
    if (s.block_rows_changed != nullptr && s.block_rows_changed[i] == 0) continue;
    table_hash_[i] = table_row_hash(next, shape_.table);
    next += shape_.table;
  }
}

inline void Lines::runs(const char* name, const std::int32_t* ids, std::size_t count) {
  if (count == 0) return;
  json_.key(name);
  json_.text += '[';
  for (std::size_t begin = 0; begin < count;) {
    std::size_t end = begin;
    while (end < count && ids[end] == ids[begin]) ++end;
    json_.next();
    json_.text += '[';
    json_.number(ids[begin]);
    json_.text += ',';
    json_.number(end - begin);
    json_.text += ']';
    begin = end;
  }
  json_.text += ']';
}

inline void Lines::request(const tandem_request& r) {
  json_.text += '{';
  json_.member("id", r.id);
  json_.member("arrival", r.arrival);
  json_.member("prompt_len", r.prompt_len);
  json_.member("max_dec_len", r.max_dec_len);
  json_.member("eos_at", r.eos_at);
  json_.list("accept", r.accept_count, [&](std::size_t i) { json_.number(r.accept[i]); });
  json_.member("stop_at", r.stop_at);
  json_.member("stop_len", r.stop_len);
  json_.member("min_tokens", r.min_tokens);
  json_.member("cached_prompt", r.cached_prompt);
  json_.member("abort_after", r.abort_after != 0 ? r.abort_after : -1);
  json_.text += '}';
}

inline void Lines::task(const tandem_task& t) {
  json_.text += '{';
  json_.name("kind", kTaskKinds[t.kind]);
  json_.member("slot", t.slot);
  json_.member("request", t.request);
  json_.member("generation", t.generation);
  json_.member("start", t.start);
  json_.member("end", t.end);
  json_.member("text_len", t.text_len);
  json_.member("generated", t.generated);
  if (t.kind == TANDEM_DNODE) {
    const auto drafts = static_cast<std::size_t>(t.drafts);
    json_.member("drafts", t.drafts);
    json_.member("draft_digest", digest(shape_.key, t.draft_tokens + 1, drafts, 8));
    json_.member("last_digest", digest(shape_.key, t.draft_tokens, 1, 8));
  }
  json_.flag("admits", t.row != nullptr);
  if (t.row != nullptr) {
    json_.key("row");
    request(*t.row);
  }
  json_.list("blocks", t.block_count, [&](std::size_t i) { json_.number(t.blocks[i]); });
  json_.text += '}';
}

inline void Lines::message(const tandem_message& m) {
  const auto count = [&](std::size_t i) {
    const auto width = static_cast<std::int32_t>(shape_.width);
    return static_cast<std::size_t>(std::clamp(m.accept_num[i], 0, width));
  };
  json_.text += '{';
  json_.flag("control", m.control != 0);
  json_.member("step", m.step);
  json_.member("slots", m.slots);
  const std::size_t slots = shape_.slots;
  // Written out: in a message nothing but an empty list is the default of a column.
  json_.list("count", slots, [&](std::size_t i) { json_.number(m.accept_num[i]); });
  json_.list("digest", slots, [&](std::size_t i) {
    const bool has = m.accept_tokens != nullptr && count(i) > 0;
    json_.number(has ? digest(shape_.key, row(m.accept_tokens, i), count(i), 16) : 0);
  });
  json_.list("seq_len", slots, [&](std::size_t i) { json_.number(m.seq_lens_decoder[i]); });
  json_.list("request", slots,
             [&](std::size_t i) { json_.number(m.accept_num[i] != 0 ? m.request[i] : -1); });
  json_.list("generation", slots,
             [&](std::size_t i) { json_.number(m.accept_num[i] != 0 ? m.generation[i] : 0); });
  json_.text += '}';
}

/// The least negative id, or the greatest beyond the vocabulary, in 32 bits; 0 where there is none.
inline std::int64_t Lines::stray_id(Form form, const std::int64_t* ids, std::size_t rows) const {
  const auto [least, greatest] = std::minmax_element(ids, ids + rows);
  const bool is_below = form == Form::id_below;
  const bool is_stray = is_below ? *least < 0 : *greatest >= shape_.vocab_size;
  constexpr std::int64_t kLeast = std::numeric_limits<std::int32_t>::min();
  constexpr std::int64_t kGreatest = std::numeric_limits<std::int32_t>::max();
  return is_stray ? std::clamp(is_below ? *least : *greatest, kLeast, kGreatest) : 0;
}

/// Forms that steps and sub-steps share; false for another one. `rows` is the launch's token_num.
inline bool Lines::plain_field(const Field& f, const void* structure, std::int32_t rows) {
  const auto i32 = [&](std::size_t more) {
    return read_at<std::int32_t>(structure, f.offset + more * sizeof(std::int32_t));
  };
  switch (f.form) {
    case Form::flag:
      return json_.flag(f.name, i32(0) != 0), true;
    case Form::mode:
      return json_.name(f.name, i32(0) != 0 ? "predicted" : "exact"), true;
    case Form::i32:
      return json_.member(f.name, i32(0)), true;
    case Form::i64:
      return json_.member(f.name, read_at<std::int64_t>(structure, f.offset)), true;
    case Form::pair:
      json_.key(f.name);
      json_.text += '{';
      json_.member("token_num", i32(0));
      json_.member("real_bsz", i32(1));
      json_.text += '}';
      return true;
    case Form::column32:
      return column(f.name, read_at<const std::int32_t*>(structure, f.offset)), true;
    case Form::column8:
      return flags(f.name, read_at<const std::uint8_t*>(structure, f.offset)), true;
    case Form::column64:
      return column(f.name, read_at<const std::int64_t*>(structure, f.offset)), true;
    case Form::id_below:
    case Form::id_above: {
      const auto* ids = read_at<const std::int64_t*>(structure, f.offset);
      if (rows <= 0) return true;
      return json_.member(f.name, stray_id(f.form, ids, static_cast<std::size_t>(rows))), true;
    }
    default:
      return false;
  }
}

inline void Lines::substep(const tandem_substep& s) {
  json_.text += '{';
  for (const Field& f : kSubstepFields) {
    const bool is_read = f.part == Part::any || s.launched != 0;
    if (is_read && is_known(f, &known_substep_)) plain_field(f, &s, s.token_num);
  }
  json_.text += '}';
}

inline void Lines::lists(const Field& f, const tandem_step& s) {
  switch (f.form) {
    case Form::tasks:
      return json_.list(f.name, s.task_count, [&](std::size_t i) { task(s.tasks[i]); });
    case Form::outcomes:
      return json_.list(f.name, s.outcome_count, [&](std::size_t i) {
        json_.text += '{';
        json_.member("id", s.outcomes[i].id);
        json_.member("output_len", s.outcomes[i].output_len);
        json_.name("reason", kReasons[s.outcomes[i].reason]);
        json_.text += '}';
      });
    case Form::frees:
      return json_.list(f.name, s.free_count, [&](std::size_t i) {
        json_.text += '{';
        json_.member("slot", s.frees[i].slot);
        json_.member("generation", s.frees[i].generation);
        json_.text += '}';
      });
    case Form::uses:
      return json_.list(f.name, s.count_use_count, [&](std::size_t i) {
        json_.text += '{';
        json_.name("user", kCountUsers[s.count_uses[i].user]);
        json_.member("step", s.count_uses[i].step);
        json_.member("count", s.count_uses[i].count);
        json_.text += '}';
      });
    case Form::messages:
      return json_.list(f.name, s.message_count, [&](std::size_t i) { message(s.messages[i]); });
    default:
      return json_.list(f.name, shape_.substeps, [&](std::size_t i) { substep(s.substeps[i]); });
  }
}

inline void Lines::field(const Field& f, const tandem_step& s) {
  if (plain_field(f, &s, s.token_num)) return;
  switch (f.form) {
    case Form::tasks:
    case Form::outcomes:
    case Form::frees:
    case Form::uses:
    case Form::messages:
    case Form::substeps:
      return lists(f, s);
    case Form::prefix: {
      const auto* sums = read_at<const std::int32_t*>(&s, f.offset);
      const auto entries = static_cast<std::size_t>(s.n) + 1;
      return json_.list(f.name, entries, [&](std::size_t i) { json_.number(sums[i]); });
    }
    case Form::runs:
      return runs(f.name, s.batch_id_per_token, static_cast<std::size_t>(s.token_num));
    case Form::output_runs:
      return runs(f.name, s.batch_id_per_token_output, static_cast<std::size_t>(s.output_rows));
    default:
      json_.column(f.name, shape_.slots, [&](std::size_t i) { return slot_value(f, s, i); });
  }
}

inline const std::string& Lines::step(const tandem_step& s) {
  json_.text = R"({"type":"step")";
  see_tables(s);
  json_.member("t", s.t);
  json_.name("kind", kStepKinds[s.kind]);
  json_.member("n", s.n);
  for (const Field& f : kFields) {
    const bool is_read = f.part == Part::any || (f.part == Part::back && s.kind == TANDEM_BACK) ||
                         (f.part == Part::launch && s.kind != TANDEM_IDLE);
    if (f.form != Form::always && is_read && is_known(f, &known_)) field(f, s);
  }
  json_.text += "}\n";
  return json_.text;
}

}  // namespace tandem::recorder
