// Every structure of a trace as a list of named members: one description for JSON and plain binary.
//
// visit_members(value, visitor) calls visitor(name, member) in the order in which plain binary
// stores the members; the names are those of the JSONL twin. Steps have traces/fields.hpp instead.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <type_traits>

#include "traces/keyframe.hpp"
#include "traces/plan/plan.hpp"
#include "traces/record.hpp"
#include "traces/run_config.hpp"

namespace tandem::detail {

/// Names of an enumeration of records, indexed by value. Those of a RunConfig and of plans have
/// to_name() and from_name() of their own.
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

template <Is<plan::BufferUse> T, class V>
void visit_members(T& x, V& v) {
  v("buffer", x.buffer);
  v("ring", x.ring);
  v("step_offset", x.step_offset);
}

template <Is<plan::EventRef> T, class V>
void visit_members(T& x, V& v) {
  v("name", x.name);
  v("step_offset", x.step_offset);
}

template <Is<plan::Operation> T, class V>
void visit_members(T& x, V& v) {
  v("kind", x.kind);
  v("lane", x.lane);
  v("gate", x.gate);
  v("substep", x.substep);
  v("row", x.row);
  v("waits", x.waits);
  v("records", x.records);
  v("reads", x.reads);
  v("writes", x.writes);
}

template <Is<plan::Segment> T, class V>
void visit_members(T& x, V& v) {
  v("kind", x.kind);
  v("ops", x.ops);
}

template <Is<AcceptProfile> T, class V>
void visit_members(T& x, V& v) {
  v("kind", x.kind);
  v("millionths", x.millionths);
}

template <Is<RunConfig> T, class V>
void visit_members(T& x, V& v) {
  v("scenario", x.scenario);
  v("seed", x.seed);
  v("policy", x.policy);
  v("rows", x.rows);
  v("draft_path", x.draft_path);
  v("arrivals", x.arrivals);
  v("max_num_seqs", x.max_num_seqs);
  v("num_speculative_tokens", x.num_speculative_tokens);
  v("num_model_steps", x.num_model_steps);
  v("block_size", x.block_size);
  v("kv_blocks", x.kv_blocks);
  v("enc_dec_block_num", x.enc_dec_block_num);
  v("max_model_len", x.max_model_len);
  v("max_num_batched_tokens", x.max_num_batched_tokens);
  v("pinned_ring_depth", x.pinned_ring_depth);
  v("splitwise_prefill", x.splitwise_prefill);
  v("copies_own_stream", x.copies_own_stream);
  v("captured_sizes", x.captured_sizes);
  v("vocab_size", x.vocab_size);
  v("padding_id", x.padding_id);
  v("eos_ids", x.eos_ids);
  v("acceptance", x.acceptance);
  v("digest_key", x.digest_key);
}

template <Is<TraceHeader> T, class V>
void visit_members(T& x, V& v) {
  v("producer", x.producer);
  v("level", x.level);
  v("device", x.device);
  v("executor", x.executor);
  v("first_step", x.first_step);
  v("absent", x.absent);
  v("config", x.config);
}

}  // namespace tandem::detail
