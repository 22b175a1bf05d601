// Prints the lines that frame the steps of a trace: its header and its keyframes.
#pragma once

#include <string>

#include "traces/recorder/detail/lines.hpp"

namespace tandem::recorder {

/// Fields of level `timeline`; a trace without a clock has level `state`, which does not name them.
inline bool is_timeline(const Field& f) {
  const std::string name = f.name;
  return name == "spans" || name == "start_ns" || name == "end_ns";
}

inline bool has_clock(const tandem_step& known) {
  return known.start_ns != TANDEM_UNKNOWN64 || known.end_ns != TANDEM_UNKNOWN64;
}

inline void Lines::absent() {
  json_.key("absent");
  json_.text += '[';
  const auto put = [this](const std::string& name) {
    json_.next();
    json_.word(name.c_str());
  };
  for (const Field& f : kFields) {
    if (is_timeline(f) && !has_clock(known_)) continue;
    const bool known = is_known(f, &known_);
    if (!known) put(f.name);
    if (f.form != Form::substeps) continue;
    for (const Field& sub : kSubstepFields) {
      if (!known || !is_known(sub, &known_substep_)) put(std::string("substeps.") + sub.name);
    }
  }
  json_.text += ']';
}

inline void Lines::config(const tandem_config& c) {
  json_.text += '{';
  json_.name("scenario", c.scenario);
  json_.key("seed");
  json_.big(c.seed);
  json_.name("policy", c.policy);
  json_.list("rows", 14, [&](std::size_t i) { json_.word(c.rows[i]); });
  json_.name("draft_path", c.draft_path);
  json_.name("encoder_test", c.encoder_test);
  json_.name("arrivals", c.arrivals);
  json_.member("max_num_seqs", c.max_num_seqs);
  json_.member("num_speculative_tokens", c.num_speculative_tokens);
  json_.member("num_model_steps", c.num_model_steps);
  json_.member("block_size", c.block_size);
  json_.member("kv_blocks", c.kv_blocks);
  json_.member("enc_dec_block_num", c.enc_dec_block_num);
  json_.member("max_model_len", c.max_model_len);
  json_.member("max_num_batched_tokens", c.max_num_batched_tokens);
  json_.member("pinned_ring_depth", c.pinned_ring_depth);
  json_.flag("splitwise_prefill", c.splitwise_prefill != 0);
  json_.flag("copies_own_stream", c.copies_own_stream != 0);
  json_.list("captured_sizes", c.captured_size_count,
             [&](std::size_t i) { json_.number(c.captured_sizes[i]); });
  json_.member("vocab_size", c.vocab_size);
  json_.member("padding_id", c.padding_id);
  json_.list("eos_ids", c.eos_id_count, [&](std::size_t i) { json_.number(c.eos_ids[i]); });
  json_.key("acceptance");
  json_.text += '{';
  json_.name("kind", c.acceptance);
  json_.list("millionths", c.millionth_count,
             [&](std::size_t i) { json_.number(c.millionths[i]); });
  json_.text += "}}";
}

inline const std::string& Lines::header(const tandem_config& c) {
  json_.text = R"({"type":"header","format":"tandem-trace","version":2,"header":{)";
  json_.name("producer", c.producer);
  json_.name("level", has_clock(known_) ? "timeline" : "state");
  json_.name("device", c.device);
  json_.name("executor", "recorder");
  json_.member("first_step", c.first_step);
  absent();
  json_.key("config");
  config(c);
  json_.text += "}}\n";
  return json_.text;
}

inline void Lines::keyframe_device(const tandem_keyframe& k) {
  column("q", k.slots.seq_lens_this_time);
  column("e", k.slots.seq_lens_encoder);
  column("d", k.slots.seq_lens_decoder);
  whole("s", k.slots.stop_flags);
  flags("b", k.slots.is_block_step);
  column("g", k.slots.step_idx);
  column("a", k.slots.accept_num);
  column("p", k.prompt_lens);
  draft_row("draft_len", Form::row_len, k.slots.draft_tokens);
  draft_row("draft_hole", Form::row_hole, k.slots.draft_tokens);
  draft_row("draft_digest", Form::row_digest, k.slots.draft_tokens);
  draft_row("draft_first", Form::row_first, k.slots.draft_tokens);
  column("step_q", k.step_seq_lens_this_time);
  column("step_d", k.step_seq_lens_decoder);
  if (k.step_draft_tokens != nullptr && k.step_seq_lens_this_time != nullptr) {
    json_.column("step_digest", shape_.slots, [&](std::size_t i) {
      return saved_digest(row(k.step_draft_tokens, i), k.step_seq_lens_this_time[i]);
    });
  }
  column("shadow_q", k.shadow.seq_lens_this_time);
  column("shadow_e", k.shadow.seq_lens_encoder);
  column("shadow_d", k.shadow.seq_lens_decoder);
  column("shadow_g", k.shadow.step_idx);
  whole("shadow_s", k.shadow.stop_flags);
  if (k.block_tables != nullptr) {
    json_.list("blocks", shape_.slots, [&](std::size_t i) {
      const std::int32_t* entry = k.block_tables + i * shape_.table;
      const std::int32_t* end = std::find(entry, entry + shape_.table, -1);
      json_.text += '[';
      for (; entry != end; ++entry) {
        json_.next();
        json_.number(*entry);
      }
      json_.text += ']';
    });
  }
  column("infer_seed", k.infer_seed);
}

inline void Lines::keyframe_host(const tandem_keyframe& k) {
  whole("request", k.request);
  column("generation", k.generation);
  json_.list("rows", k.row_count, [&](std::size_t i) { request(k.rows[i]); });
  json_.flag("flag", k.flag != 0);
  json_.flag("draft_flag", k.draft_flag != 0);
  json_.key("cached");
  json_.text += '{';
  json_.member("token_num", k.cached_token_num);
  json_.member("real_bsz", k.cached_real_bsz);
  json_.text += '}';
  column("q_cpu", k.seq_lens_this_time_cpu);
  flags("b_cpu", k.is_block_step_cpu);
  json_.flag("ghost", k.ghost != 0);
  json_.flag("has_unsent", k.unsent != nullptr);
  if (k.unsent != nullptr) {
    json_.key("unsent");
    message(*k.unsent);
  }
  column("preempted", k.preempted);
  column("last_preempted", k.last_preempted);
  column("known_d", k.known_d);
  column("known_g", k.known_g);
  column("in_flight", k.in_flight);
}

inline const std::string& Lines::keyframe(const tandem_keyframe& k, bool is_last) {
  json_.text = is_last ? R"({"type":"end","last":{)" : R"({"type":"keyframe","keyframe":{)";
  json_.member("t", k.t);
  json_.member("n", k.n);
  keyframe_device(k);
  keyframe_host(k);
  json_.text += "}}\n";
  return json_.text;
}

}  // namespace tandem::recorder
