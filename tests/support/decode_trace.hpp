// A decode-heavy trace without a runtime: every slot runs, requests end and are replaced.
//
// Plausible, not exact: enough of the device's arithmetic that sizes and speeds of the codec mean
// something. Real runs are made by the runtime.
#pragma once

#include <algorithm>
#include <vector>

#include "tests/support/random_records.hpp"

namespace tandem::test {

class DecodeTrace {
 public:
  DecodeTrace(std::int32_t slots, std::int32_t drafts, std::int32_t output_len, std::uint64_t seed)
      : draws_(seed, "decode_trace"),
        header_(small_header(RecordLevel::state, slots, drafts)),
        output_len_(output_len),
        state_(static_cast<std::size_t>(slots)) {
    frame_ = Keyframe::initial(header_.first_step, slots);
    frame_.n = slots;
  }

  [[nodiscard]] const TraceHeader& header() const { return header_; }

  SampleTrace trace(std::size_t blocks, std::size_t steps_per_block) {
    SampleTrace out;
    out.header = header_;
    std::int64_t t = header_.first_step;
    for (std::size_t b = 0; b < blocks; ++b) {
      SampleBlock& block = out.blocks.emplace_back();
      block.keyframe = keyframe(t);
      for (std::size_t i = 0; i < steps_per_block; ++i) block.steps.push_back(step(t++));
    }
    out.last = keyframe(t);
    return out;
  }

 private:
  struct Slot {
    bool ended = true;  // its request has ended; a new one comes with the next step
    std::int32_t generation = -1;
    RequestId request = kNoRequest;
    std::int32_t d = 0;
    std::int32_t g = 0;
    std::int32_t known_d = 0;
    std::int32_t digest = 0;
    std::int32_t first = 0;
    std::int32_t table_hash = 0;
    std::int32_t table_len = 0;
    std::int64_t seed = 0;
  };

  static constexpr std::int32_t kPrompt = 128;  // prefilled elsewhere: every insert is a D node's
  RandomStream draws_;
  TraceHeader header_;
  std::int32_t output_len_;
  std::vector<Slot> state_;
  Keyframe frame_;
  RequestId next_request_ = 0;
  std::int32_t next_block_ = 0;
  bool has_message_ = false;
  Message message_;

  std::int32_t digest(unsigned bits) {
    return static_cast<std::int32_t>(draws_.next() >> (64 - bits));
  }

  void grant(Slot& slot, Task& task, std::int32_t reach) {
    for (; slot.table_len * header_.config.block_size < reach; ++slot.table_len) {
      const auto term = block_entry_hash(slot.table_len, next_block_);
      slot.table_hash =
          static_cast<std::int32_t>(static_cast<std::uint32_t>(slot.table_hash) + term);
      task.blocks.push_back(next_block_++);
    }
  }

  void insert(StepRecord& r, std::int64_t t) {
    const std::int32_t drafts = header_.config.num_speculative_tokens;
    for (std::size_t i = 0; i < state_.size(); ++i) {
      Slot& slot = state_[i];
      Task task;
      task.slot = static_cast<std::int32_t>(i);
      task.kind = TaskKind::decode;
      if (slot.ended) {
        const std::int32_t generation = slot.generation + 1;
        slot = Slot{};
        slot.ended = false;
        slot.generation = generation;
        slot.request = next_request_++;
        slot.d = slot.known_d = task.start = task.end = task.text_len = kPrompt;
        slot.g = task.generated = 1;
        slot.digest = task.draft_digest = digest(8);
        slot.first = task.last_digest = digest(8);
        slot.seed = static_cast<std::int64_t>(draws_.next() >> 2U);
        task.kind = TaskKind::dnode;
        task.drafts = drafts;
        task.admits = true;
        task.row = {slot.request, t, kPrompt, 4 * output_len_, output_len_, {}};
      }
      task.request = slot.request;
      task.generation = slot.generation;
      grant(slot, task, slot.d + 4 * header_.config.row_width());
      if (task.admits || !task.blocks.empty()) r.tasks.push_back(std::move(task));
    }
    if (r.tasks.empty()) return;
    const std::int32_t staged = digest(16);
    r.pinned_copies.push_back(
        {static_cast<std::int32_t>(plan::Buffer::task_arrays_cpu), staged, staged});
  }

  void launch(StepRecord& r) {
    const std::int32_t width = header_.config.row_width();
    const auto slots = static_cast<std::int32_t>(state_.size());
    for (std::size_t i = 0; i < state_.size(); ++i) {
      const Slot& slot = state_[i];
      r.p1.q[i] = r.q_cpu[i] = width;
      r.p1.d[i] = slot.d;
      r.p1.g[i] = slot.g;
      r.p1_p[i] = kPrompt;
      r.p1_draft.len[i] = width;
      r.p1_draft.digest[i] = slot.digest;
      r.p1_draft.first[i] = slot.first;
      r.p1_table_hash[i] = slot.table_hash;
      r.p1_request[i] = slot.request;
      r.p1_generation[i] = slot.generation;
      r.believed_len[i] = slot.known_d;
      const auto index = static_cast<std::int32_t>(i);
      r.row_runs.push_back({index, width});
      r.output_runs.push_back({index, width});
      r.cu_seqlens_q.push_back(index * width);
    }
    r.cu_seqlens_q.push_back(slots * width);
    r.cu_seqlens_q_output = r.cu_seqlens_q;
    r.n = r.launch_bsz = r.real_bsz = slots;
    r.token_num = r.output_rows = r.output_rows_host = slots * width;
    r.cached_in = r.cached_out = {slots * width, slots};
    r.mode = LaunchMode::predicted;
  }

