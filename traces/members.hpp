// Keyframes and the small structures of a step by name: one list for every codec and text.
//
// visit_members(value, visitor) calls visitor(name, member) in the order in which plain binary
// stores the members; the names are those of the JSONL twin. Steps have traces/fields.hpp instead.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <type_traits>

#include "traces/keyframe.hpp"
#include "traces/record.hpp"

namespace tandem {

/// Names of an enumeration of records, indexed by value. Those of a RunConfig and of plans have
/// to_name() and from_name() where they are declared.
template <class Enum>
struct EnumNames;
template <>
struct EnumNames<StepKind> {
  static constexpr std::array kNames{"back", "empty", "idle"};
};
template <>
struct EnumNames<LaunchMode> {
  static constexpr std::array kNames{"exact", "predicted"};
};
template <>
struct EnumNames<TaskKind> {
  static constexpr std::array kNames{"prefill", "dnode", "decode", "preempt", "abort"};
};
template <>
struct EnumNames<StopReason> {
  static constexpr std::array kNames{"open", "eos", "length", "stop", "abort"};
};
template <>
struct EnumNames<CountUser> {
  static constexpr std::array kNames{"routing_replay", "sampling_mask"};
};

template <class Enum>
concept RecordEnum = requires {
  EnumNames<Enum>::kNames.size();
};

template <RecordEnum Enum>
const char* to_name(Enum value) {
  return EnumNames<Enum>::kNames.at(static_cast<std::size_t>(value));
}

template <RecordEnum Enum>
bool from_name(const std::string& name, Enum& out) {
  constexpr auto& kNames = EnumNames<Enum>::kNames;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (name == kNames[i]) {
      out = static_cast<Enum>(i);
      return true;
    }
  }
  return false;
}

// Const and mutable values share a list of members.
template <class T, class U>
concept Is = std::is_same_v<std::remove_const_t<T>, U>;

template <Is<CachedPair> T, class V>
void visit_members(T& x, V& v) {
  v("token_num", x.token_num);
  v("real_bsz", x.real_bsz);
}

template <Is<RequestRow> T, class V>
void visit_members(T& x, V& v) {
  v("id", x.id);
  v("arrival", x.arrival);
  v("prompt_len", x.prompt_len);
  v("max_dec_len", x.max_dec_len);
  v("eos_at", x.eos_at);
  v("accept", x.accept);
  v("stop_at", x.stop_at);
  v("stop_len", x.stop_len);
  v("min_tokens", x.min_tokens);
  v("cached_prompt", x.cached_prompt);
  v("abort_after", x.abort_after);
}

template <Is<RequestOutcome> T, class V>
void visit_members(T& x, V& v) {
  v("id", x.id);
  v("output_len", x.output_len);
  v("reason", x.reason);
}

template <Is<Task> T, class V>
void visit_members(T& x, V& v) {
  v("kind", x.kind);
  v("slot", x.slot);
  v("request", x.request);
  v("generation", x.generation);
  v("start", x.start);
  v("end", x.end);
  v("text_len", x.text_len);
  v("generated", x.generated);
  v("drafts", x.drafts);
  v("draft_digest", x.draft_digest);
  v("last_digest", x.last_digest);
  v("admits", x.admits);
  v("row", x.row);
  v("blocks", x.blocks);
}

template <Is<RowRun> T, class V>
void visit_members(T& x, V& v) {
  v("slot", x.slot);
  v("rows", x.rows);
}

template <Is<SlotFree> T, class V>
void visit_members(T& x, V& v) {
  v("slot", x.slot);
  v("generation", x.generation);
}

template <Is<PlanDeviation> T, class V>
void visit_members(T& x, V& v) {
  v("lane", x.lane);
  v("position", x.position);
  v("expected", x.expected);
  v("found", x.found);
}

template <Is<CountUse> T, class V>
void visit_members(T& x, V& v) {
  v("user", x.user);
  v("step", x.step);
  v("count", x.count);
}

template <Is<PinnedCopy> T, class V>
void visit_members(T& x, V& v) {
  v("buffer", x.buffer);
  v("at_enqueue", x.at_enqueue);
  v("at_copy", x.at_copy);
}

template <Is<Span> T, class V>
void visit_members(T& x, V& v) {
  v("lane", x.lane);
  v("segment", x.segment);
  v("op", x.op);
  v("start_ns", x.start_ns);
  v("end_ns", x.end_ns);
}

template <Is<Message> T, class V>
void visit_members(T& x, V& v) {
  v("control", x.control);
  v("step", x.step);
  v("slots", x.slots);
  v("count", x.count);
  v("digest", x.digest);
  v("seq_len", x.seq_len);
  v("request", x.request);
  v("generation", x.generation);
}

template <Is<Keyframe> T, class V>
void visit_keyframe_device(T& x, V& v) {
  v("q", x.slots.q);
  v("e", x.slots.e);
  v("d", x.slots.d);
  v("s", x.slots.s);
  v("b", x.slots.b);
  v("g", x.slots.g);
  v("a", x.slots.a);
  v("p", x.p);
  v("draft_len", x.draft.len);
  v("draft_hole", x.draft.hole);
  v("draft_digest", x.draft.digest);
  v("draft_first", x.draft.first);
  v("step_q", x.step_q);
  v("step_d", x.step_d);
  v("step_digest", x.step_digest);
  v("shadow_q", x.shadow.q);
  v("shadow_e", x.shadow.e);
  v("shadow_d", x.shadow.d);
  v("shadow_g", x.shadow.g);
  v("shadow_s", x.shadow.s);
  v("blocks", x.blocks);
  v("infer_seed", x.infer_seed);
}

template <Is<Keyframe> T, class V>
void visit_members(T& x, V& v) {
  v("t", x.t);
  v("n", x.n);
  visit_keyframe_device(x, v);
  v("request", x.request);
  v("generation", x.generation);
  v("rows", x.rows);
  v("flag", x.flag);
  v("draft_flag", x.draft_flag);
  v("cached", x.cached);
  v("q_cpu", x.q_cpu);
  v("b_cpu", x.b_cpu);
  v("ghost", x.ghost);
  v("has_unsent", x.has_unsent);
  v("unsent", x.unsent);
  v("preempted", x.preempted);
  v("last_preempted", x.last_preempted);
  v("known_d", x.known_d);
  v("known_g", x.known_g);
  v("in_flight", x.in_flight);
}

}  // namespace tandem
