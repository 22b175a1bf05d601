// Plans and headers as lists of named members, as traces/members.hpp does for steps.
#pragma once

#include "traces/members.hpp"
#include "traces/plan/plan.hpp"
#include "traces/run_config.hpp"

namespace tandem::detail {

using tandem::EnumNames;
using tandem::visit_members;

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
  v("encoder_test", x.encoder_test);
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
  v("ngram_millionths", x.ngram_millionths);
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