  void verify(StepRecord& r) {
    r.p2 = r.p1;
    for (std::size_t i = 0; i < state_.size(); ++i) {
      Slot& slot = state_[i];
      const auto width = static_cast<std::uint64_t>(header_.config.row_width());
      auto a = static_cast<std::int32_t>(1 + draws_.below(width));
      const bool ends = slot.g + a >= output_len_;
      if (ends) a = std::max(1, output_len_ - slot.g);
      slot.d += a;
      slot.g += a;
      slot.ended = ends;
      r.enqueue_generation[i] = r.p2_generation[i] = slot.generation;
      r.seed_used[i] = static_cast<std::int32_t>(slot.seed & 0x7FFFFFFF);
      r.stop_step_idx[i] = r.p1.g[i];
      slot.seed += 4 * std::int64_t{header_.config.row_width()};
      slot.first = digest(8);
      r.p2.a[i] = a;
      r.p2.d[i] = slot.d;
      r.p2.g[i] = slot.g;
      r.p2.s[i] = ends ? 1 : 0;
      r.accept_marks[i] = ends ? kMarkLastIsEos : 0;
      r.accept_digest[i] = digest(16);
      r.last_digest[i] = r.p2_first[i] = slot.first;
    }
  }

  void propose(StepRecord& r) {
    for (std::size_t i = 0; i < state_.size(); ++i) {
      std::int32_t q = state_[i].ended ? 0 : r.p2.a[i];
      std::int32_t d = q > 0 ? r.p1.d[i] : 0;
      r.paired[i] = q;
      for (std::size_t j = 0; j < r.substeps.size(); ++j) {
        DraftSubstep& sub = r.substeps[j];
        sub.launched = true;
        sub.qd[i] = sub.row_count[i] = q;
        sub.dd[i] = sub.row_position[i] = d;
        sub.row_request[i] = q > 0 ? state_[i].request : kNoRequest;
        sub.row_phase[i] = q > 0 ? static_cast<std::int32_t>(j) : 0;
        sub.device_sum += q;
        sub.hidden_rows = j == 0 ? r.token_num : r.n;
        sub.token_num = j == 0 ? r.token_num : r.real_bsz;
        d += q;
        q = q > 0 ? 1 : 0;
      }
      r.shadow.q[i] = q;
      r.shadow.d[i] = d;
      r.shadow.g[i] = q > 0 ? r.p2.g[i] + static_cast<std::int32_t>(r.substeps.size()) - 1 : 0;
      r.shadow.s[i] = 1 - q;
    }
  }

  StepRecord step(std::int64_t t) {
    StepRecord r;
    const RunConfig& config = header_.config;
    r.reset(header_.level, config.max_num_seqs, config.num_model_steps, config.row_width());
    r.t = r.q_cpu_step = r.b_cpu_step = t;
    insert(r, t);
    launch(r);
    verify(r);
    propose(r);
    r.p4 = r.p2;
    for (std::size_t i = 0; i < state_.size(); ++i) {
      Slot& slot = state_[i];
      slot.digest = slot.ended ? 0 : digest(8);
      r.p4.q[i] = slot.ended ? 0 : config.row_width();
      r.p4_draft.len[i] = slot.ended ? 1 : config.row_width();
      r.p4_draft.digest[i] = slot.digest;
      r.p4_draft.first[i] = slot.first;
    }
    if (has_message_) {
      r.messages.push_back(message_);
      std::int64_t tokens = 0;
      for (const std::int32_t count : message_.count) tokens += count;
      r.count_uses.push_back({CountUser::sampling_mask, message_.step, tokens});
    }
    r.count_uses.push_back({CountUser::routing_replay, t, r.token_num});
    for (std::size_t i = 0; has_message_ && i < state_.size(); ++i) {
      state_[i].known_d = message_.seq_len[i];
    }
    message_ = {false, t, r.n, r.p2.a, r.accept_digest, r.p2.d, r.p1_request, r.p1_generation};
    has_message_ = true;
    frame_.slots = r.p4;
    frame_.draft = r.p4_draft;
    return r;
  }

  Keyframe keyframe(std::int64_t t) {
    frame_.t = t;
    frame_.has_unsent = has_message_;
    frame_.unsent = message_;
    frame_.cached = {frame_.n * header_.config.row_width(), frame_.n};
    for (std::size_t i = 0; i < state_.size(); ++i) {
      frame_.request[i] = state_[i].request;
      frame_.generation[i] = state_[i].generation + 1;
      frame_.p[i] = kPrompt;
      frame_.known_d[i] = state_[i].known_d;
      frame_.infer_seed[i] = state_[i].seed;
    }
    return frame_;
  }
};

}  // namespace tandem::test
